"""The words of the distributor and the policy that it runs (acd.md section 1).

The core's policy holds ids and numbers only: names, phones and prompts stay in `acd.config`, so that the journalled
policy has no personal data.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

AgentState = Literal["logged_out", "not_ready", "available", "reserved", "on_contact", "wrap_up"]
OfferState = Literal["pending", "accepted", "declined", "timed_out", "rescinded", "failed"]
EntryState = Literal["waiting", "offered", "answered", "abandoned", "overflowed", "callback", "transferred", "failed"]
Outcome = Literal["overflowed", "callback", "transferred", "failed"]
Delivery = Literal["phone", "console"]
FailureReason = Literal["busy", "unreachable", "error"]
RestState = Literal["available", "not_ready", "logged_out"]

Skills = tuple[tuple[str, int], ...]
"""Sorted (skill, level 1..10): of an agent what he has, of a caller what he needs at least."""

DEFAULT_PRIORITY = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class NextState:
    """What an agent will be once the contact and its wrap-up are over."""

    state: RestState = "available"
    reason: str | None = None


GO_ON = NextState()


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How one queue distributes. Times in seconds; `max_wait_s` None: callers wait for ever."""

    name: str
    skills: Skills = ()
    ring_s: int = 20
    wrap_up_s: int = 0
    max_wait_s: int | None = None


@dataclass(frozen=True, slots=True)
class AgentPolicy:
    """What one agent can do and how contacts reach him."""

    id: str
    skills: Skills = ()
    delivery: Delivery = "phone"


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole site.

    `exclusion_s`: how long an agent is passed over for an entry that he let go. `misses`: unanswered offers until he
    is not_ready(no_answer). `back_off_s`: rest after a phone that could not be rung, doubled each time up to
    `back_off_max_s`.
    """

    exclusion_s: int = 30
    misses: int = 1
    back_off_s: int = 10
    back_off_max_s: int = 120


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
