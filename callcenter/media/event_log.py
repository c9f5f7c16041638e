"""The worker's events, numbered and kept until the application has them on disk.

Bounded: while nobody is attached for long, the oldest are given up and counted.
"""

from collections import deque
from collections.abc import Callable

from callcenter.media.protocol import Event

CAPACITY = 20_000


class EventLog:
    """What has happened and is not acknowledged."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._events: deque[Event] = deque()
        self._capacity = capacity
        self._number = 0
        self.lost = 0
        self.listener: Callable[[Event], None] | None = None

    def emit(self, make: Callable[[int], Event]) -> None:
        """Number the event, keep it, and tell whoever is attached."""
        self._number += 1
        event = make(self._number)
        self._events.append(event)
        if len(self._events) > self._capacity:
            self._events.popleft()
            self.lost += 1
        if self.listener is not None:
            self.listener(event)

    def acknowledge(self, number: int) -> None:
        """Forget events up to `number`."""
        events = self._events
        while events and events[0].n <= number:
            events.popleft()

    def waiting(self) -> tuple[Event, ...]:
        """The events to send again, oldest first."""
        return tuple(self._events)

    def __len__(self) -> int:
        return len(self._events)
