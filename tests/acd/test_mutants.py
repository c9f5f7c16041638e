"""Seeded faults of the kind that queues really had: the audited walks must catch each of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from acd import commands, core
from acd import state as state_module
from acd.core import Distributor
from acd.machines import agent, entry, offer
from acd.machines.agent import Agent
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.policies.matching import Matcher
from acd.policies.order import KEYS, Place, place_of
from acd.policies.rings import need_in
from acd.state import Kind, State
from acd.steps import entries, matching, offers, rings
from callcenter.kernel.errors import IllegalTransition
from tests.support.acd_walk import POLICIES, seeded, walked

Mutant = Callable[[pytest.MonkeyPatch], None]
MOST_WALKS = 150


def lease_not_armed_again(patch: pytest.MonkeyPatch) -> None:
    """The second offer of an entry has no deadline."""
    arm = State.arm

    def forgetful(self: State, kind: Kind, id_: str, at: datetime | None) -> None:
        if kind != "offer" or id_.endswith("-o1"):
            arm(self, kind, id_, at)

    patch.setattr(State, "arm", forgetful)


def double_release(patch: pytest.MonkeyPatch) -> None:
    """An offer that is over releases its agent whatever he does by now."""

    def eager(state: State, offer_: Offer, cause: offers.Cause, now: datetime) -> None:
        state.move_agent(offer_.agent, agent.Release(offer_.id, cause, state.policy.settings), now)

    patch.setattr(offers, "release", eager)


def lost_requeue(patch: pytest.MonkeyPatch) -> None:
    """An offer that failed leaves its caller offered to nobody."""

    def careless(state: State, offer_: Offer, cause: offers.Cause, now: datetime) -> None:
        offers.release(state, offer_, cause, now)

    patch.setattr(offers, "give_back", careless)


def requeued_at_the_end(patch: pytest.MonkeyPatch) -> None:
    """Who comes back from an offer starts his wait anew."""

    def late(old: QueueEntry, event: entry.Returned, now: datetime) -> entry.Step:
        back, told = _RETURNED(old, event, now)
        return replace(back, enqueued_at=now), told

    patch.setitem(entry.TRANSITIONS, ("offered", entry.Returned), late)


def stale_answer_taken(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the fence."""

    def trusting(old: Offer, _event: offer.Accept, now: datetime) -> offer.Step:
        return _ACCEPT(old, offer.Accept(old.fence), now)

    patch.setitem(offer.TRANSITIONS, ("pending", offer.Accept), trusting)


def exclusion_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Who declined is offered the same caller at once."""

    def forgiving(old: QueueEntry, event: entry.Returned, now: datetime) -> entry.Step:
        return _RETURNED(old, entry.Returned(event.offer, event.position), now)

    patch.setitem(entry.TRANSITIONS, ("offered", entry.Returned), forgiving)


def exclusion_for_ever(patch: pytest.MonkeyPatch) -> None:
    """The end of an exclusion is nobody's deadline."""
    patch.setattr(QueueEntry, "next_deadline", property(lambda self: self.leave_at))


def end_of_exclusion_not_matched(patch: pytest.MonkeyPatch) -> None:
    """The exclusion ends and nobody looks for an agent."""

    def lazy(state: State, input_: commands.Tick, now: datetime) -> None:
        core.tick(state, input_, now)
        state.arrived = []

    patch.setitem(core.HANDLERS, commands.Tick, lazy)


def freed_agent_not_matched(patch: pytest.MonkeyPatch) -> None:
    """An agent who gets free waits for the next caller instead of taking the first."""

    def blind(state: State, now: datetime) -> None:
        state.freed = []
        _MATCH(state, now)

    patch.setattr(matching, "match", blind)


def wrap_up_skipped(patch: pytest.MonkeyPatch) -> None:
    """The contact ends and the agent is free at once."""

    def hasty(old: Agent, event: agent.Part, now: datetime) -> agent.Step:
        return _PART(replace(old, wrap_up_s=0, until=None), event, now)

    patch.setitem(agent.TRANSITIONS, ("on_contact", agent.Part), hasty)


def wrap_up_ended_by_any_tick(patch: pytest.MonkeyPatch) -> None:
    """The first timer that fires ends everybody's wrap-up."""

    def greedy(state: State, input_: commands.Tick, now: datetime) -> None:
        core.tick(state, input_, now)
        for id_ in [id_ for id_, found in state.agents.items() if found.state == "wrap_up"]:
            state.agents[id_] = replace(state.agents[id_], until=now)
            state.move_agent(id_, agent.Lapse(), now)

    patch.setitem(core.HANDLERS, commands.Tick, greedy)


def zombie_call(patch: pytest.MonkeyPatch) -> None:
    """The caller is gone, the agent is rung on."""

    def ghostly(state: State, id_: str, event: Any, _reason: Any, now: datetime) -> None:
        state.move_entry(id_, event, now)

    patch.setattr(entries, "end_entry", ghostly)


def newest_idle_first(patch: pytest.MonkeyPatch) -> None:
    """The idle order is upside down."""
    patch.setitem(KEYS, "longest_idle", lambda idle, _level: (-idle.idle_ms, 0))


def priority_ignored(patch: pytest.MonkeyPatch) -> None:
    """Callers are served by time alone."""

    def by_time(self: QueueEntry) -> Place:
        return place_of(self.id, rank=0, lead_ms=0, enqueued_at=self.enqueued_at, number=self.number)

    patch.setattr(QueueEntry, "place", property(by_time))


def rest_never_ends(patch: pytest.MonkeyPatch) -> None:
    """A phone that was busy once is never rung again."""
    patch.setitem(agent.TRANSITIONS, ("available", agent.Lapse), lambda old, _event, _now: (old, []))


def miss_forgiven(patch: pytest.MonkeyPatch) -> None:
    """An agent who does not answer stays available."""

    def mild(old: Agent, event: agent.Release, now: datetime) -> agent.Step:
        return _RELEASE(replace(old, misses=-1), event, now)

    patch.setitem(agent.TRANSITIONS, ("reserved", agent.Release), mild)


def team_paused(patch: pytest.MonkeyPatch) -> None:
    """A call that all of them let ring counts against each."""
    patch.setitem(offer.TRANSITIONS, ("pending", offer.Accompany), lambda old, _event, _now: (old, []))


def signed_out_but_ringing(patch: pytest.MonkeyPatch) -> None:
    """Signing out leaves the offer behind."""
    patch.setitem(agent.TRANSITIONS, ("reserved", commands.AgentSignedOut), agent._sign_out)


def timers_not_restored(patch: pytest.MonkeyPatch) -> None:
    """A restart forgets what was running."""
    restore = Distributor.restore

    def partial(self: Distributor, *rows: Any) -> None:
        restore(self, *rows)
        self.state.deadlines = []

    patch.setattr(Distributor, "restore", partial)


def ring_never_ends(patch: pytest.MonkeyPatch) -> None:
    """Whoever waits in a ring waits in it for ever."""
    patch.setattr(rings, "seconds_of", lambda *_: None)


def deserted_ring_kept(patch: pytest.MonkeyPatch) -> None:
    """Callers stay in a ring that everybody has left."""
    patch.setattr(rings, "restaffed", lambda state, now: state.gone.clear())


def waits_for_one_who_left(patch: pytest.MonkeyPatch) -> None:
    """The preferred agent may be anywhere."""
    patch.setattr(State, "can_be_waited_for", lambda self, agent_: agent_ in self.known and agent_ in self.agents)


def levels_never_lowered(patch: pytest.MonkeyPatch) -> None:
    """A later ring asks for as much as the first."""
    patch.setattr(state_module, "need_in", lambda queue, _ring, *wants: need_in(queue, 1, *wants))


def reserve_ignored(patch: pytest.MonkeyPatch) -> None:
    """The last idle agent is taken too."""
    agent_for = Matcher.agent_for
    patch.setattr(
        Matcher, "agent_for", lambda self, spot, *rest: agent_for(self, (spot[0], spot[1], 0, spot[3]), *rest)
    )


def head_start_ignored(patch: pytest.MonkeyPatch) -> None:
    """Priority and head start are words."""
    patch.setattr(entries, "lead_of", lambda *_, **__: (0, 0))


def turn_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Round robin begins with the first again and again."""

    def unturned(old: Agent, event: agent.Reserve, now: datetime) -> agent.Step:
        return _RESERVE(old, replace(event, turn=0), now)

    patch.setitem(agent.TRANSITIONS, ("available", agent.Reserve), unturned)


def experts_first(patch: pytest.MonkeyPatch) -> None:
    """Lowest sufficient is highest."""
    patch.setitem(KEYS, "lowest_level", KEYS["highest_level"])


def others_ring_on(patch: pytest.MonkeyPatch) -> None:
    """One of those who ring for all answers, the others ring on."""
    patch.setattr(offers, "rescind", lambda state, id_, *_: state.offers[id_])


def one_phone_for_all(patch: pytest.MonkeyPatch) -> None:
    """Ring all rings one."""
    patch.setattr(matching, "_ring_others", lambda *_: None)


def mandatory_wrap_up_ends(patch: pytest.MonkeyPatch) -> None:
    """The agent is taken for done when he is not."""

    def short(old: Agent, event: agent.Part, now: datetime) -> agent.Step:
        return _PART(replace(old, wrap_up="timed"), event, now)

    patch.setitem(agent.TRANSITIONS, ("on_contact", agent.Part), short)


def wrap_up_unasked(patch: pytest.MonkeyPatch) -> None:
    """Optional wrap-up for everybody."""

    def always(old: Agent, event: agent.Part, now: datetime) -> agent.Step:
        return _PART(replace(old, asks=not old.direct), event, now)

    patch.setitem(agent.TRANSITIONS, ("on_contact", agent.Part), always)


_RESERVE = agent.TRANSITIONS["available", agent.Reserve]
_RETURNED = entry.TRANSITIONS["offered", entry.Returned]
_ACCEPT = offer.TRANSITIONS["pending", offer.Accept]
_PART = agent.TRANSITIONS["on_contact", agent.Part]
_RELEASE = agent.TRANSITIONS["reserved", agent.Release]
_MATCH = matching.match

MUTANTS: tuple[Mutant, ...] = (
    lease_not_armed_again,
    double_release,
    lost_requeue,
    requeued_at_the_end,
    stale_answer_taken,
    exclusion_forgotten,
    exclusion_for_ever,
    end_of_exclusion_not_matched,
    freed_agent_not_matched,
    wrap_up_skipped,
    wrap_up_ended_by_any_tick,
    zombie_call,
    newest_idle_first,
    priority_ignored,
    rest_never_ends,
    miss_forgiven,
    team_paused,
    signed_out_but_ringing,
    timers_not_restored,
    ring_never_ends,
    deserted_ring_kept,
    waits_for_one_who_left,
    levels_never_lowered,
    reserve_ignored,
    head_start_ignored,
    turn_forgotten,
    experts_first,
    others_ring_on,
    one_phone_for_all,
    mandatory_wrap_up_ends,
    wrap_up_unasked,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_walks_catch_the_mutant(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with pytest.raises((AssertionError, KeyError, IllegalTransition)):
        _walk_until_caught()


def _walk_until_caught() -> None:
    for seed in range(MOST_WALKS):
        walked(seeded(seed), POLICIES[seed % len(POLICIES)])
