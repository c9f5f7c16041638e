"""Who comes first, as sort keys that stay the same while one waits: the index never has to sort again.

A caller's place is the moment since which he waits, earlier by his head start: who waits ages past a priority that is
not too far above his. The order of the inputs breaks a tie. An entry that comes back keeps all and so its place. An
agent's key is his queue's strategy; the time since which he is idle and his id break ties, under any hash seed.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from acd.model import DEFAULT_PRIORITY, Settings, Strategy, milliseconds

Place = tuple[int, int, int, str]
"""(class, ms, input number, entry id); the smallest is served first."""

Key = tuple[int, int]
"""The smallest is offered first."""


class Idle(NamedTuple):
    """An agent who can be offered a contact, with all that an order may look at."""

    id: str
    idle_ms: int
    contact_ms: int
    contacts: int
    turn: int


def lead_of(settings: Settings, *, priority: int, head_start_s: int) -> tuple[int, int]:
    """(class, head start in ms) of a caller. There is one class, but where priority is strict."""
    if settings.strict_priority:
        return -priority, head_start_s * 1000
    return 0, ((priority - DEFAULT_PRIORITY) * settings.priority_s + head_start_s) * 1000


def place_of(entry: str, *, rank: int, lead_ms: int, enqueued_at: datetime, number: int) -> Place:
    """Where this caller stands."""
    return (rank, milliseconds(enqueued_at) - lead_ms, number, entry)


def _longest_idle(idle: Idle, _level: int) -> Key:
    return idle.idle_ms, 0


def _longest_since_contact(idle: Idle, _level: int) -> Key:
    return idle.contact_ms, idle.idle_ms


def _fewest_contacts(idle: Idle, _level: int) -> Key:
    return idle.contacts, idle.idle_ms


def _round_robin(idle: Idle, _level: int) -> Key:
    return idle.turn, 0


def _highest_level(idle: Idle, level: int) -> Key:
    return -level, idle.idle_ms


def _lowest_level(idle: Idle, level: int) -> Key:
    return level, idle.idle_ms


KEYS: dict[Strategy, Callable[[Idle, int], Key]] = {
    "longest_idle": _longest_idle,
    "longest_since_contact": _longest_since_contact,
    "fewest_contacts": _fewest_contacts,
    "round_robin": _round_robin,
    "highest_level": _highest_level,
    "lowest_level": _lowest_level,
    "weighted_random": _longest_idle,
    "ring_all": _longest_idle,
}
