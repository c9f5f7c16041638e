"""The figures by the names of their formulas."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.reporting import metrics
from callcenter.reporting.measures import Measures
from callcenter.reporting.metrics import Answered, Stretch

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1)


def test_golden_case_while_twenty_late_callers_still_wait() -> None:
    """70 answered in time, 10 abandoned in time, 20 late."""
    golden = Measures(
        entered=100,
        queued=100,
        offered=100,
        answered=70,
        answered_in_time=70,
        abandoned=10,
        abandoned_in_time=10,
    )
    assert percent(metrics.sl_ignore_abandons(golden)) == 77.8
    assert percent(metrics.sl_abandons_negative(golden)) == 70.0
    assert percent(metrics.sl_abandons_positive(golden)) == 80.0


def test_golden_case_when_the_twenty_were_answered_later() -> None:
    golden = Measures(
        entered=100,
        queued=100,
        offered=100,
        answered=90,
        answered_in_time=70,
        abandoned=10,
        abandoned_in_time=10,
    )
    assert percent(metrics.sl_answered(golden)) == 77.8
    assert percent(metrics.sl_sl2(golden)) == 80.0
    assert percent(metrics.sl_queue(golden)) == 80.0
    assert percent(metrics.sl_ignore_abandons(golden)) == 77.8
    assert percent(metrics.sl_abandons_negative(golden)) == 70.0
    assert percent(metrics.sl_abandons_positive(golden)) == 80.0


def test_callbacks_count_for_sl_queue_and_are_no_abandons() -> None:
    counted = Measures(queued=10, offered=8, answered=6, answered_in_time=6, abandoned=2, callbacks=2)
    counted.callbacks_in_time = 2
    assert metrics.sl_queue(counted) == 0.8
    assert metrics.abandon_rate(counted) == 0.2


@pytest.mark.parametrize("figure", sorted(metrics.FIGURES))
def test_no_figure_is_made_of_nothing(figure: str) -> None:
    assert metrics.FIGURES[figure](Measures()) is None


def test_speed_of_answer_is_of_the_answered_and_handle_time_of_those_who_are_done_with() -> None:
    counted = Measures(answered=4, wait_ms=20_000, handled=2, talk_ms=100_000, hold_ms=20_000, wrap_ms=30_000)
    assert metrics.asa_ms(counted) == 5_000
    assert metrics.aht_ms(counted) == 75_000


def test_a_ringing_phone_is_neither_idle_nor_busy_but_signed_in() -> None:
    day = Measures(contact_time_ms=50, wrap_time_ms=10, idle_time_ms=20, ring_time_ms=15, not_ready_time_ms=5)
    assert metrics.occupancy(day) == 0.75
    assert metrics.utilization(day) == 0.6


def test_short_abandons_are_told_apart() -> None:
    counted = Measures(queued=20, abandoned=5, abandoned_short=2)
    assert metrics.abandon_rate(counted) == 0.25
    assert metrics.short_abandon_rate(counted) == 0.1


def stretch(kind: str, first: int, last: int) -> Stretch:
    return Stretch(NINE + timedelta(minutes=first), NINE + timedelta(minutes=last), kind)


def test_adherence_is_the_planned_time_that_was_kept() -> None:
    planned = [stretch("work", 0, 60), stretch("break", 60, 75), stretch("work", 75, 120)]
    done = [stretch("work", 6, 60), stretch("break", 60, 81), stretch("work", 81, 130)]
    assert metrics.adherence(planned, done) == (54 + 15 + 39) / 120
    assert metrics.adherence([], done) is None


def test_first_contact_resolution_judges_contacts_whose_seven_days_are_over() -> None:
    def contact(customer: str, matter: str, day: int) -> Answered:
        return Answered(customer, matter, NINE + timedelta(days=day))

    contacts = [
        contact("ada", "billing", 0),  # came back after 3 days
        contact("ada", "billing", 3),  # and not again
        contact("ada", "support", 4),  # another matter
        contact("bob", "billing", 0),  # came back, but later than 7 days
        contact("bob", "billing", 8),  # not judged yet
    ]
    assert metrics.first_contact_resolution(contacts, until=NINE + timedelta(days=12)) == 3 / 4
    assert metrics.first_contact_resolution(contacts, until=NINE) is None


def test_satisfaction_is_the_top_two_of_five_and_never_without_its_response_rate() -> None:
    found = metrics.csat([5, 4, 3, 1], asked=10)
    assert (found.top_two, found.response_rate) == (0.5, 0.4)
    assert metrics.csat([], asked=10) == metrics.Satisfaction(None, 0.0)
    with pytest.raises(ValueError, match="1 to 5"):
        metrics.csat([6], asked=1)
