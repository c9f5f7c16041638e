"""How long callers are willing to wait, from waits of which many were cut short by an agent.

Who was served would have waited on for nobody knows how long: his wait is a censored observation, and leaving it out
or counting it as patience would both be wrong. The estimate is that of Kaplan and Meier (1958).
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, inf, log1p


@dataclass(frozen=True, slots=True)
class Survival:
    """The part of callers who wait on after each of `times` (seconds, ascending), a step function.

    Beyond the last of them nobody was seen to leave: there the tail leaves at `tail_per_s`, the rate of leaving over
    all waits. `left` and `censored` say what the estimate rests on.
    """

    times: tuple[float, ...]
    stays: tuple[float, ...]
    tail_per_s: float
    left: int
    censored: int

    def after(self, wait_s: float) -> float:
        """The part of callers who wait on after `wait_s`."""
        place = bisect_right(self.times, wait_s)
        known = self.stays[place - 1] if place else 1.0
        if place < len(self.times):
            return known
        since = self.times[-1] if self.times else 0.0
        return known * exp(-self.tail_per_s * (wait_s - since))

    def time_at(self, share: float) -> float:
        """The patience that `share` (0 to 1, 1 excluded) of callers stay below; inf where nobody ever left."""
        on = 1.0 - share
        low, high = 0, len(self.stays)
        while low < high:
            middle = (low + high) // 2
            if self.stays[middle] <= on:
                high = middle
            else:
                low = middle + 1
        if low < len(self.stays):
            return self.times[low]
        if self.tail_per_s <= 0:
            return inf
        since, known = (self.times[-1], self.stays[-1]) if self.times else (0.0, 1.0)
        return since - log1p(on / known - 1) / self.tail_per_s

    @property
    def mean_s(self) -> float:
        """The area below the curve, its tail included."""
        if not self.times:
            return 1 / self.tail_per_s if self.tail_per_s else inf
        edges = (0.0, *self.times)
        area = sum(on * (b - a) for on, a, b in zip((1.0, *self.stays), edges, edges[1:], strict=False))
        if self.stays[-1] <= 0:
            return area
        return area + self.stays[-1] / self.tail_per_s if self.tail_per_s else inf


def kaplan_meier(waits: Iterable[tuple[float, bool]]) -> Survival:
    """The curve of (seconds waited, whether the caller left); who was served at the moment of another's leaving is
    counted as there. Waits of 0 that were served say nothing and are left out.
    """
    seen = [(wait, left) for wait, left in waits if wait > 0 or left]
    leaving = Counter(wait for wait, left in seen if left)
    ending = Counter(wait for wait, _ in seen)
    there, on = len(seen), 1.0
    times: list[float] = []
    stays: list[float] = []
    for wait in sorted(ending):
        if leaving[wait]:
            on *= 1 - leaving[wait] / there
            times.append(wait)
            stays.append(max(0.0, on))
        there -= ending[wait]
    left, exposed = leaving.total(), sum(wait for wait, _ in seen)
    return Survival(tuple(times), tuple(stays), left / exposed if exposed else 0.0, left, len(seen) - left)
