"""Walks of the whole distributor: the invariants of acd.md section 2 over random interleavings."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd.core import Distributor
from acd.machines import agent, entry, offer
from tests.support.acd_walk import POLICIES, Transition, counted, seeded, walked

NUMBER = st.integers(min_value=0, max_value=2519)
STEPS = st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER), min_size=30, max_size=60)
QUICK_WALKS = 400
SOAK_WALKS = 10_000

MACHINES: tuple[tuple[str, Iterable[tuple[str, type]]], ...] = (
    ("Agent", agent.TRANSITIONS),
    ("QueueEntry", entry.TRANSITIONS),
    ("Offer", offer.TRANSITIONS),
)
TRANSITIONS: set[Transition] = {
    (machine, state, kind.__name__) for machine, table in MACHINES for state, kind in table
} - {
    # Nobody armed a deadline for these: late timers are no-ops, and the core never sends them.
    ("Agent", state, "Lapse")
    for state in ("logged_out", "not_ready", "reserved", "on_contact")
}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_no_interleaving_breaks_an_invariant(steps: list[tuple[int, int, int, int]]) -> None:
    walked(steps, POLICIES[len(steps) % len(POLICIES)])


def test_seeded_walks_break_no_invariant_and_take_every_transition() -> None:
    with counted() as taken:
        for seed in range(QUICK_WALKS):
            walked(seeded(seed), POLICIES[seed % len(POLICIES)])
    assert set(taken) == TRANSITIONS


@pytest.mark.soak
def test_ten_thousand_walks_take_every_transition_fifty_times() -> None:
    with counted() as taken:
        for seed in range(SOAK_WALKS):
            walked(seeded(seed), POLICIES[seed % len(POLICIES)])
    _print(taken)
    assert {transition: taken[transition] for transition in TRANSITIONS if taken[transition] < 50} == {}


def _print(taken: Counter[Transition]) -> None:
    for (machine, state, kind), count in sorted(taken.items()):
        print(f"{count:9} {machine:10} {state:11} {kind}")  # the soak's report


@pytest.mark.parametrize("seed", range(10))
def test_restart_at_any_point_and_replay_change_no_decision(seed: int) -> None:
    """The walk restarts the core from its rows here and there; one that never dies decides the same."""
    walk = walked(seeded(1000 + seed, 120), POLICIES[seed % len(POLICIES)])
    lasting = Distributor()
    assert [lasting.handle(input_, now=now) for now, input_ in walk.log] == walk.told
