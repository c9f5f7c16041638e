"""The words of tickets and the promises made about them (tickets.md sections 1, 2 and 5).

A policy says for each clock and priority how much business time there is, in which statuses the clock stands still,
and what happens before, at or after the due time. Policies and calendars have versions; a ticket keeps those that it
was given (`Terms`) until it is given others, so that no edit of a file changes what has been measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Literal

from callcenter.calendars import Calendar
from callcenter.kernel.codec import encode

Status = Literal["new", "open", "pending", "on_hold", "resolved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
MessageKind = Literal["public_reply", "internal_note", "call", "system"]
Author = Literal["agent", "customer", "automatic"]
ClockName = Literal["first_response", "resolution"]

DONE: frozenset[Status] = frozenset({"resolved", "closed"})
ORDER: tuple[Priority, ...] = ("low", "normal", "high", "urgent")
CLOCKS: tuple[ClockName, ...] = ("first_response", "resolution")


@dataclass(frozen=True, slots=True)
class Step:
    """What happens `offset_min` business minutes after the due time (before it, when negative).

    Whoever watches is notified; with `raise_to` a ticket of a lower priority gets that one.
    """

    name: str
    offset_min: int = 0
    raise_to: Priority | None = None

    @property
    def offset(self) -> timedelta:
        return timedelta(minutes=self.offset_min)


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One clock of a policy: business minutes by priority (a priority without any has no clock)."""

    targets: Mapping[Priority, int]
    pausing: tuple[Status, ...] = ()
    steps: tuple[Step, ...] = ()

    def target(self, priority: Priority) -> timedelta | None:
        """The business time that `priority` has; None where nothing is promised."""
        minutes = self.targets.get(priority)
        return None if minutes is None else timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class Policy:
    """`calendar` names the calendar by which its minutes are counted."""

    name: str
    calendar: str
    clocks: Mapping[ClockName, ClockRule] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Named after the content: equal policies have equal versions."""
        return version_of(self)


@dataclass(frozen=True, slots=True)
class Terms:
    """Which versions of which policy and calendar hold for a ticket."""

    policy: str
    policy_version: str
    calendar_version: str


Rulebook = Mapping[Terms, tuple[Policy, Calendar]]
"""What terms mean; holds all that a history names."""


def version_of(rule: Policy | Calendar) -> str:
    """Twelve hex digits of the content's hash."""
    return sha256(encode(rule)).hexdigest()[:12]


def terms_of(policy: Policy, calendar: Calendar) -> Terms:
    """The terms by which a ticket holds `policy` and `calendar` as they are."""
    return Terms(policy.name, policy.version, version_of(calendar))
