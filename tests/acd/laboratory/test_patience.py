"""Kaplan and Meier's estimate, by hand."""

from math import exp, inf

import pytest

from acd.laboratory.patience import kaplan_meier

# Six waits: at 2 one of six leaves, at 3 one is served, at 5 one of four leaves, at 5 one is served, at 8 one of two
# leaves, at 9 one is served. So S = 5/6, 5/6 * 3/4 = 5/8, 5/16.
SIX = [(2.0, True), (3.0, False), (5.0, True), (5.0, False), (8.0, True), (9.0, False)]


def test_curve_is_that_by_hand() -> None:
    curve = kaplan_meier(SIX)
    assert list(curve.times) == [2.0, 5.0, 8.0]
    assert curve.stays == pytest.approx((5 / 6, 5 / 8, 5 / 16))
    assert (curve.left, curve.censored) == (3, 3)
    assert [curve.after(wait) for wait in (0, 1.9, 2, 4.9, 5, 7.9)] == pytest.approx(
        [1, 1, 5 / 6, 5 / 6, 5 / 8, 5 / 8]
    )


def test_beyond_the_last_who_left_callers_leave_at_the_mean_rate() -> None:
    curve = kaplan_meier(SIX)
    assert curve.tail_per_s == pytest.approx(3 / 32)
    assert curve.after(10) == pytest.approx(5 / 16 * exp(-2 * 3 / 32))
    assert curve.after(curve.time_at(0.9)) == pytest.approx(0.1)
    assert curve.mean_s == pytest.approx(2 + 5 / 6 * 3 + 5 / 8 * 3 + 5 / 16 * 32 / 3)


def test_patience_at_a_share_is_where_the_curve_falls_below_the_rest() -> None:
    curve = kaplan_meier(SIX)
    assert [curve.time_at(share) for share in (0.0, 0.16, 0.17, 0.37, 0.38, 0.68)] == [2, 2, 5, 5, 8, 8]


def test_without_censoring_it_is_the_plain_share() -> None:
    curve = kaplan_meier([(1, True), (2, True), (3, True), (4, True)])
    assert curve.stays == pytest.approx((0.75, 0.5, 0.25, 0))
    assert curve.mean_s == pytest.approx(2.5)
    assert curve.time_at(0.99) == 4


def test_served_without_a_wait_says_nothing() -> None:
    assert kaplan_meier([*SIX, (0.0, False), (0.0, False)]) == kaplan_meier(SIX)


def test_who_never_saw_anybody_leave_expects_everybody_to_wait() -> None:
    curve = kaplan_meier([(30, False)])
    assert (curve.time_at(0.5), curve.mean_s, curve.after(1000)) == (inf, inf, 1)
    assert kaplan_meier([]).mean_s == inf
