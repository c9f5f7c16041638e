"""Reads the log of a bank's call centre as the Technion publishes it: a tab-separated row for each call (acd.md
section 7).

Times are local h:mm:ss, dates yymmdd. Nothing is left out of the counts: an odd row is kept with flags, only a row
that cannot be read is rejected, with its line and the reason. A service time that cannot be believed becomes None, so
that it leaves the handle times and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from acd.laboratory.history import HistoricCall, HistoricOutcome
from callcenter.kernel.errors import InvalidInput

COLUMNS = (
    *("vru+line", "call_id", "customer_id", "priority", "type", "date"),
    *("vru_entry", "vru_exit", "vru_time", "q_start", "q_exit", "q_time", "outcome"),
    *("ser_start", "ser_exit", "ser_time", "server"),
)
OUTCOMES: Mapping[str, HistoricOutcome] = {"AGENT": "served", "HANG": "abandoned", "PHANTOM": "phantom"}
TYPES = frozenset({"PS", "PE", "IN", "NE", "NW", "TT"})
NOBODY = frozenset({"", "NO_SERVER"})

FLAGS: Mapping[str, str] = {
    "menu_negative": "vru_time is below 0; counted as 0",
    "menu_mismatch": "vru_time is not what vru_entry and vru_exit say",
    "queue_negative": "q_time is below 0; counted as 0",
    "queue_mismatch": "q_time is not what q_start and q_exit say",
    "queue_gap": "q_start is not vru_exit",
    "service_negative": "ser_time is below 0; not in the handle times",
    "service_zero": "served in 0 s; not in the handle times",
    "service_mismatch": "ser_time is not what ser_start and ser_exit say; not in the handle times",
    "service_early": "service began more than 10 s before the queue was left; not in the handle times",
    "service_overlap": "the agent served another caller at the same time; not in the handle times",
    "service_unserved": "a service time without an agent's answer; not in the handle times",
    "no_agent": "served, and by whom is not said",
    "agent_unserved": "an agent is named and the caller was not served",
    "phantom": "there was no caller to serve",
    "unknown_type": "type is none of " + " ".join(sorted(TYPES)),
    "unknown_priority": "priority is none of 0, 1, 2",
    "clock_skipped": "vru_entry does not exist on that day: the clock was put forward",
    "clock_repeated": "vru_entry was twice on that day; the first is taken",
}
# Services that these are about are no measure of how long a call takes.
_UNBELIEVABLE = frozenset(
    ["service_negative", "service_zero", "service_mismatch", "service_early", "service_overlap", "service_unserved"]
)
_DAY_S = 86_400
_EARLY_S = 10


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read; `line` counts from 1, the header included."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Log:
    """What a file says, in its order, and the rows that say nothing."""

    calls: tuple[HistoricCall, ...]
    rejected: tuple[Rejected, ...]

    @property
    def flagged(self) -> tuple[HistoricCall, ...]:
        return tuple(call for call in self.calls if call.flags)


class _Unreadable(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class _Service:
    """Seconds since 1970, to find services that overlap."""

    agent: str
    start: float
    end: float
    index: int


def read(lines: Iterable[str], *, file: str, zone: ZoneInfo) -> Log:
    """The calls of `lines`, whose clock is that of `zone`; `file` names the source of each.

    The first line may name the columns, in any order. Raises InvalidInput where it leaves one out.
    """
    numbered = ((number, line.rstrip("\r\n")) for number, line in enumerate(lines, 1))
    number, first = next(numbered, (1, ""))
    order = _header(first)
    rows = numbered if order else chain([(number, first)], numbered)
    calls: list[HistoricCall] = []
    rejected: list[Rejected] = []
    services: list[_Service] = []
    for number, line in rows:
        if not line.strip():
            continue
        try:
            call, service = _call(_cells(line, order), f"{file}:{number}", zone)
        except _Unreadable as fault:
            rejected.append(Rejected(number, str(fault)))
            continue
        if service is not None:
            services.append(replace(service, index=len(calls)))
        calls.append(call)
    for index in _overlapping(services):
        calls[index] = replace(calls[index], flags=(*calls[index].flags, "service_overlap"), handled_s=None)
    return Log(tuple(calls), tuple(rejected))


def _header(line: str) -> Sequence[str]:
    """The columns in the order of the file; nothing when the line is a row already."""
    names = [cell.strip().lower() for cell in line.removeprefix("\ufeff").split("\t")]
    if "outcome" not in names and "vru_entry" not in names:
        return ()
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise InvalidInput(f"the header has no column {', '.join(missing)}", data={"field": missing[0]})
    return names


def _cells(line: str, order: Sequence[str]) -> dict[str, str]:
    cells = [cell.strip() for cell in line.split("\t")]
    names = order or COLUMNS
    if len(cells) != len(names):
        raise _Unreadable(f"{len(cells)} columns instead of {len(names)}")
    return dict(zip(names, cells, strict=True))


def _call(row: Mapping[str, str], source: str, zone: ZoneInfo) -> tuple[HistoricCall, _Service | None]:
    outcome = OUTCOMES.get(row["outcome"])
    if outcome is None:
        raise _Unreadable(f"outcome: {row['outcome']!r} is none of {', '.join(OUTCOMES)}")
    day = _day(row["date"])
    entry, left, joined, exit_, start, end = (
        _clock(name, row[name]) for name in ("vru_entry", "vru_exit", "q_start", "q_exit", "ser_start", "ser_exit")
    )
    menu, queue, service, priority = (
        _whole(name, row[name]) for name in ("vru_time", "q_time", "ser_time", "priority")
    )
    agent = None if row["server"].upper() in NOBODY else row["server"]
    at, clock_flag = _moment(day, entry, zone)
    flags = [clock_flag] if clock_flag else []
    flags += _span("menu", entry, left, menu) + _span("queue", joined, exit_, queue)
    if queue != 0 and joined != left:
        flags.append("queue_gap")
    flags += _service_flags(outcome, agent, service, (start, end), exit_ if queue else None)
    flags += ["unknown_type"] * (row["type"] not in TYPES) + ["unknown_priority"] * (priority not in {0, 1, 2})
    believed = outcome == "served" and not _UNBELIEVABLE.intersection(flags)
    call = HistoricCall(
        at=at,
        type=row["type"],
        priority=priority,
        waited_s=float(max(0, queue)),
        outcome=outcome,
        handled_s=float(service) if believed else None,
        agent=agent,
        flags=tuple(flags),
        menu_s=float(max(0, menu)),
        source=source,
    )
    if agent is None or outcome != "served" or service <= 0:
        return call, None
    began = at.timestamp() + _forward(entry, start)
    return call, _Service(agent, began, began + service, 0)


def _service_flags(
    outcome: HistoricOutcome, agent: str | None, service: int, span: tuple[int, int], left: int | None
) -> list[str]:
    start, end = span
    flags = _span("service", start, end, service)
    if outcome == "served":
        flags += ["service_zero"] * (service == 0) + ["no_agent"] * (agent is None)
        # A row without a start has 0:00:00 there, which says nothing about the order of things.
        if left is not None and (start or end) and _forward(left, start) < -_EARLY_S:
            flags.append("service_early")
        return flags
    if outcome == "phantom":
        flags.append("phantom")
    elif service or start or end:
        flags.append("service_unserved")
    return flags + ["agent_unserved"] * (agent is not None)


def _span(what: str, start: int, end: int, seconds: int) -> list[str]:
    """Whether `seconds` is below 0 or not what lies between two times of day."""
    if seconds < 0:
        return [f"{what}_negative"]
    return [] if (end - start) % _DAY_S == seconds % _DAY_S else [f"{what}_mismatch"]


def _forward(before: int, after: int) -> int:
    """Seconds from one time of day to the next one nearest to it: -12 h to +12 h."""
    return (after - before + _DAY_S // 2) % _DAY_S - _DAY_S // 2


def _overlapping(services: Sequence[_Service]) -> set[int]:
    """The calls of agents who served two callers at once; both, as nobody knows which of the two is wrong."""
    found: set[int] = set()
    last: dict[str, _Service] = {}
    for each in sorted(services, key=lambda each: (each.start, each.end, each.index)):
        before = last.get(each.agent)
        if before is not None and each.start < before.end:
            found |= {before.index, each.index}
        if before is None or each.end > before.end:
            last[each.agent] = each
    return found


def _moment(day: date, seconds: int, zone: ZoneInfo) -> tuple[datetime, str | None]:
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=seconds)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return at, "clock_skipped"
    return at, "clock_repeated" if local.utcoffset() != local.replace(fold=1).utcoffset() else None


def _day(text: str) -> date:
    """yymmdd; 70 to 99 are of the last century."""
    if len(text) == 6 and text.isascii() and text.isdigit():
        year = int(text[:2])
        try:
            return date(year + (1900 if year >= 70 else 2000), int(text[2:4]), int(text[4:]))
        except ValueError:
            pass
    raise _Unreadable(f"date: {text!r} is no day (yymmdd)")


def _clock(name: str, text: str) -> int:
    """Seconds since midnight."""
    parts = text.split(":")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        hours, minutes, seconds = map(int, parts)
        if hours < 24 and minutes < 60 and seconds < 60:
            return hours * 3600 + minutes * 60 + seconds
    raise _Unreadable(f"{name}: {text!r} is no time of day (h:mm:ss)")


def _whole(name: str, text: str) -> int:
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 9:
        return int(text)
    raise _Unreadable(f"{name}: {text!r} is no whole number")
