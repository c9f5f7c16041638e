"""When a queue sends a caller elsewhere instead of letting him wait, and where to (acd.md section 3).

Rules are tried in the order in which the site wrote them; the first that applies decides. `length`, `expected_wait`
and `no_agents` are asked when a caller arrives, `no_agents` again when the last agent signs out, `waited` by time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

When = Literal["length", "expected_wait", "waited", "no_agents"]
TargetKind = Literal["branch", "queue", "flow", "voicemail", "callback", "number", "announcement"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a caller goes. `name`: of the queue or the flow, the number, or the prompt that he hears at last.

    `branch` leaves it to the flow that queued him.
    """

    kind: TargetKind = "branch"
    name: str = ""

    @property
    def text(self) -> str:
        """As events have it: `queue:sales`, `voicemail`."""
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True, slots=True)
class OverflowRule:
    """`limit`: callers who wait already (length), else seconds; none for `no_agents`."""

    when: When
    limit: int = 0
    target: Target = Target()


@dataclass(frozen=True, slots=True)
class Crowd:
    """What a caller finds who arrives: how many wait, how long it will take (None: not known), who is signed in."""

    length: int
    expected_wait_ms: int | None
    staffed: bool


def on_arrival(rules: Iterable[OverflowRule], crowd: Crowd) -> OverflowRule | None:
    """The rule that turns a caller away who finds `crowd`."""
    return next((rule for rule in rules if _applies(rule, crowd)), None)


def _applies(rule: OverflowRule, crowd: Crowd) -> bool:
    match rule.when:
        case "length":
            return crowd.length >= rule.limit
        case "expected_wait":
            return crowd.expected_wait_ms is not None and crowd.expected_wait_ms > rule.limit * 1000
        case "no_agents":
            return not crowd.staffed
        case _:
            return False


def on_empty(rules: Iterable[OverflowRule]) -> OverflowRule | None:
    """The rule for callers whose last agent has signed out."""
    return next((rule for rule in rules if rule.when == "no_agents"), None)


def leaves_at(rules: Iterable[OverflowRule], since: datetime) -> tuple[datetime, OverflowRule] | None:
    """When a caller who waits since `since` has waited too long, and by which rule; None: never."""
    timed = [rule for rule in rules if rule.when == "waited"]
    if not timed:
        return None
    first = min(timed, key=lambda rule: rule.limit)
    return since + timedelta(seconds=first.limit), first
