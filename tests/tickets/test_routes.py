"""Tickets over HTTP, down to the database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.params import Depends as DependsParam

from callcenter.app.api.errors import add_error_handlers
from tests.tickets.conftest import START, Desk
from tests.tickets.lives import HOUR
from tickets.ports import TicketPermission
from tickets.routes import add_ticket_routes


def allow(rule: TicketPermission) -> list[DependsParam]:
    """Everybody may, and is user-ann."""
    assert rule in {"tickets.read", "tickets.write"}

    async def let_in(request: Request) -> None:
        request.state.principal = SimpleNamespace(user="user-ann")

    return [Depends(let_in)]


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    add_error_handlers(app)
    add_ticket_routes(app, desk.service, allow)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://calls.test") as client:
        yield client


async def opened(browser: httpx.AsyncClient, **body: object) -> dict[str, object]:
    answer = await browser.post("/api/tickets", json={"subject": "Printer", **body})
    assert answer.status_code == 201
    ticket: dict[str, object] = answer.json()
    return ticket


async def test_a_ticket_is_opened_from_the_live_call(browser: httpx.AsyncClient, desk: Desk) -> None:
    desk.talking.add("k1")
    body = {"command_id": "cmd-1", "contact": "k1", "customer": "c1", "queue": "support", "assignee": "ann"}
    ticket = await opened(browser, **body)
    assert {name: ticket[name] for name in ("number", "status", "contact", "customer", "first_response_verdict")} == {
        "number": 1,
        "status": "open",
        "contact": "k1",
        "customer": "c1",
        "first_response_verdict": "met",
    }
    again = await browser.post("/api/tickets", json={"subject": "Printer", **body})
    assert (again.status_code, again.json()) == (200, ticket)


async def test_a_ticket_is_shown_whole_with_what_explains_its_clocks(browser: httpx.AsyncClient, desk: Desk) -> None:
    ticket = await opened(browser, text="It burns.")
    desk.wait(1.5)
    shown = (await browser.get(f"/api/tickets/{ticket['id']}")).json()
    assert shown["ticket"] == ticket
    assert [message["text"] for message in shown["messages"]] == ["It burns."]
    assert shown["messages"][0]["author_id"] == "user-ann"
    assert {line["attribute"] for line in shown["history"]} >= {"status", "priority", "terms", "message"}
    response, resolution = shown["clocks"]
    assert (response["clock"], response["state"], response["elapsed_s"], response["target_s"]) == (
        "first_response",
        "running",
        5400,
        14400,
    )
    assert resolution["intervals"] == [
        {
            "start": "2026-03-02T08:00:00Z",
            "end": "2026-03-02T09:30:00Z",
            "category": "counted",
            "business_s": 5400,
            "status": "new",
            "policy": "standard",
            "calendar": "office",
        }
    ]


async def test_a_reply_is_written_and_meets_the_clock(browser: httpx.AsyncClient) -> None:
    ticket = await opened(browser)
    answer = await browser.post(
        f"/api/tickets/{ticket['id']}/messages", json={"kind": "public_reply", "text": "We come."}
    )
    assert (answer.status_code, answer.json()["author"], answer.json()["author_id"]) == (201, "agent", "user-ann")
    shown = (await browser.get(f"/api/tickets/{ticket['id']}")).json()["ticket"]
    assert (shown["status"], shown["first_response_verdict"]) == ("open", "met")


async def test_what_is_named_is_changed_and_null_takes_away(browser: httpx.AsyncClient) -> None:
    ticket = await opened(browser, assignee="ann", tags=["a"])
    path = f"/api/tickets/{ticket['id']}"
    changed = (await browser.patch(path, json={"version": 1, "status": "pending", "priority": "high"})).json()
    assert (changed["version"], changed["status"], changed["priority"]) == (2, "pending", "high")
    assert (changed["assignee"], changed["tags"], changed["subject"]) == ("ann", ["a"], "Printer")
    freed = (await browser.patch(path, json={"version": 2, "assignee": None, "tags": []})).json()
    assert (freed["assignee"], freed["tags"], freed["status"]) == (None, [], "pending")


async def test_a_stale_version_is_a_conflict_that_names_the_present_one(browser: httpx.AsyncClient) -> None:
    ticket = await opened(browser)
    path = f"/api/tickets/{ticket['id']}"
    await browser.patch(path, json={"version": 1, "priority": "high"})
    answer = await browser.patch(path, json={"version": 1, "priority": "low"})
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (
        409,
        "ticket_changed",
        {"version": 2},
    )


async def test_a_status_that_cannot_follow_is_a_conflict_with_both_named(browser: httpx.AsyncClient) -> None:
    ticket = await opened(browser)
    path = f"/api/tickets/{ticket['id']}"
    await browser.patch(path, json={"version": 1, "status": "closed"})
    answer = await browser.patch(path, json={"version": 2, "status": "open"})
    assert (answer.status_code, answer.json()) == (
        409,
        {
            "code": "ticket_status_forbidden",
            "message": "A ticket that is closed cannot become open.",
            "data": {"from": "closed", "to": "open"},
        },
    )


async def test_a_contact_is_linked(browser: httpx.AsyncClient) -> None:
    ticket = await opened(browser)
    await browser.patch(f"/api/tickets/{ticket['id']}", json={"version": 1, "contact": "k7"})
    assert (await browser.get(f"/api/tickets/{ticket['id']}")).json()["contacts"] == ["k7"]
    assert [one["id"] for one in (await browser.get("/api/tickets?contact=k7")).json()["tickets"]] == [ticket["id"]]


async def test_lists_are_filtered_and_paged(browser: httpx.AsyncClient, desk: Desk) -> None:
    for assignee in ("ann", "bob", "ann"):
        await opened(browser, assignee=assignee)
    page = (await browser.get("/api/tickets?assignee=ann&limit=1")).json()
    assert ([one["number"] for one in page["tickets"]], page["next"]) == ([3], 3)
    rest = (await browser.get("/api/tickets?assignee=ann&limit=1&after=3")).json()
    assert ([one["number"] for one in rest["tickets"]], rest["next"]) == ([1], None)
    assert (await browser.get("/api/tickets?status=pending&status=closed")).json() == {"tickets": [], "next": None}
    desk.wait(5)
    late = (await browser.get("/api/tickets?overdue=true")).json()["tickets"]
    assert [(one["number"], one["overdue"]) for one in late] == [(3, True), (2, True), (1, True)]


async def test_a_customers_tickets_come_newest_first_from_a_cursor(desk: Desk) -> None:
    tickets = [await desk.open(f"Ticket {n}", customer="c1") for n in range(3)]
    await desk.open("Another's", customer="c2")
    newest = await desk.service.of_customer("c1", after=None, limit=2)
    assert [one.id for one in newest] == [tickets[2].id, tickets[1].id]
    assert [one.id for one in await desk.service.of_customer("c1", after=tickets[1].id, limit=5)] == [tickets[0].id]


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "", {}, "subject"),
        ("POST", "", {"subject": "  "}, "subject"),
        ("POST", "", {"subject": "x", "priority": "top"}, "priority"),
        ("POST", "", {"subject": "x", "status": "closed"}, "status"),
        ("POST", "", {"subject": "x", "queue": "nowhere"}, "queue"),
        ("POST", "", {"subject": "x", "category": "Mrs Jones"}, "category"),
        ("POST", "/t1/messages", {"kind": "system", "text": "x"}, "kind"),
        ("POST", "/t1/messages", {"kind": "call", "text": "x", "author": "automatic"}, "author"),
        ("PATCH", "/t1", {"priority": "low"}, "version"),
        ("PATCH", "/t1", {"version": 1, "status": None}, "status"),
        ("PATCH", "/t1", {"version": "1"}, "version"),
    ],
)
async def test_a_body_that_breaks_its_schema_names_the_field(
    browser: httpx.AsyncClient, method: str, path: str, body: dict[str, object], field: str
) -> None:
    answer = await browser.request(method, f"/api/tickets{path}", json=body)
    assert (answer.status_code, answer.json()["data"]["field"]) == (422, field)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/ghost", None),
        ("PATCH", "/ghost", {"version": 1}),
        ("POST", "/ghost/messages", {"kind": "internal_note", "text": "x"}),
    ],
)
async def test_an_unknown_ticket_is_not_found(
    browser: httpx.AsyncClient, method: str, path: str, body: object
) -> None:
    answer = await browser.request(method, f"/api/tickets{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "ticket_unknown")


async def test_due_times_are_what_the_policy_promises(browser: httpx.AsyncClient) -> None:
    ticket = await opened(browser, priority="urgent")
    assert ticket["first_response_due_at"] == (START + HOUR).isoformat().replace("+00:00", "Z")
    assert ticket["resolution_due_at"] == (START + timedelta(days=1, hours=1)).isoformat().replace("+00:00", "Z")
