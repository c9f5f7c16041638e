"""TrunkHealth: whether a trunk answers OPTIONS (RFC 3261 section 11).

    unknown --answer--> up --MISSES unanswered--> down --answer--> up

Theory. A provider that has gone is known before a caller has to wait for it. One lost datagram says nothing, several
in a row do; any answer shows that somebody is there, save 503, by which he says himself that he cannot. While it is
down it is asked more often. `unknown` counts as up: after a start nobody has been asked yet.
"""

from dataclasses import dataclass, replace
from typing import Literal

Health = Literal["unknown", "up", "down"]
MISSES = 2
OFTEN_S = 10.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A final answer to OPTIONS."""

    status: int


@dataclass(frozen=True, slots=True)
class Missed:
    """None came in time."""


@dataclass(frozen=True, slots=True)
class TrunkHealth:
    """Of one trunk, in memory: after a restart it is asked at once."""

    health: Health = "unknown"
    missed: int = 0

    def handle(self, event: Answered | Missed) -> tuple["TrunkHealth", bool]:
        """The health after `event`, and whether it is news: went down, or came up again after that."""
        if isinstance(event, Answered) and event.status != 503:
            return TrunkHealth("up"), self.health == "down"
        missed = self.missed + 1
        gone = missed >= MISSES or isinstance(event, Answered)
        after = replace(self, missed=missed, health="down" if gone else self.health)
        return after, after.health == "down" and self.health != "down"

    def again_after_s(self, every_s: float) -> float:
        """How long until the next OPTIONS."""
        return min(every_s, OFTEN_S) if self.health == "down" or self.missed else every_s
