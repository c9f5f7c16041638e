"""A thread for what may block: reading prompts, writing recordings. The tick never waits for a disk."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

log = logging.getLogger(__name__)

Job = Callable[[], None]


class Background:
    """Runs jobs one after the other; a job that has news hands it to the loop itself."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.surprises = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Jobs not yet begun."""
        return self._jobs.qsize()

    def submit(self, job: Job) -> None:
        self._jobs.put(job)

    def finish(self, timeout_s: float) -> None:
        """Run what is queued and stop; give up after `timeout_s` on a disk that hangs."""
        self._jobs.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                self.surprises += 1
                log.exception("background job failed")
