"""Business time over clock changes, midnights and leap days, against a clock that is read minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.calendars import Calendar, CalendarInvalid, NoOpenTime
from callcenter.calendars.calendar import calendar

ROME = ZoneInfo("Europe/Rome")
MINUTE = timedelta(minutes=1)
NINE_TO_SIX = [(9 * 60, 18 * 60)]


def office(zone: str = "Europe/Rome", **exceptions: list[tuple[int, int]]) -> Calendar:
    dated = {date.fromisoformat(day.removeprefix("d").replace("_", "-")): hours for day, hours in exceptions.items()}
    return calendar("office", zone, dict.fromkeys(range(5), NINE_TO_SIX), dated)


def always(zone: str) -> Calendar:
    return calendar("always", zone, {day: [(0, 1440)] for day in range(7)})


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


def test_an_interval_holds_its_first_instant_and_not_its_last() -> None:
    assert office().is_open(rome("2026-03-02T09:00"))
    assert office().is_open(rome("2026-03-02T17:59:59.999999"))
    assert not office().is_open(rome("2026-03-02T18:00"))
    assert not office().is_open(rome("2026-03-02T08:59:59.999999"))


def test_a_day_may_end_at_24_and_the_next_begin_at_0_without_a_gap() -> None:
    night = calendar("night", "Europe/Rome", {0: [(22 * 60, 1440)], 1: [(0, 6 * 60)]})
    assert night.is_open(rome("2026-03-02T23:59:59"))
    assert night.is_open(rome("2026-03-03T00:00"))
    assert night.business_seconds_between(rome("2026-03-02T12:00"), rome("2026-03-03T12:00")) == 8 * 3600


def test_a_split_shift_is_closed_at_noon() -> None:
    split = calendar("split", "Europe/Rome", {0: [(540, 780), (840, 1080)]})
    assert not split.is_open(rome("2026-03-02T13:00"))
    assert split.next_open(rome("2026-03-02T13:00")) == rome("2026-03-02T14:00")


def test_an_exception_replaces_the_whole_day_or_a_part_of_it() -> None:
    holiday = office(d2026_12_24=[(540, 720)], d2026_12_25=[])
    assert holiday.business_seconds_between(rome("2026-12-24T00:00"), rome("2026-12-26T00:00")) == 3 * 3600
    assert holiday.next_open(rome("2026-12-24T12:00")) == rome("2026-12-28T09:00")


def test_an_exception_opens_a_day_that_is_closed_every_week() -> None:
    assert office(d2026_03_01=[(600, 660)]).is_open(rome("2026-03-01T10:30"))


def test_time_is_added_over_night_and_weekend() -> None:
    friday = rome("2026-03-06T17:00")
    assert office().add_business_seconds(friday, 2 * 3600) == rome("2026-03-09T10:00")
    assert office().add_business_seconds(friday, 3600) == rome("2026-03-06T18:00")


def test_the_hour_that_spring_skips_is_never_worked() -> None:
    night = calendar("night", "Europe/Rome", {6: [(60, 240)]})  # Sundays 01:00 to 04:00
    assert night.business_seconds_between(rome("2026-03-29T00:00"), rome("2026-03-29T12:00")) == 2 * 3600


def test_the_hour_that_autumn_repeats_is_worked_twice() -> None:
    night = calendar("night", "Europe/Rome", {6: [(60, 240)]})
    assert night.business_seconds_between(rome("2026-10-25T00:00"), rome("2026-10-25T12:00")) == 4 * 3600


def test_an_interval_inside_the_repeated_hour_is_open_twice() -> None:
    quarter = calendar("quarter", "Europe/Rome", {6: [(150, 165)]})  # 02:30 to 02:45
    first, second = datetime(2026, 10, 25, 0, 35, tzinfo=UTC), datetime(2026, 10, 25, 1, 35, tzinfo=UTC)
    assert quarter.is_open(first)
    assert quarter.is_open(second)
    assert not quarter.is_open(datetime(2026, 10, 25, 1, 0, tzinfo=UTC))
    assert quarter.business_seconds_between(first - timedelta(hours=3), second + timedelta(hours=3)) == 30 * 60


def test_a_leap_day_is_a_day() -> None:
    assert (
        always("Europe/Rome").business_seconds_between(rome("2028-02-28T00:00"), rome("2028-03-01T00:00")) == 172800
    )


def test_a_date_that_a_zone_left_out_has_no_time() -> None:
    apia = calendar("apia", "Pacific/Apia", {4: [(0, 1440)]})  # Fridays; 30 December 2011 was none there
    start = datetime(2011, 12, 29, 12, tzinfo=UTC)
    assert apia.business_seconds_between(start, start + timedelta(days=3)) == 0


def test_a_zone_whose_midnight_is_skipped_opens_when_the_day_begins() -> None:
    cairo = calendar("cairo", "Africa/Cairo", {4: [(0, 60)]})  # clocks went from 00:00 to 01:00 on 24 April 2026
    start = datetime(2026, 4, 23, 12, tzinfo=UTC)
    assert cairo.business_seconds_between(start, start + timedelta(days=1)) == 0


def test_a_calendar_without_open_time_is_refused_with_everything_else_that_is_wrong() -> None:
    with pytest.raises(CalendarInvalid) as refused:
        calendar("bad", "Europe/Rom", {})
    assert "unknown time zone" in str(refused.value)
    assert "no open time" in str(refused.value)


@pytest.mark.parametrize(
    ("intervals", "fault"),
    [
        ([(540, 540)], "09:00-09:00 is empty"),
        ([(600, 540)], "10:00-09:00 is empty"),
        ([(540, 1441)], "beyond 24:00"),
        ([(540, 700), (600, 800)], "overlap at 10:00"),
    ],
)
def test_intervals_that_cannot_be_are_refused(intervals: list[tuple[int, int]], fault: str) -> None:
    with pytest.raises(CalendarInvalid, match=fault):
        calendar("bad", "Europe/Rome", {0: intervals})


def test_a_calendar_of_single_dates_ends() -> None:
    once = calendar("once", "Europe/Rome", {}, {date(2026, 3, 2): [(540, 600)]})
    assert once.next_open(rome("2026-03-02T10:00")) is None
    with pytest.raises(NoOpenTime):
        once.add_business_seconds(rome("2026-03-02T09:30"), 3600)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        office().is_open(datetime(2026, 3, 2, 9))  # noqa: DTZ001  # that is the fault
    with pytest.raises(ValueError, match="before start"):
        office().business_seconds_between(rome("2026-03-02T10:00"), rome("2026-03-02T09:00"))


ZONES = [
    "Europe/Rome",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "Africa/Cairo",
    "America/St_Johns",
]


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    def day() -> list[tuple[int, int]]:
        marks = sorted(draw(st.sets(st.integers(0, 1440), min_size=0, max_size=4)))
        return list(zip(marks[::2], marks[1::2], strict=False))

    exceptions = {date(2026, 3, 29): day(), date(2026, 10, 25): day()}
    return calendar("any", draw(st.sampled_from(ZONES)), {**{n: day() for n in range(6)}, 6: [(1, 1439)]}, exceptions)


@st.composite
def instants(draw: st.DrawFn) -> datetime:
    """Whole minutes near the clock changes of both hemispheres, and around leap days and new years."""
    day = draw(st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-25", "2026-11-01", "2028-02-28"]))
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=draw(st.integers(-2000, 2000)))


@settings(max_examples=60, deadline=None)
@given(calendars(), instants(), st.integers(0, 1500))
def test_open_seconds_are_the_minutes_at_which_it_is_open(any_: Calendar, start: datetime, minutes: int) -> None:
    counted = sum(any_.is_open(start + MINUTE * n) for n in range(minutes))
    assert any_.business_seconds_between(start, start + MINUTE * minutes) == counted * 60


@settings(deadline=None)
@given(calendars(), instants(), st.integers(0, 10**6))
def test_adding_and_measuring_agree(any_: Calendar, at: datetime, seconds: int) -> None:
    due = any_.add_business_seconds(at, seconds)
    assert any_.business_seconds_between(at, due) == seconds


@settings(deadline=None)
@given(calendars(), instants(), st.integers(0, 5000), st.integers(0, 5000))
def test_measuring_in_two_steps_is_measuring_in_one(any_: Calendar, at: datetime, first: int, second: int) -> None:
    middle, end = at + MINUTE * first, at + MINUTE * (first + second)
    parts = any_.business_seconds_between(at, middle) + any_.business_seconds_between(middle, end)
    assert any_.business_seconds_between(at, end) == parts


@settings(deadline=None)
@given(calendars(), instants())
def test_the_next_opening_is_open_and_nothing_opens_before_it(any_: Calendar, at: datetime) -> None:
    opening = any_.next_open(at)
    assert opening is not None
    assert any_.is_open(opening)
    assert any_.business_seconds_between(at, opening) == 0
    assert (opening == at) == any_.is_open(at)


def test_open_spans_are_cut_to_what_was_asked_for() -> None:
    split = calendar("split", "Europe/Rome", {0: [(540, 780), (840, 1080)]})
    spans = list(split.open_spans(rome("2026-03-02T12:00"), rome("2026-03-02T15:00")))
    assert spans == [
        (rome("2026-03-02T12:00"), rome("2026-03-02T13:00")),
        (rome("2026-03-02T14:00"), rome("2026-03-02T15:00")),
    ]
    assert list(split.open_spans(rome("2026-03-02T13:00"), rome("2026-03-02T14:00"))) == []
