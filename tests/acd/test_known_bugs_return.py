"""Each known bug brought back in a line: its own test must see it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from acd import commands, core, events
from acd.core import Distributor
from acd.machines import agent, entry, offer
from acd.machines.agent import Agent
from acd.machines.entry import QueueEntry
from acd.state import Kind, State
from acd.steps import agents, entries, offers
from callcenter.kernel.errors import IllegalTransition
from tests.acd import test_known_bugs as known
from tests.support.acd import AcdWorld

Bug = Callable[[pytest.MonkeyPatch], None]


def locked_in_call(patch: pytest.MonkeyPatch) -> None:
    """What is gone after a restart is not let go."""
    patch.setattr(agents, "part_all", lambda *_: None)


def stuck_reserved(patch: pytest.MonkeyPatch) -> None:
    """Of the offers of an entry only the first ends by itself."""
    arm = State.arm

    def once(self: State, kind: Kind, id_: str, at: datetime | None) -> None:
        arm(self, kind, id_, at if kind != "offer" or id_.endswith("-o1") else None)

    patch.setattr(State, "arm", once)


def others_stay_reserved(patch: pytest.MonkeyPatch) -> None:
    """One answers; the agents whose phones stop ringing are not released."""
    patch.setattr(offers, "release", lambda *_: None)


def zombie(patch: pytest.MonkeyPatch) -> None:
    """The caller is gone, the agent is rung on."""
    patch.setattr(entries, "end_entry", lambda state, id_, event, _reason, now: state.move_entry(id_, event, now))


def answered_twice(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the fence."""
    patch.setitem(
        offer.TRANSITIONS,
        ("pending", offer.Accept),
        lambda old, _event, now: _ACCEPT(old, offer.Accept(old.fence), now),
    )


def dropped_before_the_bridge(patch: pytest.MonkeyPatch) -> None:
    """The agent's part in the contact ends, and with it the contact."""
    patch.setitem(core.HANDLERS, commands.ContactEnded, lambda *_: None)


def storm(patch: pytest.MonkeyPatch) -> None:
    """A wish during an offer is carried out at once."""
    patch.setitem(agent.TRANSITIONS, ("reserved", commands.AgentWentNotReady), agent._go_not_ready)


def halted_queue(patch: pytest.MonkeyPatch) -> None:
    """An agent who cannot be rung is tried again and again."""
    patch.setattr(offers, "give_back", lambda state, old, _cause, now: _GIVE_BACK(state, old, "rescinded", now))


def wrap_up_cut_short(patch: pytest.MonkeyPatch) -> None:
    """The next queue's caller ends the wrap-up of the last."""
    patch.setattr(
        Agent, "obstacle", lambda self, delivery: None if self.state == "wrap_up" else _OBSTACLE(self, delivery)
    )


def wrap_up_reset(patch: pytest.MonkeyPatch) -> None:
    """A reload ends wrap-ups."""
    know = State.know

    def forgetful(self: State, policy: Any) -> None:
        know(self, policy)
        self.agents = {id_: replace(old, until=old.since) for id_, old in self.agents.items()}

    patch.setattr(State, "know", forgetful)


def ended_by_the_last(patch: pytest.MonkeyPatch) -> None:
    """A wrap-up that begins puts off the end of those before it."""
    patch.setattr(State, "arm", _later)


def _later(self: State, kind: Kind, id_: str, at: datetime | None) -> None:
    if at is not None and kind == "agent":
        self.deadlines = [each for each in self.deadlines if each[1] != "agent"]
    _ARM(self, kind, id_, at)


def wrap_up_shown_as_available(patch: pytest.MonkeyPatch) -> None:
    """The desk is told the state that follows."""
    changed = agent._changed

    def wrong(old: Agent) -> agent.Step:
        return old, [
            replace(each, state="available") if isinstance(each, events.AgentStateChanged) else each
            for each in changed(old)[1]
        ]

    patch.setattr(agent, "_changed", wrong)


def reason_lost(patch: pytest.MonkeyPatch) -> None:
    """The row of an agent has his state and not its reason."""
    _restoring(patch, lambda old: replace(old, reason=None))


def counted_twice(patch: pytest.MonkeyPatch) -> None:
    """Who comes back from an offer is queued once more."""

    def again(old: QueueEntry, event: entry.Returned, now: datetime) -> entry.Step:
        back, told = _RETURNED(old, event, now)
        return back, [*told, events.EntryQueued(old.contact, old.id, old.queue, old.enqueued_at)]

    patch.setitem(entry.TRANSITIONS, ("offered", entry.Returned), again)


def counts_lost(patch: pytest.MonkeyPatch) -> None:
    """A restart begins to count anew."""
    _restoring(patch, lambda old: replace(old, contacts=0))


def talk_with_the_wait(patch: pytest.MonkeyPatch) -> None:
    """The talk begins when the phone begins to ring."""

    def early(old: Agent, event: agent.Connect, now: datetime) -> agent.Step:
        talking, told = _CONNECT(old, event, now)
        return replace(talking, since=old.since), told

    patch.setitem(agent.TRANSITIONS, ("reserved", agent.Connect), early)


def answered_and_abandoned(patch: pytest.MonkeyPatch) -> None:
    """The caller who hangs up at the end of his talk is counted as gone."""

    def wrong(state: State, input_: commands.ContactEnded, now: datetime) -> None:
        agents.end_contact(state, input_, now)
        state.told.append(events.EntryAbandoned(input_.contact, input_.contact, "billing", 0))

    patch.setitem(core.HANDLERS, commands.ContactEnded, wrong)


def _restoring(patch: pytest.MonkeyPatch, spoil: Callable[[Agent], Agent]) -> None:
    restore = Distributor.restore

    def wrong(self: Distributor, rows: Any, *others: Any) -> None:
        restore(self, [spoil(row) for row in rows], *others)

    patch.setattr(Distributor, "restore", wrong)


_ACCEPT = offer.TRANSITIONS["pending", offer.Accept]
_GIVE_BACK = offers.give_back
_OBSTACLE = Agent.obstacle
_ARM = State.arm
_RETURNED = entry.TRANSITIONS["offered", entry.Returned]
_CONNECT = agent.TRANSITIONS["reserved", agent.Connect]

BUGS: tuple[tuple[Bug, Callable[[AcdWorld], None]], ...] = (
    (locked_in_call, known.test_agent_is_never_locked_in_a_call_that_is_gone),
    (stuck_reserved, known.test_no_agent_stays_reserved_when_many_ring_and_nobody_reports),
    (others_stay_reserved, known.test_no_agent_stays_reserved_when_many_ring_and_nobody_reports),
    (zombie, known.test_caller_who_is_gone_rings_nobody),
    (answered_twice, known.test_one_caller_is_never_answered_by_two_agents),
    (dropped_before_the_bridge, known.test_caller_whose_agent_hangs_up_before_the_bridge_is_served_by_another),
    (storm, known.test_change_of_state_during_an_offer_stirs_nothing),
    (halted_queue, known.test_one_agent_who_cannot_be_rung_does_not_halt_the_queue),
    (wrap_up_cut_short, known.test_wrap_up_of_one_queue_holds_for_the_callers_of_another),
    (wrap_up_reset, known.test_reload_leaves_a_running_wrap_up_as_it_is),
    (ended_by_the_last, known.test_each_wrap_up_ends_by_itself),
    (wrap_up_shown_as_available, known.test_wrap_up_is_told_as_wrap_up),
    (reason_lost, known.test_reason_of_a_pause_survives_a_restart),
    (counted_twice, known.test_contact_counts_once_however_often_it_was_offered),
    (counts_lost, known.test_what_was_counted_survives_a_restart),
    (talk_with_the_wait, known.test_talk_starts_with_the_answer_and_not_with_the_wait),
    (answered_and_abandoned, known.test_answered_call_is_not_reported_abandoned),
)


@pytest.mark.parametrize(("bug", "test"), BUGS, ids=lambda each: each.__name__)
def test_the_bug_is_seen_by_its_test(
    bug: Bug, test: Callable[[AcdWorld], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    test(AcdWorld())
    bug(monkeypatch)
    with pytest.raises((AssertionError, KeyError, IllegalTransition)):
        test(AcdWorld())


def test_every_known_bug_is_brought_back() -> None:
    names = {name for name in vars(known) if name.startswith("test_")}
    assert {test.__name__ for _, test in BUGS} == names
