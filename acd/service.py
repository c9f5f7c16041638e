"""The core with its journal around it: one input, its facts and the rows it changed, all in the caller's unit.

Inputs are journalled as `acd.input.<name>` with `n` (their number) and `now` (ms), which is all that a replay needs;
facts as docs/events.md has them; rows as `agent`, `entry` and `offer`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

import msgspec

from acd import commands, events
from acd.core import Distributor
from acd.machines.agent import Agent
from acd.machines.care import Care
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.model import Policy, milliseconds, to_millisecond
from acd.policies.expected_wait import Estimate
from acd.version import core_version
from callcenter.kernel.codec import decode
from callcenter.kernel.unit import Unit

_WORD = re.compile(r"(?<!^)(?=[A-Z])")
INPUT_TYPES: dict[str, type[commands.Input]] = {
    "acd.input." + _WORD.sub("_", kind.__name__).lower(): kind for kind in get_args(commands.Input)
}
_TYPE_OF = {kind: name for name, kind in INPUT_TYPES.items()}
_SUBJECT_OF = {
    kind: tuple(field for field in ("entry", "offer", "agent", "contact") if field in kind.__annotations__)
    for kind in _TYPE_OF
}

Blob = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Rows:
    """What an earlier run left: the state rows (id, canonical JSON) of each kind."""

    agents: Iterable[Blob] = ()
    entries: Iterable[Blob] = ()
    offers: Iterable[Blob] = ()
    cares: Iterable[Blob] = ()
    estimates: Iterable[Blob] = ()


class AcdService:
    """The one distributor of a site. Lives on the loop; `start` comes before anything else."""

    def __init__(self) -> None:
        self.core = Distributor()

    def start(self, unit: Unit, policy: Policy, *, epoch: int, rows: Rows | None = None) -> list[events.Event]:
        """Take the rows of the run before and the policy; what comes of it (a match that the restart cut off).

        `epoch` is the journal's. Raises msgspec.ValidationError, naming the path, for a row that no longer fits.
        """
        if rows is not None:
            self.core.restore(
                [decode(blob, Agent) for _, blob in rows.agents],
                [decode(blob, QueueEntry) for _, blob in rows.entries],
                [decode(blob, Offer) for _, blob in rows.offers],
                [decode(blob, Care) for _, blob in rows.cares],
                [decode(blob, Estimate) for _, blob in rows.estimates],
            )
        told = self.handle(unit, commands.Restarted(epoch, core_version()))
        return told + self.handle(unit, commands.PolicyLoaded(policy))

    @property
    def next_deadline(self) -> datetime | None:
        """When the driver owes a `Tick`."""
        return self.core.next_deadline

    def handle(self, unit: Unit, input_: commands.Input) -> list[events.Event]:
        """Run `input_` at `unit.now`, journal it, its facts and its rows; return the facts and refusals in order.

        A Tick before the deadline is nothing and leaves no trace.
        """
        if type(input_) is commands.Tick:
            due = self.core.next_deadline
            if due is None or due > to_millisecond(unit.now):
                return []
        told = self.core.handle(input_, now=unit.now)
        _journal(unit, input_, self.core.number)
        for event in told:
            if not isinstance(event, events.InputRefused):
                type_, subject, data = events.wire(event)
                unit.event(type_, subject, **data)
        for kind, id_, row in self.core.take_touched():
            if row is None:
                unit.delete(kind, id_)
            else:
                unit.save(kind, id_, row)
        return told


def _journal(unit: Unit, input_: commands.Input, number: int) -> None:
    kind = type(input_)
    data: dict[str, object] = msgspec.to_builtins(input_)
    subject = next((str(data[field]) for field in _SUBJECT_OF[kind] if data[field]), "acd")
    unit.input(_TYPE_OF[kind], subject, n=number, now=milliseconds(unit.now), **data)
