"""Shifts as a CSV file says them, by the clock of the day."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from acd.laboratory.day_model import Stretch
from callcenter.app.shift_file import read_shifts
from callcenter.kernel.errors import InvalidInput

ROME = ZoneInfo("Europe/Rome")


def shifts(folder: Path, rows: str, *, day: int = 28) -> list[Stretch]:
    path = folder / "shifts.csv"
    path.write_text("agent,from,until\n" + rows, encoding="utf-8")
    return list(read_shifts(path, datetime(2026, 3, day, tzinfo=ROME)))


def test_shift_over_midnight_ends_on_the_next_day_by_the_clock(tmp_path: Path) -> None:
    (night,) = shifts(tmp_path, "ann,22:00,06:00\n", day=2)
    assert night == Stretch("ann", datetime(2026, 3, 2, 21, tzinfo=UTC), datetime(2026, 3, 3, 5, tzinfo=UTC))


def test_night_in_which_the_clock_changes_is_an_hour_shorter(tmp_path: Path) -> None:
    (night,) = shifts(tmp_path, "ann,22:00,06:00\n")
    assert night == Stretch("ann", datetime(2026, 3, 28, 21, tzinfo=UTC), datetime(2026, 3, 29, 4, tzinfo=UTC))


@pytest.mark.parametrize("row", ["ann,early,06:00\n", "ann,22:00+01:00,06:00\n", "ann,22:00\n"])
def test_what_is_no_time_names_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(InvalidInput, match=r"shifts\.csv line 2: must be agent,from,until with times HH:MM"):
        shifts(tmp_path, row)
