"""Files of customers read beside the loop, the timeline over two rooms, and who may say who a caller is."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.app.contact_customers import check_choice
from callcenter.app.customer_records import CustomerRecords
from callcenter.app.timeline import CustomerTimeline, Item, calls_source
from callcenter.crm.model import CustomerFields, CustomerRecord
from callcenter.crm.records import Search, create_customer
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import InvalidInput, NotFound, Overloaded, PermissionDenied
from callcenter.kernel.site import Site
from callcenter.reporting.cdr import CdrDetail
from callcenter.reporting.tables import CdrRow, ContactPerson
from tests.support.web import principal

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FILE = b"\xef\xbb\xbfname,numbers\nAnn,020 7946 0018\n,\nB\xff,\n"


@pytest.fixture
def records(site: Site) -> CustomerRecords:
    return CustomerRecords(site, FakeClock(), region="GB")


async def test_file_is_previewed_and_imported_beside_the_loop(records: CustomerRecords) -> None:
    told = await records.preview(FILE)
    assert (told.rows, told.report.created, len(told.report.bad)) == (3, 1, 2)
    assert (await records.search(Search())).customers == ()
    report = await records.bring_in(FILE, by="user1")
    assert (report.created, report.updated, [row.line for row in report.bad]) == (1, 0, [3, 4])
    (ann,) = (await records.search(Search("ann"))).customers
    assert (await records.find("+442079460018")).only is not None
    assert [change.actor for change in await records.history(ann.id)] == ["user1"]
    text = "".join([piece async for piece in records.export()])
    assert text.splitlines()[1] == "Ann,,,,,,,020 7946 0018"


async def test_owners_are_the_agents_of_the_site_in_forms_and_files(site: Site) -> None:
    records = CustomerRecords(site, FakeClock(), region="GB", agents=lambda: {"anna", "bert"})
    made = await records.create(CustomerFields("Ann", owner="anna"), by="user1")
    assert (await records.edit(made.id, {"owner": "bert"}, version=1, by="user1")).owner == "bert"
    for wish in (records.create(CustomerFields("Ben", owner="zoe"), by="user1"),
                 records.edit(made.id, {"owner": "zoe"}, version=2, by="user1")):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            await wish
        assert refused.value.data == {"field": "owner", "value": "zoe", "reason": "no_agent"}
    told = await records.preview(b"name,owner\nCarl,anna\nDora,zoe\nEmil,\n")
    assert [shown.row.owner for shown in told.first] == ["anna", ""]
    assert [(row.line, row.flaw.code) for row in told.report.bad] == [(3, "no_agent")]


async def test_one_file_at_a_time(records: CustomerRecords) -> None:
    told = await asyncio.gather(records.preview(FILE), records.preview(FILE), return_exceptions=True)
    assert [type(one).__name__ for one in told] == ["Preview", "Overloaded"]
    assert (await records.preview(FILE)).rows == 3


async def test_file_with_the_wrong_columns_is_refused_and_the_next_one_taken(records: CustomerRecords) -> None:
    with pytest.raises(InvalidInput, match="line 1"):
        await records.bring_in(b"shoe size\n4\n", by="user1")
    assert (await records.preview(FILE)).rows == 3


async def test_file_is_left_when_the_server_stops(records: CustomerRecords) -> None:
    records.close()
    with pytest.raises(Overloaded):
        await records.bring_in(FILE, by="user1")


def call(contact: str, customer: str | None, caller: str) -> list[object]:
    return [
        CdrRow(
            contact=contact,
            direction="inbound",
            source_kind="trunk",
            source="carrier",
            started_at=NOW,
            customer=customer,
            talk_ms=0,
            result="answered",
            detail=CdrDetail(),
        ),
        ContactPerson(contact=contact, caller=caller, collected={}),
    ]


async def fill(session: AsyncSession, ann: str) -> None:
    session.add_all(
        [
            *call("c1", ann, "anonymous"),
            *call("c2", None, "02079460018"),
            *call("c3", "somebody", "+442079460018"),
            *call("c4", None, "442079460018"),
            *call("c5", None, "+442079460999"),
            *call("c7", ann, "+442079460018"),
        ]
    )


async def tickets(customer: CustomerRecord, after: str | None, limit: int) -> Sequence[Item]:
    """A second source, with two tickets among the calls."""
    ids = [id_ for id_ in ("c6", "c0") if after is None or id_ < after]
    return [{"kind": "ticket", "id": id_, "at": "", "ticket": {}} for id_ in ids[:limit]]


async def test_timeline_has_calls_by_customer_and_by_number_and_tickets_newest_first(site: Site) -> None:
    fields = CustomerFields("Ann", numbers=("020 7946 0018",))
    ann = await create_customer(site, fields, region="GB", actor="user1", now=NOW)
    async with site.session() as session:
        await fill(session, ann.id)
    timeline = CustomerTimeline(site, [calls_source(site, region="GB"), tickets])
    seen: list[tuple[object, object]] = []
    after: str | None = None
    for _ in range(3):
        page = await timeline.page(ann.id, after=after, limit=2)
        seen += [(item["kind"], item["id"]) for item in page.items]
        after = page.next
    assert after is None
    assert seen == [
        ("call", "c7"),
        ("ticket", "c6"),
        ("call", "c4"),
        ("call", "c2"),
        ("call", "c1"),
        ("ticket", "c0"),
    ]


async def test_timeline_of_nobody_is_not_found(site: Site) -> None:
    timeline = CustomerTimeline(site, [])
    with pytest.raises(NotFound):
        await timeline.page("nobody", after=None, limit=5)
    with pytest.raises(InvalidInput):
        await timeline.page("nobody", after="x y", limit=5)


def check(contact: str, login: str, role: str) -> None:
    agents = {"ann": SimpleNamespace(id="ann", contact="c1"), "bob": SimpleNamespace(id="bob", contact=None)}
    acd = SimpleNamespace(core=SimpleNamespace(agents=agents))
    ringing = {"o1": SimpleNamespace(agent="bob", contact="c2")}
    director = SimpleNamespace(deliveries=SimpleNamespace(pending=ringing), processes={"c2": None, "c3": None})
    check_choice(cast("Any", director), cast("Any", acd), contact, principal(login, role))


@pytest.mark.parametrize(
    ("contact", "login", "role"),
    [("c1", "ann", "agent"), ("c2", "bob", "agent"), ("c1", "sue", "supervisor"), ("c3", "sue", "supervisor")],
)
def test_agents_choose_for_their_own_contact_and_supervisors_for_any(contact: str, login: str, role: str) -> None:
    check(contact, login, role)


@pytest.mark.parametrize(("contact", "login"), [("c1", "bob"), ("c2", "ann"), ("c3", "ann")])
def test_agents_do_not_choose_for_others(contact: str, login: str) -> None:
    with pytest.raises(PermissionDenied):
        check(contact, login, "agent")


def test_nobody_chooses_for_a_contact_that_is_over() -> None:
    with pytest.raises(NotFound):
        check("c9", "sue", "supervisor")
