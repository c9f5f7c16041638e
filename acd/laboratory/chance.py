"""Where chance comes from in the laboratory: generators that are handed in, one for each purpose, and what is made of
their numbers.

Every call takes its numbers when it arrives, from the streams of its type and in the order of arrivals, so the same
seed gives the same callers to every policy (common random numbers).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from statistics import NormalDist
from typing import Literal, Protocol

Shape = Literal["exponential", "lognormal", "constant"]
_NORMAL = NormalDist()
_LEAST = 2.0**-54


class Generator(Protocol):
    """The part of `random.Random` that is used."""

    def random(self) -> float:
        """Uniform in [0, 1)."""
        ...

    def gammavariate(self, alpha: float, beta: float) -> float: ...


Streams = Callable[[str], Generator]
"""The generator of a purpose ("arrivals/billing"); asked twice for one purpose, it begins anew."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How times are spread around `mean_s`. `cv`, standard deviation over mean, is the lognormal's."""

    mean_s: float
    shape: Shape = "exponential"
    cv: float = 1.0

    def ms_at(self, share: float) -> int:
        """The time, in whole milliseconds, that `share` (0 to 1) of all times stay below."""
        mean_ms = self.mean_s * 1000.0
        if self.shape == "exponential":
            return int(-log(1.0 - share) * mean_ms + 0.5)
        if self.shape == "constant":
            return int(mean_ms + 0.5)
        variance = log(1.0 + self.cv * self.cv)
        return int(mean_ms * exp(sqrt(variance) * _NORMAL.inv_cdf(max(share, _LEAST)) - variance / 2) + 0.5)


def arrivals_ms(rates_per_ms: Sequence[float], period_ms: float, generator: Generator) -> Iterator[int]:
    """The moments of a Poisson process whose rate is constant within each period; the last rate goes on for ever.

    Ends when the rate is 0 for ever.
    """
    last = len(rates_per_ms) - 1
    at = 0.0
    for period, rate in enumerate(rates_per_ms):
        until = inf if period == last else (period + 1) * period_ms
        at = max(at, period * period_ms)
        while rate > 0:
            # Memoryless: what is drawn beyond the period is thrown away and drawn again at the next rate.
            at -= log(1.0 - generator.random()) / rate
            if at >= until:
                break
            yield int(at)


def busyness(cv: float, generator: Generator) -> float:
    """How busy one day is: gamma distributed around 1 with this coefficient of variation; 1 for cv 0."""
    if cv <= 0:
        return 1.0
    shape = 1.0 / (cv * cv)
    return generator.gammavariate(shape, 1.0 / shape)
