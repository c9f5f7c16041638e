"""Who is offered whom, once an input has changed what there is."""

from datetime import datetime, timedelta

from acd import events
from acd.machines import agent as agent_machine
from acd.machines import entry as entry_machine
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.policies.matching import Found
from acd.state import State


def match(state: State, now: datetime) -> None:
    """Offer until no idle agent could serve a waiting caller.

    Before this input there was no such pair (work conservation), so only who was freed or began to wait by it can
    make one; when that is a single agent or caller, whoever suits him best is suited best by him.
    """
    freed, arrived = state.freed, state.arrived
    state.freed, state.arrived = [], []
    certain = len(freed) + len(arrived) == 1
    for agent in freed:
        while state.matcher.idles(agent):
            entry = state.matcher.caller_for(agent, state.excludes)
            if entry is None:
                break
            _offer_best(state, entry, now, certain=certain)
    if len(arrived) > 1:
        arrived.sort(key=lambda id_: _place_or_end(state, id_))
    for entry in arrived:
        while state.waits(entry) and _offer_best(state, entry, now, certain=certain):
            pass


def _offer_best(state: State, entry: str, now: datetime, *, certain: bool) -> bool:
    """Make one offer: to the best agent for `entry`, or for whoever that agent must serve first."""
    while True:
        caller = state.entries[entry]
        excluded = tuple(exclusion.agent for exclusion in caller.excluded)
        found = state.matcher.agent_for(caller.queue, caller.need, excluded)
        if found is None:
            return False
        first = entry if certain else state.matcher.caller_for(found.agent, state.excludes)
        if first is None or first == entry:
            _offer(state, caller, found, now)
            return True
        entry = first


def _offer(state: State, entry: QueueEntry, found: Found, now: datetime) -> None:
    if state.watch is not None:
        state.watch(entry, found.agent, now)
    fence = entry.offers + 1
    offer = Offer(
        id=f"{entry.id}-o{fence}",
        fence=fence,
        entry=entry.id,
        contact=entry.contact,
        queue=entry.queue,
        agent=found.agent,
        delivery=state.known[found.agent].delivery,
        created_at=now,
        ring_until=now + timedelta(seconds=entry.ring_s),
    )
    state.told.append(
        events.OfferCreated(
            contact=offer.contact,
            offer=offer.id,
            fence=fence,
            entry=offer.entry,
            queue=offer.queue,
            agent=offer.agent,
            delivery=offer.delivery,
            ring_until=offer.ring_until,
            decision=_explain(state, found),
        )
    )
    state.put_offer(offer)
    state.move_entry(entry.id, entry_machine.Offered(offer.id), now)
    state.move_agent(found.agent, agent_machine.Reserve(offer.id, offer.contact, entry.wrap_up_s), now)


def _explain(state: State, found: Found) -> events.Decision:
    passed_over = events.PassedOver(
        excluded=found.excluded,
        later_in_order=found.qualified - found.excluded - 1,
        unqualified=found.idle - found.qualified,
        not_available=len(state.known) - found.idle,
    )
    return events.Decision(state.number, state.policy.version, passed_over)


def _place_or_end(state: State, entry: str) -> tuple[int, int, int, str]:
    found = state.entries.get(entry)
    return (0, 0, 0, entry) if found is None else found.place
