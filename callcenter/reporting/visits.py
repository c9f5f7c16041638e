"""What the interval facts and the queue_log are made of: stays in a queue, and stretches of an agent's day.

Both are rows of the site database (`queue_visits`, `agent_spans`) and stay there when the journal is pruned.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

THRESHOLD_S = 20
SHORT_ABANDON_S = 6


@dataclass(frozen=True, slots=True)
class QueueTerms:
    """What is held against a queue. `threshold_s` is T, `target` the service level that is wanted (0..1).

    `variant` names the service level shown first. Alarms: callers who wait at least so long, so many; None: no alarm.
    """

    threshold_s: int = THRESHOLD_S
    target: float | None = None
    variant: str = "sl_answered"
    short_abandon_s: int = SHORT_ABANDON_S
    longest_wait_alarm_s: int | None = None
    waiting_alarm: int | None = None


class Terms(Protocol):
    """What the site's configuration says at the moment; asked from the projector's thread."""

    def of(self, queue: str) -> QueueTerms:
        """Of one queue; the defaults for one that is not there (any more)."""
        ...

    def skills(self, queue: str) -> tuple[str, ...]:
        """What the queue asks of its agents, by name."""
        ...

    def members(self) -> Mapping[str, Mapping[str, int]]:
        """The queues that each agent serves, with his penalty there: 0 is best, 9 worst.

        The same object as long as nothing has changed.
        """
        ...

    def serves(self, agent: str, skills: Mapping[str, int]) -> Mapping[str, int]:
        """The same for this agent if he had these skills (levels 1..10)."""
        ...


@dataclass(slots=True)
class Visit:
    """One stay of a contact in a queue, and what became of it; times are aware UTC.

    `position`: where it came in. `channel`: the agent's leg. `ended_by`: who hung up first once they talked.
    `handled_at`: when the agent was done with it, wrap-up included. `logged`: the queue_log has its last line.
    `callback`: the customer is to be called; he was counted when he asked for it. `since`: when he had begun to wait
    before he came, None: he brought no time along.
    """

    entry: str
    contact: str
    queue: str
    queued_at: datetime
    skills: tuple[str, ...] = ()
    threshold_s: int = THRESHOLD_S
    short_abandon_s: int = SHORT_ABANDON_S
    position: int = 1
    left_at: datetime | None = None
    outcome: str | None = None
    wait_ms: int = 0
    agent: str | None = None
    channel: str | None = None
    ended_by: str | None = None
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_ms: int = 0
    handled_at: datetime | None = None
    logged: bool = False
    callback: bool = False
    since: datetime | None = None

    @property
    def waits_since(self) -> datetime:
        """From when on his wait counts, here or elsewhere, as `wait_ms` does."""
        return self.since or self.queued_at

    @property
    def is_open(self) -> bool:
        """Whether more will be told of it."""
        return self.left_at is None or (self.outcome == "answered" and self.handled_at is None)

    @property
    def late_at(self) -> datetime:
        """When T is over; who comes too late for it is late from the first."""
        return max(self.queued_at, self.waits_since + timedelta(seconds=self.threshold_s))

    @property
    def in_time(self) -> bool:
        """Whether it was over within T."""
        return self.left_at is not None and self.wait_ms <= self.threshold_s * 1000


def handle_times(visits: Iterable[Visit]) -> dict[str, int]:
    """Talk, hold and wrap-up of all its agents by contact, in ms; without contacts that an agent is not done with."""
    times: dict[str, int] = {}
    unfinished: set[str] = set()
    for visit in visits:
        if visit.outcome == "answered":
            lasted_ms = visit.talk_ms + visit.hold_ms + visit.wrap_ms
            times[visit.contact] = times.get(visit.contact, 0) + lasted_ms
            if visit.is_open:
                unfinished.add(visit.contact)
    return {contact: lasted_ms for contact, lasted_ms in times.items() if contact not in unfinished}


@dataclass(slots=True)
class Span:
    """An agent in one state. `result` is that of the offer if the state is `reserved`.

    `held_since`: the caller hears music since then. `paused`: the queue_log has him paused.
    """

    agent: str
    since: datetime
    state: str
    reason: str | None = None
    contact: str | None = None
    queue: str | None = None
    until: datetime | None = None
    result: str | None = None
    hold_ms: int = 0
    held_since: datetime | None = None
    paused: bool = False


@dataclass(slots=True)
class OpenThings:
    """What is under way: by entry and by agent."""

    visits: dict[str, Visit] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
