"""Inputs of those who wait."""

from collections.abc import Callable
from datetime import datetime

from acd import commands, events
from acd.machines import entry as entry_machine
from acd.machines.frozen import replaced
from acd.model import to_millisecond
from acd.policies.order import lead_of
from acd.policies.skills import of_any_team
from acd.state import State
from acd.steps import offers, rings


def queue_entry(state: State, input_: commands.EntryQueued, now: datetime) -> None:
    queue = state.queues.get(input_.queue)
    contact = input_.contact or input_.entry
    if queue is None:
        state.refuse(input_.entry, input_, "unknown_queue")
    elif input_.entry in state.entries or contact in state.entry_of:
        state.refuse(input_.entry, input_, "already_waits")
    elif not all(state.agents[id_].direct for id_ in state.holders.get(contact, ())):
        state.refuse(input_.entry, input_, "contact_is_owned")
    else:
        at = now if input_.enqueued_at is None else min(to_millisecond(input_.enqueued_at), now)
        rank, lead_ms = lead_of(
            state.policy.settings,
            priority=input_.priority,
            head_start_s=queue.head_start_s + input_.head_start_s,
        )
        stage, preferred = rings.first_stage(state, queue, input_, now)
        entry = replaced(
            state.blank,
            id=input_.entry,
            contact=contact,
            queue=queue.name,
            number=state.number,
            priority=input_.priority,
            enqueued_at=at,
            asked=input_.skills,
            ring_s=queue.ring_s + input_.callback_s,
            wrap_up_s=queue.wrap_up_s,
            wrap_up=queue.wrap_up,
            leave_at=None if input_.callback_s else entry_machine.leave_at(queue, at),
            stage=stage,
            requires=input_.requires,
            preferred=preferred,
            head_start_s=input_.head_start_s,
            callback_s=input_.callback_s,
            rank=rank,
            lead_ms=lead_ms,
        )
        state.entry_of[contact] = entry.id
        skills = tuple(dict.fromkeys(skill for group in of_any_team(entry.need) for skill, _ in group))
        state.told.append(
            events.EntryQueued(contact, entry.id, queue.name, entry.enqueued_at, skills, callback=entry.is_callback)
        )
        state.put_entry(None, entry)
        state.queued.append(entry.id)


def abandon(state: State, input_: commands.EntryAbandoned, now: datetime) -> None:
    if input_.entry in state.entries:
        end_entry(state, input_.entry, entry_machine.Abandoned(), "caller_left", now)
    else:
        state.refuse(input_.entry, input_, "no_such_entry")


def withdraw(state: State, input_: commands.EntryWithdrawn, now: datetime) -> None:
    if input_.entry in state.entries:
        withdrawn = entry_machine.Withdrawn(input_.outcome, input_.reason, key=input_.key)
        end_entry(state, input_.entry, withdrawn, "withdrawn", now)
    else:
        state.refuse(input_.entry, input_, "no_such_entry")


def end_entry(
    state: State, id_: str, event: entry_machine.EntryInput, reason: events.RescindReason, now: datetime
) -> None:
    """End an entry for good; the agents who ring for it are released with their places kept."""
    rescinded = [offers.rescind(state, pending, reason, now) for pending in state.entries[id_].pending]
    state.move_entry(id_, event, now)
    for offer in rescinded:
        offers.release(state, offer, "rescinded", now)


def lapse(state: State, id_: str, now: datetime) -> None:
    state.move_entry(id_, entry_machine.Lapse(), now)
    rings.widen_if_due(state, id_, now)
    state.arrived.append(id_)


HANDLERS: dict[type, Callable[..., None]] = {
    commands.EntryQueued: queue_entry,
    commands.EntryAbandoned: abandon,
    commands.EntryWithdrawn: withdraw,
}
