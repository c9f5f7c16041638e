"""Who comes first, as sort keys that stay the same while one waits: the index never has to sort again.

A caller's place: priority, then the time since which he waits, then the order of the inputs. An entry that comes back
keeps all three and so its place. An agent's place: idle the longest; his id breaks a tie, under any hash seed.
"""

from datetime import datetime

from acd.model import milliseconds

Place = tuple[int, int, int, str]
"""(-priority, ms, input number, entry id)."""

IdlePlace = tuple[int, str]
"""(ms since which he is idle, agent id)."""


def place_of(entry: str, *, priority: int, enqueued_at: datetime, number: int) -> Place:
    """Where this caller stands; the smallest is served first."""
    return (-priority, milliseconds(enqueued_at), number, entry)


def longest_idle(agent: str, *, idle_since: datetime) -> IdlePlace:
    """Where this agent stands; the smallest is offered first."""
    return (milliseconds(idle_since), agent)
