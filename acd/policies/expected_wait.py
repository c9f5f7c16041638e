"""How long a caller will wait, learned from those before him, and how well that was told (acd.md section 4).

A queue's line moves up by one whenever one of its callers is answered or leaves. The time between two such moves,
while somebody waited all along, is smoothed over the last ones; a caller at position p waits p moves. What was
announced is compared with what came, and the ratio of the two corrects what is announced next. Whole milliseconds
only: a replay must come to the same numbers.
"""

from dataclasses import dataclass
from datetime import datetime

from acd.machines.frozen import replaced
from acd.model import milliseconds

MEMORY = 8
"""Of so many last moves (and so many last promises times four) the averages are made."""

ENOUGH = 3
"""Moves that must have been seen before a wait is told."""

SETTLED = 5
"""Promises that must have been settled before they correct the next."""

LEAST_PM, MOST_PM = 250, 4000


@dataclass(frozen=True, slots=True)
class Promise:
    """A wait that was announced. `raw_ms`: what the moves said, before the correction and the rounding."""

    at: datetime
    told_ms: int
    raw_ms: int


@dataclass(frozen=True)
class Estimate:
    """What is known of one queue. `moved_at`: the last move, while somebody waits; averages in milliseconds.

    `error_ms` is the mean of |told - came|, `bias_ms` that of told - came.
    """

    queue: str
    moved_at: datetime | None = None
    moves: int = 0
    gap_ms: int = 0
    promises: int = 0
    raw_ms: int = 0
    came_ms: int = 0
    error_ms: int = 0
    bias_ms: int = 0

    @property
    def factor_pm(self) -> int:
        """The correction, in thousandths."""
        if self.promises < SETTLED or self.raw_ms <= 0:
            return 1000
        return max(LEAST_PM, min(MOST_PM, self.came_ms * 1000 // self.raw_ms))

    def raw(self, position: int) -> int | None:
        """The wait at `position` (from 1) as the moves say it; None while too little is known."""
        return position * self.gap_ms if self.moves >= ENOUGH else None

    def corrected(self, raw_ms: int) -> int:
        """What is told instead of `raw_ms`."""
        return raw_ms * self.factor_pm // 1000

    def joined(self, now: datetime) -> "Estimate":
        """Somebody waits; the first one starts the watch."""
        return self if self.moved_at is not None else replaced(self, moved_at=now)

    def moved(self, now: datetime, *, left: int) -> "Estimate":
        """One caller was answered or left; `left` wait on."""
        after = now if left else None
        if self.moved_at is None:
            return replaced(self, moved_at=after)
        gap_ms = milliseconds(now) - milliseconds(self.moved_at)
        moves = self.moves + 1
        return replaced(self, moved_at=after, moves=moves, gap_ms=_mean(self.gap_ms, gap_ms, moves, MEMORY))

    def settled(self, promise: Promise, now: datetime) -> "Estimate":
        """The caller who was promised that was answered now."""
        came_ms = milliseconds(now) - milliseconds(promise.at)
        off = promise.told_ms - came_ms
        count, memory = self.promises + 1, MEMORY * 4
        return replaced(
            self,
            promises=count,
            raw_ms=_mean(self.raw_ms, promise.raw_ms, count, memory),
            came_ms=_mean(self.came_ms, came_ms, count, memory),
            error_ms=_mean(self.error_ms, abs(off), count, memory),
            bias_ms=_mean(self.bias_ms, off, count, memory),
        )


def _mean(mean: int, value: int, count: int, memory: int) -> int:
    """The mean with one more `value`: of all until there are `memory`, then of the newest mostly."""
    weight = min(count, memory)
    # Rounded to the nearest, so that small steps are not lost to the floor.
    return mean + (2 * (value - mean) + weight) // (2 * weight)
