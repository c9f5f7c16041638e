"""How sure a figure is: confidence intervals over independent trials.

The parts of a ratio of sums hang together, so the jackknife is used: leaving out each trial in turn gives
pseudo-values whose spread gives Student's interval around the ratio (Miller, The jackknife: a review, 1974; Law,
Simulation Modeling and Analysis, 5th ed., section 9.5). Two policies on the same random numbers are compared pair by
pair.
"""

from collections.abc import Sequence
from math import fsum, pi, sqrt, tan
from statistics import NormalDist, fmean
from typing import NamedTuple

LEVEL = 0.95


class Estimate(NamedTuple):
    """`low` and `high` bound the 95 % interval; None where the trials cannot tell."""

    mean: float | None
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        return None if self.high is None or self.low is None else (self.high - self.low) / 2


UNKNOWN = Estimate(None)


def pseudo_values(parts: Sequence[float], wholes: Sequence[float] | None) -> list[float] | None:
    """One value for each trial that stands for its share in the ratio of the sums; the parts without `wholes`.

    None when the ratio has no value, or rests on one trial alone.
    """
    if wholes is None:
        return list(parts)
    count, part, whole = len(parts), fsum(parts), fsum(wholes)
    if whole == 0:
        return None
    if count == 1:
        return [part / whole]
    without = [(part - a, whole - b) for a, b in zip(parts, wholes, strict=True)]
    if any(b == 0 for _, b in without):
        return None
    ratio = part / whole
    return [count * ratio - (count - 1) * a / b for a, b in without]


def estimate(values: Sequence[float], mean: float | None = None) -> Estimate:
    """The interval of independent values around `mean`, by default theirs."""
    count, centre = len(values), fmean(values)
    mean = centre if mean is None else mean
    if count == 1:
        return Estimate(mean)
    variance = fsum((value - centre) ** 2 for value in values) / (count - 1)
    half = student(count - 1) * sqrt(variance / count)
    return Estimate(mean, mean - half, mean + half)


def ratio(parts: Sequence[float], wholes: Sequence[float] | None) -> Estimate:
    """The ratio of the sums, or the mean of the parts; without an interval when a single trial makes it."""
    mean, values = _centre(parts, wholes), pseudo_values(parts, wholes)
    return Estimate(mean) if mean is None or values is None else estimate(values, mean)


def difference_of(
    these: tuple[Sequence[float], Sequence[float] | None], those: tuple[Sequence[float], Sequence[float] | None]
) -> Estimate:
    """One ratio minus another over the same trials; UNKNOWN unless both have values of their own in each."""
    ours, theirs = _centre(*these), _centre(*those)
    our_values, their_values = pseudo_values(*these), pseudo_values(*those)
    if ours is None or theirs is None or our_values is None or their_values is None:
        return UNKNOWN
    return estimate([a - b for a, b in zip(our_values, their_values, strict=True)], ours - theirs)


def _centre(parts: Sequence[float], wholes: Sequence[float] | None) -> float | None:
    whole = float(len(parts)) if wholes is None else fsum(wholes)
    return fsum(parts) / whole if whole else None


def student(degrees: int) -> float:
    """The two-sided 95 % point of Student's t: exact for 1 and 2 degrees of freedom, else to .1 %.

    The expansion is Cornish and Fisher's (Abramowitz and Stegun 26.7.5).
    """
    share = (1 + LEVEL) / 2
    if degrees == 1:
        return tan(pi * (share - 0.5))
    if degrees == 2:
        return (2 * share - 1) / sqrt(2 * share * (1 - share))
    z: float = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + fsum(term / degrees**power for power, term in enumerate(terms, start=1))
