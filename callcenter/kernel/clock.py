"""The only reader of clocks (architecture.md section 5).

`now` is the wall time at start plus the monotonic time since: it never runs backwards while the process lives, and
`floor` (the last journal time) keeps it from running backwards over a restart. True wall time is for calendars.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

log = logging.getLogger(__name__)


class Clock(Protocol):
    """What tells the time to drivers; pure code takes `now` as an argument instead."""

    def now(self) -> datetime:
        """Aware UTC, never decreasing."""
        ...

    def wall(self) -> datetime:
        """Aware UTC as the machine's clock has it now; may step. For calendars only."""
        ...


class SystemClock:
    """The clock of a running process."""

    def __init__(self, floor: datetime | None = None) -> None:
        wall = datetime.now(UTC)
        if floor is not None and wall < floor:
            log.warning("wall clock is behind the journal", extra={"behind_s": (floor - wall).total_seconds()})
            wall = floor
        self._origin = wall
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        return self._origin + timedelta(seconds=time.monotonic() - self._monotonic)

    def wall(self) -> datetime:
        return datetime.now(UTC)


class FakeClock:
    """A clock that moves only when a test moves it."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def wall(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move forward by `seconds` and return the new now."""
        self._now += timedelta(seconds=seconds)
        return self._now
