"""Agent states over HTTP."""

import pytest

from callcenter.kernel.errors import Conflict
from tests.callcenter.app.api.conftest import Web


async def test_an_agent_goes_available(web: Web) -> None:
    browser = await web.signed_in("ann")
    answer = await browser.post("/api/agents/me/state", json={"state": "available"})
    assert (answer.status_code, answer.json()["state"]) == (200, "available")
    assert web.fakes.desk.asked == [("ann", "available", None, "user-ann")]


async def test_a_supervisor_signs_an_agent_out(web: Web) -> None:
    browser = await web.signed_in("sue")
    answer = await browser.post("/api/agents/bob/state", json={"state": "logged_out"})
    assert answer.status_code == 200
    assert web.fakes.desk.asked == [("bob", "logged_out", None, "user-sue")]


async def test_a_supervisor_who_takes_no_calls_has_no_own_state(web: Web) -> None:
    answer = await (await web.signed_in("sue")).post("/api/agents/me/state", json={"state": "available"})
    assert answer.status_code == 403


async def test_an_unknown_agent_is_not_found(web: Web) -> None:
    answer = await (await web.signed_in("sue")).post("/api/agents/zed/state", json={"state": "available"})
    assert answer.status_code == 404


async def test_a_state_that_the_present_one_forbids_is_a_conflict(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, by: str) -> None:
        raise Conflict("The agent is on a call.", data={"state": "on_contact"})

    monkeypatch.setattr(web.fakes.desk, "set_state", refuse)
    answer = await (await web.signed_in("ann")).post("/api/agents/me/state", json={"state": "available"})
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "conflict",
        "message": "The agent is on a call.",
        "data": {"state": "on_contact"},
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "asleep"}, "state"),
        ({}, "state"),
        ({"state": "not_ready", "reason": "Über"}, "reason"),
        ({"state": "available", "agent": "bob"}, "agent"),
        ([], "body"),
    ],
)
async def test_a_body_that_breaks_its_schema_names_the_field(web: Web, body: object, field: str) -> None:
    answer = await (await web.signed_in("ann")).post("/api/agents/me/state", json=body)
    assert answer.status_code == 422
    assert answer.json()["data"]["field"] == field


async def test_a_body_that_is_no_json_is_refused(web: Web) -> None:
    browser = await web.signed_in("ann")
    answer = await browser.post("/api/agents/me/state", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["data"]["field"]) == (422, "body")


async def test_agents_and_queues_are_listed(web: Web) -> None:
    browser = await web.signed_in("ann")
    agents = (await browser.get("/api/agents")).json()["agents"]
    assert [agent["id"] for agent in agents] == ["ann", "bob"]
    assert (await browser.get("/api/queues")).json()["queues"][0]["waiting"] == 0


async def test_the_choices_of_the_desk_are_for_those_who_use_one(web: Web) -> None:
    answer = await (await web.signed_in("ann")).get("/api/desk/options")
    assert answer.json() == {
        "dispositions": {"resolved": {"en": "Resolved"}},
        "phones": {"1004": "Front desk"},
        "queues": ["billing"],
        "numbers": ["200"],
        "wrap_up_when_asked": ["billing"],
    }
    assert (await (await web.signed_in("quinn")).get("/api/desk/options")).status_code == 403
