"""Business time: when is it open, and how many open seconds lie between two instants (tickets.md section 3).

A calendar is open at an instant exactly when a clock on the wall of its zone shows a time inside one of that date's
half-open intervals. So an hour that a clock change repeats counts twice, one that it skips counts never, and a date
that a zone leaves out has no time at all. Intervals end at 24:00 at the latest; a night is two intervals on two days.

Source of zones: the IANA data of `zoneinfo` (system or `tzdata`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from callcenter.kernel.errors import ConfigError

DAY_MINUTES = 24 * 60
_DAY = timedelta(days=1)
_EARLIEST_OFFSET = timedelta(hours=-16)  # beyond every zone's, so that the window holds the whole local date
_LATEST_OFFSET = timedelta(hours=16)
_PROBE = timedelta(hours=8)
_EMPTY_DAYS = 400  # so many dates without open time after the last exception: there is none to come

Interval = tuple[int, int]
"""Minutes after local midnight, half-open: (540, 1440) is 09:00 to 24:00."""
Span = tuple[datetime, datetime]
"""Half-open, UTC."""


class CalendarInvalid(ConfigError):
    """A calendar that cannot be right; the message has every fault."""

    code = "calendar_invalid"


class NoOpenTime(ConfigError):
    """The calendar has no open time left after the instant that was asked about."""

    code = "calendar_no_open_time"


@dataclass(frozen=True, slots=True)
class Calendar:
    """`weekly` has seven days from Monday; `exceptions` replace a date's intervals, with none it is closed all day.

    Intervals are sorted and do not touch: build calendars with `calendar()`, which checks that.
    """

    name: str
    zone: str
    weekly: tuple[tuple[Interval, ...], ...]
    exceptions: tuple[tuple[date, tuple[Interval, ...]], ...] = ()

    def intervals(self, day: date) -> tuple[Interval, ...]:
        """The local date's open intervals."""
        for exception, intervals in self.exceptions:
            if exception == day:
                return intervals
        return self.weekly[day.weekday()]

    def is_open(self, at: datetime) -> bool:
        """Whether the wall clock at the aware instant `at` shows an open time."""
        local = _utc(at).astimezone(_zone(self.zone))
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in self.intervals(local.date()))

    def next_open(self, at: datetime) -> datetime | None:
        """`at` itself when open, else the next opening (UTC); None when none is to come."""
        at = _utc(at)
        for start, end in self._spans_from(at):
            if end > at:
                return max(start, at)
        return None

    def business_seconds_between(self, start: datetime, end: datetime) -> float:
        """Open seconds in [start, end); raises ValueError when `end` is before `start`."""
        spans = self.open_spans(start, end)
        return sum((closed - opened for opened, closed in spans), timedelta()).total_seconds()

    def open_spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The open stretches of [start, end), in order (UTC); raises ValueError when `end` is before `start`.

        Two that touch, at midnight or at a clock change, may come apart.
        """
        start, end = _utc(start), _utc(end)
        if end < start:
            raise ValueError("end is before start")
        for opened, closed in self._spans_from(start):
            if opened >= end:
                break
            if closed > start:
                yield max(opened, start), min(closed, end)

    def add_business_seconds(self, at: datetime, seconds: float) -> datetime:
        """The first instant (UTC) with `seconds` (>= 0) open ones since `at`; raises NoOpenTime, ValueError."""
        if seconds < 0:
            raise ValueError("seconds are below 0")
        at, left = _utc(at), timedelta(seconds=seconds)
        if not left:
            return at
        for opened, closed in self._spans_from(at):
            begin = max(opened, at)
            if closed - begin >= left:
                return begin + left
            left -= max(closed - begin, timedelta())
        raise NoOpenTime(f"{self.name}: no open time after {at.isoformat()}")

    def _spans_from(self, at: datetime) -> Iterator[Span]:
        """Open spans in order from the local date of `at` on; ends when no more can come."""
        day = at.astimezone(_zone(self.zone)).date()
        last = max((exception for exception, _ in self.exceptions), default=day)
        empty = 0
        while empty < _EMPTY_DAYS and day < date.max - _DAY:
            spans = _spans(self, day)
            yield from spans
            empty = 0 if spans or day <= last else empty + 1
            day += _DAY


def calendar(
    name: str,
    zone: str,
    weekly: Mapping[int, list[Interval]],
    exceptions: Mapping[date, list[Interval]] | None = None,
) -> Calendar:
    """A checked calendar; weekday 0 is Monday. Raises CalendarInvalid with every fault."""
    faults: list[str] = []
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        faults.append(f"zone: unknown time zone {zone!r}")
    days = tuple(_checked(f"weekly[{day}]", weekly.get(day, []), faults) for day in range(7))
    dated = tuple(
        (day, _checked(f"exceptions[{day.isoformat()}]", intervals, faults))
        for day, intervals in sorted((exceptions or {}).items())
    )
    if not any(days) and not any(intervals for _, intervals in dated):
        faults.append("no open time")
    if faults:
        raise CalendarInvalid("; ".join(f"{name}: {fault}" for fault in faults))
    return Calendar(name, zone, days, dated)


def _checked(where: str, intervals: list[Interval], faults: list[str]) -> tuple[Interval, ...]:
    ordered = sorted(intervals)
    for start, end in ordered:
        if not 0 <= start < end <= DAY_MINUTES:
            faults.append(f"{where}: {clock_text(start)}-{clock_text(end)} is empty or beyond 24:00")
    for (_, end), (start, _) in pairwise(ordered):
        if start < end:
            faults.append(f"{where}: intervals overlap at {clock_text(start)}")
    return tuple(_joined(ordered))


def _joined(ordered: list[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for start, end in ordered:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def clock_text(minutes: int) -> str:
    """540 -> "09:00"."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _utc(at: datetime) -> datetime:
    # Arithmetic inside one local zone would count by its wall clock; in UTC it counts what passes.
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=4096)
def _spans(calendar: Calendar, day: date) -> tuple[Span, ...]:
    """The open spans of one local date, in order; neighbours over a clock change are not joined."""
    intervals = calendar.intervals(day)
    if not intervals:
        return ()
    midnight = datetime.combine(day, time(), UTC)
    spans: list[Span] = []
    for begin, end, offset in _steady(calendar.zone, day):
        for start_minute, end_minute in intervals:
            start = max(midnight + timedelta(minutes=start_minute) - offset, begin)
            stop = min(midnight + timedelta(minutes=end_minute) - offset, end)
            if start < stop:
                spans.append((start, stop))
    return tuple(sorted(spans))


@lru_cache(maxsize=1024)
def _steady(zone_name: str, day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Stretches of constant UTC offset (begin, end, offset) around a local date."""
    zone = _zone(zone_name)
    midnight = datetime.combine(day, time(), UTC)
    at, last = midnight + _EARLIEST_OFFSET, midnight + _DAY + _LATEST_OFFSET
    pieces: list[tuple[datetime, datetime, timedelta]] = []
    begin, offset = at, _offset(zone, at)
    while at < last:
        probe = min(at + _PROBE, last)
        if _offset(zone, probe) != offset:
            change = _change(zone, at, probe)
            pieces.append((begin, change, offset))
            begin, offset = change, _offset(zone, change)
            at = change
        else:
            at = probe
    pieces.append((begin, last, offset))
    return tuple(pieces)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second in (low, high] with another offset than `low`; one change lies between."""
    offset = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _offset(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high
