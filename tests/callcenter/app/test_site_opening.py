"""The site database opened at the start, or when it is back, or not at all."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from callcenter.app import site_opening as module
from callcenter.app.active import claim_of
from callcenter.app.settings import Settings
from callcenter.app.site_opening import SiteOpening
from callcenter.kernel import claim as claim_module
from callcenter.kernel import site_claim
from callcenter.kernel.claim import SiteTaken
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.site import Site
from callcenter.kernel.site_claim import SiteClaim
from callcenter.migrations.migrate import SchemaTooNew, head
from tests.support.postgres import PostgresCluster

DEADLINE_S = 90.0


class Opened:
    """An opening, what it found when it was open, how often it was fenced."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.claim = claim_of(settings, SystemClock())
        self.revisions: list[str] = []
        self.fenced = asyncio.Event()
        self.refuse = False
        self.opening = SiteOpening(settings, self.claim, opened=self._opened, fenced=self.fenced.set)

    async def _opened(self) -> None:
        if self.refuse:
            self.refuse = False
            raise SiteUnavailable("gone again")
        site = Site(self.settings.site_database_url, pool_size=1)
        async with site.reading() as session:
            self.revisions += await session.scalars(text("SELECT version_num FROM alembic_version"))
        await site.close()

    async def close(self) -> None:
        if self.claim is not None:
            await self.claim.close()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(module, "LAST_RETRY_S", 0.05)
    monkeypatch.setattr(site_claim, "CHECK_S", 0.01)
    monkeypatch.setattr(site_claim, "FIRST_LOOK_S", DEADLINE_S)  # a busy machine looks for longer


async def test_file_needs_no_claim_and_is_migrated_before_it_is_used(tmp_path: Path) -> None:
    world = Opened(Settings(data=str(tmp_path)))
    assert world.claim is None
    await world.opening.first()
    await world.opening.keep()
    assert world.revisions == [head()]
    assert not world.fenced.is_set()


async def test_what_opens_and_is_gone_before_it_is_used_is_opened_again(tmp_path: Path) -> None:
    world = Opened(Settings(data=str(tmp_path)))
    world.refuse = True
    await world.opening.first()
    assert not world.opening.is_open
    async with asyncio.timeout(DEADLINE_S):
        await world.opening.keep()
    assert world.revisions == [head()]


async def test_schema_of_a_newer_version_stops_a_start_and_no_running_calls(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = Opened(Settings(data=str(tmp_path)))
    await world.opening.first()
    site = Site(world.settings.site_database_url)
    async with site.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    late = Opened(world.settings)
    with pytest.raises(SchemaTooNew):
        await late.opening.first()
    keeping = asyncio.create_task(late.opening.keep())
    async with asyncio.timeout(DEADLINE_S):
        while "site database cannot be used" not in caplog.messages:  # noqa: ASYNC110 - told by a log line only
            await asyncio.sleep(0.01)
        async with site.session() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head()})
        await keeping
    await site.close()
    assert late.opening.is_open
    assert not late.fenced.is_set()


@pytest.mark.integration
async def test_database_that_is_away_at_the_start_is_migrated_when_it_is_back(
    own_postgres: PostgresCluster, tmp_path: Path
) -> None:
    await asyncio.to_thread(own_postgres.stop)
    world = Opened(Settings(data=str(tmp_path), database_url=own_postgres.url()))
    await world.opening.first()
    assert world.revisions == []
    keeping = asyncio.create_task(world.opening.keep())
    await asyncio.to_thread(own_postgres.start)
    async with asyncio.timeout(DEADLINE_S):
        while not world.opening.is_open:  # noqa: ASYNC110 - nobody else needs to be told
            await asyncio.sleep(0.01)
    assert world.revisions == [head()]
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await world.close()


@pytest.mark.integration
async def test_only_one_of_two_that_began_without_the_database_stays(
    own_postgres: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_module, "PATIENCE", claim_module.PATIENCE / 20)
    await asyncio.to_thread(own_postgres.stop)
    worlds = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        world = Opened(Settings(data=str(tmp_path / name), database_url=own_postgres.url()))
        await world.opening.first()
        worlds.append(world)
    tasks = [asyncio.create_task(world.opening.keep()) for world in worlds]
    await asyncio.to_thread(own_postgres.start)
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        while not any(world.opening.is_open for world in worlds):  # noqa: ASYNC110 - nobody else needs to be told
            await asyncio.sleep(0.01)
    outcomes = sorted((world.opening.is_open, world.fenced.is_set()) for world in worlds)
    assert outcomes == [(False, True), (True, False)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for world in worlds:
        await world.close()


@pytest.mark.integration
async def test_overtaken_application_is_fenced(postgres_cluster: PostgresCluster, tmp_path: Path) -> None:
    url = await asyncio.to_thread(postgres_cluster.create_database, "overtaken")
    world = Opened(Settings(data=str(tmp_path), database_url=url))
    await world.opening.first()
    keeping = asyncio.create_task(world.opening.keep())
    site = Site(url)
    async with site.session() as session:
        await session.execute(text("UPDATE site_epoch SET epoch = epoch + 1"))
    await site.close()
    async with asyncio.timeout(DEADLINE_S):
        await keeping
    assert world.fenced.is_set()
    await world.close()


@pytest.mark.integration
async def test_start_beside_an_active_application_is_refused(
    postgres_cluster: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_module, "PATIENCE", claim_module.PATIENCE * 0)
    url = await asyncio.to_thread(postgres_cluster.create_database, "refused")
    (tmp_path / "other").mkdir()
    other = SiteClaim(url, tmp_path / "other", SystemClock())
    await other.before_calls()
    world = Opened(Settings(data=str(tmp_path), database_url=url))
    with pytest.raises(SiteTaken):
        await world.opening.first()
    assert world.revisions == []
    await other.close()
    await world.close()
