"""Escalation in a worker's process, which has no loop of its own."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.kernel.clock import FakeClock
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from tests.tickets.conftest import START, Desk
from tickets.tasks import add_tasks


class Workers:
    """What the room uses of a Celery application."""

    def __init__(self) -> None:
        self.tasks: dict[str, Callable[[], int]] = {}

    def task(self, *, name: str, ignore_result: bool, shared: bool) -> Callable[[Callable[[], int]], None]:
        assert ignore_result
        assert not shared

        def keep(work: Callable[[], int]) -> None:
            self.tasks[name] = work

        return keep


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A site with one ticket."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'site.db'}"

    async def make() -> None:
        await migrate(url, tmp_path)
        site = Site(url)
        await Desk(site).open()
        await site.close()

    asyncio.run(make())
    return url


def test_a_worker_fires_what_is_due_once(url: str) -> None:
    workers, clock = Workers(), FakeClock(START)
    add_tasks(workers, url, clock)
    escalate = workers.tasks["tickets.escalate_due"]
    assert escalate() == 0
    clock.advance(timedelta(hours=4).total_seconds())
    assert [escalate(), escalate()] == [1, 0]
