"""What a day's log says about its callers and agents, as far as a simulation needs it (acd.md section 7).

The log does not say who was there without a call, how long an agent needs between two calls, or how long a served
caller would have waited; each of the three is estimated here, and `assumptions` says how.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from acd.laboratory.day_report import joined_queue
from acd.laboratory.history import HistoricCall
from acd.laboratory.patience import Survival, kaplan_meier

# An agent who let callers wait for longer than this, all together, between two calls was away. Chosen by eye from the
# bank's log; docs/what-if.md says how much hangs on it.
AWAY_S = 10.0
# A longer pause between two calls is no after-call work.
LONGEST_WRAP_S = 300.0
# With fewer of its own, a call type's patience or handle times are taken from more calls.
LEAST_LEFT = 30
LEAST_TIMES = 20
# An agent's own pace counts against the pool's like this many calls at the pool's.
PACE_WEIGHT = 10


class Stretch(NamedTuple):
    """An agent is there from `start` until `end`, both aware."""

    agent: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class HandleTimes:
    """The times of a call type, ascending, in seconds; `source` says whose they are."""

    seconds: tuple[float, ...]
    source: str

    def at(self, share: float) -> float:
        """The time that `share` of them stay below."""
        return self.seconds[min(int(share * len(self.seconds)), len(self.seconds) - 1)]

    @property
    def mean_s(self) -> float:
        return fmean(self.seconds)


@dataclass(frozen=True, slots=True)
class DayModel:
    """`arrivals` are those who asked for an agent, in the order in which they joined the queue.

    `pace`: an agent's handle times against the pool's of the same call types, 1 for the average. `pace_elsewhere` is
    the same of other days, for whoever must not know the day before it has been.
    """

    arrivals: tuple[HistoricCall, ...]
    patience: Mapping[str, Survival]
    handle: Mapping[str, HandleTimes]
    pace: Mapping[str, float]
    pace_elsewhere: Mapping[str, float]
    wrap_s: float
    stretches: tuple[Stretch, ...]
    unnamed: int

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(sorted({stretch.agent for stretch in self.stretches}))

    @property
    def staffed_h(self) -> float:
        """Agent hours."""
        return sum((each.end - each.start).total_seconds() for each in self.stretches) / 3600


def assumptions(model: DayModel) -> list[str]:
    """What is taken for true that the log does not say, for whoever reads the result."""
    sparse = [f"{type_} ({each.source})" for type_, each in model.handle.items() if each.source != "the day"]
    pooled = [type_ for type_, each in model.patience.items() if each.left + each.censored > _own(model, type_)]
    lines = [
        f"{len(model.arrivals)} callers asked for an agent, at the times of the log; who hung up in the menu and "
        "phantoms are left out",
        "a caller's patience is drawn from the Kaplan-Meier curve of his call type (waits cut short by service are "
        "censored); beyond the longest wait of one who left, callers leave at the mean rate",
        f"{model.wrap_s:.1f} s pass between two calls of an agent, as where the next caller waited already",
        f"{len(model.agents)} agents for {model.staffed_h:.1f} h: each from his first call to his last, but for "
        f"pauses in which callers waited for more than {AWAY_S:.0f} s and he took none",
        "every agent serves every call type, whatever the rules",
    ]
    if pooled:
        lines.append(f"patience of all callers for {', '.join(pooled)}: fewer than {LEAST_LEFT} of them left")
    if sparse:
        lines.append(f"few handle times of their own: {', '.join(sparse)}")
    if model.unnamed:
        lines.append(
            f"{model.unnamed} callers were served by agents whom the log does not name, who are not there here"
        )
    return lines


def _own(model: DayModel, type_: str) -> int:
    """How many callers of a type waited at all."""
    return sum(call.type == type_ and (call.waited_s > 0 or call.outcome == "abandoned") for call in model.arrivals)


def joined_at(call: HistoricCall) -> float:
    """When the caller joined the queue, in seconds since 1970."""
    return call.at.timestamp() + call.menu_s


def learn(calls: Sequence[HistoricCall], elsewhere: Sequence[HistoricCall] = ()) -> DayModel:
    """The model of the day of `calls`; `elsewhere` are calls of other days, which help where the day has few."""
    arrivals = sorted((call for call in calls if joined_queue(call)), key=lambda call: (joined_at(call), call.source))
    wrap_s = _wrap_s(arrivals)
    types = sorted({call.type for call in arrivals})
    return DayModel(
        arrivals=tuple(arrivals),
        patience=_patience(arrivals, types),
        handle=_handle(arrivals, elsewhere, types),
        pace=paces(arrivals),
        pace_elsewhere=paces(elsewhere),
        wrap_s=wrap_s,
        stretches=tuple(staffing(arrivals, wrap_s)),
        unnamed=sum(call.outcome == "served" and call.agent is None for call in arrivals),
    )


def _patience(calls: Sequence[HistoricCall], types: Iterable[str]) -> dict[str, Survival]:
    pooled = patience_of(calls)
    found = {}
    for type_ in types:
        own = patience_of([call for call in calls if call.type == type_])
        found[type_] = own if own.left >= LEAST_LEFT else pooled
    return found


def patience_of(calls: Iterable[HistoricCall]) -> Survival:
    """The patience of all of `calls` together."""
    return kaplan_meier((call.waited_s, call.outcome == "abandoned") for call in calls)


def _handle(
    calls: Sequence[HistoricCall], elsewhere: Sequence[HistoricCall], types: Iterable[str]
) -> dict[str, HandleTimes]:
    day, others = _times(calls), _times(elsewhere)
    pooled = sorted(time for times in day.values() for time in times)
    found = {}
    for type_ in types:
        own, more = day.get(type_, []), others.get(type_, [])
        if len(own) >= LEAST_TIMES:
            found[type_] = HandleTimes(tuple(sorted(own)), "the day")
        elif len(own) + len(more) >= LEAST_TIMES:
            found[type_] = HandleTimes(tuple(sorted(own + more)), "the day and other days")
        else:
            found[type_] = HandleTimes(tuple(pooled or [0.0]), "all types of the day")
    return found


def _times(calls: Iterable[HistoricCall]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = defaultdict(list)
    for call in calls:
        if call.handled_s is not None:
            times[call.type].append(call.handled_s)
    return times


def paces(calls: Sequence[HistoricCall]) -> dict[str, float]:
    """Agent -> his handle times over what the pool takes for the same calls, drawn towards 1 where he has few."""
    means = {type_: fmean(times) for type_, times in _times(calls).items()}
    all_ = [time for times in _times(calls).values() for time in times]
    weight = PACE_WEIGHT * fmean(all_) if all_ else 0.0
    took: dict[str, float] = defaultdict(float)
    expected: dict[str, float] = defaultdict(float)
    for call in calls:
        if call.handled_s is not None and call.agent is not None:
            took[call.agent] += call.handled_s
            expected[call.agent] += means[call.type]
    return {agent: (took[agent] + weight) / (expected[agent] + weight) for agent in sorted(took)}


class _Service(NamedTuple):
    start: float
    end: float
    joined: float
    waited: float


def _services(calls: Iterable[HistoricCall]) -> dict[str, list[_Service]]:
    found: dict[str, list[_Service]] = defaultdict(list)
    for call in calls:
        if call.outcome == "served" and call.agent is not None:
            joined = joined_at(call)
            start = joined + call.waited_s
            found[call.agent].append(_Service(start, start + (call.handled_s or 0.0), joined, call.waited_s))
    for services in found.values():
        services.sort()
    return found


def _wrap_s(calls: Iterable[HistoricCall]) -> float:
    """The mean pause between two calls of an agent whose next caller was waiting all the while."""
    pauses = [
        after.start - before.end
        for services in _services(calls).values()
        for before, after in pairwise(services)
        if after.waited > 0 and after.joined <= before.end and 0 <= after.start - before.end <= LONGEST_WRAP_S
    ]
    return fmean(pauses) if pauses else 0.0


def staffing(calls: Sequence[HistoricCall], wrap_s: float) -> list[Stretch]:
    """Who was there when: from an agent's first call to his last, but for pauses while callers waited for nobody."""
    waiting = _Waiting(calls)
    found: list[Stretch] = []
    for agent, services in sorted(_services(calls).items()):
        start, end = services[0].start, services[0].end
        for service in services[1:]:
            if waiting.between(end + wrap_s, service.start) > AWAY_S:
                found.append(_stretch(agent, start, end))
                start = service.start
            end = max(end, service.end)
        found.append(_stretch(agent, start, end))
    return found


def _stretch(agent: str, start: float, end: float) -> Stretch:
    return Stretch(agent, datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(max(start + 1, end), UTC))


class _Waiting:
    """When somebody waited: the union of all waits, summed up to any moment."""

    def __init__(self, calls: Iterable[HistoricCall]) -> None:
        spans = sorted((joined_at(call), joined_at(call) + call.waited_s) for call in calls if call.waited_s > 0)
        self._starts: list[float] = []
        self._ends: list[float] = []
        for start, end in spans:
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)
        self._sums = [0.0]
        for start, end in zip(self._starts, self._ends, strict=True):
            self._sums.append(self._sums[-1] + end - start)

    def between(self, since: float, until: float) -> float:
        """For how many of these seconds somebody waited."""
        return max(0.0, self._before(until) - self._before(since)) if until > since else 0.0

    def _before(self, moment: float) -> float:
        place = bisect_left(self._starts, moment)
        if place == 0:
            return 0.0
        return self._sums[place] - max(0.0, self._ends[place - 1] - moment)
