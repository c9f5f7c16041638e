"""Clocks over clock changes and leap days, against a wall clock that is looked at minute by minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.calendars.calendar import Calendar, calendar
from tests.tickets.lives import MINUTE, Life, policy
from tickets.facts import Opened, StatusChanged
from tickets.model import Status
from tickets.policies.clocks import Reading, read_clocks

ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia")
# Days whose night changes the clock somewhere, a leap day, and the day that Samoa left out.
DAYS = ("2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2028-02-28", "2011-12-29")
STATUSES: tuple[Status, ...] = ("open", "pending", "on_hold")


@st.composite
def shifts(draw: st.DrawFn) -> Calendar:
    """Up to two intervals on every day of the week, midnight and 24:00 included."""
    marks = sorted(draw(st.sets(st.integers(0, 96), min_size=2, max_size=4)))
    pairs = list(zip(marks[::2], marks[1::2], strict=False))
    hours = [(start * 15, end * 15) for start, end in pairs]
    return calendar("shifts", draw(st.sampled_from(ZONES)), dict.fromkeys(range(7), hours))


@st.composite
def lives(draw: st.DrawFn) -> tuple[Life, datetime]:
    """A ticket with some status changes, at whole minutes within about two days, and when to look."""
    shift = draw(shifts())
    start = datetime.fromisoformat(draw(st.sampled_from(DAYS))).replace(tzinfo=UTC)
    minutes = sorted(draw(st.lists(st.integers(0, 2400), min_size=2, max_size=6)))
    life = Life(calendar=shift, policy=policy(resolution=draw(st.integers(1, 900))))
    opened = Opened(start + minutes[0] * MINUTE, "new", "normal", life.hold(life.policy, shift))
    changes = [StatusChanged(start + at * MINUTE, draw(st.sampled_from(STATUSES))) for at in minutes[1:-1]]
    life.facts = [opened, *changes]
    return life, start + minutes[-1] * MINUTE


def looked_at(life: Life, until: datetime) -> tuple[int, int]:
    """(counted minutes, paused minutes) by looking at every minute."""
    zone, counted, paused = ZoneInfo(life.calendar.zone), 0, 0
    at = life.facts[0].at
    while at < until:
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        is_open = any(start <= minute < end for start, end in life.calendar.weekly[local.weekday()])
        status = [fact.status for fact in life.facts if isinstance(fact, Opened | StatusChanged) and fact.at <= at][
            -1
        ]
        waits = status in {"pending", "on_hold"}
        counted += is_open and not waits
        paused += is_open and waits
        at += MINUTE
    return counted, paused


def resolution(life: Life, now: datetime) -> Reading:
    (found,) = (one for one in readings(life, now) if one.clock == "resolution")
    return found


def readings(life: Life, now: datetime) -> tuple[Reading, ...]:
    return read_clocks(life.facts, life.rules, now=now)


@settings(max_examples=80)
@given(lives())
def test_elapsed_and_paused_are_what_a_wall_clock_shows(drawn: tuple[Life, datetime]) -> None:
    life, now = drawn
    reading = resolution(life, now)
    assert (reading.elapsed, reading.paused) == tuple(minutes * MINUTE for minutes in looked_at(life, now))


@settings(max_examples=80)
@given(lives())
def test_due_is_when_the_target_has_elapsed_and_breached_is_later(drawn: tuple[Life, datetime]) -> None:
    life, now = drawn
    reading = resolution(life, now)
    due = reading.due_at
    assert due is None or resolution(life, due).elapsed == reading.target
    assert (reading.state == "breached") is (due is not None and due < now)
    assert reading.state == "breached" or reading.elapsed <= reading.target
    assert reading.state != "breached" or reading.elapsed >= reading.target


@settings(max_examples=60)
@given(lives(), st.integers(1, 10_000))
def test_a_later_look_never_takes_back_what_was_counted(drawn: tuple[Life, datetime], later: int) -> None:
    life, now = drawn
    first, second = readings(life, now), readings(life, now + timedelta(minutes=later))
    for before, after in zip(first, second, strict=True):
        assert after.elapsed >= before.elapsed
        assert after.paused >= before.paused
        assert before.due_at in (None, after.due_at)
        assert (before.state, after.state) != ("breached", "running")


@settings(max_examples=60)
@given(lives())
def test_an_explanation_adds_up_and_is_in_order(drawn: tuple[Life, datetime]) -> None:
    life, now = drawn
    for reading in readings(life, now):
        ends = [moment for one in reading.intervals for moment in (one.start, one.end)]
        assert ends == sorted(ends)
        by_category = {
            category: sum((one.business for one in reading.intervals if one.category == category), timedelta())
            for category in ("counted", "paused")
        }
        assert by_category == {"counted": reading.elapsed, "paused": reading.paused}
