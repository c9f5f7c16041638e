"""A day under other rules: the same callers for each, drawn from the day's own log, on the production core."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from acd.experiment import run, streams_of
from acd.laboratory.day_model import DayModel, HandleTimes, Stretch, learn
from acd.laboratory.day_policy import levels, read_policy, staffed
from acd.laboratory.history import HistoricCall
from acd.laboratory.interval import Estimate
from acd.laboratory.patience import kaplan_meier
from acd.laboratory.summary import Summary, difference, summarised
from acd.laboratory.verdict import in_words, judged
from acd.laboratory.what_if import CallerRule, DayPolicy, DayTrials, hours_of
from acd.laboratory.world import World
from callcenter.kernel.errors import ConfigError
from tests.support.bank import ZONE, bank_day

POLICIES = Path(__file__).parents[3] / "config" / "policies"
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
NINE = MIDNIGHT + timedelta(hours=9)


def call(second: float, *, type_: str = "a", priority: int = 0) -> HistoricCall:
    return HistoricCall(NINE + timedelta(seconds=second), type_, priority, 0, "served", 60, "ann")


def a_model(*calls: HistoricCall, agents: tuple[str, ...] = ("ann",)) -> DayModel:
    """Everybody is patient, every call takes 60 s, the agents are there from nine to ten."""
    return DayModel(
        arrivals=calls,
        patience=dict.fromkeys({each.type for each in calls}, kaplan_meier([])),
        handle=dict.fromkeys({each.type for each in calls}, HandleTimes((60.0,), "the day")),
        pace={},
        pace_elsewhere={},
        wrap_s=0,
        stretches=tuple(Stretch(agent, NINE, NINE + timedelta(hours=1)) for agent in agents),
        unnamed=0,
    )


def trials(model: DayModel, document: object = None) -> DayTrials:
    return DayTrials(model, read_policy("p.yaml", document, model), MIDNIGHT)


def waits(days: DayTrials) -> dict[str, float]:
    outcome = World(days.trial(streams_of(1, 0))).run()
    return {type_: counts.wait_ms / 1000 for type_, counts in outcome.by_type.items()}


def test_callers_are_served_in_the_order_in_which_they_joined() -> None:
    assert waits(trials(a_model(call(0, type_="a"), call(10, type_="b"), call(20, type_="c")))) == {
        "a": 0,
        "b": 50,
        "c": 100,
    }


def test_head_start_brings_a_caller_forward() -> None:
    model = a_model(call(0, type_="a"), call(10, type_="b"), call(20, type_="c", priority=2))
    ahead = {"callers": [{"priority": 2, "head_start_s": 11}]}
    behind = {"callers": [{"priority": 2, "head_start_s": 9}]}
    assert waits(trials(model, ahead)) == {"a": 0, "b": 110, "c": 40}
    assert waits(trials(model, behind)) == {"a": 0, "b": 50, "c": 100}


def test_of_the_callers_rules_the_first_that_fits_decides() -> None:
    rules = (CallerRule(type="b", head_start_s=5), CallerRule(priority=2, head_start_s=90))
    policy = DayPolicy("p", read_policy("p", None, a_model(call(0))).policy, rules)
    assert policy.rule(call(0, type_="b", priority=2)).head_start_s == 5
    assert policy.rule(call(0, priority=2)).head_start_s == 90
    assert policy.rule(call(0)).head_start_s == 0


def test_agents_take_as_long_as_their_pace_says_and_pause() -> None:
    model = replace(a_model(call(0, type_="a"), call(10, type_="b")), pace={"ann": 0.5}, wrap_s=4.0)
    assert waits(trials(model)) == {"a": 0, "b": 24}
    assert waits(replace(trials(model), handling="pooled")) == {"a": 0, "b": 54}


def test_callers_leave_when_their_patience_ends() -> None:
    model = replace(a_model(call(0), call(1)), patience={"a": kaplan_meier([(20, True)])})
    outcome = World(trials(model).trial(streams_of(1, 0))).run().overall
    assert (outcome.offered, outcome.served, outcome.abandoned, outcome.wait_ms) == (2, 1, 1, 20_000)


def test_every_policy_has_the_same_callers() -> None:
    model = learn(bank_day(date(1999, 2, 3)))
    midnight = datetime(1999, 2, 3, tzinfo=ZONE)
    both = [
        DayTrials(model, read_policy("p", document, model), midnight).trial(streams_of(3, 7))
        for document in (None, {"callers": [{"priority": 2, "head_start_s": 90}]})
    ]
    ours, theirs = ([(each.at_ms, each.type, each.patience_ms, each.draw) for each in trial.calls] for trial in both)
    assert ours == theirs
    assert len(ours) == 1_542


def test_banks_day_comes_out_near_its_log_and_the_head_start_helps_whom_it_should() -> None:
    model = learn(bank_day(date(1999, 2, 3)))
    midnight = datetime(1999, 2, 3, tzinfo=ZONE)
    documents = (None, {"callers": [{"priority": 2, "head_start_s": 90}]})
    days = [DayTrials(model, read_policy("p", document, model), midnight) for document in documents]
    plain, ahead = run(days, seed=1, replications=4, processes=1).outcomes
    served = summarised(plain, ()).overall["served"].mean
    assert served == pytest.approx(1_319, rel=0.03)
    level = difference(ahead, plain, ()).overall["sl_abandons_negative"]
    assert level.mean is not None
    assert level.mean > 0


def test_levels_are_tenths_of_the_agents_by_their_pace_on_other_days() -> None:
    names = tuple(f"a{number:02}" for number in range(20))
    model = replace(
        a_model(call(0), agents=names),
        pace_elsewhere={name: 0.5 + number / 20 for number, name in enumerate(names)},
    )
    found = levels(model)
    assert [found[name] for name in names[:4]] == [10, 10, 9, 9]
    assert [found[name] for name in names[-2:]] == [1, 1]
    assert levels(replace(model, pace_elsewhere={})) == levels(replace(model, pace_elsewhere=dict.fromkeys(names, 1)))


def test_staffing_may_be_more_or_less_than_that_of_the_log() -> None:
    calls = call(0, type_="a"), call(0, type_="b"), call(0, type_="c")
    model = a_model(*calls, agents=("ann", "bob"))
    assert sorted(waits(trials(model)).values()) == [0, 0, 60]
    assert sorted(waits(trials(model, {"agents": {"more": 1}})).values()) == [0, 0, 0]
    assert sorted(waits(trials(model, {"agents": {"more": -1}})).values()) == [0, 60, 120]
    short = replace(model, stretches=(model.stretches[0], Stretch("bob", NINE, NINE + timedelta(minutes=9))))
    assert staffed(short, -1) == short.stretches[1:]
    with pytest.raises(ConfigError, match=r"agents\.more: leaves nobody"):
        trials(model, {"agents": {"more": -2}})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "p.yaml: must be a mapping"),
        ({"colour": 1}, "p.yaml: colour: is not known"),
        ({"callers": [{"head_start_s": -1}]}, "p.yaml: callers[0].head_start_s: must be a whole number from 0"),
        ({"callers": [{"kind": 2}]}, "p.yaml: callers[0].kind: is not known"),
        ({"queues": {"z": {}}}, "p.yaml: queues.z: that day has no such call type"),
        ({"queues": {"a": 3}}, "p.yaml: queues.a: must be a mapping"),
        ({"queue": {"ring_s": "x"}}, "p.yaml: queues.a.ring_s: must be a whole number"),
        ({"agents": {"level_by": "age"}}, "p.yaml: agents.level_by: must be one of handle_time, nothing"),
        ({"distributor": {"misses": 0}}, "p.yaml: distributor.misses: must be a whole number from 1"),
    ],
)
def test_mistakes_in_a_policy_are_told_by_their_key(document: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy("p.yaml", document, a_model(call(0)))
    assert message in caught.value.message


def test_day_has_as_many_hours_as_the_clock_shows() -> None:
    rome = ZoneInfo("Europe/Rome")
    days = [datetime(2026, *day, tzinfo=rome) for day in ((3, 28), (3, 29), (10, 25))]
    assert [hours_of(day) for day in days] == [24, 23, 25]


def a_difference(wait: Estimate, **levels_: Estimate) -> Summary:
    none = dict.fromkeys(("sl_answered", "sl_sl2", "sl_abandons_negative", "asa_s"), Estimate(None))
    return Summary({**none, "mean_wait_s": wait}, {"a": {**none, **levels_}}, {}, {})


def test_harm_is_an_interval_wholly_below_zero() -> None:
    lower, unsure = Estimate(-2, -3, -1), Estimate(-2, -5, 1)
    free = judged(a_difference(lower, sl_sl2=unsure))
    assert in_words(free) == ["the mean wait is surely lower", "no call type is harmed"]
    harmed = judged(a_difference(lower, sl_sl2=Estimate(-0.02, -0.03, -0.01)))
    assert [(harm.type, harm.level) for harm in harmed.harmed] == [("a", "sl_sl2")]
    assert judged(a_difference(unsure)).better == ()


def test_sample_policies_can_be_tried_on_the_banks_day() -> None:
    model = learn(bank_day(date(1999, 2, 3)))
    policies = {
        path.stem: read_policy(path.name, yaml.safe_load(path.read_text(encoding="utf-8")), model)
        for path in sorted(POLICIES.glob("*.yaml"))
    }
    assert set(policies) == {"first_come", "head_start", "short_and_quick"}
    assert policies["first_come"].callers == ()
    assert policies["head_start"].callers == (CallerRule(priority=2, head_start_s=90),)
    assert {queue.strategy for queue in policies["short_and_quick"].policy.queues} == {"highest_level"}
