"""What the distributor says has happened: the facts of docs/events.md, and the effects the director acts on.

The first field is the envelope's subject, the others its data, in the words of the wire.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar, Literal

from acd.model import AgentState, Channel, Delivery, EndReason, FailureReason, Outcome, RestState, Skills, Strategy

RescindReason = Literal["caller_left", "signed_out", "on_contact", "withdrawn", "restart", "answered_elsewhere"]


@dataclass(frozen=True, slots=True)
class EntryQueued:
    """`since`: when he began to wait, maybe elsewhere: who is moved or comes back brings his time along.

    `skills`: the names of those that the caller needs. `callback`: he waits to be called, not at his phone.
    """

    TYPE: ClassVar[str] = "acd.entry.queued"
    contact: str
    entry: str
    queue: str
    since: datetime
    skills: tuple[str, ...] = ()
    callback: bool = False


@dataclass(frozen=True, slots=True)
class EntryRequeued:
    """The offer came to nothing; the caller is back in his place. `position` counts from 1 in his queue."""

    TYPE: ClassVar[str] = "acd.entry.requeued"
    contact: str
    entry: str
    position: int


@dataclass(frozen=True, slots=True)
class EntryAnswered:
    TYPE: ClassVar[str] = "acd.entry.answered"
    contact: str
    entry: str
    queue: str
    agent: str
    wait_ms: int


@dataclass(frozen=True, slots=True)
class EntryAbandoned:
    TYPE: ClassVar[str] = "acd.entry.abandoned"
    contact: str
    entry: str
    queue: str
    wait_ms: int


@dataclass(frozen=True, slots=True)
class EntryEnded:
    """The entry left the queue neither answered nor abandoned.

    `target`: where the caller is to go (`acd.policies.overflow.Target`), None: where his flow says. `key`: that he
    pressed.
    """

    TYPE: ClassVar[str] = "acd.entry.ended"
    contact: str
    entry: str
    queue: str
    outcome: Outcome
    wait_ms: int
    reason: EndReason | None = None
    target: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class EntryWidened:
    """From now on the people of `ring` may serve the caller too (rings count from 1)."""

    TYPE: ClassVar[str] = "acd.entry.widened"
    contact: str
    entry: str
    queue: str
    ring: int


@dataclass(frozen=True, slots=True)
class EntryAnnounced:
    """Tell the caller his position and the wait to expect (seconds), each where it is there; `comfort`: thank him."""

    TYPE: ClassVar[str] = "acd.entry.announced"
    contact: str
    entry: str
    queue: str
    position: int | None
    wait_s: int | None
    comfort: bool


@dataclass(frozen=True, slots=True)
class EntryReprioritised:
    """A supervisor gave the caller another priority; `position` is the one that he has now."""

    TYPE: ClassVar[str] = "acd.entry.reprioritised"
    contact: str
    entry: str
    queue: str
    priority: int
    position: int


@dataclass(frozen=True, slots=True)
class SettledPromise:
    """A wait that was told `after_ms` of waiting, beside the one that came; None: he was not answered."""

    after_ms: int
    promised_ms: int
    came_ms: int | None


@dataclass(frozen=True, slots=True)
class PromisesSettled:
    """Every wait that the caller was told, now that his own is over (acd.md section 4)."""

    TYPE: ClassVar[str] = "acd.promise.settled"
    contact: str
    entry: str
    queue: str
    answered: bool
    promises: tuple[SettledPromise, ...]


@dataclass(frozen=True, slots=True)
class AgentSkillsChanged:
    """What the agent can do from now on, whatever the configuration says; None: what it says."""

    TYPE: ClassVar[str] = "acd.agent.skills_changed"
    agent: str
    skills: Skills | None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """How many agents did not get the offer, by why. Agent by agent: replay to the decision's input."""

    excluded: int
    later_in_order: int
    unqualified: int
    not_available: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Why this agent: the number of the input that led to it, the policy that held, who was passed over.

    The counts are those of `ring`, in which the caller waited; 0 is the time that he waits for one agent only.
    """

    input: int
    policy: str
    passed_over: PassedOver
    ring: int = 1
    strategy: Strategy = "longest_idle"


@dataclass(frozen=True, slots=True)
class OfferCreated:
    """Pop, then ring `agent` until `ring_until`. An answer must carry `offer` and `fence`."""

    TYPE: ClassVar[str] = "acd.offer.created"
    contact: str
    offer: str
    fence: int
    entry: str
    queue: str
    agent: str
    delivery: Delivery
    ring_until: datetime
    decision: Decision


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    TYPE: ClassVar[str] = "acd.offer.accepted"
    contact: str
    offer: str
    agent: str


@dataclass(frozen=True, slots=True)
class OfferDeclined:
    TYPE: ClassVar[str] = "acd.offer.declined"
    contact: str
    offer: str
    agent: str


@dataclass(frozen=True, slots=True)
class OfferTimedOut:
    """Stop ringing: no answer (RONA)."""

    TYPE: ClassVar[str] = "acd.offer.timed_out"
    contact: str
    offer: str
    agent: str


@dataclass(frozen=True, slots=True)
class OfferRescinded:
    """Stop ringing: the offer was taken back."""

    TYPE: ClassVar[str] = "acd.offer.rescinded"
    contact: str
    offer: str
    agent: str
    reason: RescindReason


@dataclass(frozen=True, slots=True)
class OfferFailed:
    TYPE: ClassVar[str] = "acd.offer.failed"
    contact: str
    offer: str
    agent: str
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """`until`: the end of wrap_up, or of the rest of an available agent whose phone could not be rung (`reason`)."""

    TYPE: ClassVar[str] = "acd.agent.state_changed"
    agent: str
    state: AgentState
    reason: str | None
    contact: str | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class NextStateChosen:
    """What the agent will be after the contact that he has."""

    TYPE: ClassVar[str] = "acd.agent.next_state_chosen"
    agent: str
    state: RestState
    reason: str | None


@dataclass(frozen=True, slots=True)
class LoadChanged:
    """The agent has a contact of a channel besides calls, or has it no more; `held` of `most` are with him now."""

    TYPE: ClassVar[str] = "acd.load.changed"
    agent: str
    contact: str
    channel: Channel
    held: int
    most: int


@dataclass(frozen=True, slots=True)
class WrapUpAsked:
    """The agent will have a wrap-up after this contact because he wants it."""

    TYPE: ClassVar[str] = "acd.wrap_up.asked"
    agent: str
    contact: str | None


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    TYPE: ClassVar[str] = "acd.presence.changed"
    agent: str
    phone: bool
    console: bool


@dataclass(frozen=True, slots=True)
class DispositionChosen:
    TYPE: ClassVar[str] = "acd.disposition.chosen"
    contact: str
    agent: str
    disposition: str


@dataclass(frozen=True, slots=True)
class PolicyLoaded:
    TYPE: ClassVar[str] = "acd.policy.loaded"
    site: str
    version: str


@dataclass(frozen=True, slots=True)
class InputRefused:
    """An input that the present state does not fit: late, twice, unknown. Returned to the sender, not a fact."""

    subject: str
    input: str
    reason: str


Fact = (
    EntryQueued
    | EntryRequeued
    | EntryAnswered
    | EntryAbandoned
    | EntryEnded
    | EntryWidened
    | EntryAnnounced
    | EntryReprioritised
    | PromisesSettled
    | AgentSkillsChanged
    | OfferCreated
    | OfferAccepted
    | OfferDeclined
    | OfferTimedOut
    | OfferRescinded
    | OfferFailed
    | AgentStateChanged
    | NextStateChosen
    | LoadChanged
    | WrapUpAsked
    | PresenceChanged
    | DispositionChosen
    | PolicyLoaded
)
Event = Fact | InputRefused

_names: dict[type, tuple[str, ...]] = {}


def wire(fact: Fact) -> tuple[str, str, dict[str, object]]:
    """(type, subject, data) of `fact` as the journal and the consoles get it: plain values, RFC 3339 times in ms."""
    kind = type(fact)
    names = _names.get(kind)
    if names is None:
        names = _names[kind] = tuple(field.name for field in fields(fact))
    return fact.TYPE, getattr(fact, names[0]), {name: _plain(getattr(fact, name)) for name in names[1:]}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Decision):
        over = value.passed_over
        return {
            "input": value.input,
            "policy": value.policy,
            "ring": value.ring,
            "strategy": value.strategy,
            "passed_over": {
                "excluded": over.excluded,
                "later_in_order": over.later_in_order,
                "unqualified": over.unqualified,
                "not_available": over.not_available,
            },
        }
    if isinstance(value, SettledPromise):
        return {name: getattr(value, name) for name in ("after_ms", "promised_ms", "came_ms")}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
