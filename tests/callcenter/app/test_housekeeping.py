"""What the application does besides calls, on real stores with a clock that tests move."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from callcenter.app.chores import FAILED_AGAIN
from callcenter.app.housekeeping import HOURLY, Archiving, Housekeeping, Work, forgetting, pruning, relaying
from callcenter.identity.passwords import Passwords
from callcenter.identity.service import IdentityService
from callcenter.identity.tables import SignIn
from callcenter.identity.users import add_user
from callcenter.kernel.bus import Bus
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.events import Envelope
from callcenter.kernel.journal import Journal
from callcenter.kernel.journal_file import JournalReader
from callcenter.kernel.outbox import CHUNK, record
from callcenter.kernel.projector_thread import ProjectorThread
from callcenter.kernel.site import Site
from callcenter.kernel.unit import Unit

DEADLINE_S = 90.0
HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def keeping(clock: FakeClock, work: Work) -> Housekeeping:
    return Housekeeping(clock, {"work": (HOURLY, work)})


async def test_chore_is_done_at_the_start_and_then_every_hour(clock: FakeClock) -> None:
    times = []

    async def work() -> bool:
        times.append(clock.now())
        return False

    housekeeping = keeping(clock, work)
    start = clock.now()
    for _ in range(4):
        await housekeeping.turn()
        clock.advance(HOUR / 2)
    assert [moment - start for moment in times] == [timedelta(0), timedelta(hours=1)]


async def test_chore_with_more_to_do_goes_on_at_once(clock: FakeClock) -> None:
    left = [1, 2, 3]

    async def work() -> bool:
        left.pop()
        return bool(left)

    housekeeping = keeping(clock, work)
    for _ in range(5):
        await housekeeping.turn()
    assert left == []


async def test_chore_waits_for_a_database_that_is_away(clock: FakeClock) -> None:
    tried = []

    async def work() -> bool:
        tried.append(clock.now())
        if len(tried) == 1:
            raise SiteUnavailable("away")
        return False

    housekeeping = keeping(clock, work)
    await housekeeping.turn()
    await housekeeping.turn()
    assert len(tried) == 1
    clock.advance(FAILED_AGAIN.total_seconds())
    await housekeeping.turn()
    assert len(tried) == 2
    assert housekeeping.surprises == 0


async def test_chore_that_surprises_is_counted_and_does_not_stop_the_others(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    done = []

    async def broken() -> bool:
        raise RuntimeError

    async def sound() -> bool:
        done.append(1)
        return False

    housekeeping = Housekeeping(clock, {"broken": (HOURLY, broken), "sound": (HOURLY, sound)})
    await housekeeping.turn()
    assert (done, housekeeping.surprises) == ([1], 1)
    assert [record.getMessage() for record in caplog.records] == ["a chore failed"]


async def test_asking_wakes_the_task_that_keeps_house(clock: FakeClock) -> None:
    done: asyncio.Queue[int] = asyncio.Queue()

    async def work() -> bool:
        done.put_nowait(1)
        return False

    housekeeping = keeping(clock, work)
    task = asyncio.create_task(housekeeping.run())
    async with asyncio.timeout(DEADLINE_S):
        await done.get()
        housekeeping.ask("work")
        await done.get()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_recorded_events_are_numbered_and_published_after_their_commit(site: Site, clock: FakeClock) -> None:
    bus, seen = Bus(), asyncio.Queue[Envelope]()
    bus.subscribe(seen.put_nowait)
    housekeeping: Housekeeping
    asking = Site(site.url, recorded=lambda: housekeeping.ask("relay"))
    housekeeping = Housekeeping(clock, {"relay": (HOURLY, relaying(asking, bus))})
    task = asyncio.create_task(housekeeping.run())
    async with asyncio.timeout(DEADLINE_S):
        for name in ("created", "changed"):
            async with asking.session() as session:
                record(session, f"crm.customer.{name}", "c1", now=clock.now())
            assert (await seen.get()).type == f"crm.customer.{name}"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asking.close()


async def test_more_events_than_one_relay_takes_are_all_published(site: Site, clock: FakeClock) -> None:
    bus, seen = Bus(), list[int]()
    bus.subscribe(lambda event: seen.append(event.seq))
    async with site.session() as session:
        for n in range(CHUNK + 1):
            record(session, "crm.customer.created", f"c{n}", now=clock.now())
    housekeeping = keeping(clock, relaying(site, bus))
    await housekeeping.turn()
    await housekeeping.turn()
    assert seen == list(range(1, CHUNK + 2))


async def test_transaction_without_events_asks_for_nothing(site: Site, clock: FakeClock) -> None:
    asked = []
    asking = Site(site.url, recorded=lambda: asked.append(1))
    async with asking.session() as session:
        await session.execute(select(1))
    await asking.close()
    assert not asked


async def test_sessions_that_are_over_are_forgotten(site: Site, clock: FakeClock) -> None:
    passwords = Passwords()
    identity = IdentityService(site, clock, passwords)
    hashed = await asyncio.to_thread(passwords.hash, "secret words")
    await add_user(site, "ann", hashed, name="Ann", role="agent", agent=None, now=clock.now())
    await identity.sign_in("ann", "secret words", source="127.0.0.1")
    housekeeping = keeping(clock, forgetting(identity))
    await housekeeping.turn()
    assert await sessions(site) == 1
    clock.advance(13 * HOUR)
    await housekeeping.turn()
    assert await sessions(site) == 0


async def sessions(site: Site) -> int:
    async with site.reading() as session:
        return await session.scalar(select(func.count()).select_from(SignIn)) or 0


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    loop = asyncio.get_running_loop()
    journal = Journal(tmp_path / "live.db", call_soon=loop.call_soon_threadsafe, publish=lambda _event: None)
    yield journal
    journal.close()


async def test_facts_leave_the_journal_when_they_are_old_and_projected(
    journal: Journal, clock: FakeClock, site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    projector = ProjectorThread(site.url, tmp_path / "live.db", [])
    housekeeping = keeping(clock, pruning(journal, projector, clock, days=2))
    await happen(journal, clock, "old")
    clock.advance(3 * DAY)
    await happen(journal, clock, "new")

    await housekeeping.turn()
    await journal_is_idle(journal, clock)
    assert subjects(tmp_path) == ["old", "new"]

    projector.start()
    async with asyncio.timeout(DEADLINE_S):
        await projector.caught_up(2)
    clock.advance(HOUR)
    await housekeeping.turn()
    async with asyncio.timeout(DEADLINE_S):
        while "journal pruned" not in caplog.messages:  # noqa: ASYNC110 - the journal's thread tells by a log line
            await asyncio.sleep(0.01)
    projector.close()
    assert subjects(tmp_path) == ["new"]


async def test_what_is_not_archived_stays_in_the_journal(
    journal: Journal, clock: FakeClock, site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    archiving = Archiving(tmp_path, clock, days=90)
    projector = ProjectorThread(site.url, tmp_path / "live.db", [])
    prune = pruning(journal, projector, clock, days=2, archived_upto=lambda: archiving.upto)
    projector.start()
    await happen(journal, clock, "old")
    clock.advance(3 * DAY)
    await happen(journal, clock, "new")
    async with asyncio.timeout(DEADLINE_S):
        await projector.caught_up(2)
    await keeping(clock, prune).turn()
    await journal_is_idle(journal, clock)
    assert subjects(tmp_path) == ["old", "new"]

    # The first go begins the archive with what there is; nothing of it is the distributor's.
    assert await archiving.work() is False
    clock.advance(HOUR)
    assert await archiving.work() is False
    assert archiving.upto == 2
    await keeping(clock, prune).turn()
    async with asyncio.timeout(DEADLINE_S):
        while "journal pruned" not in caplog.messages:  # noqa: ASYNC110 - the journal's thread tells by a log line
            await asyncio.sleep(0.01)
    projector.close()
    assert subjects(tmp_path) == ["new"]


async def test_an_archive_that_cannot_be_written_is_said_once_and_tried_again(
    journal: Journal, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "decisions.db").mkdir()
    archiving = Archiving(tmp_path, clock, days=90)
    assert await archiving.work() is False
    assert await archiving.work() is False
    assert caplog.messages == ["decisions cannot be archived"]
    (tmp_path / "decisions.db").rmdir()
    await happen(journal, clock, "any")
    assert await archiving.work() is False
    assert len(caplog.messages) == 1


async def happen(journal: Journal, clock: FakeClock, subject: str) -> None:
    unit = Unit(clock.now())
    unit.event("calls.test.seen", subject)
    journal.submit(unit)
    await journal_is_idle(journal, clock)


async def journal_is_idle(journal: Journal, clock: FakeClock) -> None:
    """Whatever was asked of the journal before has been done: a second pruning comes after the first."""
    done = asyncio.Event()
    journal.prune(projected=0, before=clock.now(), done=lambda _rows: done.set())
    async with asyncio.timeout(DEADLINE_S):
        await done.wait()


def subjects(folder: Path) -> list[str]:
    reader = JournalReader(folder / "live.db")
    try:
        return [event.subject for event in reader.events_after(0, 10)]
    finally:
        reader.close()
