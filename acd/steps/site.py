"""Inputs of the site: its rules, its restarts, its clock."""

from collections.abc import Callable
from datetime import datetime

from acd import commands, events
from acd.machines import entry as entry_machine
from acd.machines.entry import QueueEntry
from acd.model import QueuePolicy
from acd.state import State
from acd.steps import agents, entries, rings, waiting

NUMBERS_PER_RUN = 10**9


def load_policy(state: State, input_: commands.PolicyLoaded, now: datetime) -> None:
    """Waiting callers keep their places, wrap-ups their end; who is no longer an agent is signed out."""
    policy = input_.policy
    staying = {agent.id for agent in policy.agents}
    for id_ in sorted(state.agents.keys() - staying):
        agents.sign_out(state, id_, commands.AgentSignedOut(id_), now)
    state.know(policy)
    for id_ in sorted(state.agents.keys() - staying):
        state.forget_if_gone(state.agents[id_])
    state.told.append(events.PolicyLoaded("acd", policy.version))
    for id_, entry in sorted(state.entries.items()):
        queue = state.queues.get(entry.queue)
        if queue is not None:
            changed, told = entry.handle(_terms(state, entry, queue, now), now=now)
            state.told += told
            state.entries[id_] = changed
            if changed != entry:
                state.touched["entry", id_] = None
                state.arm("entry", id_, changed.next_deadline)
    state.index()
    waiting.terms_changed(state, now)


def _terms(state: State, entry: QueueEntry, queue: QueuePolicy, now: datetime) -> entry_machine.TermsChanged:
    return entry_machine.TermsChanged(queue, state.policy.settings, rings.stage_under(state, entry, queue, now))


def restart(state: State, input_: commands.Restarted, now: datetime) -> None:
    state.number = input_.epoch * NUMBERS_PER_RUN
    for id_ in sorted(state.agents):
        # Consoles hung on the process that died; they say so when they are back.
        state.move_agent(id_, commands.PresenceChanged(id_, console=False), now)


def reconcile(state: State, input_: commands.Reconciled, now: datetime) -> None:
    alive = set(input_.contacts)
    for id_, entry in sorted(state.entries.items()):
        if entry.contact not in alive:
            entries.end_entry(state, id_, entry_machine.Withdrawn("failed", "not_alive"), "caller_left", now)
    for contact in sorted(state.held.keys() - alive):
        agents.let_go(state, contact, now)
    for contact in sorted(state.holders.keys() - alive):
        agents.part_all(state, contact, now)


HANDLERS: dict[type, Callable[..., None]] = {
    commands.PolicyLoaded: load_policy,
    commands.Restarted: restart,
    commands.Reconciled: reconcile,
}
