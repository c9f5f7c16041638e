"""The thread for what may block of the journal's work (ADR 0008): it does one thing after the other for the loop."""

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count

log = logging.getLogger(__name__)

Outcome = Callable[[], None]
Job = Callable[[], Outcome]


class JournalThread:
    """`ask` and `close` belong to the loop's thread. A job must not raise; its outcome is called on the loop."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        """`call_soon` hands a callable from this thread to the loop."""
        self._call_soon = call_soon
        self._wake = threading.Condition()
        self._closing = False
        self._jobs: list[tuple[float, int, Job]] = []
        self._count = count()
        self._outcomes: deque[Outcome] = deque()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def ask(self, job: Job, after_s: float = 0.0) -> None:
        """Have `job` run in `after_s` seconds."""
        with self._wake:
            heapq.heappush(self._jobs, (time.monotonic() + after_s, next(self._count), job))
            self._wake.notify()

    def close(self) -> None:
        """End: the job that runs is waited for and its outcome called; what has not begun is dropped."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self._settle()

    def _settle(self) -> None:
        while self._outcomes:
            self._outcomes.popleft()()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            self._outcomes.append(job())
            try:
                self._call_soon(self._settle)
            except RuntimeError:
                log.warning("the loop is closed before its journal")

    def _next(self) -> Job | None:
        with self._wake:
            while not self._closing:
                left = self._jobs[0][0] - time.monotonic() if self._jobs else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._jobs)[2]
                self._wake.wait(left)
        return None
