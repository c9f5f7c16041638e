"""What is counted of a day, by hand on a few calls and by hand on the bank's peak day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from acd.laboratory.day_report import day_report
from acd.laboratory.history import HistoricCall, HistoricOutcome
from acd.laboratory.report_text import as_document, as_text
from acd.laboratory.service_level import Levels
from tests.support.bank import ZONE, bank_day


def call(
    minute: int, outcome: HistoricOutcome, waited_s: float, handled_s: float | None = None, agent: str | None = None
) -> HistoricCall:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(minutes=minute)
    return HistoricCall(at, "a", 0, waited_s, outcome, handled_s, agent)


# Of the bank's peak day.
TYPES = {"IN": 10, "NE": 131, "NW": 318, "PE": 4, "PS": 1_445, "TT": 41}
AGENTS = {
    **{"ANAT": 105, "AVNI": 69, "BENSION": 93, "DARMON": 41, "DORIT": 60, "ELI": 35, "GELBER": 6, "GILI": 85},
    **{"IDIT": 123, "KAZAV": 118, "MICHAL": 90, "PINHAS": 8, "SHARON": 101, "TOVA": 105, "YIFAT": 112},
    **{"YITZ": 100, "ZOHARI": 43},
}
SERVED_IN_20 = 789
LEFT_IN_20 = 104

FEW = (
    call(0, "served", 0, 60, "ann"),
    call(5, "served", 20, None, "ann"),
    call(61, "served", 40, 120, "bob"),
    call(62, "abandoned", 5),
    call(63, "abandoned", 25),
    call(64, "abandoned", 0),
    call(65, "phantom", 30),
)


def test_few_calls_are_counted_as_by_hand() -> None:
    total = day_report(FEW, UTC).total
    assert (total.calls, total.offered, total.served, total.queue_abandons) == (7, 5, 3, 2)
    assert (total.short_abandons, total.left_in_menu, total.phantoms) == (1, 1, 1)
    assert (total.mean_wait_s, total.mean_wait_of_abandoned_s, total.longest_wait_s) == (20, 15, 40)
    assert (total.mean_handle_s, total.handle_times, total.abandon_rate) == (90, 2, 0.4)
    assert total.levels["sl_answered"] == pytest.approx(2 / 3)
    assert total.levels["sl_sl2"] == pytest.approx(3 / 5)
    assert total.levels["sl_ignore_abandons"] == pytest.approx(2 / 4)
    assert total.levels["sl_abandons_negative"] == pytest.approx(2 / 5)


def test_hours_are_those_of_the_zone_and_the_first_of_equals_is_busiest() -> None:
    report = day_report(FEW, ZONE)
    assert [(hour, part.calls) for hour, part in report.by_hour if part.calls] == [(11, 2), (12, 5)]
    assert report.busiest_hour == 12
    even = day_report(FEW[:2] + FEW[2:4], UTC)
    assert (even.busiest_hour, even.busiest_hour_calls) == (9, 2)


def test_no_calls_make_an_empty_report() -> None:
    report = day_report((), UTC)
    assert (report.total.calls, report.busiest_hour, report.busiest_hour_calls) == (0, None, 0)
    assert report.total.mean_wait_s is None
    assert "calls             0" in as_text(report)


def test_agents_are_those_who_served() -> None:
    agents = day_report(FEW, UTC).agents
    assert [(each.agent, each.served, each.handle_times, each.mean_handle_s) for each in agents] == [
        ("ann", 2, 1, 60),
        ("bob", 1, 1, 120),
    ]


def test_golden_case_of_the_service_levels() -> None:
    still_waiting = Levels(offered=100, answered=70, answered_in=70, abandoned=10, abandoned_in=10).named()
    assert still_waiting["sl_ignore_abandons"] == pytest.approx(0.778, abs=0.0005)
    assert still_waiting["sl_abandons_negative"] == pytest.approx(0.70)
    assert still_waiting["sl_abandons_positive"] == pytest.approx(0.80)
    all_answered = Levels(offered=100, answered=90, answered_in=70, abandoned=10, abandoned_in=10).named()
    assert all_answered["sl_answered"] == pytest.approx(0.778, abs=0.0005)
    assert all_answered["sl_sl2"] == pytest.approx(0.80)
    assert all_answered["sl_queue"] == pytest.approx(0.80)


def test_peak_day_of_the_bank_is_what_its_rows_say() -> None:
    report = day_report(bank_day(date(1999, 2, 3)), ZONE)
    total = report.total
    assert (total.calls, total.served, len(report.agents), total.queue_abandons) == (1_949, 1_319, 17, 223)
    assert (report.busiest_hour, report.busiest_hour_calls) == (13, 494)
    assert total.mean_wait_s == pytest.approx(37.2, abs=0.05)
    assert total.phantoms == 10
    # Counted apart with awk, by hour of vru_entry, by type, by agent and within 20 s.
    assert [part.calls for _, part in report.by_hour] == [
        *(7, 2, 2, 0, 1, 1, 5, 41, 120, 108, 126, 126),
        *(102, 494, 145, 118, 65, 68, 83, 105, 66, 68, 50, 46),
    ]
    assert {name: part.calls for name, part in report.by_type} == TYPES
    assert {each.agent: each.served for each in report.agents} == AGENTS
    assert total.levels["sl_answered"] == pytest.approx(SERVED_IN_20 / 1_319)
    assert total.levels["sl_sl2"] == pytest.approx((SERVED_IN_20 + LEFT_IN_20) / 1_542)


def test_document_has_the_days_figures_at_its_top() -> None:
    document = as_document(day_report(FEW, UTC))
    assert document["calls"] == 7
    assert document["agents"] == 2
    assert document["busiest_hour"] == {"hour": 10, "calls": 5}
    assert document["mean_wait_s"] == 20.0
    assert "sl_abandons_negative" in document


def test_names_cannot_drive_the_terminal() -> None:
    text = as_text(day_report([HistoricCall(FEW[0].at, "\x1b[2J", 0, 0, "served", 1, "a\nb")], UTC))
    assert "\x1b" not in text
    assert "a?b" in text
