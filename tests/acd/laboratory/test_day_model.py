"""What is learnt of a day from its log, by hand on a few calls, and that it is the bank's day on the real one."""

from datetime import UTC, date, datetime, timedelta

import pytest

from acd.laboratory.day_model import HandleTimes, Stretch, learn, paces
from acd.laboratory.history import HistoricCall, HistoricOutcome
from tests.support.bank import bank_day

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def call(
    second: float,
    *,
    waited_s: float = 0,
    handled_s: float | None = 100,
    agent: str | None = "ann",
    type_: str = "a",
    outcome: HistoricOutcome = "served",
) -> HistoricCall:
    at = BEGIN + timedelta(seconds=second - 5)
    return HistoricCall(at, type_, 0, waited_s, outcome, handled_s, agent, menu_s=5, source=f"x:{second}")


def lost(second: float, waited_s: float) -> HistoricCall:
    return call(second, waited_s=waited_s, outcome="abandoned", handled_s=None, agent=None)


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


def test_only_who_asked_for_an_agent_arrives_in_the_order_of_joining() -> None:
    phantom = call(3, outcome="phantom", waited_s=9)
    model = learn([call(10), lost(0, 30), lost(5, 0), phantom])
    assert [each.source for each in model.arrivals] == ["x:0", "x:10"]


def test_agent_is_there_from_first_to_last_call() -> None:
    model = learn([call(0), call(400), call(1000, agent="bob")])
    assert model.stretches == (Stretch("ann", at(0), at(500)), Stretch("bob", at(1000), at(1100)))
    assert model.staffed_h == pytest.approx(600 / 3600)


def test_agent_who_lets_callers_wait_for_nobody_is_away() -> None:
    short, long = lost(200, 10), lost(200, 11)
    assert learn([call(0), short, call(400)]).stretches == (Stretch("ann", at(0), at(500)),)
    assert learn([call(0), long, call(400)]).stretches == (
        Stretch("ann", at(0), at(100)),
        Stretch("ann", at(400), at(500)),
    )


def test_pause_after_a_call_is_seen_where_the_next_caller_waited_already() -> None:
    calls = [call(0), call(50, waited_s=56), call(210, waited_s=0), call(250, waited_s=72)]
    # 100 -> 106 waited for; 206 -> 210 not; 310 -> 322 waited for.
    assert learn(calls).wrap_s == pytest.approx((6 + 12) / 2)


def test_patience_of_a_type_with_few_who_left_is_that_of_all() -> None:
    calls = [*(lost(second, 10) for second in range(30)), call(100, type_="b", waited_s=20)]
    model = learn(calls)
    assert model.patience["a"].left == model.patience["b"].left == 30
    assert model.patience["a"].censored == 0
    assert model.patience["b"].censored == 1


def test_handle_times_of_a_type_come_from_where_there_are_enough() -> None:
    day = [*(call(second, handled_s=second) for second in range(1, 21)), call(30, type_="b", handled_s=7)]
    others = [call(second, type_="b", handled_s=9) for second in range(19)]
    alone, helped = learn(day).handle, learn(day, others).handle
    assert (alone["a"].source, alone["b"].source) == ("the day", "all types of the day")
    assert helped["b"] == HandleTimes((7.0, *[9.0] * 19), "the day and other days")
    assert [alone["a"].at(share) for share in (0.0, 0.049, 0.05, 0.999)] == [1, 1, 2, 20]


def test_pace_of_an_agent_is_against_the_same_types() -> None:
    calls = [call(0, handled_s=100), call(1, handled_s=300, agent="bob"), call(2, type_="b", handled_s=900)]
    # Means: a 200, b 900; of all 433.3, which counts ten times at pace 1.
    weight = 10 * 1300 / 3
    assert paces(calls) == pytest.approx(
        {"ann": (1000 + weight) / (1100 + weight), "bob": (300 + weight) / (200 + weight)}
    )


def test_service_without_a_believed_time_is_no_handle_time_but_presence() -> None:
    model = learn([call(0, handled_s=None), call(50)])
    assert model.stretches == (Stretch("ann", at(0), at(150)),)
    assert model.handle["a"].seconds == (100,)


def test_empty_day_has_an_empty_model() -> None:
    model = learn([])
    assert (model.arrivals, model.agents, model.wrap_s) == ((), (), 0)


def test_banks_peak_day() -> None:
    model = learn(bank_day(date(1999, 2, 3)))
    assert len(model.arrivals) == 1_319 + 223
    assert len(model.agents) == 17
    assert model.unnamed == 25
    assert model.patience["PS"].left == 140
    assert model.wrap_s == pytest.approx(8.5, abs=0.1)
