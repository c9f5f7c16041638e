"""Escalation as a task of Celery workers, for sites of several processes; the embedded default needs none of this.

The same function runs in the application (`callcenter.app.ticket_side`): both may, for a step fires once. Celery Beat
(or whoever wakes workers) sends `tickets.escalate_due` without an ETA: what is due stands in the database.
"""

import asyncio
from typing import Any

from callcenter.kernel.clock import Clock
from callcenter.kernel.site import Site
from tickets.escalating import escalate_due

NAME = "tickets.escalate_due"


def run_escalations(url: str, clock: Clock) -> int:
    """Fire what is due in the site database at `url`; how many steps. For a worker's process, without a loop."""
    return asyncio.run(_escalate(url, clock))


def add_tasks(app: Any, url: str, clock: Clock) -> None:
    """Register the task with the Celery application `app` (whose library carries no types)."""

    def escalate() -> int:
        return run_escalations(url, clock)

    # Not shared: Celery would give the first application's function to each one after it.
    app.task(name=NAME, ignore_result=True, shared=False)(escalate)


async def _escalate(url: str, clock: Clock) -> int:
    site = Site(url, pool_size=1)
    try:
        return len(await escalate_due(site, clock.now()))
    finally:
        await site.close()
