"""Dialling out: which trunk rings a number of the outside, within the rules of `machines/trunk_use`.

Nothing goes out that was not asked for here: flows that dial a number, agents who transfer to one, callbacks. The
number itself is personal: it is in the leg's own row while that lives, and in no event.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from callcenter.calls.ports import Target
from callcenter.director.machines import trunk_use as tu
from callcenter.director.ports import SetAlarm
from callcenter.kernel.unit import Unit
from callcenter.numbers.number import normalise

TRUNK_USE = "trunk_use"
HangUp = Callable[[Unit, str, str], None]
IsUp = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class WayOut:
    """Where to ring, and by which trunk."""

    trunk: str
    target: Target


class DialOut:
    """What has gone out by which trunk. `hang_up` ends a leg; `is_up` says whether a trunk answers."""

    def __init__(self, rules: tu.DialOutRules, *, hang_up: HangUp, is_up: IsUp, set_alarm: SetAlarm) -> None:
        self._rules = rules
        self._hang_up = hang_up
        self._is_up = is_up
        self._set_alarm = set_alarm
        self._uses: dict[str, tu.TrunkUse] = {}
        self._trunk_of: dict[str, str] = {}

    def knows(self, number: str) -> bool:
        """Whether some trunk may ring `number`, as far as its rules go."""
        dialled = self._dialled(number)
        return dialled is not None and any(rules.allows(dialled) for rules in self._rules.trunks)

    def same(self, one: str, other: str) -> bool:
        """Whether both ring the same telephone, however they are written."""
        return self._dialled(one) == self._dialled(other)

    def way_to(self, unit: Unit, contact: str, number: str, *, caller: str | None) -> WayOut | tu.Refusal:
        """The way to `number`, or why there is none, which is recorded. `caller`: whose call is passed on."""
        found = self._choose(unit, number)
        if not isinstance(found, tu.TrunkRules):
            unit.event("director.dial_out.refused", contact, reason=found)
            return found
        dialled = self._dialled(number) or ""
        shown = None if caller is None else normalise(caller, region=self._rules.region).e164
        host, port = found.address
        suffix = "" if found.transport == "udp" else f";transport={found.transport}"
        uri = f"sip:{found.written(dialled)}@{host}:{port}{suffix}"
        from_user = found.written(found.shows(shown))
        return WayOut(found.trunk, Target(uri, host, port, found.transport, from_user, trunk=found.trunk))

    def _choose(self, unit: Unit, number: str) -> tu.TrunkRules | tu.Refusal:
        dialled = self._dialled(number)
        if dialled is None:
            return "forbidden"
        trunks = [(rules, self._use(rules.trunk), self._is_up(rules.trunk)) for rules in self._rules.trunks]
        return tu.choose(trunks, dialled, now=unit.now)

    def _dialled(self, number: str) -> str | None:
        return normalise(number, region=self._rules.region).digits or None

    def placed(self, unit: Unit, contact: str, leg: str, trunk: str) -> None:
        """The leg goes out by `trunk`."""
        unit.event("director.dial_out.placed", contact, leg=leg, trunk=trunk)
        self._trunk_of[leg] = trunk
        self._handle(unit, trunk, tu.Placed(leg))

    def ended(self, unit: Unit, leg: str) -> None:
        """The leg is over; those that did not go out by a trunk are nothing to us."""
        trunk = self._trunk_of.pop(leg, None)
        if trunk is not None:
            self._handle(unit, trunk, tu.Ended(leg))

    def tick(self, unit: Unit, trunk: str) -> None:
        """A call of `trunk` has lasted as long as it may."""
        self._handle(unit, trunk, tu.Tick())

    def _handle(self, unit: Unit, trunk: str, event: tu.Placed | tu.Ended | tu.Tick) -> None:
        rules = next((each for each in self._rules.trunks if each.trunk == trunk), None)
        if rules is None:
            return
        use, effects = self._use(trunk).handle(event, rules, now=unit.now)
        self._uses[trunk] = use
        unit.save(TRUNK_USE, trunk, use)
        self._set_alarm(TRUNK_USE, trunk, use.next_deadline)
        for effect in effects:
            self._hang_up(unit, effect.leg, "too_long")

    def _use(self, trunk: str) -> tu.TrunkUse:
        return self._uses.get(trunk) or tu.TrunkUse(trunk)

    def restore(self, rows: Iterable[tu.TrunkUse]) -> None:
        """Take the rows of the process before."""
        for use in rows:
            self._uses[use.trunk] = use
            self._trunk_of.update((call.leg, use.trunk) for call in use.calls)

    def reconciled(self, unit: Unit, legs: Sequence[str]) -> None:
        """`legs` are those that live after a restart: whatever else is still counted is over."""
        for leg in sorted(self._trunk_of.keys() - set(legs)):
            self.ended(unit, leg)
        for trunk, use in self._uses.items():
            self._set_alarm(TRUNK_USE, trunk, use.next_deadline)
