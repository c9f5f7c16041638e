"""Calls that a scenario takes from a table instead of drawing them: when each came, and what is known of it.

A CSV with a header: `at` (HH:MM:SS by the scenario's clock, or seconds since it opens) and `type`; `patience_s` and
`handle_s` where they are known. What is not known is drawn from what the scenario says of the type.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from callcenter.kernel.errors import ConfigError

COLUMNS = ("at", "type", "patience_s", "handle_s")
MOST_FAULTS = 20
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?")


class RecordedCall(NamedTuple):
    """Milliseconds, the first of them since the scenario opens; None: to be drawn."""

    at_ms: int
    type: str
    patience_ms: int | None
    handle_ms: int | None


def read_recorded(name: str, lines: Iterable[str], opens_min: int) -> tuple[RecordedCall, ...]:
    """The calls of a CSV in the order of time; raises ConfigError with every mistake, by line and column."""
    rows = csv.DictReader(lines)
    missing = [column for column in COLUMNS[:2] if column not in (rows.fieldnames or ())]
    strange = [column for column in rows.fieldnames or () if column not in COLUMNS]
    faults = [f"{name}: there is no column {column}" for column in missing]
    faults += [f"{name}: column {column!r} is not known" for column in strange]
    found: list[RecordedCall] = []
    if not faults:
        for row in rows:
            found += _call(f"{name}: line {rows.line_num}: ", row, opens_min, faults)
    if faults:
        raise ConfigError("\n".join(faults[:MOST_FAULTS]), data={"errors": faults})
    return tuple(sorted(found, key=lambda call: (call.at_ms, call.type)))


def _call(where: str, row: Mapping[str, str | None], opens_min: int, faults: list[str]) -> list[RecordedCall]:
    at_ms, type_ = _at_ms(row.get("at") or "", opens_min), (row.get("type") or "").strip()
    if at_ms is None or at_ms < 0:
        faults.append(f"{where}at: must be a time since the scenario opens, HH:MM:SS or seconds")
    if not type_:
        faults.append(f"{where}type: is missing")
    times: list[int | None] = []
    for column in COLUMNS[2:]:
        text = (row.get(column) or "").strip()
        value = _ms(text) if text else None
        if text and value is None:
            faults.append(f"{where}{column}: must be seconds, or empty")
        times.append(value)
    return [] if at_ms is None else [RecordedCall(at_ms, type_, times[0], times[1])]


def _at_ms(text: str, opens_min: int) -> int | None:
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None:
        return _ms(text)
    hours, minutes, seconds = int(clock[1]), int(clock[2]), float(clock[3] or 0)
    return round((hours * 3600 + (minutes - opens_min) * 60 + seconds) * 1000)


def _ms(text: str) -> int | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return round(seconds * 1000) if 0 <= seconds < 1e9 else None
