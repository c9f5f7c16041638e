"""One run of the core from beginning to end: who calls when, who is there when, and what is counted.

A trial has all of its chance decided already, so that running it is a plain function of it. Times are whole
milliseconds since the trial began.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from acd.model import DEFAULT_PRIORITY, Policy, Skills


class SimulatedCall(NamedTuple):
    """A caller: he hangs up when he has waited longer than `patience_ms` (None: never).

    `draw` (0 to 1) is his share of the handle times, for whoever lets the agent decide how long that is.
    """

    at_ms: int
    type: str
    queue: str
    handle_ms: int
    patience_ms: int | None = None
    priority: int = DEFAULT_PRIORITY
    skills: Skills = ()
    draw: float = 0.0
    head_start_s: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """An agent is there from `from_ms` on until `until_ms` (None: until the last call is over)."""

    agent: str
    from_ms: int
    until_ms: int | None = None


Handling = Callable[[SimulatedCall, str], int]
"""How many milliseconds this agent handles this call."""


def as_drawn(call: SimulatedCall, _agent: str) -> int:
    """As long as the call itself says, whoever takes it."""
    return call.handle_ms


@dataclass(frozen=True, slots=True)
class Trial:
    """`calls` are in the order of time; calls that come in [`from_ms`, `until_ms`) are counted, in `periods` equal
    parts, and agents' time between the two. The run ends when the last counted call has ended.

    `groups`: agent -> group, for the counting. `waiting_room`: how many callers may wait at once, over all queues
    (None: any number); who finds no agent and no room is blocked. `answer_ms`: how long an agent's phone rings.
    `salt` begins the calls' ids, of which the core makes its draws where a policy leaves the choice to chance.
    """

    policy: Policy
    calls: Iterable[SimulatedCall]
    shifts: tuple[Shift, ...]
    groups: dict[str, str]
    types: tuple[str, ...]
    from_ms: int
    until_ms: int
    periods: int = 1
    threshold_ms: int = 20_000
    waiting_room: int | None = None
    answer_ms: int = 0
    handling: Handling = as_drawn
    salt: str = ""
