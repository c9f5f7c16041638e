"""A journal under test: the loop's side is turned by hand, the writer's thread is the real one."""

import queue
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from callcenter.kernel.events import Envelope
from callcenter.kernel.journal import Journal
from callcenter.kernel.unit import Unit

DEADLINE_S = 90.0
START = datetime(2026, 3, 2, 9, 0, 0, 123456, UTC)


class HandLoop:
    """What the writer's thread hands over waits here until the test turns the loop."""

    def __init__(self) -> None:
        self._callbacks: queue.Queue[Callable[[], None]] = queue.Queue()

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._callbacks.put(callback)

    def turn(self) -> None:
        """Run the next callback, waiting for it."""
        self._callbacks.get(timeout=DEADLINE_S)()

    def turn_until(self, condition: Callable[[], bool]) -> None:
        """Run callbacks until `condition` holds."""
        while not condition():
            self.turn()


class JournalWorld:
    """A journal in `folder`, what it published, what the actions did, in one list of their order."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "live.db"
        self.loop = HandLoop()
        self.published: list[Envelope] = []
        self.done: list[str] = []
        self.fenced = False
        self.journal = self._open()

    def _open(self) -> Journal:
        return Journal(
            self.path,
            call_soon=self.loop.call_soon,
            publish=self._publish,
            fenced=lambda: setattr(self, "fenced", True),
        )

    def _publish(self, event: Envelope) -> None:
        self.published.append(event)
        self.done.append(event.type)

    def reopen(self) -> Journal:
        self.journal = self._open()
        return self.journal

    def unit(self, *names: str, ms: int = 0, contact: str = "c1") -> Unit:
        """A unit with one event and one action for each of `names`."""
        unit = Unit(START + timedelta(milliseconds=ms))
        for name in names:
            unit.event(f"calls.test.{name}", contact)
            unit.after_commit(partial(self.done.append, f"did {name}"))
        return unit

    def is_healthy(self) -> bool:
        return self.journal.healthy

    def commit(self, *units: Unit) -> None:
        """Submit and turn the loop until the last of `units` has been released."""
        released: list[bool] = []
        for unit in units:
            self.journal.submit(unit)
        last = Unit(START)
        last.after_commit(lambda: released.append(True))
        self.journal.submit(last)
        self.loop.turn_until(lambda: bool(released))
