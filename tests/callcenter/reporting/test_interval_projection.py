"""Visits, spans, facts and lines as the projector keeps them, on both engines."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.events import Envelope
from callcenter.kernel.journal import Journal, JournalReader
from callcenter.kernel.projector import Projector
from callcenter.kernel.site import Site
from callcenter.kernel.site_connection import SiteConnection
from callcenter.kernel.unit import Unit
from callcenter.reporting.interval_projection import QueueHandler
from callcenter.reporting.interval_queries import Which, differences, interval_facts
from callcenter.reporting.intervals import Key
from callcenter.reporting.metrics import aht_ms, asa_ms, occupancy
from callcenter.reporting.queue_log_export import log_lines
from callcenter.reporting.render import plain
from tests.callcenter.reporting.ledgers import Day, FixedTerms
from tests.callcenter.reporting.stories import START, at

QUARTER = timedelta(minutes=15)
DAY = Which(START, START + timedelta(days=1))


class Site15:
    """Days go through a real journal and a projector into `site`."""

    def __init__(self, site: Site, path: Path) -> None:
        self.site, self.path = site, path
        self.journal = Journal(path, call_soon=lambda callback: None, publish=lambda _: None)
        self.journal.close()
        self.reader = JournalReader(path)
        self.starts_anew()

    def starts_anew(self) -> None:
        """The application of before is gone, and what it knew with it."""
        self.projector = Projector(self.site, self.reader, [QueueHandler(FixedTerms())])

    async def project(self, day: Day, **people: str) -> None:
        self.journal = Journal(self.path, call_soon=lambda callback: None, publish=lambda _: None)
        for event in day.events:
            unit = Unit(event.at)
            unit.event(event.type, event.subject, **event.data)
            if event.type == "acd.entry.queued" and event.subject in people:
                unit.remember_person(event.subject, caller=people[event.subject])
            self.journal.submit(unit)
        self.journal.close()
        while await self.projector.step():
            pass

    async def log(self) -> list[str]:
        return [line async for _, line in log_lines(self.site, after=0)]


@pytest.fixture
def books(site: Site, tmp_path: Path) -> Iterator[Site15]:
    books = Site15(site, tmp_path / "live.db")
    yield books
    books.reader.close()


def answered_call() -> Day:
    """ann from 0, a caller from 10 to 76, ten seconds of wrap-up."""
    day = Day().starts(0).signs_in(1, "ann").queued(10, "c").offered(13, "c", "ann").answered(16, "c", "ann", 6)
    day.tell(20, "calls.bridge.held", "c", customer="c-in", agent="c-ann")
    day.tell(30, "calls.bridge.resumed", "c", customer="c-in", agent="c-ann")
    return day.hangs_up(76, "c", "ann", "caller", 10)


async def test_an_answered_call_is_a_fact_of_its_queue_its_skill_and_its_agent(books: Site15) -> None:
    await books.project(answered_call())
    facts = await interval_facts(books.site, DAY, now=at(100_000))
    queue, skill, ann = (
        facts[Key(START, kind, name)]  # type: ignore[arg-type]  # no literal
        for kind, name in (("queue", "billing"), ("skill", "billing_skill"), ("agent", "ann"))
    )
    assert skill == queue
    assert (queue.entered, queue.queued, queue.offered, queue.answered, queue.answered_in_time) == (1, 1, 1, 1, 1)
    assert (queue.talk_ms, queue.hold_ms, queue.wrap_ms) == (50_000, 10_000, 10_000)
    assert (asa_ms(queue), aht_ms(queue)) == (6_000, 70_000)
    assert (ann.offers, ann.accepted, ann.answered, ann.handled) == (1, 1, 1, 1)
    assert (ann.contact_time_ms, ann.wrap_time_ms, ann.ring_time_ms, ann.idle_time_ms) == (
        60_000,
        10_000,
        3_000,
        26_000,
    )
    assert occupancy(ann) == 70 / 96


async def test_stored_facts_are_what_their_rows_add_up_to(books: Site15) -> None:
    await books.project(answered_call())
    assert await differences(books.site, START, START + QUARTER) == []
    async with books.site.session() as session:
        await session.execute(text("UPDATE interval_facts SET answered = 7 WHERE kind = 'queue'"))
    (found,) = await differences(books.site, START, START + QUARTER)
    assert (found.key.name, found.measure, found.stored, found.computed) == ("billing", "answered", 7, 1)


async def test_a_callback_that_was_asked_for_days_ago_adds_up_on_the_day_when_it_is_handled(books: Site15) -> None:
    day = Day().starts(0).tell(1, "acd.entry.queued", "c", entry="c-1", queue="billing", callback=True)
    monday = 3 * 86_400
    day.signs_in(monday, "ann").offered(monday + 5, "c", "ann").answered(monday + 9, "c", "ann", monday + 8)
    await books.project(day.hangs_up(monday + 60, "c", "ann", "caller", 10))
    since = START + timedelta(days=3)
    facts = await interval_facts(books.site, Which(since, since + QUARTER), now=at(4 * 86_400_000))
    assert facts[Key(since, "queue", "billing")].handled == 1
    assert await differences(books.site, since, since + QUARTER) == []


async def test_the_answer_of_a_moved_caller_is_no_later_than_the_longest_wait_also_over_a_restart(
    books: Site15,
) -> None:
    day = Day().starts(0).signs_in(1, "ann")
    moved = {"entry": "c-1", "queue": "billing", "since": plain(at(-300_000))}
    await books.project(day.tell(10, "acd.entry.queued", "c", **moved))
    key = Key(START, "queue", "billing")
    waits = (await interval_facts(books.site, DAY, now=at(13_000)))[key]
    assert (waits.entered, waits.offered, waits.longest_wait_ms) == (1, 1, 313_000)
    books.starts_anew()
    later = Day().offered(13, "c", "ann").answered(16, "c", "ann", 316)
    await books.project(later.hangs_up(76, "c", "ann", "caller", 10))
    facts = (await interval_facts(books.site, DAY, now=at(100_000)))[key]
    assert (asa_ms(facts), facts.longest_wait_ms, facts.answered_in_time) == (316_000, 316_000, 0)
    assert await differences(books.site, START, START + QUARTER) == []


async def test_a_line_that_does_not_say_since_when_counts_from_when_it_was_written(books: Site15) -> None:
    await books.project(Day().starts(0).queued(10, "c").leaves(19, "c", "abandoned", 309))
    facts = await interval_facts(books.site, DAY, now=at(100_000))
    assert facts[Key(START, "queue", "billing")].longest_wait_ms == 9_000
    assert await differences(books.site, START, START + QUARTER) == []


async def test_facts_and_lines_are_the_same_however_often_the_server_restarts(books: Site15) -> None:
    for event in answered_call().events:
        part = Day()
        part.events.append(event)
        await books.project(part)
        books.starts_anew()
    facts = await interval_facts(books.site, DAY, now=at(100_000))
    assert facts[Key(START, "queue", "billing")].handled == 1
    assert facts[Key(START, "agent", "ann")].accepted == 1
    assert await differences(books.site, START, START + QUARTER) == []
    # Each of these projectors was told of no start but the first.
    assert [line.split("|")[4] for line in await books.log()] == [
        "QUEUESTART",
        "ADDMEMBER",
        "PAUSE",
        "UNPAUSE",
        "ENTERQUEUE",
        "CONNECT",
        "COMPLETECALLER",
    ]


async def test_a_caller_who_still_waits_counts_once_his_time_is_over(books: Site15) -> None:
    await books.project(Day().starts(0).queued(10, "c"))
    key = Key(START, "queue", "billing")
    early = (await interval_facts(books.site, DAY, now=at(25_000)))[key]
    assert (early.entered, early.queued, early.longest_wait_ms) == (1, 0, 15_000)
    late = (await interval_facts(books.site, DAY, now=at(40_000)))[key]
    assert (late.queued, late.offered, late.answered, late.longest_wait_ms) == (1, 1, 0, 30_000)
    await books.project(Day().leaves(50, "c", "abandoned", 40))
    gone = (await interval_facts(books.site, DAY, now=at(60_000)))[key]
    assert (gone.queued, gone.offered, gone.abandoned, gone.longest_wait_ms) == (1, 1, 1, 40_000)


async def test_a_call_counts_in_every_queue_that_it_was_in(books: Site15) -> None:
    day = Day().starts(0).queued(1, "c").leaves(5, "c", "ended", 4, outcome="transferred", reason="moved")
    day.queued(5, "c", "support", "c-2").leaves(9, "c", "abandoned", 4, entry="c-2")
    await books.project(day)
    facts = await interval_facts(books.site, DAY, now=at(100_000))
    assert facts[Key(START, "queue", "billing")].transferred == 1
    assert facts[Key(START, "queue", "support")].abandoned == 1


async def test_the_log_has_the_callers_number_while_he_waits_and_none_once_it_is_erased(books: Site15) -> None:
    await books.project(Day().starts(0).queued(1, "c").queued(2, "d"), c="+390612345678", d="anonymous")
    assert (await books.log())[1:] == [
        "1772442001|c|billing|NONE|ENTERQUEUE||+390612345678|1",
        "1772442002|d|billing|NONE|ENTERQUEUE|||2",
    ]
    async with books.site.session() as session:
        await session.execute(text("DELETE FROM contact_people"))
    assert (await books.log())[1] == "1772442001|c|billing|NONE|ENTERQUEUE|||1"


class GivesUpOnce:
    """A handler whose database is away once, after the other's work."""

    types = frozenset({"acd.entry.queued"})

    def __init__(self) -> None:
        self.left = 1

    async def project(self, connection: SiteConnection, events: Sequence[Envelope], reader: JournalReader) -> None:
        self.left -= 1
        if self.left >= 0:
            raise OSError


async def test_a_transaction_that_was_given_up_leaves_nothing_behind_that_counts_twice(books: Site15) -> None:
    books.projector = Projector(books.site, books.reader, [QueueHandler(FixedTerms()), GivesUpOnce()])
    with pytest.raises(SiteUnavailable):
        await books.project(answered_call())
    while await books.projector.step():
        pass
    facts = await interval_facts(books.site, DAY, now=at(100_000))
    assert facts[Key(START, "queue", "billing")].answered == 1
    assert len(await books.log()) == 7
    assert await differences(books.site, START, START + QUARTER) == []


async def test_names_that_are_too_long_for_their_columns_are_cut(books: Site15) -> None:
    await books.project(
        Day().starts(0).queued(1, "c", "q" * 300).signs_in(2, "a" * 99).agent(3, "b", "not_ready", "r" * 99)
    )
    facts = await interval_facts(books.site, DAY, now=at(100_000))
    assert Key(START, "queue", "q" * 100) in facts
    assert len((await books.log())[1].split("|")[2]) == 100
