"""Waiting-line formulas for one pool of alike agents: Erlang B, C and A (acd.md sections 7 and 8).

Erlang B and C by the recursion of Jagerman, stable for any load. Erlang A (M/M/n+M) by the integrals of Zeltyn and
Mandelbaum, "Call centers with impatient customers" (2005): the offered wait V has the density
    v(x) = lambda pi exp(lambda (1 - exp(-theta x)) / theta - n mu x),  x > 0,
where pi is the chance of n - 1 busy agents. Rates are per second, times in seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, exp, expm1, floor, inf, log, sqrt

_STEPS = 2_000
# e^-_FAR of the density's peak is nothing beside 1.
_FAR = 45.0


def erlang_b(load: float, agents: int) -> float:
    """The chance that all `agents` are busy where nobody waits; `load` in erlangs."""
    return 1 / _inverse_b(load, agents)


def _inverse_b(load: float, agents: int) -> float:
    inverse = 1.0
    for agent in range(1, agents + 1):
        inverse = 1 + inverse * agent / load if load else inf
    return inverse


def erlang_c(load: float, agents: int) -> float:
    """The chance to wait where everybody waits for ever; 1 where the agents cannot keep up."""
    if load >= agents:
        return 1.0
    blocked = erlang_b(load, agents)
    return agents * blocked / (agents - load * (1 - blocked))


@dataclass(frozen=True, slots=True)
class Expected:
    """What a caller can expect. `p_served_in`: of all, served within the threshold; `p_in`: of all, served or gone.

    `mean_wait_s` is of all callers, `asa_s` of the served.
    """

    p_wait: float
    p_abandon: float
    p_served_in: float
    p_in: float
    mean_wait_s: float
    asa_s: float
    occupancy: float

    @property
    def levels(self) -> dict[str, float]:
        """The variants of the service level that differ here (acd.md section 5)."""
        served = 1 - self.p_abandon
        return {
            "sl_answered": self.p_served_in / served if served else 0.0,
            "sl_sl2": self.p_in,
            "sl_abandons_negative": self.p_served_in,
        }


IDLE = Expected(p_wait=0.0, p_abandon=0.0, p_served_in=1.0, p_in=1.0, mean_wait_s=0.0, asa_s=0.0, occupancy=0.0)
OVERRUN = Expected(p_wait=1.0, p_abandon=0.0, p_served_in=0.0, p_in=0.0, mean_wait_s=inf, asa_s=inf, occupancy=1.0)


def patient(per_s: float, aht_s: float, agents: int, threshold_s: float) -> Expected:
    """Erlang C: callers wait for ever."""
    load = per_s * aht_s
    if load == 0:
        return IDLE
    if load >= agents:
        return OVERRUN
    wait = erlang_c(load, agents)
    asa = wait * aht_s / (agents - load)
    level = 1 - wait * exp(-(agents - load) * threshold_s / aht_s)
    return Expected(wait, 0.0, level, level, asa, asa, load / agents)


def impatient(per_s: float, aht_s: float, agents: int, threshold_s: float, patience_s: float) -> Expected:
    """Erlang A: callers hang up after an exponential time of `patience_s` on average."""
    if per_s == 0:
        return IDLE
    if agents == 0:
        gone = -expm1(-threshold_s / patience_s)
        return Expected(1.0, 1.0, 0.0, gone, patience_s, inf, 0.0)
    offered = _OfferedWait(per_s, agents / aht_s, 1 / patience_s)
    none = _inverse_b(per_s * aht_s, agents - 1) * exp(-offered.peak)
    whole = none + per_s * offered.integral(lambda _: 1.0, 0.0)
    if whole == inf:
        return replace(IDLE, occupancy=per_s * aht_s / agents)
    chance = per_s / whole
    stays = offered.stays
    p_wait = 1 - none / whole
    p_served_late = chance * offered.integral(stays, threshold_s)
    p_served = none / whole + chance * offered.integral(stays, 0.0)
    late = chance * offered.integral(lambda _: 1.0, threshold_s) * stays(threshold_s)
    served_wait = chance * offered.integral(lambda x: x * stays(x), 0.0)
    abandon = max(0.0, 1 - p_served)
    return Expected(
        p_wait=p_wait,
        p_abandon=abandon,
        p_served_in=p_served - p_served_late,
        p_in=1 - late,
        mean_wait_s=abandon * patience_s,
        asa_s=served_wait / p_served if p_served else inf,
        occupancy=per_s * p_served * aht_s / agents,
    )


class _OfferedWait:
    """The density of the offered wait over its peak, so that no load can overflow it; rates per second."""

    def __init__(self, arrivals: float, services: float, leaving: float) -> None:
        self._arrivals, self._services, self._leaving = arrivals, services, leaving
        top = max(0.0, log(arrivals / services) / leaving)
        self.peak = self._exponent(top)
        reach = 1 / services
        while self._exponent(top + reach) > self.peak - _FAR:
            reach *= 2
        # How wide the peak is decides where the first and the last of it are.
        width = 10 / sqrt(leaving * max(services, arrivals))
        self.first = max(0.0, top - width)
        self.top, self.last = top, top + reach

    def _exponent(self, x: float) -> float:
        return -self._arrivals * expm1(-self._leaving * x) / self._leaving - self._services * x

    def stays(self, x: float) -> float:
        """The chance that a caller's patience lasts for `x`."""
        return exp(-self._leaving * x)

    def integral(self, weight: Callable[[float], float], since: float) -> float:
        """Of weight(x) times the density from `since` on, by Simpson's rule on the two sides of the peak."""
        edges = sorted({min(max(since, edge), self.last) for edge in (self.first, self.top, self.last)} | {since})
        return sum(self._simpson(weight, a, b) for a, b in pairwise(edges) if b <= self.last)

    def _simpson(self, weight: Callable[[float], float], a: float, b: float) -> float:
        step = (b - a) / _STEPS

        def value(place: int) -> float:
            x = a + place * step
            return weight(x) * exp(self._exponent(x) - self.peak)

        odd = sum(value(place) for place in range(1, _STEPS, 2))
        even = sum(value(place) for place in range(2, _STEPS, 2))
        return step / 3 * (value(0) + 4 * odd + 2 * even + value(_STEPS))


@dataclass(frozen=True, slots=True)
class Target:
    """What staffing must reach: `level` of the variant `variant` within `threshold_s`, and no more than the rest."""

    level: float = 0.8
    threshold_s: float = 20.0
    variant: str = "sl_abandons_negative"
    max_occupancy: float = 1.0
    max_abandon: float = 1.0


@dataclass(frozen=True, slots=True)
class Required:
    """`agents` at work, `scheduled` so that as many are at work after shrinkage."""

    agents: int
    scheduled: int
    expected: Expected


def expected(per_s: float, aht_s: float, agents: int, threshold_s: float, patience_s: float | None) -> Expected:
    """Erlang A, or C without `patience_s`."""
    if patience_s is None:
        return patient(per_s, aht_s, agents, threshold_s)
    return impatient(per_s, aht_s, agents, threshold_s, patience_s)


def required(
    per_s: float, aht_s: float, target: Target, *, patience_s: float | None = None, shrinkage: float = 0.0
) -> Required:
    """The fewest agents that reach `target`. `shrinkage`: the part of their time that agents are not there."""
    load, least = per_s * aht_s, 0
    if patience_s is None and load > 0:
        least = max(floor(load) + 1, ceil(load / target.max_occupancy - 1e-9))

    def tried(agents: int) -> Expected:
        return expected(per_s, aht_s, agents, target.threshold_s, patience_s)

    # More agents never make it worse, so: too few, enough, then halve what lies between.
    few, enough, step = least - 1, max(least, ceil(load)), 1
    while not _reaches(tried(enough), target):
        few, enough, step = enough, enough + step, 2 * step
    while enough - few > 1:
        middle = (few + enough) // 2
        if _reaches(tried(middle), target):
            enough = middle
        else:
            few = middle
    return Required(enough, ceil(enough / (1 - shrinkage) - 1e-9), tried(enough))


def _reaches(found: Expected, target: Target) -> bool:
    return (
        found.levels[target.variant] >= target.level
        and found.occupancy <= target.max_occupancy + 1e-9
        and found.p_abandon <= target.max_abandon
    )
