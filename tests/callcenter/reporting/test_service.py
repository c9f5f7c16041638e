"""Lists are filtered and paged; days are those of the site."""

from datetime import UTC, date, datetime, timedelta

import pytest

from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import Site
from callcenter.reporting.service import CallQuery, calls_list, calls_show, day_of, last_agent_of
from tests.callcenter.reporting.conftest import CallHistory
from tests.callcenter.reporting.stories import START, Story, agent_call, at


async def ids(site: Site, query: CallQuery) -> list[str]:
    return [call.cdr.contact for call in (await calls_list(site, query)).calls]


@pytest.fixture
async def calls(history: CallHistory) -> None:
    history.write(agent_call("c1"), caller="+431")
    history.write(
        Story("c2").received(5_000).leg_ended(5_003, by="us").ended(5_003, "system", "refused", 503), caller="+432"
    )
    history.write(agent_call("c3"), caller="+431")
    await history.project()


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (CallQuery(), ["c3", "c2", "c1"]),
        (CallQuery(callers=("+431",)), ["c3", "c1"]),
        (CallQuery(agent="ann"), ["c3", "c1"]),
        (CallQuery(agent="bob"), []),
        (CallQuery(queue="billing", limit=1), ["c3"]),
        (CallQuery(result="refused"), ["c2"]),
        (CallQuery(since=at(1)), ["c2"]),
        (CallQuery(until=at(5_000)), ["c3", "c1"]),
        (CallQuery(after="c2"), ["c1"]),
    ],
)
async def test_list_is_newest_first_and_filtered(site: Site, query: CallQuery, expected: list[str]) -> None:
    assert await ids(site, query) == expected


@pytest.mark.usefixtures("calls")
async def test_pages_continue_where_the_last_one_ended_and_end(site: Site) -> None:
    first = await calls_list(site, CallQuery(limit=2))
    second = await calls_list(site, CallQuery(limit=2, after=first.after))
    assert [call.cdr.contact for call in (*first.calls, *second.calls)] == ["c3", "c2", "c1"]
    assert (first.after, second.after) == ("c2", None)


@pytest.mark.parametrize("query", [CallQuery(limit=0), CallQuery(limit=1_001), CallQuery(after="' OR 1=1")])
async def test_query_out_of_bounds_is_refused_by_name(site: Site, query: CallQuery) -> None:
    with pytest.raises(InvalidInput) as caught:
        await calls_list(site, query)
    assert caught.value.data["field"] in {"limit", "after"}


async def test_the_last_agent_is_the_one_who_talked_to_the_customer_last(site: Site, history: CallHistory) -> None:
    missed = Story("c3").received().tell(1, "director.customer.found", customer="k1", matches=1).queued(2).ended(9)
    earlier, later = agent_call("c1", agent="bob", customer="k1"), agent_call("c2", customer="k1")
    await history.holds(earlier, later, missed, agent_call("c4", agent="bob", customer="k2"))
    assert [await last_agent_of(site, customer) for customer in ("k1", "k2", "k3")] == ["ann", "bob", None]


async def test_unknown_call_is_none(site: Site) -> None:
    assert await calls_show(site, "c9") is None


def test_day_on_which_the_clock_changes_has_twenty_three_hours() -> None:
    first, last = day_of(date(2026, 3, 29), "Europe/Vienna")
    assert first == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert last - first == timedelta(hours=23)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_day_at_the_end_of_the_calendar_is_refused(day: date) -> None:
    with pytest.raises(InvalidInput, match="day: is too early or too late"):
        day_of(day, "Asia/Tokyo")


def test_day_of_a_site_in_utc_is_the_day_in_utc() -> None:
    assert day_of(START.date(), "UTC")[0] == datetime(2026, 3, 2, tzinfo=UTC)
