"""The clocks of a ticket: what runs, what pauses, what is met, and why."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from callcenter.calendars.calendar import calendar
from tests.tickets.lives import HOUR, MINUTE, Life, always, office, policy
from tickets.model import Author, ClockRule, MessageKind, Policy, Step
from tickets.policies.clocks import NOTHING, open_readings
from tickets.policies.escalation import StepKey, pending_steps, raised

MONDAY, TUESDAY, FRIDAY, NEXT_MONDAY = "2026-03-02", "2026-03-03", "2026-03-06", "2026-03-09"


def test_a_new_ticket_runs_on_both_clocks() -> None:
    life = Life().opened(f"{MONDAY} 09:00")
    response, resolution = life.readings("10:00")
    assert (response.clock, response.state, response.elapsed) == ("first_response", "running", HOUR)
    assert (resolution.clock, resolution.state, resolution.due_at) == (
        "resolution",
        "running",
        life.moment(f"{FRIDAY} 13:00"),
    )


def test_due_time_is_the_same_whenever_it_is_asked_for() -> None:
    life = Life().opened(f"{FRIDAY} 16:30")
    due = life.moment(f"{NEXT_MONDAY} 11:30")
    times = (f"{FRIDAY} 16:30", "2026-03-07 12:00", f"{NEXT_MONDAY} 11:29", "2027-01-01 00:00")
    assert {life.response(at).due_at for at in times} == {due}


@pytest.mark.parametrize(("at", "state"), [("12:59", "running"), ("13:00", "running"), ("13:00:00.001", "breached")])
def test_a_clock_breaches_after_its_due_time(at: str, state: str) -> None:
    assert Life().opened(f"{MONDAY} 09:00").response(f"{MONDAY} {at}").state == state


@pytest.mark.parametrize(("at", "state"), [("13:00", "met"), ("13:01", "breached")])
def test_an_answer_decides_first_response(at: str, state: str) -> None:
    life = Life().opened(f"{MONDAY} 09:00").message(at)
    reading = life.response(f"{TUESDAY} 10:00")
    assert (reading.state, reading.is_closed) == (state, True)


@pytest.mark.parametrize(
    ("kind", "author", "connected"),
    [
        ("internal_note", "agent", False),
        ("public_reply", "automatic", False),
        ("public_reply", "customer", False),
        ("call", "agent", False),
        ("call", "automatic", True),
        ("system", "automatic", False),
        ("system", "agent", True),
    ],
)
def test_what_is_no_human_answer_satisfies_nothing(kind: MessageKind, author: Author, connected: bool) -> None:
    life = Life().opened(f"{MONDAY} 09:00").message("10:00", kind, author, connected=connected)
    assert life.response("11:00").state == "running"
    assert life.resolution("11:00").state == "running"


def test_a_connected_call_is_a_first_response() -> None:
    life = Life().opened(f"{MONDAY} 09:00").message("09:00", "call", connected=True)
    reading = life.response("17:00")
    assert (reading.state, reading.elapsed, reading.due_at) == ("met", NOTHING, life.moment("13:00"))


def test_a_pausing_status_stops_the_clock_and_hides_its_due_time() -> None:
    life = Life().opened(f"{MONDAY} 09:00").becomes("pending", "10:00")
    reading = life.resolution(f"{TUESDAY} 10:00")
    assert (reading.state, reading.due_at, reading.elapsed, reading.paused) == ("paused", None, HOUR, 9 * HOUR)


def test_a_pause_puts_the_due_time_off_by_its_business_time() -> None:
    life = Life().opened(f"{MONDAY} 09:00")
    before = life.resolution("09:30").due_at
    life.becomes("pending", "17:00").becomes("open", f"{TUESDAY} 10:00")
    assert before == life.moment(f"{FRIDAY} 13:00")
    assert life.resolution(f"{TUESDAY} 11:00").due_at == life.moment(f"{FRIDAY} 15:00")


def test_each_clock_pauses_by_its_own_statuses() -> None:
    life = Life().opened(f"{MONDAY} 09:00").becomes("pending", "10:00")
    assert life.resolution("12:00").state == "paused"
    assert (life.response("12:00").state, life.response("12:00").elapsed) == ("running", 3 * HOUR)


def test_what_is_breached_stays_so_in_a_pause() -> None:
    life = Life(policy=policy(resolution=60)).opened(f"{MONDAY} 09:00").becomes("pending", "11:00")
    reading = life.resolution(f"{TUESDAY} 12:00")
    assert (reading.state, reading.overdue) == ("breached", HOUR)


def test_a_higher_priority_keeps_what_has_elapsed() -> None:
    life = Life().opened(f"{MONDAY} 09:00").becomes("pending", "10:00").becomes("open", "12:00")
    life.priority("urgent", "13:00")
    reading = life.resolution("13:00")
    assert (reading.elapsed, reading.paused, reading.target) == (2 * HOUR, 2 * HOUR, 10 * HOUR)
    assert reading.due_at == life.moment(f"{TUESDAY} 12:00")


def test_a_priority_may_be_breached_the_moment_it_is_given() -> None:
    life = Life().opened(f"{MONDAY} 09:00").priority("urgent", "11:00")
    reading = life.response("11:00")
    assert (reading.state, reading.due_at) == ("breached", life.moment("10:00"))


def test_another_policy_judges_the_time_from_then_on_only() -> None:
    strict = policy("strict", pausing=(), resolution=300)
    life = Life().opened(f"{MONDAY} 09:00").becomes("pending", "10:00").terms(strict, "12:00")
    reading = life.resolution("13:00")
    assert (reading.elapsed, reading.paused, reading.due_at) == (2 * HOUR, 2 * HOUR, life.moment("16:00"))


def test_another_calendar_counts_the_time_from_then_on_only() -> None:
    life = Life().opened(f"{MONDAY} 17:00").terms(policy(), "20:00", always())
    reading = life.response(f"{MONDAY} 21:00")
    assert (reading.elapsed, reading.due_at) == (2 * HOUR, life.moment("23:00"))


def test_without_a_policy_there_is_no_clock() -> None:
    life = Life().opened(f"{MONDAY} 09:00").terms(None, "10:00")
    assert life.readings("17:00") == ()


def test_time_without_a_policy_does_not_count() -> None:
    life = Life().opened(f"{MONDAY} 09:00").terms(None, "10:00").terms(policy(), "12:00")
    assert (life.response("13:00").elapsed, life.response("13:00").paused) == (2 * HOUR, NOTHING)


def test_a_priority_without_a_target_has_no_clock() -> None:
    assert not Life().opened(f"{MONDAY} 09:00", "low").has("resolution", "10:00")


def test_reopening_starts_a_new_cycle_and_the_gap_is_nobodys() -> None:
    life = Life().opened(f"{MONDAY} 09:00").becomes("resolved", "11:00").becomes("open", f"{TUESDAY} 09:00")
    first, second = life.resolution("10:00", 1), life.resolution("10:00", 2)
    assert (first.state, first.elapsed, first.closed_at) == ("met", 2 * HOUR, life.moment(f"{MONDAY} 11:00"))
    assert (second.state, second.elapsed, second.started_at) == ("running", HOUR, life.moment(f"{TUESDAY} 09:00"))
    assert [one.category for one in life.response("10:00").intervals] == ["counted", "gap", "counted"]
    assert life.response("10:00").elapsed == 3 * HOUR


def test_an_unanswered_ticket_that_is_resolved_stands_still() -> None:
    life = Life().opened(f"{MONDAY} 09:00").becomes("resolved", "10:00").becomes("closed", "12:00")
    reading = life.response(f"{FRIDAY} 10:00")
    assert (reading.state, reading.due_at, reading.elapsed, reading.standing) == ("paused", None, HOUR, "gap")


def test_closing_without_resolving_ends_the_clock_too() -> None:
    life = Life().opened(f"{MONDAY} 09:00").becomes("closed", "10:00")
    assert life.resolution("12:00").state == "met"


def test_a_verdict_outlives_everything_that_comes_after() -> None:
    life = Life().opened(f"{MONDAY} 09:00").message("12:00").becomes("resolved", f"{TUESDAY} 10:00")
    before = life.readings(f"{TUESDAY} 10:00")
    life.priority("urgent", f"{TUESDAY} 11:00").terms(policy("strict", response=1, resolution=1), "12:00")
    life.becomes("open", "13:00").message("14:00").becomes("pending", "15:00").terms(None, "16:00")
    assert life.readings("2028-01-01 00:00")[:2] == before


def test_history_after_now_is_not_looked_at() -> None:
    life = Life().opened(f"{MONDAY} 09:00").becomes("pending", "10:00").becomes("open", "16:00")
    assert life.resolution("11:00").state == "paused"
    assert life.readings("08:59") == ()


def test_an_explanation_lists_each_counted_and_each_paused_interval() -> None:
    life = Life(calendar=office("Europe/Rome", [(540, 780), (840, 1080)])).opened(f"{MONDAY} 12:00")
    life.becomes("pending", "15:00").becomes("open", f"{TUESDAY} 10:00")
    lines = [
        (one.category, one.status, one.start, one.end, one.business, one.calendar, one.policy)
        for one in life.resolution(f"{TUESDAY} 11:00").intervals
    ]
    at = life.moment
    paused_until, until = at(f"{TUESDAY} 10:00"), at(f"{TUESDAY} 11:00")
    assert lines == [
        ("counted", "new", at(f"{MONDAY} 12:00"), at("13:00"), HOUR, "office", "standard"),
        ("counted", "new", at("14:00"), at("15:00"), HOUR, "office", "standard"),
        ("paused", "pending", at("15:00"), paused_until, 4 * HOUR, "office", "standard"),
        ("counted", "open", paused_until, until, HOUR, "office", "standard"),
    ]


def test_an_explanation_is_not_cut_where_nothing_changes() -> None:
    life = Life(calendar=always()).opened(f"{MONDAY} 09:00").priority("urgent", "10:00")
    (line,) = life.resolution(f"{TUESDAY} 09:00").intervals
    assert line.business == 24 * HOUR


def test_a_calendar_that_never_opens_again_makes_nothing_due() -> None:
    last = calendar("last", "UTC", {}, {date(2026, 3, 2): [(540, 600)]})
    reading = Life(calendar=last, zone=ZoneInfo("UTC")).opened(f"{MONDAY} 09:00").response("2026-12-31 00:00")
    assert (reading.state, reading.due_at, reading.elapsed) == ("running", None, HOUR)


def test_steps_fall_due_before_at_and_after_the_due_time_in_business_time() -> None:
    steps = (Step("warn", -60), Step("overdue"), Step("again", 120))
    life = Life(policy=policy(steps=steps)).opened(f"{MONDAY} 16:00")
    assert dict(life.response("16:30").steps) == {
        "warn": life.moment(f"{TUESDAY} 10:00"),
        "overdue": life.moment(f"{TUESDAY} 11:00"),
        "again": life.moment(f"{TUESDAY} 13:00"),
    }


def test_steps_that_have_fired_or_whose_clock_is_closed_are_not_pending() -> None:
    life = Life().opened(f"{MONDAY} 09:00")
    keys = [step.key for step in pending_steps(life.readings("10:00"), ())]
    assert keys == [("first_response", 1, "overdue"), ("resolution", 1, "overdue")]
    assert [step.key for step in pending_steps(life.readings("10:00"), {keys[0]})] == [keys[1]]
    life.message("11:00")
    assert [step.key for step in pending_steps(life.readings("11:00"), ())] == [keys[1]]


def test_a_pause_puts_steps_off_and_resolving_cancels_them() -> None:
    life = Life(policy=policy(response=60)).opened(f"{MONDAY} 09:00").becomes("pending", "10:30")
    assert [step.clock for step in pending_steps(life.readings("11:00"), ())] == ["first_response"]
    life.becomes("resolved", "12:00")
    assert pending_steps(life.readings("13:00"), ()) == []


def test_a_new_cycle_has_its_own_steps() -> None:
    life = Life().opened(f"{MONDAY} 09:00").message("09:30").becomes("resolved", "11:00").becomes("open", "12:00")
    fired: set[StepKey] = {("resolution", 1, "overdue")}
    assert [step.key for step in pending_steps(life.readings("13:00"), fired)] == [("resolution", 2, "overdue")]


def test_open_readings_are_those_that_can_still_be_missed() -> None:
    life = Life().opened(f"{MONDAY} 09:00").message("10:00").becomes("resolved", "11:00").becomes("open", "12:00")
    assert {clock: reading.cycle for clock, reading in open_readings(life.readings("13:00")).items()} == {
        "resolution": 2
    }


def test_an_escalation_never_lowers_a_priority() -> None:
    assert (raised("low", "high"), raised("urgent", "high"), raised("normal", None)) == ("high", "urgent", "normal")


def test_equal_policies_have_equal_versions() -> None:
    twin = Policy("standard", "office", {"resolution": ClockRule({"urgent": 1, "normal": 2})})
    same = Policy("standard", "office", {"resolution": ClockRule({"normal": 2, "urgent": 1})})
    other = Policy("standard", "office", {"resolution": ClockRule({"normal": 3, "urgent": 1})})
    assert twin.version == same.version != other.version


def test_a_minute_is_a_minute_over_midnight() -> None:
    life = Life(calendar=always("Europe/Rome")).opened(f"{MONDAY} 23:59")
    assert life.response(f"{TUESDAY} 00:01").elapsed == 2 * MINUTE
