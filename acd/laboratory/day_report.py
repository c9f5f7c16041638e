"""What a day was like, counted from its calls (acd.md sections 5 and 7), whatever log they are from.

A caller who was served, or who gave up after some time in the queue, was offered; who gave up before is counted as
left in the menu, and a phantom as a call only. The hour is that of the call's arrival on the log's own clock.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from statistics import fmean
from typing import TypeVar

from acd.laboratory.history import HistoricCall
from acd.laboratory.service_level import Levels

THRESHOLD_S = 20.0
SHORT_S = 6.0

K = TypeVar("K", int, str)


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds; means are None where nobody is counted. `mean_wait_s` is that of the served, zeros included."""

    calls: int
    offered: int
    served: int
    queue_abandons: int
    short_abandons: int
    left_in_menu: int
    phantoms: int
    mean_wait_s: float | None
    mean_wait_of_abandoned_s: float | None
    longest_wait_s: float
    mean_handle_s: float | None
    handle_times: int
    abandon_rate: float | None
    levels: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """One agent's; `handle_times` says of how many of the served the handle time can be believed."""

    agent: str
    served: int
    handle_times: int
    mean_handle_s: float | None


@dataclass(frozen=True, slots=True)
class DayReport:
    """`by_hour` goes from 0 to 23, hours without a call included; `busiest_hour` is the first of equals."""

    total: Figures
    agents: tuple[AgentFigures, ...]
    busiest_hour: int | None
    by_hour: tuple[tuple[int, Figures], ...]
    by_type: tuple[tuple[str, Figures], ...]
    by_priority: tuple[tuple[int, Figures], ...]
    flags: tuple[tuple[str, int], ...]

    @property
    def busiest_hour_calls(self) -> int:
        return 0 if self.busiest_hour is None else self.by_hour[self.busiest_hour][1].calls


def joined_queue(call: HistoricCall) -> bool:
    """Whether the caller asked for an agent: was served, or waited for one in vain."""
    return call.outcome == "served" or (call.outcome == "abandoned" and call.waited_s > 0)


def day_report(calls: Sequence[HistoricCall], zone: tzinfo, *, threshold_s: float = THRESHOLD_S) -> DayReport:
    """The report of `calls`, all of one day of `zone`."""

    hours = _by(calls, lambda call: call.at.astimezone(zone).hour, threshold_s)
    types = _by(calls, lambda call: call.type, threshold_s)
    priorities = _by(calls, lambda call: call.priority, threshold_s)
    none = figures((), threshold_s)
    flags = Counter(flag for call in calls for flag in call.flags)
    return DayReport(
        total=figures(calls, threshold_s),
        agents=_agents(calls),
        busiest_hour=max(sorted(hours), key=lambda hour: hours[hour].calls) if hours else None,
        by_hour=tuple((hour, hours.get(hour, none)) for hour in range(24)),
        by_type=tuple(sorted(types.items())),
        by_priority=tuple(sorted(priorities.items())),
        flags=tuple(sorted(flags.items())),
    )


def figures(calls: Iterable[HistoricCall], threshold_s: float = THRESHOLD_S) -> Figures:
    """The figures of any set of calls."""
    all_ = list(calls)
    served = [call for call in all_ if call.outcome == "served"]
    gave_up = [call.waited_s for call in all_ if call.outcome == "abandoned" and call.waited_s > 0]
    handled = [call.handled_s for call in served if call.handled_s is not None]
    waits = [call.waited_s for call in served]
    phantoms = sum(call.outcome == "phantom" for call in all_)
    levels = Levels(
        offered=len(served) + len(gave_up),
        answered=len(served),
        answered_in=sum(wait <= threshold_s for wait in waits),
        abandoned=len(gave_up),
        abandoned_in=sum(wait <= threshold_s for wait in gave_up),
    )
    return Figures(
        calls=len(all_),
        offered=levels.offered,
        served=len(served),
        queue_abandons=len(gave_up),
        short_abandons=sum(wait <= SHORT_S for wait in gave_up),
        left_in_menu=len(all_) - levels.offered - phantoms,
        phantoms=phantoms,
        mean_wait_s=_mean(waits),
        mean_wait_of_abandoned_s=_mean(gave_up),
        longest_wait_s=max((*waits, *gave_up), default=0.0),
        mean_handle_s=_mean(handled),
        handle_times=len(handled),
        abandon_rate=len(gave_up) / levels.offered if levels.offered else None,
        levels=levels.named(),
    )


def _by(calls: Iterable[HistoricCall], key: Callable[[HistoricCall], K], threshold_s: float) -> dict[K, Figures]:
    groups: dict[K, list[HistoricCall]] = {}
    for call in calls:
        groups.setdefault(key(call), []).append(call)
    return {name: figures(group, threshold_s) for name, group in groups.items()}


def _agents(calls: Iterable[HistoricCall]) -> tuple[AgentFigures, ...]:
    served: dict[str, list[float | None]] = {}
    for call in calls:
        if call.outcome == "served" and call.agent is not None:
            served.setdefault(call.agent, []).append(call.handled_s)
    rows = []
    for agent, times in sorted(served.items()):
        known = [time for time in times if time is not None]
        rows.append(AgentFigures(agent, len(times), len(known), _mean(known)))
    return tuple(rows)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
