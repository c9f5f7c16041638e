"""Calendars from YAML."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from callcenter.calendars import CalendarInvalid, load_calendars, read_calendar

SAMPLES = Path(__file__).resolve().parents[3] / "config" / "calendars"


def test_ranges_of_weekdays_and_single_ones_are_read() -> None:
    read = read_calendar(
        "x", {"zone": "UTC", "weekly": {"sat-mon": ["09:00-24:00"], "wed": ["0:00-6:30", "7:00-8:00"]}}
    )
    assert [bool(day) for day in read.weekly] == [True, False, True, False, False, True, True]
    assert read.intervals(date(2026, 3, 4)) == ((0, 390), (420, 480))
    assert read.intervals(date(2026, 3, 7)) == ((540, 1440),)


def test_every_fault_of_a_calendar_is_told_at_once() -> None:
    raw = {
        "zone": "UTC",
        "weekli": {},
        "weekly": {"mo": [], "tue": ["9-10"], "wed-thu": "09:00-10:00", "thu": ["10:00-11:61"]},
        "exceptions": {"christmas": []},
    }
    with pytest.raises(CalendarInvalid) as refused:
        read_calendar("x", raw)
    for place in ("weekli", "weekly.mo", "weekly.tue", "weekly.wed-thu", "weekly.thu", "exceptions.christmas"):
        assert place in str(refused.value)


def test_a_folder_is_read_and_names_the_file_at_fault(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text('zone: UTC\nweekly: {mon: ["09:00-10:00"]}\n')
    assert load_calendars(tmp_path)["good"].is_open(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    (tmp_path / "bad.yaml").write_text("zone: UTC\nweekly: {}\n")
    (tmp_path / "worse.yaml").write_text("zone: [\n")
    with pytest.raises(CalendarInvalid, match=r"(?s)bad\.yaml.*no open time.*worse\.yaml"):
        load_calendars(tmp_path)


def test_the_sample_calendars_load() -> None:
    office = load_calendars(SAMPLES)["office"]
    assert office.is_open(datetime(2026, 3, 2, 8, 30, tzinfo=UTC))
    assert not office.is_open(datetime(2026, 12, 25, 9, 30, tzinfo=UTC))
