"""Interval facts as people and programs take them: rows for JSON, CSV, a table for the terminal."""

import csv
import io
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from callcenter.reporting.intervals import Facts, Key
from callcenter.reporting.measures import NAMES, Measures
from callcenter.reporting.metrics import FIGURES
from callcenter.reporting.render import plain

COLUMNS = ("start", "local", "kind", "name", *NAMES, *FIGURES)
DIGITS = 4
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def figures(measures: Measures) -> dict[str, float | None]:
    """Every figure by its name, rounded to what means something; None where nothing was to divide by."""
    found = {name: formula(measures) for name, formula in FIGURES.items()}
    return {name: None if value is None else round(value, DIGITS) for name, value in found.items()}


def counts(measures: Measures) -> dict[str, int]:
    """Every measure by its name."""
    return {name: getattr(measures, name) for name in NAMES}


def as_row(key: Key, measures: Measures, zone: ZoneInfo) -> dict[str, object]:
    """One fact. `start` is UTC, `local` the same on the site's clock."""
    local = key.start.astimezone(zone).isoformat(timespec="minutes")
    head = {"start": plain(key.start), "local": local, "kind": key.kind, "name": key.name}
    return {**head, **counts(measures), **figures(measures)}


def as_rows(facts: Facts, zone: str) -> list[dict[str, object]]:
    """All of them in the order of their keys."""
    where = ZoneInfo(zone)
    return [as_row(key, measures, where) for key, measures in facts.items()]


def as_csv(facts: Facts, zone: str) -> str:
    """With a line of names first; what is None is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in as_rows(facts, zone):
        name = str(row["name"])
        writer.writerow({**row, "name": f"'{name}" if name.startswith(_FORMULA) else name})
    return out.getvalue()


def as_table(facts: Facts, zone: str) -> str:
    """For a terminal: the columns that most want, one line a fact."""
    where = ZoneInfo(zone)
    head = ("FROM", "KIND", "NAME", "ENTERED", "OFFERED", "ANSWERED", "IN TIME", "ABANDONED", "ASA", "AHT", "LONGEST")
    lines = [_line(key, measures, where) for key, measures in facts.items()]
    return table((*head, "SL_ANSWERED", "OCCUPANCY"), lines)


def _line(key: Key, measures: Measures, zone: ZoneInfo) -> tuple[str, ...]:
    found = figures(measures)
    return (
        key.start.astimezone(zone).strftime("%m-%d %H:%M"),
        key.kind,
        key.name,
        *(
            str(getattr(measures, name))
            for name in ("entered", "offered", "answered", "answered_in_time", "abandoned")
        ),
        seconds(found["asa_ms"]),
        seconds(found["aht_ms"]),
        seconds(measures.longest_wait_ms),
        percent(found["sl_answered"]),
        percent(found["occupancy"]),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as what is in them."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def seconds(ms: float | None) -> str:
    """Milliseconds as people read them."""
    return "-" if ms is None else f"{ms / 1000:.1f}s"


def percent(part: float | None) -> str:
    """A part of one as people read it."""
    return "-" if part is None else f"{100 * part:.1f}%"
