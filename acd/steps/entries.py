"""Inputs of those who wait."""

from collections.abc import Callable
from datetime import datetime

from acd import commands, events
from acd.machines import entry as entry_machine
from acd.machines import offer as offer_machine
from acd.machines.entry import QueueEntry
from acd.model import to_millisecond
from acd.state import State
from acd.steps import offers


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
        entry = QueueEntry.queued(
            queue,
            entry=input_.entry,
            contact=contact,
            number=state.number,
            priority=input_.priority,
            at=at,
            asked=input_.skills,
        )
        state.entry_of[contact] = entry.id
        state.told.append(events.EntryQueued(contact, entry.id, queue.name))
        state.put_entry(None, entry)


def abandon(state: State, input_: commands.EntryAbandoned, now: datetime) -> None:
    if input_.entry in state.entries:
        end_entry(state, input_.entry, entry_machine.Abandoned(), "caller_left", now)
    else:
        state.refuse(input_.entry, input_, "no_such_entry")


def withdraw(state: State, input_: commands.EntryWithdrawn, now: datetime) -> None:
    if input_.entry in state.entries:
        end_entry(state, input_.entry, entry_machine.Withdrawn(input_.outcome), "withdrawn", now)
    else:
        state.refuse(input_.entry, input_, "no_such_entry")


def end_entry(
    state: State, id_: str, event: entry_machine.EntryInput, reason: events.RescindReason, now: datetime
) -> None:
    """End an entry for good; the agent who rings for it is released with his place kept."""
    pending = state.entries[id_].offer
    offer = None
    if pending is not None:
        offer, told = state.offers[pending].handle(offer_machine.Rescind(reason), now=now)
        state.told += told
        state.put_offer(offer)
    state.move_entry(id_, event, now)
    if offer is not None:
        offers.release(state, offer, "rescinded", now)


def lapse(state: State, id_: str, now: datetime) -> None:
    state.move_entry(id_, entry_machine.Lapse(), now)
    state.arrived.append(id_)


HANDLERS: dict[type, Callable[..., None]] = {
    commands.EntryQueued: queue_entry,
    commands.EntryAbandoned: abandon,
    commands.EntryWithdrawn: withdraw,
}
