"""Bugs that other ticket systems had, each as a life that went wrong there (tickets.md section 6)."""

from zoneinfo import ZoneInfo

import pytest

from callcenter.calendars.calendar import calendar
from tests.tickets.lives import HOUR, MINUTE, Life, always, office, policy
from tickets.policies.clocks import NOTHING
from tickets.policies.escalation import pending_steps

MONDAY, TUESDAY, FRIDAY, SATURDAY = "2026-03-02", "2026-03-03", "2026-03-06", "2026-03-07"
NEXT_MONDAY = "2026-03-09"


def test_a_whole_day_has_24_hours_and_no_minute_is_lost_at_midnight() -> None:
    """Zammad 3180: 00:00-23:59 lost a minute a day."""
    life = Life(calendar=always("Europe/Rome")).opened(f"{MONDAY} 09:00")
    assert life.resolution(f"{TUESDAY} 09:00").elapsed == 24 * HOUR


def test_nothing_is_due_any_more_once_the_agent_has_replied() -> None:
    """Zammad 3140: escalated though the agent had replied last."""
    life = Life().opened(f"{MONDAY} 09:00").message("09:30").message("10:00", author="customer").message("10:30")
    steps = pending_steps(life.readings(f"{FRIDAY} 10:00"), ())
    assert [step.clock for step in steps] == ["resolution"]


def test_taking_a_policy_away_leaves_nothing_escalated() -> None:
    """Zammad 4353: tickets stayed escalated when the SLA was switched off."""
    life = Life().opened(f"{MONDAY} 09:00").terms(None, f"{TUESDAY} 09:00")
    assert pending_steps(life.readings(f"{FRIDAY} 09:00"), ()) == []


def test_a_ticket_that_ended_before_its_time_does_not_escalate() -> None:
    """Zammad 904: a merged ticket escalated. Until tickets can be merged, closing is how they end."""
    life = Life().opened(f"{MONDAY} 09:00").becomes("closed", "10:00")
    assert pending_steps(life.readings(f"{FRIDAY} 09:00"), ()) == []


def test_business_hours_count_and_others_do_not() -> None:
    """Chatwoot PR 13392: hours were ignored; osTicket 1168: only the wall clock counted."""
    life = Life().opened(f"{FRIDAY} 17:00")
    assert life.response(f"{NEXT_MONDAY} 09:00").elapsed == HOUR
    assert life.response(f"{NEXT_MONDAY} 09:00").due_at == life.moment(f"{NEXT_MONDAY} 12:00")


def test_first_response_does_not_run_on_a_resolved_ticket() -> None:
    """Chatwoot 10178: a response clock ran on after the resolve."""
    life = Life().opened(f"{MONDAY} 09:00").becomes("resolved", "10:00")
    assert life.response(f"{FRIDAY} 09:00").state == "paused"
    assert life.response(f"{FRIDAY} 09:00").elapsed == HOUR


def test_a_split_shift_pauses_for_lunch() -> None:
    """Chatwoot 14009, ERPNext 2212: one interval a day, so that lunch was worked."""
    life = Life(calendar=office("Europe/Rome", [(540, 780), (840, 1080)])).opened(f"{MONDAY} 12:00")
    assert life.response("15:00").elapsed == 2 * HOUR
    assert life.response("15:00").due_at == life.moment("17:00")


def test_how_late_it_was_does_not_grow_after_the_resolve() -> None:
    """Chatwoot PR 15024: the breach's duration grew on."""
    life = Life(policy=policy(resolution=60)).opened(f"{MONDAY} 09:00").becomes("resolved", "11:00")
    assert {life.resolution(at).overdue for at in ("11:00", "17:00", f"{FRIDAY} 17:00")} == {HOUR}


def test_time_on_hold_is_not_counted() -> None:
    """Frappe 1554: the pause was ignored."""
    life = Life().opened(f"{MONDAY} 09:00").becomes("on_hold", "10:00").becomes("open", "12:00")
    assert life.resolution("13:00").elapsed == 2 * HOUR


def test_one_reply_fulfils_one_clock() -> None:
    """Frappe 1542: a reply fulfilled resolution as well."""
    life = Life().opened(f"{MONDAY} 09:00").message("10:00")
    assert (life.response("11:00").state, life.resolution("11:00").state) == ("met", "running")


def test_a_hold_over_holidays_adds_no_business_time() -> None:
    """ERPNext PR 2449: hold time was added by the wall clock; GLPI 10594: weekends counted in a pause."""
    life = Life(calendar=office("Europe/Rome", [(540, 1080)], NEXT_MONDAY)).opened(f"{FRIDAY} 16:00")
    life.becomes("on_hold", "17:00").becomes("open", "2026-03-10 10:00")
    reading = life.resolution("10:00")
    assert (reading.elapsed, reading.paused) == (HOUR, 2 * HOUR)
    assert reading.due_at == life.moment("2026-03-16 13:00")


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata", "Europe/Rome"])
def test_no_ticket_is_late_at_its_creation_in_any_zone(zone: str) -> None:
    """ERPNext PR 38745: failed at creation by a mix of zones."""
    life = Life(calendar=office(zone), policy=policy(response=1)).opened(f"{MONDAY} 00:30")
    assert life.response("00:30").state == "running"
    assert life.response("00:30").elapsed == NOTHING


def test_nothing_is_overdue_while_the_customer_is_waited_for() -> None:
    """osTicket 1684, GLPI 24481: overdue in a waiting status."""
    life = Life().opened(f"{MONDAY} 09:00").becomes("pending", "10:00")
    reading = life.resolution("2026-06-01 12:00")
    assert (reading.state, reading.due_at, reading.overdue) == ("paused", None, NOTHING)


def test_another_policy_remembers_the_accumulated_pause() -> None:
    """GLPI 6902: a new SLA forgot it."""
    life = Life().opened(f"{MONDAY} 09:00").becomes("pending", "10:00").becomes("open", "15:00")
    life.terms(policy("other", resolution=480), "16:00")
    reading = life.resolution("16:00")
    assert (reading.elapsed, reading.paused) == (2 * HOUR, 5 * HOUR)
    assert reading.due_at == life.moment(f"{TUESDAY} 13:00")


def test_a_span_of_days_falls_due_in_the_day_and_not_at_midnight() -> None:
    """GLPI PR 22678: a step fired at 00:00."""
    (_, step) = pending_steps(Life().opened(f"{MONDAY} 11:20").readings("12:00"), ())
    assert step.at == Life().moment(f"{FRIDAY} 15:20")


def test_what_happens_in_the_hour_that_autumn_repeats_is_in_its_order() -> None:
    """A zone's wall clock shows 02:30 twice; both hours are worked in a calendar that is open at night."""
    night = calendar("night", "Europe/Rome", {6: [(60, 240)]})
    life = Life(calendar=night, zone=ZoneInfo("UTC")).opened("2026-10-25 00:00")  # 02:00 summer time
    assert life.response("01:30").elapsed == 90 * MINUTE
