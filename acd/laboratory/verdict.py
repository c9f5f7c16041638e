"""Whether a policy may be had for nothing: it lowers the mean wait and harms no call type (docs/what-if.md).

A call type is harmed by a policy when the 95 % interval of the difference of a service level of it lies wholly below
0. All the variants that are simulated are looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from acd.laboratory.interval import Estimate
from acd.laboratory.summary import Summary

LEVELS = ("sl_abandons_negative", "sl_answered", "sl_sl2")
WAITS = ("mean_wait_s", "asa_s")


class Harm(NamedTuple):
    """A service level of a call type that is surely lower."""

    type: str
    level: str
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Verdict:
    """`better`: the waits whose difference is surely below 0."""

    better: tuple[str, ...]
    harmed: tuple[Harm, ...]


def judged(difference: Summary) -> Verdict:
    """The verdict on a policy by its `difference` from another on the same callers."""
    better = tuple(name for name in WAITS if _is_below(difference.overall[name]))
    harmed = tuple(
        Harm(type_, level, figures[level])
        for type_, figures in difference.by_type.items()
        for level in LEVELS
        if _is_below(figures[level])
    )
    return Verdict(better, harmed)


def _is_below(found: Estimate) -> bool:
    return found.high is not None and found.high < 0


def in_words(verdict: Verdict) -> list[str]:
    """Lines for people."""
    lines = ["the mean wait is surely lower" if "mean_wait_s" in verdict.better else "no surely lower mean wait"]
    if not verdict.harmed:
        return [*lines, "no call type is harmed"]
    for type_, level, found in verdict.harmed:
        lines.append(f"{type_} is harmed: {level} {found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]")
    return lines


def as_document(verdict: Verdict) -> Mapping[str, object]:
    """The same for JSON."""
    return {
        "lowers_mean_wait": "mean_wait_s" in verdict.better,
        "harms_nobody": not verdict.harmed,
        "harmed": [{"type": harm.type, "metric": harm.level} for harm in verdict.harmed],
    }
