"""Who is to be there when, as a CSV file says it: agent,from,until with times HH:MM."""

import csv
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from acd.laboratory.day_model import Stretch
from callcenter.kernel.errors import InvalidInput


def read_shifts(path: Path, midnight: datetime) -> Iterable[Stretch]:
    """Rows of agent, from and until by the clock of `midnight`; an end before its beginning is on the next day.

    Raises InvalidInput.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise InvalidInput(f"shifts: {path}: {error.strerror}", data={"field": "shifts"}) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"shifts: {path}: is no CSV file in UTF-8", data={"field": "shifts"}) from error
    day, zone = midnight.date(), midnight.tzinfo
    assert isinstance(zone, ZoneInfo), "the day has a clock"
    for line, row in enumerate(rows, 2):
        try:
            begins, ends = (time.fromisoformat((row[key] or "").strip()) for key in ("from", "until"))
            agent = row["agent"].strip()
            last = day if ends > begins else day + timedelta(days=1)
        except (KeyError, ValueError, AttributeError, TypeError) as error:
            what = f"shifts: {path.name} line {line}: must be agent,from,until with times HH:MM"
            raise InvalidInput(what, data={"field": "shifts"}) from error
        yield Stretch(agent, _at(day, begins, zone), _at(last, ends, zone))


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
