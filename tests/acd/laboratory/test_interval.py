"""Intervals against tables and hand-made cases."""

import pytest

from acd.laboratory.interval import UNKNOWN, Estimate, difference_of, estimate, pseudo_values, ratio, student


@pytest.mark.parametrize(
    ("degrees", "table"), [(1, 12.7062), (2, 4.3027), (3, 3.1824), (5, 2.5706), (19, 2.0930), (999, 1.9623)]
)
def test_student_agrees_with_the_table(degrees: int, table: float) -> None:
    assert student(degrees) == pytest.approx(table, rel=2e-3)


def test_the_interval_of_a_mean_is_students() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert found.mean == 2
    assert found.half_width == pytest.approx(4.3027 / 3**0.5, rel=1e-4)


def test_one_trial_has_no_interval() -> None:
    assert ratio([3], [4]) == Estimate(0.75)
    assert estimate([3]) == Estimate(3)


def test_a_ratio_weighs_each_trial_by_its_whole() -> None:
    found = ratio([90, 1], [100, 10])
    assert found.mean == pytest.approx(91 / 110)
    assert found.low is not None


def test_leaving_out_is_exact_where_the_wholes_are_equal() -> None:
    assert pseudo_values([1, 2, 6], [10, 10, 10]) == pytest.approx([0.1, 0.2, 0.6])


def test_a_ratio_to_nothing_has_no_value() -> None:
    assert ratio([0, 0], [0, 0]) == Estimate(None)


def test_a_ratio_that_rests_on_one_trial_has_no_interval() -> None:
    assert ratio([1, 0], [4, 0]) == Estimate(0.25)


def test_a_difference_between_pairs_is_of_the_pairs() -> None:
    assert difference_of(([3, 5], None), ([1, 3], None)) == Estimate(2, 2, 2)
    assert difference_of(([3, 5], [10, 10]), ([1, 3], [10, 10])).mean == pytest.approx(0.2)
    assert difference_of(([3, 5], [0, 0]), ([1, 3], [10, 10])) == UNKNOWN
