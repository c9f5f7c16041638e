"""What is drawn has the law that was asked for; fixed seeds, bounds of four standard errors."""

from itertools import pairwise, takewhile
from math import sqrt
from random import Random
from statistics import fmean, pstdev

import pytest

from acd.laboratory.chance import Spread, arrivals_ms, busyness


def test_arrivals_come_at_the_rate_of_their_period() -> None:
    rates, hour = [0.001, 0.0, 0.004, 0.0], 3_600_000
    found = list(arrivals_ms(rates, hour, Random(7)))
    by_period = [sum(period * hour <= at < (period + 1) * hour for at in found) for period in range(4)]
    assert by_period[1] == by_period[3] == 0
    assert abs(by_period[0] - 3_600) < 4 * sqrt(3_600)
    assert abs(by_period[2] - 14_400) < 4 * sqrt(14_400)


def test_gaps_between_arrivals_are_exponential() -> None:
    found = list(takewhile(lambda at: at < 20_000_000, arrivals_ms([0.001], 1, Random(8))))
    gaps = [after - before for before, after in pairwise(found)]
    assert pstdev(gaps) / fmean(gaps) == pytest.approx(1, abs=4 / sqrt(len(gaps)))


@pytest.mark.parametrize(
    ("spread", "cv"),
    [(Spread(180), 1.0), (Spread(180, "lognormal", 0.5), 0.5), (Spread(180, "constant"), 0.0)],
)
def test_times_have_the_mean_and_the_spread_of_their_shape(spread: Spread, cv: float) -> None:
    generator = Random(9)
    times = [spread.ms_at(generator.random()) / 1000 for _ in range(20_000)]
    assert fmean(times) == pytest.approx(180, rel=4 * max(cv, 1e-6) / sqrt(20_000))
    assert pstdev(times) / fmean(times) == pytest.approx(cv, abs=0.05)


def test_the_ends_of_chance_are_times_too() -> None:
    for shape in ("exponential", "lognormal", "constant"):
        assert Spread(180, shape).ms_at(0.0) >= 0
        assert Spread(180, shape).ms_at(1 - 2**-53) < 180_000 * 10_000


def test_days_are_busy_around_one() -> None:
    generator = Random(10)
    days = [busyness(0.2, generator) for _ in range(5_000)]
    assert fmean(days) == pytest.approx(1, abs=4 * 0.2 / sqrt(5_000))
    assert pstdev(days) == pytest.approx(0.2, abs=0.02)
    assert busyness(0, generator) == 1
