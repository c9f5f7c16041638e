"""The words of the distributor and the policy that it runs (acd.md section 1).

The core's policy holds ids and numbers only: names, phones and prompts stay in `acd.config`, so that the journalled
policy has no personal data.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from acd.policies.announcing import SILENT, AnnouncePolicy
from acd.policies.overflow import OverflowRule

AgentState = Literal["logged_out", "not_ready", "available", "reserved", "on_contact", "wrap_up"]
OfferState = Literal["pending", "accepted", "declined", "timed_out", "rescinded", "failed"]
EntryState = Literal["waiting", "offered", "answered", "abandoned", "overflowed", "callback", "transferred", "failed"]
Outcome = Literal["overflowed", "callback", "transferred", "failed"]
EndReason = Literal[
    "length",
    "expected_wait",
    "waited",
    "no_agents",
    "max_wait",
    "key",
    "moved",
    "cancelled",
    "not_alive",
    "not_reached",
]
"""Why an entry left its queue neither answered nor abandoned: the overflow rule, the caller's key, a supervisor."""
Delivery = Literal["phone", "console"]
FailureReason = Literal["busy", "unreachable", "error"]
RestState = Literal["available", "not_ready", "logged_out"]
Channel = Literal["voice", "chat"]
Strategy = Literal[
    "longest_idle",
    "longest_since_contact",
    "fewest_contacts",
    "round_robin",
    "highest_level",
    "lowest_level",
    "weighted_random",
    "ring_all",
]
"""Whom a queue offers to among those who could serve.

`longest_idle`: since his last activity; `longest_since_contact`: since he last had (or let go) a contact of a queue,
whatever pauses he made; `fewest_contacts`: answered since he signed in; `round_robin`: whose turn was longest ago;
`highest_level` and `lowest_level`: by the levels of what the caller needs, the lowest that suffices spares experts;
`weighted_random`: by the agents' weights; `ring_all`: everybody at once, the first who answers has him.
"""

WrapUpMode = Literal["timed", "mandatory", "optional"]
"""`timed`: ends by itself, sooner when the agent says so; `mandatory`: ends when the agent says so, and not before;
`optional`: there is none unless the agent asks for it during the contact."""

Relax = Literal["never", "lower", "drop"]
"""How far the rings of a queue may relax a requirement: not at all, its level only, or give it up."""

Skills = tuple[tuple[str, int], ...]
"""Sorted (skill, level 1..10): of an agent what he has, of a caller what he needs at least."""

Need = tuple[Skills, ...]
"""What a caller needs: of each group one skill at its level. Canonical (`acd.policies.skills`)."""

DEFAULT_PRIORITY = 50
MOST_RINGS = 6
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class NextState:
    """What an agent will be once the contact and its wrap-up are over."""

    state: RestState = "available"
    reason: str | None = None


GO_ON = NextState()


@dataclass(frozen=True, slots=True)
class SkillRequirement:
    """A skill at a level, and how far it may be relaxed while the caller waits."""

    skill: str
    min_level: int = 1
    relax: Relax = "drop"


Requirements = tuple[tuple[SkillRequirement, ...], ...]
"""All of these groups; of each group one requirement is enough."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One step of the relaxation: whom a caller may be offered who has waited through the rings before it.

    A ring has what the rings before it have, and besides: `lower` levels less are asked (never below 1), the skills
    of `drop` not at all, and agents of `teams` may serve ("*": everybody). `reserve` agents who could serve stay idle
    for others; that holds for this ring only. `seconds` until the next ring; the last has no end.
    """

    seconds: int = 0
    lower: int = 0
    drop: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    reserve: int = 0


ONE_RING = (Ring(),)


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How one queue distributes. Times in seconds; `max_wait_s` None: callers wait for ever.

    `skills` are all needed, and so is each group of `requires`. `teams` may serve (none: everybody). `preferred_s`:
    how long a caller waits for the agent whom he is to have; `head_start_s` moves all its callers forward;
    `ring_all_most`: how many phones ring for one caller at once. `announce`: what callers are told meanwhile;
    `overflow`: when they are sent elsewhere, the first rule that applies.
    """

    name: str
    skills: Skills = ()
    ring_s: int = 20
    wrap_up_s: int = 0
    max_wait_s: int | None = None
    strategy: Strategy = "longest_idle"
    requires: Requirements = ()
    teams: tuple[str, ...] = ()
    rings: tuple[Ring, ...] = ()
    wrap_up: WrapUpMode = "timed"
    preferred_s: int = 20
    head_start_s: int = 0
    ring_all_most: int = 30
    announce: AnnouncePolicy = SILENT
    overflow: tuple[OverflowRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many contacts of a channel an agent has at once. `interruptible`: a call may come in besides."""

    channel: Channel
    most: int
    interruptible: bool = False


@dataclass(frozen=True, slots=True)
class AgentPolicy:
    """What one agent can do and how contacts reach him.

    `weight` counts in `weighted_random`. `wrap_up` and `wrap_up_s` stand against what the queue says. Of a channel
    that `capacity` does not name he has none, but for voice, of which everybody has one.
    """

    id: str
    skills: Skills = ()
    delivery: Delivery = "phone"
    teams: tuple[str, ...] = ()
    weight: int = 1
    wrap_up: WrapUpMode | None = None
    wrap_up_s: int | None = None
    capacity: tuple[Capacity, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole site.

    `exclusion_s`: how long an agent is passed over for an entry that he let go. `misses`: unanswered offers until he
    is not_ready(no_answer), not counting those that rang at others too. `back_off_s`: rest after a phone that could
    not be rung, doubled each time up to `back_off_max_s`. `priority_s`: the head start, in seconds, of each point of
    priority above 50 (below it, so much behind); with `strict_priority` nobody ever ages past a higher priority.
    """

    exclusion_s: int = 30
    misses: int = 1
    back_off_s: int = 10
    back_off_max_s: int = 120
    priority_s: int = 10
    strict_priority: bool = False


DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules. `version` names its content."""

    version: str
    queues: tuple[QueuePolicy, ...] = ()
    agents: tuple[AgentPolicy, ...] = ()
    settings: Settings = DEFAULTS


def milliseconds(at: datetime) -> int:
    """`at` as integer milliseconds since 1970; exact, unlike `timestamp()`."""
    return (at - EPOCH) // MILLISECOND


def instant(ms: int) -> datetime:
    """The aware UTC moment `ms` milliseconds after 1970."""
    return EPOCH + ms * MILLISECOND


def to_millisecond(at: datetime) -> datetime:
    """`at` cut to the millisecond, the journal's resolution, so that a replay sees the same time."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
