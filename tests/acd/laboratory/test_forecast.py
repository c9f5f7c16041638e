"""Forecasts from days that have been, by hand and on the bank's February."""

from datetime import UTC, date, datetime, timedelta
from math import exp

import pytest

from acd.laboratory.forecast import FADING, SHAPE_CALLS, counted, forecast, held_back, poisson_deviation
from acd.laboratory.history import HistoricCall
from tests.support.bank import ZONE, february

MONDAY = date(2026, 3, 2)


def week(number: int, weekday: int = 0) -> date:
    return MONDAY + timedelta(weeks=number, days=weekday)


def test_calls_are_counted_by_interval_of_the_wall_clock() -> None:
    at = datetime(2026, 3, 2, 22, 10, tzinfo=UTC)
    calls = [
        HistoricCall(at, "a", 0, 0, "served"),
        HistoricCall(at, "a", 0, 9, "abandoned"),
        HistoricCall(at, "a", 0, 0, "abandoned"),
        HistoricCall(at, "a", 0, 9, "phantom"),
    ]
    # 0:10 of the next day there; who hung up in the menu asked for nobody.
    assert counted(calls, ZONE, 360) == {date(2026, 3, 3): [2, 0, 0, 0]}


def test_total_is_that_of_the_same_weekday_newer_weeks_weighing_more() -> None:
    counts = {week(0): [10, 0], week(1): [20, 0], week(1, 1): [500, 0]}
    expected = forecast(counts, week(2))
    weights = FADING**2, FADING
    assert sum(expected) == pytest.approx((10 * weights[0] + 20 * weights[1]) / sum(weights))


def test_shape_is_the_weekdays_drawn_towards_all_days() -> None:
    counts = {week(0): [30, 10], week(0, 1): [0, 40]}
    expected = forecast(counts, week(1))
    pull = 2 * SHAPE_CALLS
    assert expected[0] == pytest.approx(40 * (30 + pull * 30 / 80) / (40 + pull))
    assert sum(expected) == pytest.approx(40)


def test_weekday_that_history_has_not_is_like_the_mean_of_all_days() -> None:
    assert forecast({week(0): [10, 10], week(0, 1): [30, 30]}, week(0, 2)) == pytest.approx([20, 20])


def test_only_the_past_counts() -> None:
    counts = {week(0): [10], week(1): [99], week(-9): [500]}
    assert forecast(counts, week(1)) == pytest.approx([10])
    assert forecast(counts, week(-10)) == []
    assert forecast({week(0): [0, 0]}, week(1)) == [0, 0]


def test_error_of_a_held_week_by_hand() -> None:
    counts = {week(number, day): [10, 10] for number in (0, 1) for day in range(7)}
    counts[week(1, 3)] = [20, 20]
    found = held_back(counts)
    assert found is not None
    assert (found.days[0], found.days[-1], found.came) == (week(1), week(1, 6), 160)
    assert found.interval == found.day == found.last_week == pytest.approx(20 / 160)
    assert found.bias == pytest.approx(-20 / 160)
    assert found.least == pytest.approx(14 * poisson_deviation(10) / 160)


def test_too_little_history_has_no_error() -> None:
    assert held_back({}) is None
    assert held_back({week(0): [1]}) is None
    assert held_back({week(0): [1], week(1): [0]}) is None


def test_deviation_of_a_poisson_number() -> None:
    # Mean 1: 2 * (0.5 * P(0) + ...) = 2 / e.
    assert poisson_deviation(1) == pytest.approx(2 * exp(-1))
    assert poisson_deviation(0) == 0
    assert poisson_deviation(100.01) == pytest.approx(poisson_deviation(100), rel=0.01)


def test_banks_last_week_is_forecast_better_than_by_the_week_before() -> None:
    found = held_back(counted(february().calls, ZONE, 30))
    assert found is not None
    assert found.days == tuple(date(1999, 2, day) for day in range(22, 29))
    assert found.last_week is not None
    assert found.least < found.interval < found.last_week
    assert found.interval == pytest.approx(0.23, abs=0.01)
