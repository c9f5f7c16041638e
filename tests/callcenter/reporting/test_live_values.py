"""How queues stand now, and which of their limits are passed."""

import csv
import io

from callcenter.reporting.interval_render import COLUMNS, as_csv, as_table
from callcenter.reporting.intervals import Key
from callcenter.reporting.live_values import LineNow, alarms_of, lines_now
from callcenter.reporting.measures import Measures
from callcenter.reporting.visits import QueueTerms
from tests.callcenter.reporting.stories import START, at

TERMS = QueueTerms(target=0.8, variant="sl_queue", longest_wait_alarm_s=60, waiting_alarm=3)


def test_lines_have_those_who_wait_the_oldest_wait_and_agents_by_state() -> None:
    waiting = [("sales", at(5_000)), ("sales", at(1_000)), ("gone", at(2_000))]
    agents = [("sales", "available"), ("sales", "wrap_up"), ("sales", "available")]
    assert lines_now(["sales", "billing"], waiting, agents, at(11_000)) == [
        LineNow("billing"),
        LineNow("gone", 1, 9_000),
        LineNow("sales", 2, 10_000, {"available": 2, "wrap_up": 1}),
    ]


def test_callbacks_are_no_callers_who_wait_and_raise_no_alarm() -> None:
    lines = lines_now(["sales"], [("sales", at(1_000))], [], at(11_000), callbacks=["sales", "gone", "sales"])
    assert lines == [LineNow("gone", callbacks=1), LineNow("sales", 1, 10_000, callbacks=2)]
    assert alarms_of(QueueTerms(longest_wait_alarm_s=11, waiting_alarm=2), lines[1], Measures()) == ()


def test_a_limit_is_passed_when_it_is_reached_and_a_level_when_it_is_missed() -> None:
    calm = LineNow("billing", 2, 59_999)
    assert alarms_of(TERMS, calm, Measures(queued=10, answered_in_time=8)) == ()
    assert alarms_of(TERMS, calm, Measures(queued=10, answered_in_time=7)) == ("service_level",)
    assert alarms_of(TERMS, LineNow("billing", 3, 60_000), Measures()) == ("longest_wait", "waiting")
    assert alarms_of(QueueTerms(), LineNow("billing", 99, 10**7), Measures(answered=1)) == ()


def test_csv_has_every_measure_and_figure_by_its_name_and_no_formula() -> None:
    facts = {Key(START, "queue", "=1+1"): Measures(offered=4, answered=3, answered_in_time=2)}
    (row,) = csv.DictReader(io.StringIO(as_csv(facts, "Europe/Rome")))
    assert tuple(row) == COLUMNS
    assert (row["start"], row["local"]) == ("2026-03-02T09:00:00.000Z", "2026-03-02T10:00+01:00")
    assert (row["name"], row["sl_abandons_negative"], row["sl_answered"], row["aht_ms"]) == (
        "'=1+1",
        "0.5",
        "0.6667",
        "",
    )


def test_the_table_shows_the_hour_of_the_site() -> None:
    text = as_table({Key(START, "queue", "billing"): Measures(entered=1)}, "Europe/Rome")
    assert text.splitlines()[1].split()[:5] == ["03-02", "10:00", "queue", "billing", "1"]
