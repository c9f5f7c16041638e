"""A day that has been, under other rules: its callers at their times, everything else drawn from its own log.

Under every policy a caller has the same patience and the same share of the handle times (common random numbers), so
the difference of two policies is sure much sooner than each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Literal

from acd.laboratory.chance import Streams
from acd.laboratory.day_model import DayModel, HandleTimes, Stretch, joined_at
from acd.laboratory.history import HistoricCall
from acd.laboratory.trial import Shift, SimulatedCall, Trial
from acd.model import DEFAULT_PRIORITY, Policy

Handling = Literal["agent", "pooled"]
_TEAM = "agents"


@dataclass(frozen=True, slots=True)
class CallerRule:
    """What callers of a `type` and a `priority` of the log (None: of any) get. `rank` is the core's priority."""

    type: str | None = None
    priority: int | None = None
    head_start_s: int = 0
    rank: int = DEFAULT_PRIORITY

    def fits(self, call: HistoricCall) -> bool:
        return self.type in (None, call.type) and self.priority in (None, call.priority)


NO_RULE = CallerRule()


@dataclass(frozen=True, slots=True)
class DayPolicy:
    """A policy to try. `policy` is the core's, with a queue for each call type; of `callers` the first that fits.

    `stretches`: who is there when; None: as in the log.
    """

    name: str
    policy: Policy
    callers: tuple[CallerRule, ...] = ()
    stretches: tuple[Stretch, ...] | None = None

    def rule(self, call: HistoricCall) -> CallerRule:
        return next((rule for rule in self.callers if rule.fits(call)), NO_RULE)


@dataclass(frozen=True, slots=True)
class HandledAs:
    """How long an agent takes for a call: its share of the type's times, by his pace, and the pause after it."""

    times: Mapping[str, HandleTimes]
    pace: Mapping[str, float]
    wrap_s: float

    def __call__(self, call: SimulatedCall, agent: str) -> int:
        seconds = self.times[call.type].at(call.draw) * self.pace.get(agent, 1.0)
        return max(1, int((seconds + self.wrap_s) * 1000))


@dataclass(frozen=True, slots=True)
class DayTrials:
    """The day under one policy, to be run as often as wanted. `midnight` begins it, by the log's clock."""

    model: DayModel
    policy: DayPolicy
    midnight: datetime
    handling: Handling = "agent"
    threshold_s: float = 20.0
    hours: int = field(default=24)

    def trial(self, streams: Streams) -> Trial:
        """One such day, its chance taken from `streams`."""
        calls = self._calls(streams)
        until = max(self.hours * 3_600_000, calls[-1].at_ms + 1 if calls else 0)
        stretches = self.model.stretches if self.policy.stretches is None else self.policy.stretches
        pace = self.model.pace if self.handling == "agent" else {}
        return Trial(
            policy=self.policy.policy,
            calls=calls,
            shifts=tuple(
                Shift(each.agent, self._ms(each.start.timestamp()), self._ms(each.end.timestamp()))
                for each in stretches
            ),
            groups=dict.fromkeys((each.agent for each in stretches), _TEAM),
            types=tuple(sorted({call.type for call in self.model.arrivals})),
            from_ms=0,
            until_ms=until,
            threshold_ms=int(self.threshold_s * 1000),
            handling=HandledAs(self.model.handle, pace, self.model.wrap_s),
            salt=f"{int(streams('routing').random() * 2**32):08x}-",
        )

    def _calls(self, streams: Streams) -> list[SimulatedCall]:
        patience, share = streams("patience").random, streams("service").random
        found = []
        for call in self.model.arrivals:
            rule = self.policy.rule(call)
            wait_s, draw = self.model.patience[call.type].time_at(patience()), share()
            found.append(
                SimulatedCall(
                    at_ms=self._ms(joined_at(call)),
                    type=call.type,
                    queue=call.type,
                    handle_ms=0,
                    patience_ms=max(1, int(wait_s * 1000)) if isfinite(wait_s) else None,
                    priority=rule.rank,
                    draw=draw,
                    head_start_s=rule.head_start_s,
                )
            )
        return found

    def _ms(self, moment: float) -> int:
        return max(0, int((moment - self.midnight.timestamp()) * 1000))


def hours_of(midnight: datetime) -> int:
    """How many hours the day of `midnight` has by its zone's clock: 23 to 25."""
    after = (midnight + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return round((after.timestamp() - midnight.timestamp()) / 3600)
