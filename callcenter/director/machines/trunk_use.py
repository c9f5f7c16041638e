"""TrunkUse: what calls to the outside may cost on one trunk (security.md S15).

    placed -> (talking) -> ended | overdue -> ended

Theory. A stolen password or a careless flow must not run up a bill over a weekend: a trunk rings only numbers that
its rules allow, so many at once, so many a minute and a day (of UTC), and none for longer than its limit. What was
used is a state row, so a restart forgets nothing of it. Numbers are E.164 or short; the longest beginning that
`allow` or `deny` has decides, and deny where both have it. Without rules nothing goes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

MINUTE = timedelta(minutes=1)
Refusal = Literal["forbidden", "calls", "per_minute", "per_day", "trunk_down"]
"""Why a number is not rung: no trunk may, or the limit of that name is reached, or the trunk does not answer."""


@dataclass(frozen=True, slots=True)
class TrunkRules:
    """One trunk's rules. `address` is where its INVITEs go; `plus` is what the leading + is written as.

    `pass_caller`: a call that is passed on shows its caller's number, everything else `caller_id`.
    """

    trunk: str
    address: tuple[str, int]
    transport: str
    caller_id: str
    allow: tuple[str, ...]
    deny: tuple[str, ...] = ()
    plus: str = "+"
    pass_caller: bool = False
    calls: int = 2
    per_minute: int = 10
    per_day: int = 200
    longest_s: int = 7200

    def allows(self, number: str) -> bool:
        """Whether `number` (E.164, or short digits) may be rung through this trunk at all."""
        yes = max((len(start) for start in self.allow if number.startswith(start)), default=-1)
        no = max((len(start) for start in self.deny if number.startswith(start)), default=-1)
        return yes > no

    def written(self, number: str) -> str:
        """`number` as the provider wants it."""
        return self.plus + number[1:] if number.startswith("+") else number

    def shows(self, caller: str | None) -> str:
        """The number that the called person sees; `caller` is None for our own calls and withheld ones."""
        return caller if self.pass_caller and caller else self.caller_id


@dataclass(frozen=True, slots=True)
class DialOutRules:
    """The trunks that may be rung through, in the order in which they are tried, and the site's own region."""

    region: str
    trunks: tuple[TrunkRules, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A leg goes out."""

    leg: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A leg is over; one that is not ours changes nothing."""

    leg: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class TakeDown:
    """The leg has lasted as long as a call may."""

    leg: str


@dataclass(frozen=True, slots=True)
class OutsideCall:
    """A leg on the trunk, and when it must be over."""

    leg: str
    until: datetime


@dataclass(frozen=True, slots=True)
class TrunkUse:
    """What has gone out through one trunk; a state row."""

    trunk: str
    day: str = ""
    placed_on_day: int = 0
    placed_lately: tuple[datetime, ...] = ()
    calls: tuple[OutsideCall, ...] = ()

    @property
    def next_deadline(self) -> datetime | None:
        """When the oldest call has lasted long enough."""
        return min((call.until for call in self.calls), default=None)

    def refusal(self, rules: TrunkRules, *, now: datetime) -> Refusal | None:
        """Which limit forbids one more call now."""
        if len(self.calls) >= rules.calls:
            return "calls"
        if len(self._lately(now)) >= rules.per_minute:
            return "per_minute"
        if self.day == _day(now) and self.placed_on_day >= rules.per_day:
            return "per_day"
        return None

    def handle(
        self, event: Placed | Ended | Tick, rules: TrunkRules, *, now: datetime
    ) -> tuple["TrunkUse", list[TakeDown]]:
        """The use after `event`. A leg taken down stays counted until it has ended."""
        match event:
            case Placed():
                today = self.placed_on_day if self.day == _day(now) else 0
                call = OutsideCall(event.leg, now + timedelta(seconds=rules.longest_s))
                placed = replace(
                    self,
                    day=_day(now),
                    placed_on_day=today + 1,
                    placed_lately=(*self._lately(now), now),
                    calls=(*self.calls, call),
                )
                return placed, []
            case Ended():
                return replace(self, calls=tuple(call for call in self.calls if call.leg != event.leg)), []
            case Tick():
                late = {call.leg for call in self.calls if call.until <= now}
                kept = tuple(replace(call, until=now + MINUTE) if call.leg in late else call for call in self.calls)
                return replace(self, calls=kept), [TakeDown(leg) for leg in sorted(late)]

    def _lately(self, now: datetime) -> tuple[datetime, ...]:
        return tuple(at for at in self.placed_lately if now - at < MINUTE)


def choose(
    trunks: Sequence[tuple[TrunkRules, TrunkUse, bool]], number: str, *, now: datetime
) -> TrunkRules | Refusal:
    """The first trunk that may ring `number` now; each comes with its use and whether it answers (OPTIONS)."""
    refusal: Refusal = "forbidden"
    for rules, use, up in trunks:
        if not rules.allows(number):
            continue
        over = use.refusal(rules, now=now)
        if up and over is None:
            return rules
        refusal = over or "trunk_down"
    return refusal


def _day(now: datetime) -> str:
    return now.date().isoformat()
