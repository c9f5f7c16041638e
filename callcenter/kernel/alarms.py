"""One timer for every deadline of the process.

Machines expose deadlines; whoever drives one sets it here under a key and is called, with a fresh `now`, when it is
due. A key has one deadline at a time; setting it again replaces it, None removes it. Late is possible, early is not.
"""

import heapq
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Protocol

from callcenter.kernel.clock import Clock


class Handle(Protocol):
    """What `asyncio.TimerHandle` has of it."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Handle]


class Alarms:
    """Not thread-safe: the loop's thread owns it."""

    def __init__(self, clock: Clock, call_later: CallLater) -> None:
        """`call_later(seconds, callback)` is the loop's."""
        self._clock = clock
        self._call_later = call_later
        self._heap: list[tuple[datetime, int, Hashable]] = []
        self._current: dict[Hashable, tuple[datetime, int, Callable[[], None]]] = {}
        self._count = 0
        self._armed: datetime | None = None
        self._handle: Handle | None = None

    def set(self, key: Hashable, at: datetime | None, ring: Callable[[], None]) -> None:
        """Have `ring` called at `at` (aware UTC); None forgets the key."""
        known = self._current.get(key)
        if at is None:
            if known is not None:
                del self._current[key]
            return
        if known is not None and known[0] == at:
            self._current[key] = (at, known[1], ring)
            return
        self._count += 1
        self._current[key] = (at, self._count, ring)
        heapq.heappush(self._heap, (at, self._count, key))
        if self._armed is None or at < self._armed:
            self._arm()

    def ring_due(self) -> None:
        """Call whatever is due now, earliest first, and arm the timer for the rest."""
        self._armed = None
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            _, count, key = heapq.heappop(self._heap)
            known = self._current.get(key)
            if known is not None and known[1] == count:
                del self._current[key]
                known[2]()
        self._arm()

    def _arm(self) -> None:
        while self._heap:
            at, count, key = self._heap[0]
            known = self._current.get(key)
            if known is not None and known[1] == count:
                break
            heapq.heappop(self._heap)
        else:
            return
        if self._armed == at:
            return
        if self._handle is not None:
            self._handle.cancel()
        self._armed = at
        # A loop's timer may fire a hair early; ring_due then finds nothing due and arms again.
        self._handle = self._call_later(max(0.0, (at - self._clock.now()).total_seconds()), self.ring_due)
