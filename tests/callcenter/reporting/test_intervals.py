"""What visits and spans add to the quarter hours."""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from callcenter.reporting.intervals import INTERVAL, Facts, Key, facts_of, start_of
from callcenter.reporting.measures import NAMES, Measures, total
from callcenter.reporting.metrics import SERVICE_LEVELS
from callcenter.reporting.visits import Span, Visit

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
FAR = NINE + timedelta(days=1)


def at(seconds: float) -> datetime:
    return NINE + timedelta(milliseconds=round(seconds * 1000))


def stay(
    entry: str = "e1", came: float = 0, left: float | None = None, outcome: str | None = None, **more: object
) -> Visit:
    visit = Visit(entry, f"c-{entry}", "billing", at(came))
    if left is not None:
        visit.left_at, visit.outcome, visit.wait_ms = at(left), outcome, round((left - came) * 1000)
    for name, value in more.items():
        setattr(visit, name, value)
    return visit


def quarter(number: int, kind: str = "queue", name: str = "billing") -> Key:
    return Key(NINE + number * INTERVAL, kind, name)  # type: ignore[arg-type]  # a parameter is no literal


def counted(facts: Facts, key: Key) -> dict[str, int]:
    return {name: value for name in NAMES if (value := getattr(facts.get(key, Measures()), name))}


def test_the_golden_case_out_of_a_hundred_stays() -> None:
    in_time = [stay(f"a{n}", n, n + 10, "answered") for n in range(70)]
    gone = [stay(f"b{n}", n, n + 8, "abandoned") for n in range(10)]
    late = [stay(f"c{n}", n) for n in range(20)]
    now = facts_of([*in_time, *gone, *late], [], now=at(60))[quarter(0)]
    levels = {name: formula(now) for name, formula in SERVICE_LEVELS.items()}
    assert levels["sl_ignore_abandons"] == 70 / 90
    assert levels["sl_abandons_negative"] == 0.7
    assert levels["sl_abandons_positive"] == 0.8
    later = [stay(f"c{n}", n, 100 + n, "answered") for n in range(20)]
    then = facts_of([*in_time, *gone, *later], [], now=FAR)[quarter(0)]
    levels = {name: formula(then) for name, formula in SERVICE_LEVELS.items()}
    assert levels["sl_answered"] == 70 / 90
    assert levels["sl_sl2"] == levels["sl_queue"] == 0.8


def test_a_late_caller_counts_where_his_time_was_over_and_is_answered_where_he_was_answered() -> None:
    facts = facts_of([stay(came=890, left=1000, outcome="answered")], [], now=FAR)
    assert counted(facts, quarter(0)) == {"entered": 1, "longest_wait_ms": 10_000}
    assert counted(facts, quarter(1)) == {
        "queued": 1,
        "offered": 1,
        "answered": 1,
        "wait_ms": 110_000,
        "longest_wait_ms": 110_000,
    }


def test_whoever_took_a_callback_in_time_was_queued_and_not_offered() -> None:
    facts = facts_of([stay(left=15, outcome="callback"), stay("e2", left=12, outcome="overflowed")], [], now=FAR)
    assert counted(facts, quarter(0)) == {
        "entered": 2,
        "queued": 2,
        "callbacks": 1,
        "callbacks_in_time": 1,
        "overflowed": 1,
        "longest_wait_ms": 15_000,
    }


def test_who_was_moved_or_came_back_has_waited_for_as_long_as_his_answer_counts() -> None:
    """He began at 600, came in at 910 and was answered at 925: in all 325 s, fifteen of them here."""
    visit = stay(came=910, left=925, outcome="answered", since=at(600), wait_ms=325_000)
    facts = facts_of([visit], [], now=FAR)
    assert counted(facts, quarter(0)) == {}
    assert counted(facts, quarter(1)) == {
        "entered": 1,
        "queued": 1,
        "offered": 1,
        "answered": 1,
        "wait_ms": 325_000,
        "longest_wait_ms": 325_000,
    }
    waits = facts_of([stay(came=910, since=at(600))], [], now=at(911))
    assert counted(waits, quarter(1)) == {"entered": 1, "queued": 1, "offered": 1, "longest_wait_ms": 311_000}


def test_who_is_answered_with_the_stroke_of_the_quarter_has_waited_in_the_one_that_counts_him() -> None:
    facts = facts_of([stay(came=870, left=900, outcome="answered")], [], now=FAR)
    assert [facts[quarter(n)].longest_wait_ms for n in (0, 1)] == [30_000, 30_000]
    assert facts[quarter(1)].wait_ms == 30_000


def test_an_abandon_sooner_than_six_seconds_is_short() -> None:
    facts = facts_of([stay(left=5.999, outcome="abandoned"), stay("e2", left=6, outcome="abandoned")], [], now=FAR)
    assert facts[quarter(0)].abandoned == 2
    assert facts[quarter(0)].abandoned_short == 1


def test_a_caller_counts_for_each_of_his_skills_and_the_agent_who_had_him() -> None:
    visit = stay(left=4, outcome="answered", skills=("billing", "chinese"), agent="ann", talk_ms=60_000)
    visit.wrap_ms, visit.handled_at = 5_000, at(70)
    facts = facts_of([visit], [], now=FAR)
    assert counted(facts, quarter(0, "skill", "chinese")) == counted(facts, quarter(0))
    assert counted(facts, quarter(0, "agent", "ann")) == {
        "answered": 1,
        "answered_in_time": 1,
        "wait_ms": 4_000,
        "handled": 1,
        "talk_ms": 60_000,
        "wrap_ms": 5_000,
    }


def test_of_a_callback_only_the_handling_counts_again() -> None:
    called = stay("e2", came=600, left=700, outcome="answered", agent="ann", talk_ms=30_000, callback=True)
    called.handled_at = at(730)
    facts = facts_of([stay(left=15, outcome="callback"), called], [], now=FAR)
    assert counted(facts, quarter(0)) == {
        "entered": 1,
        "queued": 1,
        "callbacks": 1,
        "callbacks_in_time": 1,
        "longest_wait_ms": 15_000,
        "handled": 1,
        "talk_ms": 30_000,
    }
    assert counted(facts, quarter(0, "agent", "ann")) == {"handled": 1, "talk_ms": 30_000}


def test_an_agents_time_is_shared_out_over_its_quarters() -> None:
    span = Span("ann", at(600), "available", until=at(2_000))
    facts = facts_of([], [span], now=FAR)
    times = [facts[quarter(n, "agent", "ann")].idle_time_ms for n in range(3)]
    assert times == [300_000, 900_000, 200_000]


def test_an_offer_counts_where_it_was_made_and_its_result_where_it_ended() -> None:
    span = Span("ann", at(890), "reserved", until=at(910), result="timed_out")
    facts = facts_of([], [span], now=FAR)
    assert counted(facts, quarter(0, "agent", "ann")) == {"offers": 1, "ring_time_ms": 10_000}
    assert counted(facts, quarter(1, "agent", "ann")) == {"missed": 1, "ring_time_ms": 10_000}


# -- what holds for all of them --------------------------------------------------------------------------------------

MOMENTS = st.integers(0, 5_000_000).map(lambda ms: NINE + timedelta(milliseconds=ms))
LENGTHS = st.integers(0, 2_000_000)
OUTCOMES = st.sampled_from(["answered", "abandoned", "callback", "overflowed", "transferred", "failed"])


@st.composite
def stays(draw: st.DrawFn) -> Visit:
    queued_at, wait_ms, outcome = draw(MOMENTS), draw(LENGTHS), draw(OUTCOMES)
    visit = Visit(str(draw(st.integers())), "c", draw(st.sampled_from("xy")), queued_at, ("s",))
    visit.left_at, visit.wait_ms, visit.outcome = queued_at + timedelta(milliseconds=wait_ms), wait_ms, outcome
    brought_ms = draw(st.none() | LENGTHS)
    if brought_ms is not None:
        visit.since, visit.wait_ms = queued_at - timedelta(milliseconds=brought_ms), wait_ms + brought_ms
    if outcome == "answered":
        visit.agent, visit.talk_ms, visit.wrap_ms = "ann", draw(LENGTHS), draw(LENGTHS)
        visit.handled_at = visit.left_at + timedelta(milliseconds=visit.talk_ms + visit.wrap_ms)
    return visit


@st.composite
def spans(draw: st.DrawFn) -> Span:
    since = draw(MOMENTS)
    state = draw(st.sampled_from(["available", "reserved", "on_contact", "wrap_up", "not_ready"]))
    result = draw(st.sampled_from(["accepted", "timed_out", "rescinded"])) if state == "reserved" else None
    return Span("ann", since, state, until=since + timedelta(milliseconds=draw(LENGTHS)), result=result)


def as_of(visit: Visit, now: datetime) -> Visit:
    """The visit as it was known at `now`."""
    known = Visit(visit.entry, visit.contact, visit.queue, visit.queued_at, visit.skills, since=visit.since)
    if visit.left_at is not None and visit.left_at <= now:
        known.left_at, known.outcome, known.wait_ms = visit.left_at, visit.outcome, visit.wait_ms
        known.agent = visit.agent
    if visit.handled_at is not None and visit.handled_at <= now:
        known.handled_at, known.talk_ms, known.wrap_ms = visit.handled_at, visit.talk_ms, visit.wrap_ms
    return known


@given(st.lists(stays(), max_size=8), st.lists(spans(), max_size=8), st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_taken_does_not_matter(
    visits: list[Visit], done: list[Span], random: Random
) -> None:
    facts = facts_of(visits, done, now=FAR)
    random.shuffle(visits)
    random.shuffle(done)
    assert facts_of(visits, done, now=FAR) == facts


@given(st.lists(stays(), max_size=8), st.lists(stays(), max_size=8))
def test_facts_of_two_halves_add_up_to_those_of_the_whole(one: list[Visit], other: list[Visit]) -> None:
    whole, first, second = (facts_of(visits, [], now=FAR) for visits in (one + other, one, other))
    assert whole.keys() == first.keys() | second.keys()
    for key, measures in whole.items():
        assert total(part[key] for part in (first, second) if key in part) == measures


@given(st.lists(stays(), max_size=8), st.lists(spans(), max_size=8))
def test_intervals_add_up_to_the_day(visits: list[Visit], done: list[Span]) -> None:
    facts = facts_of(visits, done, now=FAR)
    of_queues = total(measures for key, measures in facts.items() if key.kind == "queue")
    assert of_queues.entered == of_queues.queued == len(visits)
    left = ("answered", "abandoned", "callbacks", "overflowed", "transferred", "failed")
    assert sum(getattr(of_queues, name) for name in left) == len(visits)
    assert of_queues.wait_ms == sum(visit.wait_ms for visit in visits if visit.outcome == "answered")
    of_agents = total(measures for key, measures in facts.items() if key.kind == "agent")
    lasted = sum((span.until - span.since for span in done if span.until), timedelta())
    assert of_agents.logged_in_time_ms == lasted / timedelta(milliseconds=1)


@given(st.lists(stays(), max_size=8), MOMENTS)
def test_no_fact_of_an_interval_that_is_over_ever_changes(visits: list[Visit], now: datetime) -> None:
    known = facts_of([as_of(visit, now) for visit in visits if visit.queued_at <= now], [], now=now)
    final = facts_of(visits, [], now=FAR)
    over = start_of(now)
    assert {key: fact for key, fact in known.items() if key.start < over} == {
        key: fact for key, fact in final.items() if key.start < over
    }


@given(st.lists(stays(), min_size=1, max_size=8))
def test_nobody_was_answered_after_a_longer_wait_than_the_longest(visits: list[Visit]) -> None:
    for key, measures in facts_of(visits, [], now=FAR).items():
        if key.kind != "agent":
            assert measures.wait_ms <= measures.answered * measures.longest_wait_ms


@given(st.lists(stays(), max_size=8))
def test_a_service_level_is_between_none_and_all(visits: list[Visit]) -> None:
    for measures in facts_of(visits, [], now=FAR).values():
        for name in ("sl_ignore_abandons", "sl_abandons_negative", "sl_abandons_positive", "sl_queue"):
            level = SERVICE_LEVELS[name](measures)
            assert level is None or 0 <= level <= 1
