"""Queue entry: a contact that waits for an agent (acd.md sections 1 and 2)."""

# Theory. An entry waits, is offered to one agent at a time, and ends exactly once. Its place (priority, enqueued_at,
# number) never changes, so coming back from an offer puts it where it was. The agent who let it go is excluded for a
# while; the end of an exclusion is a deadline of the entry, because it may be the only thing the caller waits for.
# `leave_at` ends a wait, never an offer: a caller is not taken off a phone that rings for him.
#
#   waiting --Offered--> offered --Returned--> waiting, or overflowed when leave_at is past
#   offered --Answered--> answered
#   waiting | offered --Abandoned--> abandoned          --Withdrawn(outcome)--> outcome
#   waiting --Lapse >= leave_at--> overflowed           --Lapse--> exclusions that are over are dropped

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from acd import events
from acd.machines.frozen import replaced
from acd.model import EntryState, Outcome, QueuePolicy, Skills, milliseconds
from acd.policies.order import Place, place_of
from acd.policies.skills import raised
from callcenter.kernel.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Exclusion:
    """This agent is passed over for this entry until then."""

    agent: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Offered:
    offer: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The offer came to nothing. `exclude` its agent, if he is to blame; `position` is the caller's place again."""

    position: int
    exclude: Exclusion | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    agent: str


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The caller hung up."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TermsChanged:
    """A new policy of its queue."""

    queue: QueuePolicy


@dataclass(frozen=True, slots=True)
class Lapse:
    """Time has gone on."""


EntryInput = Offered | Returned | Answered | Abandoned | Withdrawn | TermsChanged | Lapse
Step = tuple["QueueEntry", list[events.Event]]


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """`asked` is what the flow wanted on top of the queue's skills, `need` both; `offers` counts the offers made."""

    id: str
    contact: str
    queue: str
    number: int
    priority: int
    enqueued_at: datetime
    asked: Skills
    need: Skills
    ring_s: int
    wrap_up_s: int
    leave_at: datetime | None
    state: EntryState = "waiting"
    offers: int = 0
    offer: str | None = None
    excluded: tuple[Exclusion, ...] = ()

    @classmethod
    def queued(
        cls, queue: QueuePolicy, *, entry: str, contact: str, number: int, priority: int, at: datetime, asked: Skills
    ) -> "QueueEntry":
        """A new entry on the terms of `queue`, waiting since `at`."""
        return cls(
            id=entry,
            contact=contact,
            queue=queue.name,
            number=number,
            priority=priority,
            enqueued_at=at,
            asked=asked,
            need=raised(queue.skills, asked),
            ring_s=queue.ring_s,
            wrap_up_s=queue.wrap_up_s,
            leave_at=_leave_at(queue, at),
        )

    @property
    def place(self) -> Place:
        return place_of(self.id, priority=self.priority, enqueued_at=self.enqueued_at, number=self.number)

    @property
    def has_ended(self) -> bool:
        return self.state not in ("waiting", "offered")

    @property
    def next_deadline(self) -> datetime | None:
        if self.state != "waiting":
            return None
        deadlines = [exclusion.until for exclusion in self.excluded]
        if self.leave_at is not None:
            deadlines.append(self.leave_at)
        return min(deadlines, default=None)

    def excludes(self, agent: str) -> bool:
        """Whether this agent is passed over. An exclusion holds until its deadline was seen, not by the clock."""
        return any(exclusion.agent == agent for exclusion in self.excluded)

    def handle(self, event: EntryInput, *, now: datetime) -> Step:
        """The entry after `event`, and what happened. Raises IllegalTransition where the diagram has no arrow."""
        transition = TRANSITIONS.get((self.state, type(event)))
        if transition is None:
            raise IllegalTransition("entry", self.state, event)
        return transition(self, event, now)


def _leave_at(queue: QueuePolicy, since: datetime) -> datetime | None:
    return None if queue.max_wait_s is None else since + timedelta(seconds=queue.max_wait_s)


def _waited_ms(entry: QueueEntry, now: datetime) -> int:
    return milliseconds(now) - milliseconds(entry.enqueued_at)


def _offered(entry: QueueEntry, event: Offered, _now: datetime) -> Step:
    return replaced(entry, state="offered", offer=event.offer, offers=entry.offers + 1), []


def _returned(entry: QueueEntry, event: Returned, now: datetime) -> Step:
    back = replaced(entry, state="waiting", offer=None, excluded=_excluding(entry, event.exclude, now))
    if back.leave_at is not None and back.leave_at <= now:
        return _end(back, "overflowed", now)
    return back, [events.EntryRequeued(entry.contact, entry.id, event.position)]


def _excluding(entry: QueueEntry, fresh: Exclusion | None, now: datetime) -> tuple[Exclusion, ...]:
    kept = tuple(old for old in entry.excluded if old.until > now and (fresh is None or old.agent != fresh.agent))
    return kept if fresh is None else (*kept, fresh)


def _answered(entry: QueueEntry, event: Answered, now: datetime) -> Step:
    answered = events.EntryAnswered(entry.contact, entry.id, entry.queue, event.agent, _waited_ms(entry, now))
    return replaced(entry, state="answered", offer=None), [answered]


def _abandoned(entry: QueueEntry, _event: Abandoned, now: datetime) -> Step:
    abandoned = events.EntryAbandoned(entry.contact, entry.id, entry.queue, _waited_ms(entry, now))
    return replaced(entry, state="abandoned", offer=None), [abandoned]


def _withdrawn(entry: QueueEntry, event: Withdrawn, now: datetime) -> Step:
    return _end(entry, event.outcome, now)


def _end(entry: QueueEntry, outcome: Outcome, now: datetime) -> Step:
    ended = events.EntryEnded(entry.contact, entry.id, entry.queue, outcome, _waited_ms(entry, now))
    return replaced(entry, state=outcome, offer=None), [ended]


def _terms_changed(entry: QueueEntry, event: TermsChanged, _now: datetime) -> Step:
    queue = event.queue
    changed = replaced(
        entry,
        need=raised(queue.skills, entry.asked),
        ring_s=queue.ring_s,
        wrap_up_s=queue.wrap_up_s,
        leave_at=_leave_at(queue, entry.enqueued_at),
    )
    return changed, []


def _lapse(entry: QueueEntry, _event: Lapse, now: datetime) -> Step:
    if entry.leave_at is not None and entry.leave_at <= now:
        return _end(entry, "overflowed", now)
    return replaced(entry, excluded=tuple(old for old in entry.excluded if old.until > now)), []


TRANSITIONS: dict[tuple[EntryState, type], Callable[..., Step]] = {
    ("waiting", Offered): _offered,
    ("waiting", Abandoned): _abandoned,
    ("waiting", Withdrawn): _withdrawn,
    ("waiting", TermsChanged): _terms_changed,
    ("waiting", Lapse): _lapse,
    ("offered", Returned): _returned,
    ("offered", Answered): _answered,
    ("offered", Abandoned): _abandoned,
    ("offered", Withdrawn): _withdrawn,
    ("offered", TermsChanged): _terms_changed,
}
