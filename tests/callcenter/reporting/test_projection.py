"""Ended calls become rows, once, with the person apart from the record."""

from pathlib import Path

from sqlalchemy import delete

from callcenter.kernel.site import Site
from callcenter.reporting.cdr import Result
from callcenter.reporting.fold import fold
from callcenter.reporting.projection import person_row
from callcenter.reporting.service import CallQuery, Person, calls_list, calls_show
from callcenter.reporting.tables import ContactPerson
from tests.callcenter.reporting.conftest import CallHistory
from tests.callcenter.reporting.stories import Story, agent_call


async def test_record_that_was_stored_is_the_one_that_was_folded(site: Site, history: CallHistory) -> None:
    story = agent_call()
    await history.holds(story, caller="+431234", caller_name="Ann", called="100", collected={"choice": "2"})
    call = await calls_show(site, "c1")
    assert call is not None
    assert call.cdr == fold(story.events)
    assert call.person == Person("+431234", "Ann", "100", {"choice": "2"})


async def test_call_that_is_not_over_has_no_record(site: Site, history: CallHistory) -> None:
    await history.holds(Story().received().answered(5).queued(9).leg_ended(100))
    assert await calls_show(site, "c1") is None


async def test_fact_that_comes_after_the_end_is_added_to_the_record(
    site: Site, history: CallHistory, tmp_path: Path
) -> None:
    early = Story().received().answered(5).leg_ended(800).ended(801)
    await history.holds(early)
    history.reopen(tmp_path / "live.db")
    late = Story()
    late.closed(900, packets_lost=7)
    await history.holds(late)
    page = await calls_list(site, CallQuery())
    assert [call.cdr.detail.legs[0].lost for call in page.calls] == [7]
    assert page.calls[0].cdr.result is Result.ANSWERED


async def test_customer_and_disposition_chosen_after_the_call_are_the_records(
    site: Site, history: CallHistory, tmp_path: Path
) -> None:
    await history.holds(Story().received().answered(5).leg_ended(800).ended(801))
    history.reopen(tmp_path / "live.db")
    chosen = Story().tell(9_000, "director.customer.chosen", customer="cust9", by="user1")
    await history.holds(chosen.tell(9_500, "acd.disposition.chosen", agent="ann", disposition="resolved"))
    call = await calls_show(site, "c1")
    assert call is not None
    assert (call.cdr.customer, call.cdr.detail.disposition) == ("cust9", "resolved")


async def test_two_hundred_calls_in_one_batch_are_two_hundred_records(site: Site, history: CallHistory) -> None:
    await history.holds(*(Story(f"c{n:03}").received().answered(5).leg_ended(9).ended(9) for n in range(200)))
    page = await calls_list(site, CallQuery(limit=500))
    assert [call.cdr.contact for call in page.calls] == [f"c{n:03}" for n in reversed(range(200))]


async def test_projecting_the_same_journal_again_doubles_nothing(site: Site, history: CallHistory) -> None:
    await history.holds(agent_call())
    async with site.engine.begin() as connection:
        events = history.reader.events_between(0, 1_000, history.handler.types)
        await history.handler.project(connection, events, history.reader)
    assert len((await calls_list(site, CallQuery())).calls) == 1


async def test_erased_person_leaves_the_record(site: Site, history: CallHistory) -> None:
    await history.holds(agent_call(), caller="+431234")
    async with site.session() as session:
        await session.execute(delete(ContactPerson))
    call = await calls_show(site, "c1")
    assert call is not None
    assert call.person == Person()


async def test_hostile_names_and_digits_are_stored_clipped(site: Site, history: CallHistory) -> None:
    name = "\0<script>'; DROP TABLE cdrs\x1b[2J" + "x" * 300
    await history.holds(agent_call(), caller="\0" * 200 + "1" * 200, caller_name=name, collected={"pin": "9" * 999})
    call = await calls_show(site, "c1")
    assert call is not None
    assert call.person.caller == "1" * 128
    assert call.person.caller_name == name.replace("\0", "")[:255]
    assert call.person.collected == {"pin": "9" * 255}


def test_personal_row_of_another_shape_is_no_error() -> None:
    assert person_row("c1", {"collected": ["2"], "caller": 5}) == {
        "contact": "c1",
        "caller": "5",
        "caller_name": None,
        "called": None,
        "collected": {},
    }
