"""Does what `chores` says is due: old facts, sessions that are over, numbers for the site's events.

Nothing here is on the way of a call; what the database refuses while it is away is done when it is back.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

from acd.archive import FILE, archived
from callcenter.app.chores import Schedule
from callcenter.identity.service import IdentityService
from callcenter.kernel.bus import Bus
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.journal import Journal
from callcenter.kernel.journal_file import to_ms
from callcenter.kernel.outbox import CHUNK, relay
from callcenter.kernel.projector_thread import ProjectorThread
from callcenter.kernel.site import Site

log = logging.getLogger(__name__)

HOURLY = timedelta(hours=1)
# Transactions of this process ask for a relay themselves; those of the command line cannot.
RELAY_EVERY = timedelta(minutes=1)
# Nor can workers of their own, whose escalations somebody is to hear of.
RELAY_OFTEN = timedelta(seconds=5)
ARCHIVE_EVERY = timedelta(minutes=1)
DAY_MS = 86_400_000
MAX_SEQ = 2**63 - 1

Work = Callable[[], Awaitable[bool]]
"""One go at a chore: true if there is more of it to do at once. May raise SiteUnavailable."""


class Housekeeping:
    """`run` is one task of the application's loop; `ask` belongs to the same loop."""

    def __init__(self, clock: Clock, chores: Mapping[str, tuple[timedelta, Work]]) -> None:
        self._clock = clock
        self._work = {name: work for name, (_, work) in chores.items()}
        self._schedule = Schedule({name: every for name, (every, _) in chores.items()})
        self._asked = asyncio.Event()
        self.surprises = 0

    def ask(self, name: str) -> None:
        """Do `name` soon."""
        self._schedule = self._schedule.asked(name, now=self._clock.now())
        self._asked.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self._asked.clear()
            await self.turn()
            now = self._clock.now()
            left = (self._schedule.next_deadline(now=now) - now).total_seconds()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), left)

    async def turn(self) -> None:
        """Do once whatever is due."""
        for name in self._schedule.ready(now=self._clock.now()):
            self._schedule = self._schedule.begun(name, now=self._clock.now())
            try:
                if await self._work[name]():
                    self.ask(name)
            except SiteUnavailable:
                self._schedule = self._schedule.failed(name, now=self._clock.now())
            except Exception:
                self.surprises += 1
                log.exception("a chore failed", extra={"chore": name})


class Archiving:
    """Keeps the distributor's log for longer than the journal does, in a thread; `upto` is how far it has come."""

    def __init__(self, folder: Path, clock: Clock, *, days: float) -> None:
        self._folder = folder
        self._clock = clock
        self._keep_ms = int(days * DAY_MS)
        self._fails = False
        self._begun = False
        self.upto = 0

    async def work(self) -> bool:
        """One go: does something every hour, or sooner when much has happened."""
        try:
            self.upto = await asyncio.to_thread(self._go)
        except sqlite3.Error as error:
            # The disk is full: the journal keeps what is not archived yet.
            if not self._fails:
                log.error("decisions cannot be archived", extra={"reason": type(error).__name__})  # noqa: TRY400 - said once
            self._fails = True
        else:
            self._fails = False
        return False

    def _go(self) -> int:
        now_ms = to_ms(self._clock.now())
        # A new process may be a new release: what it writes is to be replayed by itself.
        at_once, self._begun = not self._begun, True
        journal = self._folder / "live.db"
        return archived(self._folder / FILE, journal, now_ms, keep_ms=self._keep_ms, at_once=at_once)


def pruning(
    journal: Journal,
    projector: ProjectorThread,
    clock: Clock,
    *,
    days: float,
    archived_upto: Callable[[], int] = lambda: MAX_SEQ,
) -> Work:
    """Delete facts from the journal that are projected, archived and older than `days`."""

    async def work() -> bool:
        before = clock.now() - timedelta(days=days)
        done = min(projector.status.projected, archived_upto())
        journal.prune(projected=done, before=before, done=_tell_pruned)
        return False

    return work


def _tell_pruned(rows: int) -> None:
    if rows:
        log.info("journal pruned", extra={"rows": rows})


def forgetting(identity: IdentityService) -> Work:
    """Delete sessions that are over."""

    async def work() -> bool:
        await identity.forget_expired()
        return False

    return work


def relaying(site: Site, bus: Bus) -> Work:
    """Number what transactions have recorded and publish it on `bus`, as the stream `site`."""

    async def work() -> bool:
        events = await relay(site)
        for event in events:
            bus.publish(event)
        return len(events) == CHUNK

    return work
