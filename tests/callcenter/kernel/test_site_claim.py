"""The site's lock on a real PostgreSQL: two applications, lost connections, a database that is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import text

from callcenter.kernel import site_claim as module
from callcenter.kernel.claim import SiteTaken, Verdict
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.ids import new_id
from callcenter.kernel.site import Site
from callcenter.kernel.site_claim import SiteClaim, name_of
from callcenter.migrations.migrate import migrate
from tests.support.postgres import PostgresCluster

pytestmark = pytest.mark.integration

DEADLINE_S = 90.0


class Claimant(Protocol):
    """Makes the claim of an application whose data is in `folder`."""

    def __call__(self, folder: str, other_url: str | None = None) -> SiteClaim: ...


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine the first look takes longer than a start of calls may wait for it.
    monkeypatch.setattr(module, "FIRST_LOOK_S", DEADLINE_S)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def empty_url(postgres_cluster: PostgresCluster) -> str:
    return postgres_cluster.create_database(new_id())


@pytest.fixture
async def url(empty_url: str, tmp_path: Path) -> str:
    await migrate(empty_url, tmp_path)
    return empty_url


@pytest.fixture
async def claimant(url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Claimant]:
    made: list[SiteClaim] = []

    def make(folder: str, other_url: str | None = None) -> SiteClaim:
        (tmp_path / folder).mkdir(exist_ok=True)
        made.append(SiteClaim(other_url or url, tmp_path / folder, clock))
        return made[-1]

    yield make
    for each in made:
        await each.close()


LOCKED = (
    "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
BREAK = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE application_name LIKE 'callcenter %' AND datname = current_database()"
)


async def ask(url: str, query: str) -> bool:
    site = Site(url)
    try:
        async with site.reading() as session:
            return bool(await session.scalar(text(query)))
    finally:
        await site.close()


async def is_locked(url: str) -> bool:
    try:
        return await ask(url, LOCKED)
    except SiteUnavailable:
        return False


async def break_connections(url: str) -> None:
    await ask(url, BREAK)

    async def is_free() -> bool:
        return not await is_locked(url)

    await soon(is_free)


async def soon(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.02)


async def is_held(claim: SiteClaim) -> bool:
    try:
        return await claim.look() is Verdict.HELD
    except SiteUnavailable:
        return False


async def test_each_application_that_becomes_active_raises_the_epoch(claimant: Claimant) -> None:
    first = claimant("a")
    await first.before_calls()
    assert await first.enter() == 1
    await first.close()
    second = claimant("b")
    await soon(lambda: is_held(second))
    assert await second.enter() == 2


async def test_second_application_is_told_who_is_active(
    claimant: Claimant, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.001)
    first, second = claimant("a"), claimant("b")
    await first.before_calls()
    await first.enter()
    refused = asyncio.create_task(second.before_calls())
    while not refused.done():
        clock.advance(1)
        await asyncio.sleep(0.005)
    with pytest.raises(SiteTaken, match=r"another application is active on this database \(connected from .* since"):
        await refused
    assert await first.look() is Verdict.HELD


async def test_second_application_begins_when_the_first_ends_in_time(
    claimant: Claimant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.001)
    first, second = claimant("a"), claimant("b")
    await first.before_calls()
    starting = asyncio.create_task(second.before_calls())
    assert await second_look_is_pending(starting)
    await first.close()
    async with asyncio.timeout(DEADLINE_S):
        await starting
    assert await second.look() is Verdict.HELD


async def second_look_is_pending(starting: "asyncio.Task[None]") -> bool:
    for _ in range(10):
        await asyncio.sleep(0.005)
    return not starting.done()


async def test_restarted_application_goes_on_while_its_predecessors_connection_lingers(claimant: Claimant) -> None:
    killed, restarted = claimant("a"), claimant("a")
    await killed.before_calls()
    await killed.enter()
    await restarted.before_calls()
    assert await restarted.look() is Verdict.LINGERING
    await killed.close()
    await soon(lambda: is_held(restarted))


async def test_lost_connection_gives_the_lock_back_to_the_active_application(claimant: Claimant, url: str) -> None:
    active, other = claimant("a"), claimant("b")
    await active.before_calls()
    await active.enter()
    await break_connections(url)
    await soon(lambda: is_held(active))
    assert await other.look() is Verdict.CONTESTED


async def test_application_that_was_away_while_another_was_active_is_overtaken(
    claimant: Claimant, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_S", 0.01)
    cut_off, other = claimant("a"), claimant("b")
    await cut_off.before_calls()
    await cut_off.enter()
    await break_connections(url)
    await soon(lambda: is_held(other))
    await other.enter()
    async with asyncio.timeout(DEADLINE_S):
        await cut_off.overtaken()


async def test_application_stays_active_over_a_restart_of_the_database(
    claimant: Claimant, own_postgres: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_S", 0.01)
    await migrate(own_postgres.url(), tmp_path)
    active, other = claimant("a", own_postgres.url()), claimant("b", own_postgres.url())
    await active.before_calls()
    await active.enter()
    watching = asyncio.create_task(active.overtaken())
    await asyncio.to_thread(own_postgres.stop)
    await asyncio.to_thread(own_postgres.start)

    await soon(lambda: is_locked(own_postgres.url()))
    assert await other.look() is Verdict.CONTESTED
    assert not watching.done()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_calls_wait_for_no_database_that_is_away_or_says_nothing(
    claimant: Claimant, own_postgres: PostgresCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_LOOK_S", 0.2)
    own_postgres.pause()
    async with asyncio.timeout(DEADLINE_S):
        await claimant("a", own_postgres.url()).before_calls()
    await asyncio.to_thread(own_postgres.stop)
    async with asyncio.timeout(DEADLINE_S):
        await claimant("a", own_postgres.url()).before_calls()
    with pytest.raises(SiteUnavailable):
        await claimant("a", own_postgres.url()).look()


async def test_epoch_is_raised_only_with_the_lock(claimant: Claimant) -> None:
    with pytest.raises(SiteUnavailable, match="lost before"):
        await claimant("a").enter()


async def test_database_without_a_schema_can_be_locked_before_it_is_migrated(
    empty_url: str, tmp_path: Path, clock: FakeClock
) -> None:
    claim = SiteClaim(empty_url, tmp_path, clock)
    assert await claim.look() is Verdict.HELD
    await migrate(empty_url, tmp_path)
    assert await claim.enter() == 1
    await claim.close()


def test_name_is_that_of_the_folder_and_not_of_its_path_or_content(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before = name_of(tmp_path / "a")
    assert name_of(tmp_path / "b") != before
    (tmp_path / "a").rename(tmp_path / "moved")
    assert name_of(tmp_path / "moved") == before


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        (
            "postgresql+asyncpg://ann:se%2Fcret@db.example:5433/site?ssl=require",
            {
                "user": "ann",
                "password": "se/cret",
                "host": "db.example",
                "port": 5433,
                "database": "site",
                "ssl": "require",
            },
        ),
        (
            "postgresql+asyncpg://ann@/site?host=%2Frun%2Fpostgresql&port=5433&prepared_statement_cache_size=0",
            {"user": "ann", "host": "/run/postgresql", "port": 5433, "database": "site"},
        ),
    ],
)
def test_driver_is_handed_what_the_url_says(url: str, arguments: dict[str, object]) -> None:
    assert module._arguments(url) == arguments
