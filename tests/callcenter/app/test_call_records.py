"""The API's view of the records, over a real site database."""

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from callcenter.app.call_records import CallRecords
from callcenter.console.ports import CallFilter
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import Site
from tests.callcenter.reporting.conftest import CallHistory, history
from tests.callcenter.reporting.stories import Story, agent_call

__all__ = ["history"]  # the fixture


@pytest.fixture
async def records(site: Site, history: CallHistory) -> CallRecords:
    """Two answered calls and a refused one."""
    refused = Story("c2").received(5_000).leg_ended(5_003, by="us").ended(5_003, "system", "refused", 503)
    await history.holds(agent_call("c1"), refused, agent_call("c3"), caller="+431")
    return CallRecords(site)


async def test_pages_are_newest_first_and_filtered(records: CallRecords) -> None:
    first = await records.list(CallFilter(limit=2))
    assert [call["contact"] for call in first.calls] == ["c3", "c2"]
    rest = await records.list(CallFilter(limit=2, after=first.next))
    assert ([call["contact"] for call in rest.calls], rest.next) == (["c1"], None)
    refused = await records.list(CallFilter(result="refused"))
    assert [call["contact"] for call in refused.calls] == ["c2"]


async def test_a_cursor_that_is_none_is_refused(records: CallRecords) -> None:
    with pytest.raises(InvalidInput):
        await records.list(CallFilter(after="../x"))


async def test_one_call_is_shown_whole_with_its_recordings(records: CallRecords) -> None:
    call = await records.show("c1")
    assert call is not None
    assert call["caller"] == "+431"
    assert call["queues"]
    assert len(await records.recordings("c1")) == 1
    assert list(await records.recordings("c2")) == []
    assert call["tickets"] == ()


async def test_a_call_names_the_tickets_that_it_led_to(site: Site, history: CallHistory) -> None:
    async def tickets_of(contact: str) -> Sequence[Mapping[str, object]]:
        return [{"id": f"ticket-of-{contact}", "number": 7}]

    await history.holds(agent_call("c1"))
    call = await CallRecords(site, tickets_of).show("c1")
    assert call is not None
    assert call["tickets"] == [{"id": "ticket-of-c1", "number": 7}]


async def test_an_unknown_call_has_neither_record_nor_recording(records: CallRecords) -> None:
    assert await records.show("c9") is None
    assert list(await records.recordings("c9")) == []


async def test_a_day_is_the_sites_and_a_number_is_found_as_people_write_it(site: Site, history: CallHistory) -> None:
    # 23:30 and 00:30 in Rome, which are one day in UTC.
    stories = (Story(name).received(ms).ended(ms + 5_000) for name, ms in (("c1", -37_800_000), ("c2", -34_200_000)))
    await history.holds(*stories, caller="+390612345678")
    records = CallRecords(site, zone="Europe/Rome", region="IT")
    for day, contacts in ((date(2026, 3, 1), ["c1"]), (date(2026, 3, 2), ["c2"])):
        found = await records.list(CallFilter(day=day, caller="06 1234 5678"))
        assert [call["contact"] for call in found.calls] == contacts
    assert (await records.list(CallFilter(caller="06 1234 5670"))).calls == []
