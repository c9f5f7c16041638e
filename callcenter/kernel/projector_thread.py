"""Runs a projector beside the calls: a thread with an event loop and a database connection of its own.

So neither the work of folding nor a database that does not answer is ever on the loop that the calls are on. The
thread sleeps until an event that a handler wants is published, then waits a moment so that many go in one
transaction.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.events import Envelope
from callcenter.kernel.journal_file import JournalReader
from callcenter.kernel.projector import Handler, Projector
from callcenter.kernel.site import Site

log = logging.getLogger(__name__)

DEBOUNCE_S = 0.5
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 5.0
CLOSE_S = 0.5


@dataclass(frozen=True, slots=True)
class ProjectorStatus:
    """For the status page: `projected` is a journal number, `away` that the database does not answer."""

    projected: int
    away: bool
    skipped: int


class ProjectorThread:
    """Started and closed by the application; `publish` and `caught_up` belong to its loop."""

    def __init__(
        self, url: str, journal: Path, handlers: Sequence[Handler], *, debounce_s: float = DEBOUNCE_S
    ) -> None:
        self._url = url
        self._journal = journal
        self._handlers = handlers
        self._types = frozenset[str]().union(*(handler.types for handler in handlers))
        self._debounce_s = debounce_s
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Future[None]]] = []
        self._status = ProjectorStatus(0, away=True, skipped=0)
        self._signalled = False
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._signal = asyncio.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    def start(self) -> None:
        """Begin where the last projector of this journal stopped. Until then the database counts as away."""
        self._status = ProjectorStatus(0, away=False, skipped=0)
        self._thread.start()

    @property
    def status(self) -> ProjectorStatus:
        return self._status

    def publish(self, event: Envelope) -> None:
        """A subscriber of the bus: something may have to be projected."""
        if event.type in self._types:
            self.wake()

    def wake(self) -> None:
        """Look into the journal soon. Costs nothing while the last call has not been heeded."""
        with self._lock:
            if self._signalled or self._loop is None:
                return
            self._signalled = True
        self._in_loop(self._signal.set)

    async def caught_up(self, seq: int) -> None:
        """Wait until everything numbered up to `seq` is in the site database, however long that is away."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # so that whoever stops waiting does not cancel it under the thread
        with self._lock:
            if self._status.projected >= seq:
                return
            self._waiting.append((seq, future))
        self.wake()
        await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the thread: after the transaction that is running, if that takes no longer than CLOSE_S."""
        if self._thread.ident is None:
            return
        self._closing = True
        self._in_loop(self._end)
        self._thread.join(CLOSE_S)
        self._in_loop(self._abandon)
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            log.warning("projector is left behind, its database does not answer")

    # -- the thread's side ----------------------------------------------------------------------------------------

    def _in_loop(self, callback: Callable[[], object]) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(callback)

    def _end(self) -> None:
        self._ended.set()
        self._signal.set()

    def _abandon(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._main())

    async def _main(self) -> None:
        self._task = asyncio.current_task()
        site = Site(self._url, pool_size=1)
        reader = JournalReader(self._journal)
        with self._lock:
            self._loop = asyncio.get_running_loop()
        projector = Projector(site, reader, self._handlers)
        try:
            await self._work(projector)
        finally:
            with self._lock:
                self._loop = None
            projector.close()
            reader.close()
            await site.close()

    async def _work(self, projector: Projector) -> None:
        while not self._closing:
            with self._lock:
                self._signalled = False
                self._signal.clear()
            await self._catch_up(projector)
            if not self._closing:
                await self._next_signal()
                await self._pause(self._debounce_s)

    async def _next_signal(self) -> None:
        # Whoever waits for a number that is not on disk yet is not woken for it if no handler wants that event.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._signal.wait(), 1.0 if self._waiting else None)

    async def _catch_up(self, projector: Projector) -> None:
        delay = FIRST_RETRY_S
        more = True
        while more and not self._closing:
            try:
                more = await projector.step()
            except SiteUnavailable:
                if not self._status.away:
                    log.error("site database does not answer, facts wait in the journal")  # noqa: TRY400 - expected
                self._report(projector, away=True)
                await self._pause(delay)
                delay = min(2 * delay, LAST_RETRY_S)
            else:
                delay = FIRST_RETRY_S
                self._report(projector, away=False)

    def _report(self, projector: Projector, *, away: bool) -> None:
        with self._lock:
            self._status = ProjectorStatus(projector.projected, away, projector.skipped)
            ready = [future for seq, future in self._waiting if seq <= projector.projected]
            self._waiting = [(seq, future) for seq, future in self._waiting if seq > projector.projected]
        for future in ready:
            future.set_result(None)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but no longer than until `close`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
