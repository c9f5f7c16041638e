"""TrunkUse: which numbers may be rung outside, how many, and for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.director.machines.trunk_use import (
    Ended,
    Placed,
    TakeDown,
    Tick,
    TrunkRules,
    TrunkUse,
    choose,
)

NOW = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
RULES = TrunkRules(
    "a", ("192.0.2.7", 5060), "udp", "+41441234567", allow=("+41", "0800"), deny=("+4190",), calls=2, per_minute=3
)


def placed(*legs: str, rules: TrunkRules = RULES, now: datetime = NOW) -> TrunkUse:
    use = TrunkUse("a")
    for leg in legs:
        use, _ = use.handle(Placed(leg), rules, now=now)
    return use


@pytest.mark.parametrize(
    ("number", "may"),
    [("+41441112233", True), ("+41900123456", False), ("+390612345", False), ("080012", True), ("112", False)],
)
def test_the_longest_beginning_decides_and_what_no_rule_names_is_not_rung(number: str, may: bool) -> None:
    assert RULES.allows(number) is may


def test_the_same_beginning_allowed_and_denied_is_denied() -> None:
    assert not replace(RULES, deny=("+41",)).allows("+41441112233")


def test_a_number_is_written_as_the_provider_wants_it() -> None:
    assert replace(RULES, plus="00").written("+41441112233") == "0041441112233"
    assert replace(RULES, plus="00").written("080012") == "080012"


@pytest.mark.parametrize(("passes", "caller", "shown"), [
    (False, "+390612345", "+41441234567"), (True, "+390612345", "+390612345"), (True, None, "+41441234567"),
])  # fmt: skip
def test_the_callers_number_is_shown_only_where_the_trunk_passes_it(
    passes: bool, caller: str | None, shown: str
) -> None:
    assert replace(RULES, pass_caller=passes).shows(caller) == shown


def test_so_many_at_once_and_a_call_that_ended_makes_room() -> None:
    use = placed("1", "2")
    assert use.refusal(RULES, now=NOW) == "calls"
    use, _ = use.handle(Ended("1"), RULES, now=NOW)
    assert use.refusal(RULES, now=NOW) is None


def test_so_many_a_minute_even_when_they_end_at_once() -> None:
    use = TrunkUse("a")
    for leg in "123":
        use, _ = use.handle(Placed(leg), RULES, now=NOW)
        use, _ = use.handle(Ended(leg), RULES, now=NOW)
    assert use.refusal(RULES, now=NOW + timedelta(seconds=59)) == "per_minute"
    assert use.refusal(RULES, now=NOW + timedelta(seconds=60)) is None


def test_so_many_a_day_and_midnight_begins_another() -> None:
    rules = replace(RULES, per_day=1)
    use, _ = placed("1", rules=rules).handle(Ended("1"), rules, now=NOW)
    assert use.refusal(rules, now=NOW) == "per_day"
    assert use.refusal(rules, now=NOW + timedelta(minutes=1)) is None


def test_a_call_that_lasts_too_long_is_taken_down_and_counted_until_it_is_over() -> None:
    use = placed("1")
    late = NOW + timedelta(seconds=RULES.longest_s)
    assert use.next_deadline == late
    assert use.handle(Tick(), RULES, now=late - timedelta(seconds=1))[1] == []
    use, effects = use.handle(Tick(), RULES, now=late)
    assert effects == [TakeDown("1")]
    assert [call.leg for call in use.calls] == ["1"]
    assert use.next_deadline is not None
    assert use.next_deadline > late


def test_the_first_trunk_that_may_ring_is_taken_and_one_that_does_not_answer_passed_over() -> None:
    other = replace(RULES, trunk="b")
    trunks = [(RULES, TrunkUse("a"), False), (other, TrunkUse("b"), True)]
    assert choose(trunks, "+41441112233", now=NOW) is other
    assert choose(trunks[:1], "+41441112233", now=NOW) == "trunk_down"
    assert choose(trunks, "+15550100", now=NOW) == "forbidden"
    assert choose([], "+41441112233", now=NOW) == "forbidden"
