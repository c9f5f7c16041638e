"""The in-process bus: each committed live event goes to each subscriber, in order, on the loop's thread."""

import logging
from collections.abc import Callable

from callcenter.kernel.events import Envelope

log = logging.getLogger(__name__)

Subscriber = Callable[[Envelope], None]


class Bus:
    """Subscribers must be quick and must not raise; one that does is logged, counted and does not stop the others."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self.surprises = 0

    def subscribe(self, subscriber: Subscriber) -> None:
        """Have `subscriber` called with every event from now on."""
        self._subscribers.append(subscriber)

    def publish(self, event: Envelope) -> None:
        """Called by the journal after the commit."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:
                self.surprises += 1
                log.exception("subscriber failed")
