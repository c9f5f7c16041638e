"""The figures of many trials with their intervals, and those of two policies side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from operator import attrgetter

from acd.laboratory.interval import UNKNOWN, Estimate, difference_of, ratio
from acd.laboratory.tally import METRICS, Counts, Metric, Outcome, Scope

Figures = Mapping[str, Estimate]
"""Metric -> estimate; all of METRIC_NAMES, UNKNOWN where a metric says nothing."""

# What `sureness` asks for: half of the 95 % interval against the value, of probabilities in absolute terms.
WANTED_SHARE = 0.045
WANTED_PROBABILITY = 0.009
_JUDGED = ("p_wait", "p_blocked", "sl_answered", "p_abandon", "occupancy", "mean_wait_s", "asa_s")
_NEGLIGIBLE_S = 0.1

_Count = Callable[[Outcome], Counts]


@dataclass(frozen=True, slots=True)
class Summary:
    """One policy's figures. `by_period` is by the time at which the period begins."""

    overall: Figures
    by_type: Mapping[str, Figures]
    by_group: Mapping[str, Figures]
    by_period: Mapping[str, Figures]


def summarised(outcomes: Sequence[Outcome], periods: Sequence[str]) -> Summary:
    """The figures of independent trials of one scenario."""
    return _laid_out(outcomes[0], periods, lambda scope, count: _figures(scope, [count(each) for each in outcomes]))


def difference(these: Sequence[Outcome], those: Sequence[Outcome], periods: Sequence[str]) -> Summary:
    """`these` minus `those`, trial by trial: both must have had the same random numbers."""
    pairs = list(zip(these, those, strict=True))

    def compared(scope: Scope, count: _Count) -> Figures:
        return _differences(scope, [count(a) for a, _ in pairs], [count(b) for _, b in pairs])

    return _laid_out(these[0], periods, compared)


def sureness(figures: Figures) -> float:
    """The trials that there are over those that it takes until the figures are as sure as the product promises for a
    steady state: 1 or more when they are. Intervals shrink with the root of the number of trials.
    """
    return min(_margin(name, figures[name]) for name in _JUDGED) ** 2


def _margin(name: str, found: Estimate) -> float:
    """What half of the interval may be over what it is."""
    half = found.half_width
    if found.mean is None or not half:
        return inf
    wanted = max(WANTED_SHARE * abs(found.mean), _NEGLIGIBLE_S / 10) if name.endswith("_s") else WANTED_PROBABILITY
    return wanted / half


def _laid_out(shape: Outcome, periods: Sequence[str], figures: Callable[[Scope, _Count], Figures]) -> Summary:
    """Overall, and for each name that the outcomes have."""
    return Summary(
        overall=figures("overall", attrgetter("overall")),
        by_type={name: figures("by_type", _picked("by_type", name)) for name in shape.by_type},
        by_group={name: figures("by_group", _picked("by_group", name)) for name in shape.by_group},
        by_period={name: figures("by_period", _picked("by_period", place)) for place, name in enumerate(periods)},
    )


def _picked(part: str, key: str | int) -> _Count:
    def pick(outcome: Outcome) -> Counts:
        found: Counts = getattr(outcome, part)[key]
        return found

    return pick


def _figures(scope: Scope, counts: Sequence[Counts]) -> Figures:
    return {metric.name: ratio(*_parts(metric, counts)) if scope in metric.scopes else UNKNOWN for metric in METRICS}


def _differences(scope: Scope, these: Sequence[Counts], those: Sequence[Counts]) -> Figures:
    def compared(metric: Metric) -> Estimate:
        return difference_of(_parts(metric, these), _parts(metric, those)) if scope in metric.scopes else UNKNOWN

    return {metric.name: compared(metric) for metric in METRICS}


def _parts(metric: Metric, counts: Sequence[Counts]) -> tuple[list[float], list[float] | None]:
    parts = [metric.part(each) for each in counts]
    return parts, None if metric.whole is None else [metric.whole(each) for each in counts]
