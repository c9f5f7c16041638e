"""One heap and one loop timer for all SIP timers.

A timer's owner says when it wants to be woken next, as often as it likes; an entry that has become stale is found
when it comes up. So the many deadlines that are moved or dropped before they are due (most are) cost nothing.
"""

import heapq
from collections.abc import Callable
from itertools import count
from math import ceil
from typing import Protocol

NEVER = float("inf")
GRID_S = 0.05
"""No timer of SIP is so exact that it could not be this late."""
EARLY_S = 0.001
"""Loops round to a millisecond: what is due within one is woken now, rather than after a spin of the loop."""


class Cancellable(Protocol):
    """What `loop.call_at` returns."""

    def cancel(self) -> None: ...


CallAt = Callable[[float, Callable[[], None]], Cancellable]


class Timed(Protocol):
    """Something with a deadline in seconds of the loop's clock. `armed_at` is the timers' own; start it at NEVER."""

    armed_at: float

    @property
    def next_deadline(self) -> float | None: ...

    def wake(self, now: float) -> None:
        """The deadline has passed."""
        ...


class Timers:
    """The heap. `now` and `call_at` are the loop's `time` and `call_at`."""

    def __init__(self, now: Callable[[], float], call_at: CallAt) -> None:
        self.now = now
        self._call_at = call_at
        self._heap: list[tuple[float, int, Timed]] = []
        self._order = count()
        self._handle: Cancellable | None = None
        self._handle_at = NEVER
        self._running = False

    def arm(self, timed: Timed) -> None:
        """Look at the deadline of `timed` again; call after each change."""
        deadline = timed.next_deadline
        if deadline is None or deadline >= timed.armed_at:
            return
        timed.armed_at = deadline
        heapq.heappush(self._heap, (deadline, next(self._order), timed))
        if deadline < self._handle_at and not self._running:
            self._set(deadline)

    def _set(self, deadline: float) -> None:
        # The transactions of many calls end one by one, 32 s later: one wake-up serves those of a grid's step.
        at = ceil(deadline / GRID_S) * GRID_S
        if at >= self._handle_at:
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle_at = at
        self._handle = self._call_at(at, self.run)

    def run(self) -> None:
        """Wake whatever is due. Called by the loop; a test calls it after moving its clock."""
        now = self.now()
        horizon = now + EARLY_S
        self._running = True
        self._handle, self._handle_at = None, NEVER
        try:
            while self._heap and self._heap[0][0] <= horizon:
                deadline, _, timed = heapq.heappop(self._heap)
                if deadline != timed.armed_at:
                    continue
                timed.armed_at = NEVER
                due = timed.next_deadline
                if due is not None and due <= horizon:
                    timed.wake(max(now, due))
                self.arm(timed)
        finally:
            self._running = False
            if self._heap:
                self._set(self._heap[0][0])

    def close(self) -> None:
        """Forget everything."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self._handle_at = None, NEVER
