"""How the queues, skills and agents stand now, beside what the day has brought so far; and what is alarming in it.

The longest wait of now is that of the oldest who still waits; the facts have the greatest of each interval. Who waits
has a phone at his ear: callbacks may stand for days, nobody hangs on, and they are counted by themselves.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callcenter.reporting.measures import Measures
from callcenter.reporting.metrics import SERVICE_LEVELS
from callcenter.reporting.visits import QueueTerms

_MS = timedelta(milliseconds=1)
LONGEST_WAIT, WAITING, SERVICE_LEVEL = "longest_wait", "waiting", "service_level"


@dataclass(frozen=True, slots=True)
class LineNow:
    """One queue or skill: callers who wait, agents who serve it by state, and customers who are to be called back."""

    name: str
    waiting: int = 0
    longest_wait_ms: int | None = None
    agents: Mapping[str, int] = field(default_factory=dict)
    callbacks: int = 0


def lines_now(
    names: Iterable[str],
    waiting: Iterable[tuple[str, datetime]],
    agents: Iterable[tuple[str, str]],
    now: datetime,
    *,
    callbacks: Iterable[str] = (),
) -> list[LineNow]:
    """A line for each of `names` and for whatever else somebody waits in.

    From (name, since) of those who wait, (name, state) of agents and the name of each callback.
    """
    oldest: dict[str, datetime] = {}
    counts: dict[str, int] = {}
    for name, since in waiting:
        counts[name] = counts.get(name, 0) + 1
        oldest[name] = min(since, oldest.get(name, since))
    to_call = Counter(callbacks)
    states: dict[str, dict[str, int]] = {}
    for name, state in agents:
        of_name = states.setdefault(name, {})
        of_name[state] = of_name.get(state, 0) + 1
    return [
        LineNow(
            name,
            counts.get(name, 0),
            None if name not in oldest else max(0, (now - oldest[name]) // _MS),
            states.get(name, {}),
            to_call[name],
        )
        for name in sorted({*names, *counts, *to_call})
    ]


def alarms_of(terms: QueueTerms, line: LineNow, today: Measures) -> tuple[str, ...]:
    """Which of the limits of a queue are passed now."""
    found = []
    if terms.longest_wait_alarm_s is not None and (line.longest_wait_ms or 0) >= terms.longest_wait_alarm_s * 1000:
        found.append(LONGEST_WAIT)
    if terms.waiting_alarm is not None and line.waiting >= terms.waiting_alarm:
        found.append(WAITING)
    level = SERVICE_LEVELS[terms.variant](today)
    if terms.target is not None and level is not None and level < terms.target:
        found.append(SERVICE_LEVEL)
    return tuple(found)
