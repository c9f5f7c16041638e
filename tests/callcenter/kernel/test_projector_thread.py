"""The projector beside a running loop, and a PostgreSQL that goes away under it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from callcenter.kernel import projector as projector_module
from callcenter.kernel import projector_thread as thread_module
from callcenter.kernel import site as site_module
from callcenter.kernel.events import Envelope
from callcenter.kernel.journal import Journal, JournalReader
from callcenter.kernel.projector_thread import ProjectorThread
from callcenter.kernel.site import Site
from callcenter.kernel.site_connection import SiteConnection
from callcenter.kernel.unit import Unit
from callcenter.migrations.migrate import migrate
from tests.callcenter.kernel.journals import START
from tests.support.postgres import PostgresCluster

DEADLINE_S = 90.0
WRITE = text(
    "INSERT INTO config_versions (kind, name, version, document, at) "
    "VALUES ('seen', :subject, :version, '{}', '2026-03-02 09:00:00')"
)


class Noting:
    """Writes one row for each event; its key refuses a second."""

    types = frozenset({"calls.test.seen"})

    async def project(self, connection: SiteConnection, events: Sequence[Envelope], reader: JournalReader) -> None:
        await connection.execute(WRITE, [{"subject": event.subject, "version": str(event.seq)} for event in events])


@dataclass
class Running:
    """A journal and a projector on their threads, this test's loop between them."""

    folder: Path
    url: str
    projector: ProjectorThread = field(init=False)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        path = self.folder / "live.db"
        self.projector = ProjectorThread(self.url, path, [Noting()], debounce_s=0.001)
        self.journal = Journal(path, call_soon=loop.call_soon_threadsafe, publish=self.projector.publish)
        self.projector.start()

    async def happens(self, count: int = 1) -> int:
        """That many units with an event each, on disk; the last number."""
        done = asyncio.Event()
        for _ in range(count):
            unit = Unit(START)
            unit.event("calls.test.seen", "c1")
            self.journal.submit(unit)
        last = Unit(START)
        last.after_commit(done.set)
        self.journal.submit(last)
        await done.wait()
        return self.journal.last_seq

    async def caught_up(self, seq: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            await self.projector.caught_up(seq)

    async def away(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not self.projector.status.away:  # noqa: ASYNC110 - the thread has a status and no event for it
                await asyncio.sleep(0.01)

    async def seen(self) -> list[int]:
        site = Site(self.url)
        async with site.reading() as session:
            found = sorted(
                int(version) for version in await session.scalars(text("SELECT version FROM config_versions"))
            )
        await site.close()
        return found

    def close(self) -> None:
        self.projector.close()
        self.journal.close()


@pytest.fixture
async def running(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    await migrate(database_url, tmp_path)
    running = Running(tmp_path, database_url)
    yield running
    running.close()


async def test_published_events_arrive_without_being_asked_for(running: Running) -> None:
    last = await running.happens(25)
    await running.caught_up(last)
    assert await running.seen() == list(range(1, 26))
    assert running.projector.status.projected == 25


async def test_waiting_for_what_is_projected_already_returns_at_once(running: Running) -> None:
    last = await running.happens()
    await running.caught_up(last)
    await running.caught_up(last)


async def test_number_of_an_event_that_nobody_wants_is_reached_too(running: Running) -> None:
    unit = Unit(START)
    unit.event("calls.test.other", "c1")
    running.journal.submit(unit)
    await running.caught_up(1)


async def test_events_of_before_a_restart_are_caught_up_with(running: Running, tmp_path: Path) -> None:
    running.projector.close()
    last = await running.happens(3)
    again = ProjectorThread(running.url, tmp_path / "live.db", [Noting()])
    again.start()
    async with asyncio.timeout(DEADLINE_S):
        await again.caught_up(last)
    again.close()
    assert await running.seen() == [1, 2, 3]


async def test_projector_that_was_never_started_can_be_closed(tmp_path: Path) -> None:
    ProjectorThread("sqlite+aiosqlite://", tmp_path / "live.db", []).close()


@pytest.mark.integration
async def test_postgresql_that_is_shut_down_gets_everything_once_when_it_is_back(
    own_postgres: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_module, "FIRST_RETRY_S", 0.05)
    url = own_postgres.url()
    await migrate(url, tmp_path)
    running = Running(tmp_path, url)
    await running.caught_up(await running.happens(5))
    await asyncio.to_thread(own_postgres.stop)
    last = await running.happens(5)
    await running.away()
    assert running.projector.status.projected == 5
    await asyncio.to_thread(own_postgres.start)
    await running.caught_up(last)
    assert await running.seen() == list(range(1, 11))
    running.close()


@pytest.mark.integration
async def test_postgresql_that_says_nothing_blocks_neither_the_loop_nor_the_facts(
    own_postgres: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = own_postgres.url()
    await migrate(url, tmp_path)
    # Hasty is the projector only, which tries again: on a busy machine one command may take as long.
    with monkeypatch.context() as hasty:
        hasty.setattr(thread_module, "FIRST_RETRY_S", 0.05)
        hasty.setattr(projector_module, "STEP_S", 2.0)
        hasty.setattr(site_module, "CONNECT_S", 1.0)
        hasty.setattr(site_module, "COMMAND_S", 1.0)
        running = Running(tmp_path, url)
        await running.caught_up(await running.happens(5))
        own_postgres.pause()
        last = await running.happens(5)
        await running.away()
        last = await running.happens(5)
        own_postgres.resume()
        await running.caught_up(last)
    assert await running.seen() == list(range(1, 16))
    running.close()


@pytest.mark.integration
async def test_projector_closes_while_postgresql_says_nothing(own_postgres: PostgresCluster, tmp_path: Path) -> None:
    url = own_postgres.url()
    await migrate(url, tmp_path)
    running = Running(tmp_path, url)
    await running.caught_up(await running.happens())
    own_postgres.pause()
    await running.happens()
    running.close()
    assert running.projector.status.projected == 1
    own_postgres.resume()
    running.projector.close()
    await asyncio.to_thread(running.projector._thread.join, DEADLINE_S)
