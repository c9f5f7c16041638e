"""Keeps imported call logs in the site database and gives them back by day.

A call's key is its file's name and its line, so an import that is repeated changes nothing, and one of a corrected
file changes what was corrected. Rows are written some at a time: the server beside it needs the same database.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import delete, func, select

from acd.laboratory.history import HistoricCall, HistoricOutcome
from acd.tables import HistoricCallRow
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import Site, upsert

BATCH = 1_000
_TEXT = 64
_MOST_MS = 2**31 - 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """What an import did to what was there of the same file before."""

    new: int
    changed: int
    unchanged: int
    removed: int


@dataclass(frozen=True, slots=True)
class HistoricDay:
    """A day's calls in the order of their arrival, and the clock that the day is one of."""

    calls: tuple[HistoricCall, ...]
    zone: ZoneInfo
    files: tuple[str, ...]


async def keep(
    site: Site, file: str, zone: str, calls: Sequence[HistoricCall], progress: Callable[[int], None] = lambda _: None
) -> Kept:
    """Write `calls` of `file` and take out lines that it has no more. Raises SiteUnavailable.

    `progress` is told how many are written.
    """
    rows = {row["line"]: row for row in (_row(file, zone, call) for call in calls)}
    async with site.reading() as session:
        found = await session.execute(select(HistoricCallRow.__table__).where(HistoricCallRow.file == file))
        before = {row.line: dict(row._mapping) for row in found}
    changed = [row for line, row in rows.items() if line not in before or before[line] != row]
    statement = upsert(site.engine.dialect.name, HistoricCallRow)
    done = 0
    for batch in _batches(changed):
        async with site.session() as session:
            await session.execute(statement, batch)
        done += len(batch)
        progress(done)
    gone = [line for line in before if line not in rows]
    for lines in _batches(gone):
        async with site.session() as session:
            await session.execute(
                delete(HistoricCallRow).where(HistoricCallRow.file == file, HistoricCallRow.line.in_(lines))
            )
    new = sum(line not in before for line in rows)
    return Kept(new, len(changed) - new, len(rows) - len(changed), len(gone))


async def calls_of_day(site: Site, day: date, file: str | None = None) -> HistoricDay | None:
    """The imported calls of `day` by the logs' own clocks, None without any. Raises SiteUnavailable.

    Raises InvalidInput where two files of that day have clocks of different zones; `file` chooses one.
    """
    return await calls_between(site, day, day, file)


async def calls_between(site: Site, first: date, last: date, file: str | None = None) -> HistoricDay | None:
    """Like `calls_of_day`, of all days from `first` to `last`, both included."""
    table = HistoricCallRow
    statement = select(table).where(table.day >= first, table.day <= last)
    if file is not None:
        statement = statement.where(table.file == file)
    async with site.reading() as session:
        rows = (await session.scalars(statement.order_by(table.at, table.file, table.line))).all()
    zones = sorted({row.zone for row in rows})
    files = tuple(sorted({row.file for row in rows}))
    if len(zones) > 1:
        names = ", ".join(files)
        raise InvalidInput(
            f"file: the files of these days ({names}) have clocks of {', '.join(zones)}: name one",
            data={"field": "file"},
        )
    if not rows:
        return None
    return HistoricDay(tuple(_call(row) for row in rows), ZoneInfo(zones[0]), files)


async def imported_days(site: Site) -> list[tuple[date, int]]:
    """The days that imports have, with their number of calls. Raises SiteUnavailable."""
    statement = select(HistoricCallRow.day, func.count()).group_by(HistoricCallRow.day).order_by(HistoricCallRow.day)
    async with site.reading() as session:
        return [(row[0], row[1]) for row in await session.execute(statement)]


def _row(file: str, zone: str, call: HistoricCall) -> dict[str, object]:
    return {
        "file": file,
        "line": int(call.source.rpartition(":")[2]),
        "zone": zone,
        "day": call.at.astimezone(ZoneInfo(zone)).date(),
        "at": call.at,
        "type": _text(call.type),
        "priority": call.priority,
        "menu_ms": _ms(call.menu_s),
        "waited_ms": _ms(call.waited_s),
        "outcome": call.outcome,
        "handled_ms": None if call.handled_s is None else _ms(call.handled_s),
        "agent": None if call.agent is None else _text(call.agent),
        "flags": " ".join(call.flags),
    }


def _text(value: str) -> str:
    """What fits, without the NUL that PostgreSQL takes in no text."""
    return value.replace("\0", "")[:_TEXT]


def _ms(seconds: float) -> int:
    return min(round(seconds * 1000), _MOST_MS)


def _call(row: HistoricCallRow) -> HistoricCall:
    return HistoricCall(
        at=row.at,
        type=row.type,
        priority=row.priority,
        waited_s=row.waited_ms / 1000,
        outcome=msgspec.convert(row.outcome, HistoricOutcome),
        handled_s=None if row.handled_ms is None else row.handled_ms / 1000,
        agent=row.agent,
        flags=tuple(row.flags.split()),
        menu_s=row.menu_ms / 1000,
        source=f"{row.file}:{row.line}",
    )


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
