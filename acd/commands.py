"""The inputs of the distributor: what the director, the registrar, the console and the API tell it.

Each is journalled as `acd.input.<name>` before its consequences are, and replays from there. What a person or the
network may send late or twice is refused (`events.InputRefused`), never an error.
"""

from dataclasses import dataclass
from datetime import datetime

from acd.model import DEFAULT_PRIORITY, Channel, EndReason, FailureReason, Outcome, Policy, Requirements, Skills


@dataclass(frozen=True, slots=True)
class PolicyLoaded:
    """These rules hold from now on. Waiting callers keep their place, wrap-ups their end."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class Restarted:
    """The application has started with `epoch`; inputs are numbered from `epoch * 10**9`.

    `core` names the program that decides from here on (`acd.version`); empty in logs of before it was kept.
    """

    epoch: int
    core: str = ""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`contacts` are all that is alive after a restart; whatever else the state still holds is let go."""

    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline has come."""


@dataclass(frozen=True, slots=True)
class AgentSignedIn:
    """The agent is there, not ready yet (reason `signed_in`)."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentSignedOut:
    """The agent goes: at once (a ringing offer is rescinded), or after the contact that he has."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentWentAvailable:
    """The agent wants contacts: now, or after the one that he has. Ends a wrap-up."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentWentNotReady:
    """The agent wants a pause for `reason` (a code of the site, not free text): now, or after what he has."""

    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """Whether the agent's phone is registered and his console connected; None: as before."""

    agent: str
    phone: bool | None = None
    console: bool | None = None


@dataclass(frozen=True, slots=True)
class ContactStarted:
    """A call that came through no queue is up with this agent; or a contact of another channel is with him.

    Of those he may have as many as his capacity says; they leave his state alone.
    """

    agent: str
    contact: str
    channel: Channel = "voice"


@dataclass(frozen=True, slots=True)
class ContactEnded:
    """The contact is over: whoever had it goes to wrap-up; an entry of it that still waits is abandoned.

    With `agent`, only this agent's part in it is over (transfer, or his leg was lost).
    """

    contact: str
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class WrapUpFinished:
    """The agent is done with his after-call work before its time is up."""

    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    """The agent needs `seconds` more of after-call work."""

    agent: str
    seconds: int


@dataclass(frozen=True, slots=True)
class WrapUpAsked:
    """The agent, who talks, wants time for after-call work where there would be none (`optional`)."""

    agent: str


@dataclass(frozen=True, slots=True)
class DispositionChosen:
    """The agent says how the contact ended, in the call or in its wrap-up. `disposition` is a code of the site."""

    agent: str
    contact: str
    disposition: str


@dataclass(frozen=True, slots=True)
class EntryQueued:
    """A contact starts to wait. `entry` is never used again, not even for the same contact.

    `contact` defaults to the entry's id; no agent may own it any more (first `ContactEnded` with that agent).
    `skills` and `requires` raise what the queue asks for. `priority` 1..99, 99 first. `enqueued_at` keeps an earlier
    place (callback, an agent lost before the bridge). `head_start_s` moves the caller forward and is no part of the
    wait that is reported. `preferred` is the agent whom he waits for first (his last one, the account's owner), for
    `preferred_s` seconds, None: as long as the queue says; where that one cannot be waited for, the first of
    `or_preferred` who can. `callback_s`: nobody is on the line, he is called when an agent is found, for so long; he
    is told nothing and sent nowhere.
    """

    entry: str
    queue: str
    contact: str | None = None
    skills: Skills = ()
    priority: int = DEFAULT_PRIORITY
    enqueued_at: datetime | None = None
    requires: Requirements = ()
    head_start_s: int = 0
    preferred: str | None = None
    preferred_s: int | None = None
    callback_s: int = 0
    or_preferred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryAbandoned:
    """The caller hung up while waiting."""

    entry: str


@dataclass(frozen=True, slots=True)
class EntryWithdrawn:
    """The flow takes the caller out of the queue (key exit, callback, transfer, fault)."""

    entry: str
    outcome: Outcome
    reason: EndReason | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class EntryMoved:
    """A supervisor sends the caller to another queue; he keeps his time and his priority."""

    entry: str
    queue: str


@dataclass(frozen=True, slots=True)
class EntryReprioritised:
    """A supervisor gives the caller another priority, 1..99."""

    entry: str
    priority: int


@dataclass(frozen=True, slots=True)
class EntryCancelled:
    """A supervisor takes the caller out of the queue."""

    entry: str


@dataclass(frozen=True, slots=True)
class AgentSkillsChanged:
    """A supervisor says what the agent can do, whatever the configuration says; None: what it says."""

    agent: str
    skills: Skills | None


@dataclass(frozen=True, slots=True)
class AgentForcedOut:
    """A supervisor signs the agent out at once, also while he talks: the call goes on, no wrap-up follows it."""

    agent: str


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    """The agent answered. Refused as `stale_offer` unless this very offer is still pending: then hang up that leg."""

    offer: str
    fence: int


@dataclass(frozen=True, slots=True)
class OfferDeclined:
    """The agent said no, on the console or with 603."""

    offer: str
    fence: int


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """The phone could not be rung."""

    offer: str
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class OfferTakenBack:
    """The offer cannot go on through no fault of its agent (a restart lost its leg): both keep their places."""

    offer: str


Input = (
    PolicyLoaded
    | Restarted
    | Reconciled
    | Tick
    | AgentSignedIn
    | AgentSignedOut
    | AgentWentAvailable
    | AgentWentNotReady
    | PresenceChanged
    | ContactStarted
    | ContactEnded
    | WrapUpFinished
    | WrapUpExtended
    | WrapUpAsked
    | DispositionChosen
    | EntryQueued
    | EntryAbandoned
    | EntryWithdrawn
    | EntryMoved
    | EntryReprioritised
    | EntryCancelled
    | AgentSkillsChanged
    | AgentForcedOut
    | OfferAccepted
    | OfferDeclined
    | OfferFailed
    | OfferTakenBack
)
AgentInput = (
    AgentSignedIn
    | AgentSignedOut
    | AgentWentAvailable
    | AgentWentNotReady
    | PresenceChanged
    | ContactStarted
    | WrapUpFinished
    | WrapUpExtended
    | WrapUpAsked
    | DispositionChosen
    | AgentSkillsChanged
    | AgentForcedOut
)
