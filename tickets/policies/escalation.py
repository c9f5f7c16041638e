"""Which escalation steps are due, and when the next one will be (tickets.md section 5).

A step belongs to (clock, cycle, step). Whether it has fired is the caller's knowledge; the end of its clock, of its
cycle or of its policy cancels it, a pause before it was reached puts it off.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tickets.model import ORDER, ClockName, Priority
from tickets.policies.clocks import Reading

StepKey = tuple[ClockName, int, str]
"""(clock, cycle, step)"""


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step that has not fired, and when it falls due."""

    clock: ClockName
    cycle: int
    step: str
    at: datetime

    @property
    def key(self) -> StepKey:
        return self.clock, self.cycle, self.step


def pending_steps(readings: Sequence[Reading], fired: Collection[StepKey]) -> list[DueStep]:
    """Steps that have not fired and whose time is known, earliest first."""
    return sorted(_pending(readings, fired), key=lambda step: (step.at, step.key))


def _pending(readings: Sequence[Reading], fired: Collection[StepKey]) -> Iterator[DueStep]:
    for reading in readings:
        if reading.is_closed or reading.standing == "gap":
            continue
        for name, at in reading.steps:
            if at is not None and (reading.clock, reading.cycle, name) not in fired:
                yield DueStep(reading.clock, reading.cycle, name, at)


def raised(priority: Priority, to: Priority | None) -> Priority:
    """`priority`, or `to` where that is higher: an escalation never lowers one."""
    return priority if to is None else max(priority, to, key=ORDER.index)
