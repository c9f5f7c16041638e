"""What an interval fact counts: whole numbers that add up, over intervals as over queues (docs/metrics.md).

`longest_wait_ms` is the one that does not add: the greatest of its parts is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Measures:
    """Counts and milliseconds of one interval and one queue, skill or agent; or of several together.

    `queued`: contacts that are counted, each once, at the earliest of leaving the queue and T; `offered`: those of
    them that were answered, abandoned or still there at T. `entered`: those that came in. `wait_ms`: of the answered.
    `handled` and `talk_ms`, `hold_ms`, `wrap_ms`: contacts whose handling ended. `*_time_ms`: what agents were doing.
    """

    entered: int = 0
    queued: int = 0
    offered: int = 0
    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    abandoned_short: int = 0
    callbacks: int = 0
    callbacks_in_time: int = 0
    overflowed: int = 0
    transferred: int = 0
    failed: int = 0
    wait_ms: int = 0
    longest_wait_ms: int = 0
    handled: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_ms: int = 0
    offers: int = 0
    accepted: int = 0
    missed: int = 0
    declined: int = 0
    unreached: int = 0
    rescinded: int = 0
    contact_time_ms: int = 0
    wrap_time_ms: int = 0
    idle_time_ms: int = 0
    ring_time_ms: int = 0
    not_ready_time_ms: int = 0

    def add(self, other: "Measures") -> None:
        """Take `other` in."""
        longest = max(self.longest_wait_ms, other.longest_wait_ms)
        for name in NAMES:
            value = getattr(other, name)
            if value:
                setattr(self, name, getattr(self, name) + value)
        self.longest_wait_ms = longest

    @property
    def handle_time_ms(self) -> int:
        """Time with contacts and in after-call work."""
        return self.contact_time_ms + self.wrap_time_ms

    @property
    def logged_in_time_ms(self) -> int:
        """Time signed in, whatever the agent did."""
        return self.handle_time_ms + self.idle_time_ms + self.ring_time_ms + self.not_ready_time_ms


NAMES = tuple(field.name for field in fields(Measures))
GREATEST = "longest_wait_ms"


def total(parts: Iterable[Measures]) -> Measures:
    """All of `parts` together."""
    whole = Measures()
    for part in parts:
        whole.add(part)
    return whole
