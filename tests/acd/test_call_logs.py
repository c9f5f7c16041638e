"""Imported logs in the site database: once however often they come, by day of their own clock, each for itself."""

from datetime import date

import pytest

from acd.call_logs import Kept, calls_between, calls_of_day, imported_days, keep
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import Site
from tests.support.bank import LOST, logged, row

DAY = date(1999, 2, 3)
NIGHT = {"vru_entry": "0:10:00", "vru_exit": "0:10:10", "q_start": "0:10:10", "q_exit": "0:10:40", "date": "990204"}
LOG = logged(row(), row(**LOST, priority="2"), row(**NIGHT, **LOST))


async def test_what_was_kept_is_given_back_as_it_was_read(site: Site) -> None:
    assert await keep(site, "log.tsv", "Asia/Jerusalem", LOG.calls) == Kept(3, 0, 0, 0)
    found = await calls_of_day(site, DAY)
    assert found is not None
    assert found.calls == LOG.calls[:2]
    assert (found.zone.key, found.files) == ("Asia/Jerusalem", ("log.tsv",))


async def test_day_is_that_of_the_logs_clock(site: Site) -> None:
    await keep(site, "log.tsv", "Asia/Jerusalem", LOG.calls)
    # In UTC both are of 3 February.
    assert await imported_days(site) == [(DAY, 2), (date(1999, 2, 4), 1)]
    assert await calls_of_day(site, date(1999, 2, 5)) is None
    both = await calls_between(site, DAY, date(1999, 2, 4))
    assert both is not None
    assert both.calls == LOG.calls


async def test_import_again_changes_nothing(site: Site) -> None:
    told: list[int] = []
    await keep(site, "log.tsv", "Asia/Jerusalem", LOG.calls, told.append)
    assert await keep(site, "log.tsv", "Asia/Jerusalem", LOG.calls, told.append) == Kept(0, 0, 3, 0)
    assert told == [3]


async def test_corrected_file_changes_what_was_corrected(site: Site) -> None:
    await keep(site, "log.tsv", "Asia/Jerusalem", LOG.calls)
    corrected = logged(row(), row(**LOST, priority="1")).calls
    assert await keep(site, "log.tsv", "Asia/Jerusalem", corrected) == Kept(0, 1, 1, 1)
    assert await imported_days(site) == [(DAY, 2)]


async def test_files_are_apart_and_one_can_be_chosen(site: Site) -> None:
    await keep(site, "log.tsv", "Asia/Jerusalem", LOG.calls)
    await keep(site, "other.tsv", "Asia/Jerusalem", LOG.calls[:1])
    both = await calls_of_day(site, DAY)
    one = await calls_of_day(site, DAY, "other.tsv")
    assert both is not None
    assert len(both.calls) == 3
    assert one is not None
    assert [call.source for call in one.calls] == ["other.tsv:2"]


async def test_files_of_different_clocks_are_not_counted_together(site: Site) -> None:
    await keep(site, "log.tsv", "Asia/Jerusalem", LOG.calls)
    await keep(site, "other.tsv", "Europe/Rome", LOG.calls)
    with pytest.raises(InvalidInput, match=r"log\.tsv, other\.tsv.*name one"):
        await calls_of_day(site, DAY)
    assert await calls_of_day(site, DAY, "log.tsv") is not None


async def test_text_that_a_database_refuses_is_kept_without_it(site: Site) -> None:
    calls = logged(row(server="A\0NN", type="x" * 200)).calls
    await keep(site, "log.tsv", "Asia/Jerusalem", calls)
    found = await calls_of_day(site, DAY)
    assert found is not None
    assert (found.calls[0].agent, len(found.calls[0].type)) == ("ANN", 64)
