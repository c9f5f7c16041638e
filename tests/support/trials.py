"""Trials whose chance the test decides itself."""

from collections.abc import Sequence

from acd.laboratory.tally import Outcome
from acd.laboratory.trial import Shift, SimulatedCall, Trial
from acd.laboratory.world import World
from acd.model import AgentPolicy, Policy, QueuePolicy, Skills

HOUR_MS = 3_600_000


def call(at_s: float, handle_s: float, patience_s: float | None = None, head_start_s: int = 0) -> SimulatedCall:
    """A caller of the only type, for the only queue."""
    patience_ms = None if patience_s is None else int(patience_s * 1000)
    return SimulatedCall(
        int(at_s * 1000), "calls", "calls", int(handle_s * 1000), patience_ms, head_start_s=head_start_s
    )


def trial_of(
    calls: Sequence[SimulatedCall],
    *,
    agents: int = 1,
    hours: float = 1,
    periods: int = 1,
    waiting_room: int | None = None,
    answer_s: float = 0,
    wrap_up_s: int = 0,
    shifts: Sequence[Shift] | None = None,
    queues: Sequence[QueuePolicy] | None = None,
    skills: Sequence[Skills] = (),
) -> Trial:
    """One queue, equal agents a1, a2, ... who are there all the time, service level in 20 s.

    `queues` instead of the one, and `skills` of the agents, if they matter.
    """
    names = [f"a{number}" for number in range(1, agents + 1)]
    has = skills or [()] * agents
    return Trial(
        policy=Policy(
            "p",
            (QueuePolicy("calls", wrap_up_s=wrap_up_s),) if queues is None else tuple(queues),
            tuple(AgentPolicy(name, each) for name, each in zip(names, has, strict=True)),
        ),
        calls=calls,
        shifts=tuple(Shift(name, 0) for name in names) if shifts is None else tuple(shifts),
        groups=dict.fromkeys(names, "agents"),
        types=("calls",),
        from_ms=0,
        until_ms=int(hours * HOUR_MS),
        periods=periods,
        waiting_room=waiting_room,
        answer_ms=int(answer_s * 1000),
    )


def outcome_of(trial: Trial) -> Outcome:
    return World(trial).run()
