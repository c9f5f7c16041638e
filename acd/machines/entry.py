"""Queue entry: a contact that waits for an agent (acd.md sections 1 and 2)."""

# Theory. An entry waits, is offered (to one agent at a time, or to all at once where the queue rings all), and ends
# exactly once. Its place (priority and head start, enqueued_at, number) does not change while it waits, so coming
# back from an offer puts it where it was. The agent who let it go is excluded for a while; the end of an exclusion is
# a deadline of the entry, because it may be the only thing the caller waits for. The stage says whom it waits for:
# ring 0 is one agent only, each later ring lets more people serve; its end is a deadline too. `leave_at` ends a wait,
# never an offer: a caller is not taken off a phone that rings for him.
#
#   waiting --Offered--> offered --Offered--> offered (one phone more)
#   offered --Returned--> offered while another phone rings, else waiting, or overflowed when leave_at is past
#   waiting --Widened--> waiting, in a later ring
#   offered --Answered--> answered
#   waiting | offered --Abandoned--> abandoned          --Withdrawn(outcome)--> outcome
#   waiting | offered --Reprioritised--> the same with another place
#   waiting --Lapse >= leave_at--> overflowed           --Lapse--> exclusions that are over are dropped

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from acd import events
from acd.machines.frozen import replaced
from acd.model import (
    EndReason,
    EntryState,
    Need,
    Outcome,
    QueuePolicy,
    Requirements,
    Settings,
    Skills,
    WrapUpMode,
    milliseconds,
)
from acd.policies.matching import Spot
from acd.policies.order import Place, lead_of, place_of
from callcenter.kernel.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Exclusion:
    """This agent is passed over for this entry until then."""

    agent: str
    until: datetime


@dataclass(frozen=True)
class Stage:
    """Whom the entry waits for: who meets `needs`, of whom `reserve` must stay idle; in ring 0 for one agent only."""

    ring: int = 1
    needs: Need = ()
    reserve: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    offer: str


@dataclass(frozen=True, slots=True)
class Returned:
    """`offer` came to nothing. `exclude` its agent, if he is to blame; `position` is the caller's place again."""

    offer: str
    position: int
    exclude: Exclusion | None = None


@dataclass(frozen=True, slots=True)
class Widened:
    """Others may serve from now on."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Answered:
    agent: str


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The caller hung up."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """`reason`, `target` and `key` as `events.EntryEnded` has them."""

    outcome: Outcome
    reason: EndReason | None = None
    target: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Reprioritised:
    """A supervisor gave him another priority, and so another place."""

    priority: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class TermsChanged:
    """Another policy of its queue, or another queue, and the stage under it."""

    queue: QueuePolicy
    settings: Settings
    stage: Stage


@dataclass(frozen=True, slots=True)
class Lapse:
    """Time has gone on."""


EntryInput = Offered | Returned | Answered | Abandoned | Withdrawn | Reprioritised | Widened | TermsChanged | Lapse
Step = tuple["QueueEntry", list[events.Event]]


@dataclass(frozen=True)
class QueueEntry:
    """`asked` and `requires` are what the flow wanted on top of the queue's terms; `offers` counts the offers made.

    `offer` rings, and so do those in `also`. `rank` and `lead_ms` are what priority and head start make of the place.
    """

    id: str
    contact: str
    queue: str
    number: int
    priority: int
    enqueued_at: datetime
    asked: Skills
    ring_s: int
    wrap_up_s: int
    leave_at: datetime | None
    state: EntryState = "waiting"
    offers: int = 0
    offer: str | None = None
    excluded: tuple[Exclusion, ...] = ()
    also: tuple[str, ...] = ()
    stage: Stage = Stage()
    requires: Requirements = ()
    preferred: str | None = None
    head_start_s: int = 0
    rank: int = 0
    lead_ms: int = 0
    wrap_up: WrapUpMode = "timed"
    callback_s: int = 0

    @property
    def spot(self) -> Spot:
        """Where it waits."""
        stage = self.stage
        return self.queue, stage.needs, stage.reserve, None if stage.ring else self.preferred

    @property
    def need(self) -> Need:
        """What it needs in its ring."""
        return self.stage.needs

    @property
    def is_callback(self) -> bool:
        """Whether he is to be called: nobody is on the line and waits."""
        return self.callback_s > 0

    @property
    def pending(self) -> tuple[str, ...]:
        """The offers that ring."""
        return () if self.offer is None else (self.offer, *self.also)

    @property
    def place(self) -> Place:
        return place_of(
            self.id, rank=self.rank, lead_ms=self.lead_ms, enqueued_at=self.enqueued_at, number=self.number
        )

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
        if self.stage.until is not None:
            deadlines.append(self.stage.until)
        return min(deadlines, default=None)

    def excludes(self, agent: str) -> bool:
        """Whether this agent is passed over. An exclusion holds until its deadline was seen, not by the clock."""
        return any(exclusion.agent == agent for exclusion in self.excluded)

    def with_priority(self, priority: int, settings: Settings) -> "QueueEntry":
        """The entry with another priority; the rest of its head start stays."""
        _, before_ms = lead_of(settings, priority=self.priority, head_start_s=0)
        rank, lead_ms = lead_of(settings, priority=priority, head_start_s=0)
        return replaced(self, priority=priority, rank=rank, lead_ms=self.lead_ms - before_ms + lead_ms)

    def handle(self, event: EntryInput, *, now: datetime) -> Step:
        """The entry after `event`, and what happened. Raises IllegalTransition where the diagram has no arrow."""
        transition = TRANSITIONS.get((self.state, type(event)))
        if transition is None:
            raise IllegalTransition("entry", self.state, event)
        return transition(self, event, now)


def leave_at(queue: QueuePolicy, since: datetime) -> datetime | None:
    """When a caller who waits since `since` has waited too long; None: never."""
    return None if queue.max_wait_s is None else since + timedelta(seconds=queue.max_wait_s)


def _waited_ms(entry: QueueEntry, now: datetime) -> int:
    return milliseconds(now) - milliseconds(entry.enqueued_at)


def _offered(entry: QueueEntry, event: Offered, _now: datetime) -> Step:
    return replaced(entry, state="offered", offer=event.offer, offers=entry.offers + 1), []


def _offered_besides(entry: QueueEntry, event: Offered, _now: datetime) -> Step:
    return replaced(entry, also=(*entry.also, event.offer), offers=entry.offers + 1), []


def _returned(entry: QueueEntry, event: Returned, now: datetime) -> Step:
    excluded = _excluding(entry, event.exclude, now)
    ringing = [offer for offer in entry.pending if offer != event.offer]
    if ringing:
        return replaced(entry, offer=ringing[0], also=tuple(ringing[1:]), excluded=excluded), []
    back = replaced(entry, state="waiting", offer=None, excluded=excluded)
    if back.leave_at is not None and back.leave_at <= now:
        return _end(back, Withdrawn("overflowed", "max_wait"), now)
    return back, [events.EntryRequeued(entry.contact, entry.id, event.position)]


def _excluding(entry: QueueEntry, fresh: Exclusion | None, now: datetime) -> tuple[Exclusion, ...]:
    kept = tuple(old for old in entry.excluded if old.until > now and (fresh is None or old.agent != fresh.agent))
    return kept if fresh is None else (*kept, fresh)


def _answered(entry: QueueEntry, event: Answered, now: datetime) -> Step:
    answered = events.EntryAnswered(entry.contact, entry.id, entry.queue, event.agent, _waited_ms(entry, now))
    return replaced(entry, state="answered", offer=None, also=()), [answered]


def _abandoned(entry: QueueEntry, _event: Abandoned, now: datetime) -> Step:
    abandoned = events.EntryAbandoned(entry.contact, entry.id, entry.queue, _waited_ms(entry, now))
    return replaced(entry, state="abandoned", offer=None, also=()), [abandoned]


def _withdrawn(entry: QueueEntry, event: Withdrawn, now: datetime) -> Step:
    return _end(entry, event, now)


def _end(entry: QueueEntry, how: Withdrawn, now: datetime) -> Step:
    ended = events.EntryEnded(
        entry.contact,
        entry.id,
        entry.queue,
        how.outcome,
        _waited_ms(entry, now),
        how.reason,
        how.target,
        how.key,
    )
    return replaced(entry, state=how.outcome, offer=None, also=()), [ended]


def _reprioritised(entry: QueueEntry, event: Reprioritised, _now: datetime) -> Step:
    return entry.with_priority(event.priority, event.settings), []


def _terms_changed(entry: QueueEntry, event: TermsChanged, _now: datetime) -> Step:
    queue = event.queue
    rank, lead_ms = lead_of(
        event.settings, priority=entry.priority, head_start_s=queue.head_start_s + entry.head_start_s
    )
    changed = replaced(
        entry,
        queue=queue.name,
        stage=event.stage,
        ring_s=queue.ring_s + entry.callback_s,
        wrap_up_s=queue.wrap_up_s,
        wrap_up=queue.wrap_up,
        leave_at=None if entry.callback_s else leave_at(queue, entry.enqueued_at),
        rank=rank,
        lead_ms=lead_ms,
    )
    return changed, []


def _widened(entry: QueueEntry, event: Widened, _now: datetime) -> Step:
    stage = event.stage
    return replaced(entry, stage=stage), [events.EntryWidened(entry.contact, entry.id, entry.queue, stage.ring)]


def _lapse(entry: QueueEntry, _event: Lapse, now: datetime) -> Step:
    if entry.leave_at is not None and entry.leave_at <= now:
        return _end(entry, Withdrawn("overflowed", "max_wait"), now)
    return replaced(entry, excluded=tuple(old for old in entry.excluded if old.until > now)), []


TRANSITIONS: dict[tuple[EntryState, type], Callable[..., Step]] = {
    ("waiting", Offered): _offered,
    ("waiting", Abandoned): _abandoned,
    ("waiting", Withdrawn): _withdrawn,
    ("waiting", Reprioritised): _reprioritised,
    ("waiting", Widened): _widened,
    ("waiting", TermsChanged): _terms_changed,
    ("waiting", Lapse): _lapse,
    ("offered", Offered): _offered_besides,
    ("offered", Returned): _returned,
    ("offered", Answered): _answered,
    ("offered", Abandoned): _abandoned,
    ("offered", Withdrawn): _withdrawn,
    ("offered", Reprioritised): _reprioritised,
    ("offered", TermsChanged): _terms_changed,
}
