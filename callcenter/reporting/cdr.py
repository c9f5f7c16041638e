"""What a call detail record says. Instants are aware UTC in whole milliseconds, lengths are milliseconds.

Digits are counted here and not kept: their values are in the contact's erasable row, those of masked nodes nowhere.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Result(StrEnum):
    """How a call came out, in the order in which the rules are tried (see `fold`)."""

    OPEN = "open"  # not over yet
    ANSWERED = "answered"  # somebody, or the flow alone, served the caller
    ABANDONED = "abandoned"  # the caller gave up while waiting or while phones rang
    UNANSWERED = "unanswered"  # phones or agents were tried in vain and the call ended from our side
    REFUSED = "refused"  # never answered, by our decision
    FAILED = "failed"  # media, dialog or software gave out


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment of the call: received, ringing, answered, queued, offered, joined, parted, ended."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CdrLeg:
    """One party's side. `lost` and `jitter_us` are ours as receiver, `remote_*` what the peer reported by RTCP."""

    leg: str
    role: str
    endpoint: str
    invited_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    by: str | None = None
    reason: str | None = None
    status: int | None = None
    worker: str | None = None
    received: int | None = None
    sent: int | None = None
    lost: int | None = None
    jitter_us: int | None = None
    remote_lost: int | None = None
    remote_jitter_us: int | None = None
    largest_gap_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PathStep:
    """One node of the flow that the caller came through, and the branch by which they left it."""

    node: str
    kind: str
    at: datetime
    branch: str | None = None
    digits: int | None = None
    masked: bool = False


@dataclass(frozen=True, slots=True)
class QueueVisit:
    """One stay in a queue; `outcome` is answered, abandoned, overflowed, callback, transferred or failed."""

    entry: str
    queue: str
    queued_at: datetime | None = None
    outcome: str | None = None
    agent: str | None = None
    wait_ms: int | None = None


@dataclass(frozen=True, slots=True)
class OfferMade:
    """One agent who was asked; `outcome` is accepted, declined, timed_out, rescinded or failed."""

    offer: str
    agent: str
    at: datetime | None = None
    outcome: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """A file below the recordings folder. `ms` is None and `truncated` true where its end was never told."""

    file: str
    ms: int | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class CdrDetail:
    """The parts of a CDR that are lists, and what the last agent said of it; stored as one document."""

    instants: tuple[Instant, ...] = ()
    legs: tuple[CdrLeg, ...] = ()
    path: tuple[PathStep, ...] = ()
    queues: tuple[QueueVisit, ...] = ()
    offers: tuple[OfferMade, ...] = ()
    recordings: tuple[Recording, ...] = ()
    disposition: str | None = None


@dataclass(frozen=True, slots=True)
class Cdr:
    """One call. `contact` is its key; `customer` the id that the lookup found; `wait_ms` that of the last queue."""

    contact: str
    direction: str = "inbound"
    source_kind: str = ""
    source: str = ""
    flow: str | None = None
    flow_version: str | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    queue: str | None = None
    agent: str | None = None
    customer: str | None = None
    wait_ms: int | None = None
    talk_ms: int = 0
    hung_up_by: str | None = None
    reason: str | None = None
    sip_status: int | None = None
    result: Result = Result.OPEN
    detail: CdrDetail = CdrDetail()
