"""How many calls will come in each interval of a day, from days that have been (acd.md section 8).

A day's total is the mean of the same weekday in the weeks before, newer weeks weighing more; its shape is that of the
weekday, drawn towards the shape of all days as far as the weekday has few calls. A weekday that history has not is
like the mean of all days. How far off this is, is told by a week that is held back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from math import exp, factorial, floor, pi, sqrt

from acd.laboratory.day_report import joined_queue
from acd.laboratory.history import HistoricCall

DAY_MIN = 1440
WEEKS = 8
# What a week that is one week older weighs.
FADING = 0.7
# The shape of all days counts like this many calls of the weekday's own, per interval.
SHAPE_CALLS = 1.0

Counts = Mapping[date, Sequence[int]]
"""Calls of each day by interval; every day has the same number of intervals."""


def counted(calls: Iterable[HistoricCall], zone: tzinfo, interval_min: int) -> dict[date, list[int]]:
    """The calls that asked for an agent, by day and interval of the wall clock of `zone`."""
    found: dict[date, list[int]] = {}
    for call in calls:
        local = call.at.astimezone(zone)
        day = found.setdefault(local.date(), [0] * (DAY_MIN // interval_min))
        if joined_queue(call):
            day[(local.hour * 60 + local.minute) // interval_min] += 1
    return found


def forecast(counts: Counts, day: date) -> list[float]:
    """What to expect of each interval of `day` by the days of `counts` before it. Empty without any."""
    past = {each: list(row) for each, row in counts.items() if each < day and (day - each).days <= WEEKS * 7}
    if not past:
        return []
    same = {each: row for each, row in past.items() if each.weekday() == day.weekday()}
    like = same or past
    weights = {each: FADING ** ((day - each).days // 7) for each in like}
    total = sum(weights[each] * sum(row) for each, row in like.items()) / sum(weights.values())
    every = [sum(row[place] for row in past.values()) for place in range(len(next(iter(past.values()))))]
    own = [sum(row[place] for row in like.values()) for place in range(len(every))]
    pull = SHAPE_CALLS * len(every)
    whole, mine = sum(every), sum(own)
    if not whole:
        return [0.0] * len(every)
    shape = [(one + pull * all_ / whole) / (mine + pull) for one, all_ in zip(own, every, strict=True)]
    return [total * part for part in shape]


@dataclass(frozen=True, slots=True)
class Error:
    """How far a forecast was off, over all intervals of all held days.

    `interval` and `day`: the sum of |forecast - came| over the sum of what came, by interval and by whole day;
    `bias`: (forecast - came) / came; `last_week` is `interval` of whoever says that it will be as a week before, None
    where history has no such week; `least` is what chance alone makes of an exact forecast (Poisson arrivals).
    """

    days: tuple[date, ...]
    came: int
    interval: float
    day: float
    bias: float
    last_week: float | None
    least: float


def held_back(counts: Counts, days: int = 7) -> Error | None:
    """The error on the last `days` days, forecast by those before them; None without any of those."""
    if not counts:
        return None
    first = max(counts) - timedelta(days=days - 1)
    held = sorted(each for each in counts if each >= first)
    known = {each: row for each, row in counts.items() if each < first}
    expected = {each: forecast(known, each) for each in held}
    came = sum(sum(counts[each]) for each in held)
    if not known or not came:
        return None
    before = {each: known.get(each - timedelta(days=7)) for each in held}
    naive = [_apart(row, counts[each]) for each, row in before.items() if row is not None]
    return Error(
        days=tuple(held),
        came=came,
        interval=sum(_apart(expected[each], counts[each]) for each in held) / came,
        day=sum(abs(sum(expected[each]) - sum(counts[each])) for each in held) / came,
        bias=sum(sum(row) for row in expected.values()) / came - 1,
        last_week=sum(naive) / came if len(naive) == len(held) else None,
        least=sum(poisson_deviation(mean) for row in expected.values() for mean in row) / came,
    )


def _apart(these: Sequence[float], those: Sequence[float]) -> float:
    return sum(abs(a - b) for a, b in zip(these, those, strict=True))


def poisson_deviation(mean: float) -> float:
    """The mean absolute deviation of a Poisson number (De Moivre: 2 e^-m m^(k+1) / k!, k the whole part of m)."""
    if mean > 100:
        return sqrt(2 * mean / pi)
    whole = floor(mean)
    return 2 * exp(-mean) * mean ** (whole + 1) / factorial(whole)
