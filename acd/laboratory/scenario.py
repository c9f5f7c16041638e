"""A scenario: who calls, who works, by which rules. From it and a seed come as many trials as one likes.

Reading it from a file is `acd.laboratory.scenario_file`; docs/laboratory.md explains the keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from math import cos, pi, sqrt

from acd.laboratory.chance import Spread, Streams, arrivals_ms, busyness
from acd.laboratory.recorded import RecordedCall
from acd.laboratory.trial import Shift, SimulatedCall, Trial
from acd.model import Policy, Skills

# A system forgets how it began by a factor e in each relaxation time; after five, what is left is below 1 %.
RELAXATIONS = 5


@dataclass(frozen=True, slots=True)
class CallType:
    """Callers of one kind. `per_min` by period; `patience` None: they wait for ever."""

    name: str
    queue: str
    per_min: tuple[float, ...]
    handle: Spread
    patience: Spread | None = None
    priority: int = 50
    head_start_s: int = 0
    skills: Skills = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Agents with equal skills. `agents` by period: the first of `names` are there."""

    name: str
    names: tuple[str, ...]
    agents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`hours` are counted, in equal periods that begin at `opens_min` minutes after midnight.

    With `start_empty` a trial is a day: it begins without callers, nobody calls after its end, and whoever waits then
    is still served. Otherwise rates and staff never change and `warm_up_s` passes before anything is counted.
    `recorded` calls come instead of drawn ones.
    """

    name: str
    types: tuple[CallType, ...]
    groups: tuple[Group, ...]
    policy: Policy
    hours: float
    periods: int = 1
    opens_min: int = 0
    threshold_s: float = 20.0
    waiting_room: int | None = None
    answer_s: float = 0.0
    busyness_cv: float = 0.0
    start_empty: bool = True
    warm_up_s: float = 0.0
    recorded: tuple[RecordedCall, ...] | None = None

    @property
    def period_ms(self) -> float:
        return self.hours * 3_600_000 / self.periods

    @property
    def period_names(self) -> tuple[str, ...]:
        """When each period begins, by the clock on the wall: "09:30"."""
        minutes = [self.opens_min + self.period_ms * period / 60_000 for period in range(self.periods)]
        return tuple(f"{int(each // 60):02}:{int(each % 60):02}" for each in minutes)

    def trial(self, streams: Streams) -> Trial:
        """One day, or one stretch of hours, of this scenario, its chance taken from `streams`."""
        from_ms = 0 if self.start_empty else int(self.warm_up_s * 1000)
        return Trial(
            policy=self.policy,
            calls=self._calls(streams),
            shifts=tuple(self._shifts()),
            groups={agent: group.name for group in self.groups for agent in group.names},
            types=tuple(type_.name for type_ in self.types),
            from_ms=from_ms,
            until_ms=from_ms + int(self.hours * 3_600_000),
            periods=self.periods,
            threshold_ms=int(self.threshold_s * 1000),
            waiting_room=self.waiting_room,
            answer_ms=int(self.answer_s * 1000),
            salt=f"{int(streams('routing').random() * 2**32):08x}-",
        )

    def _calls(self, streams: Streams) -> Iterator[SimulatedCall]:
        if self.recorded is not None:
            return self._calls_as_recorded(self.recorded, streams)
        busy = busyness(self.busyness_cv, streams("busyness"))
        flows = [self._calls_of(type_, busy, streams) for type_ in self.types]
        return flows[0] if len(flows) == 1 else merge(*flows)

    def _calls_of(self, type_: CallType, busy: float, streams: Streams) -> Iterator[SimulatedCall]:
        rates = [per_min * busy / 60_000 for per_min in type_.per_min]
        if self.start_empty:
            rates.append(0.0)
        length = self.period_ms if self.start_empty else 0.0
        made = _Callers(type_, streams)
        for at_ms in arrivals_ms(rates, length, streams(f"arrivals/{type_.name}")):
            yield made.call(at_ms)

    def _calls_as_recorded(self, recorded: tuple[RecordedCall, ...], streams: Streams) -> Iterator[SimulatedCall]:
        made = {type_.name: _Callers(type_, streams) for type_ in self.types}
        for each in recorded:
            drawn = made[each.type].call(each.at_ms)
            yield drawn._replace(
                patience_ms=drawn.patience_ms if each.patience_ms is None else each.patience_ms,
                handle_ms=drawn.handle_ms if each.handle_ms is None else each.handle_ms,
            )

    def _shifts(self) -> Iterator[Shift]:
        for group in self.groups:
            for place, agent in enumerate(group.names):
                for first, after in _stretches([there > place for there in group.agents]):
                    until = None if after == len(group.agents) else int(after * self.period_ms)
                    yield Shift(agent, int(first * self.period_ms), until)


class _Callers:
    """Makes the callers of one type, one after the other, each with the next numbers of its streams."""

    __slots__ = ("_handle", "_patience", "_type")

    def __init__(self, type_: CallType, streams: Streams) -> None:
        self._type = type_
        self._handle = streams(f"service/{type_.name}").random
        self._patience = streams(f"patience/{type_.name}").random

    def call(self, at_ms: int) -> SimulatedCall:
        type_, draw = self._type, self._handle()
        return SimulatedCall(
            at_ms,
            type_.name,
            type_.queue,
            type_.handle.ms_at(draw),
            None if type_.patience is None else type_.patience.ms_at(self._patience()),
            type_.priority,
            type_.skills,
            draw,
            type_.head_start_s,
        )


def _stretches(there: list[bool]) -> Iterator[tuple[int, int]]:
    """(first, one after the last) of each run of True."""
    begun: int | None = None
    for period, here in enumerate([*there, False]):
        if here and begun is None:
            begun = period
        elif not here and begun is not None:
            yield begun, period
            begun = None


def relaxation_s(
    load: float, agents: int, *, service_s: float, patience_s: float | None, waiting_room: int | None
) -> float:
    """How long, in seconds, a pool of agents takes to forget its state by a factor e, roughly.

    The slower of two: service ends (rate mu), and the line drains, at the spectral gap of M/M/c's line
    (sqrt(c mu) - sqrt(lambda))^2 (Newell 1982), or as its room or its callers' patience make it.
    """
    mu = 1 / service_s
    drain = (sqrt(agents) - sqrt(load)) ** 2 * mu if load < agents else 0.0
    if waiting_room is not None:
        reflected = (sqrt(agents) - sqrt(load)) ** 2 + 2 * sqrt(agents * load) * (1 - cos(pi / (waiting_room + 1)))
        drain = max(drain, reflected * mu)
    if patience_s is not None:
        drain = max(drain, 1 / patience_s)
    return 1 / min(mu, drain) if drain else float("inf")
