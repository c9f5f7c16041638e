"""What is counted in a trial, and the figures made of it (acd.md section 5; docs/laboratory.md has them in words).

A figure is a ratio of two counts, so that trials add up: a day with more calls weighs more, as it does in a report.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Scope = Literal["overall", "by_type", "by_group", "by_period"]


class Counts(NamedTuple):
    """Calls that came in while it was counted, and agents' time in it. `left`: taken out of the queue otherwise."""

    offered: int = 0
    blocked: int = 0
    waited: int = 0
    wait_ms: int = 0
    served: int = 0
    served_wait_ms: int = 0
    served_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    left: int = 0
    handle_ms: int = 0
    idle_ms: int = 0


def added(all_: Iterable[Counts]) -> Counts:
    """The sum, field by field."""
    return Counts(*map(sum, zip(*all_, strict=True)))


@dataclass(frozen=True, slots=True)
class Metric:
    """`part` / `whole`; of a metric without `whole`, the mean over trials."""

    name: str
    part: Callable[[Counts], float]
    whole: Callable[[Counts], float] | None
    scopes: frozenset[Scope]


_CALLS: frozenset[Scope] = frozenset(("overall", "by_type", "by_period"))
_AGENTS: frozenset[Scope] = frozenset(("overall", "by_group", "by_period"))
_ALL = _CALLS | _AGENTS


def _queued(counts: Counts) -> float:
    return counts.offered - counts.blocked


METRICS: tuple[Metric, ...] = (
    Metric("p_wait", lambda c: c.waited, _queued, _CALLS),
    Metric("p_blocked", lambda c: c.blocked, lambda c: c.offered, _CALLS),
    Metric("mean_wait_s", lambda c: c.wait_ms / 1000, _queued, _CALLS),
    Metric("sl_answered", lambda c: c.served_in_time, lambda c: c.served, _ALL),
    Metric(
        "sl_sl2",
        lambda c: c.served_in_time + c.abandoned_in_time,
        lambda c: c.served + c.abandoned,
        _CALLS,
    ),
    Metric("sl_abandons_negative", lambda c: c.served_in_time, lambda c: c.offered, _CALLS),
    Metric("asa_s", lambda c: c.served_wait_ms / 1000, lambda c: c.served, _ALL),
    Metric("p_abandon", lambda c: c.abandoned, _queued, _CALLS),
    Metric("occupancy", lambda c: c.handle_ms, lambda c: c.handle_ms + c.idle_ms, _AGENTS),
    Metric("abandoned_per_day", lambda c: c.abandoned, None, _CALLS),
    Metric("served", lambda c: c.served, None, _ALL),
    Metric("offered", lambda c: c.offered, None, _CALLS),
)
METRIC_NAMES = tuple(metric.name for metric in METRICS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one trial came to. `calls` is how many were simulated, counted or not."""

    overall: Counts
    by_type: dict[str, Counts]
    by_group: dict[str, Counts]
    by_period: tuple[Counts, ...]
    calls: int
