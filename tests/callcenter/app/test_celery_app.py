"""Escalation as the work of Celery workers: two at once, one firing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from sqlalchemy import func, select

from callcenter.app.celery_app import create_celery
from callcenter.app.settings import Settings
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import ConfigError
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from tests.support.server import eventually
from tests.tickets.conftest import START, Desk
from tickets.tables import EscalationRow
from tickets.tasks import NAME

TICKETS = 12
LOOKS = 3


def test_without_a_broker_there_are_no_workers() -> None:
    with pytest.raises(ConfigError, match="redis_url"):
        create_celery(Settings())


def test_workers_are_woken_by_looks_that_carry_no_time() -> None:
    app = create_celery(Settings(redis_url="memory://"))
    (entry,) = app.conf.beat_schedule.values()
    assert (entry["task"], entry["schedule"]) == (NAME, timedelta(seconds=15))
    assert "args" not in entry
    assert "eta" not in entry["options"]
    assert app.conf.task_ignore_result
    assert NAME in app.tasks


@pytest.fixture
def late(database_url: str, tmp_path: Path) -> tuple[str, FakeClock]:
    """A site whose tickets have all missed both of their clocks."""

    async def make() -> None:
        await migrate(database_url, tmp_path)
        site = Site(database_url)
        desk = Desk(site)
        for number in range(TICKETS):
            await desk.open(f"Ticket {number}")
        await site.close()

    asyncio.run(make())
    return database_url, FakeClock(START + timedelta(days=14))


def fired(url: str) -> int:
    async def count() -> int:
        site = Site(url)
        async with site.reading() as session:
            found = await session.scalar(select(func.count()).select_from(EscalationRow))
        await site.close()
        return found or 0

    return asyncio.run(count())


def apply(app: Celery) -> None:
    """As a worker runs the task, in a process or thread that has no loop."""
    app.tasks[NAME].apply(throw=True)


@pytest.mark.integration
def test_two_workers_at_once_fire_each_step_once(late: tuple[str, FakeClock]) -> None:
    url, clock = late
    workers = [create_celery(Settings(database_url=url, redis_url="memory://"), clock=clock) for _ in range(2)]
    with ThreadPoolExecutor(max_workers=len(workers)) as threads:
        list(threads.map(apply, workers * LOOKS))
    assert fired(url) == 2 * TICKETS


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")  # the library's own
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_takes_the_look_that_was_sent(late: tuple[str, FakeClock]) -> None:
    url, clock = late
    app = create_celery(Settings(database_url=url, redis_url="memory://"), clock=clock)
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=60):
        app.send_task(NAME)
        eventually("every step has fired", lambda: fired(url) == 2 * TICKETS, within_s=60)
