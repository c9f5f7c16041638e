"""When chores are due."""

from datetime import UTC, datetime, timedelta

from callcenter.app.chores import FAILED_AGAIN, Schedule

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
BOTH = Schedule({"relay": HOUR / 60, "journal": HOUR})


def done(schedule: Schedule, *, now: datetime) -> Schedule:
    for name in schedule.ready(now=now):
        schedule = schedule.begun(name, now=now)
    return schedule


def test_everything_is_due_at_the_start() -> None:
    assert BOTH.ready(now=NOW) == ["relay", "journal"]
    assert BOTH.next_deadline(now=NOW) == NOW


def test_each_is_due_again_after_its_own_time() -> None:
    schedule = done(BOTH, now=NOW)
    assert schedule.ready(now=NOW + HOUR / 60 - SECOND) == []
    assert schedule.next_deadline(now=NOW) == NOW + HOUR / 60
    assert schedule.ready(now=NOW + HOUR / 60) == ["relay"]
    assert schedule.ready(now=NOW + HOUR) == ["relay", "journal"]


def test_what_is_asked_for_is_due_at_once_and_only_once() -> None:
    schedule = done(BOTH, now=NOW).asked("relay", now=NOW + SECOND).asked("relay", now=NOW + 2 * SECOND)
    assert schedule.ready(now=NOW + 2 * SECOND) == ["relay"]
    assert done(schedule, now=NOW + 2 * SECOND).ready(now=NOW + 3 * SECOND) == []


def test_who_asks_while_it_is_under_way_gets_it_once_more() -> None:
    schedule = done(BOTH, now=NOW).asked("journal", now=NOW)
    assert schedule.ready(now=NOW) == ["journal"]


def test_what_failed_is_due_again_soon_but_never_later_than_it_would_have_been() -> None:
    schedule = done(BOTH, now=NOW)
    assert schedule.failed("journal", now=NOW).ready(now=NOW + FAILED_AGAIN) == ["journal"]
    asked = schedule.asked("relay", now=NOW).failed("relay", now=NOW + SECOND)
    assert asked.ready(now=NOW + SECOND) == ["relay"]
