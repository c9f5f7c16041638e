"""Who is offered whom, once an input has changed what there is."""

from datetime import datetime, timedelta

from acd import events
from acd.machines import agent as agent_machine
from acd.machines import entry as entry_machine
from acd.machines import offer as offer_machine
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.model import AgentPolicy, Strategy
from acd.policies.matching import Found
from acd.state import State


def match(state: State, now: datetime) -> None:
    """Offer until no idle agent could serve a waiting caller.

    Before this input there was no such pair (work conservation), so only who was freed or began to wait by it can
    make one; when that is a single agent or caller, whoever suits him best is suited best by him. One agent more may
    also be the one who lets another go whom a reserve held back.
    """
    freed, arrived = state.freed, state.arrived
    state.freed, state.arrived = [], []
    certain = len(freed) + len(arrived) == 1 and not state.matcher.holds_back
    for agent in freed:
        while state.matcher.idles(agent):
            entry = state.matcher.caller_for(agent, state.excludes)
            if entry is None:
                _one_phone_more(state, agent, now)
                break
            _offer_best(state, entry, now, certain=certain)
        for entry in state.matcher.behind_reserve(agent) if state.matcher.holds_back else ():
            if state.waits(entry):
                _offer_best(state, entry, now, certain=False)
    if len(arrived) > 1:
        arrived.sort(key=lambda id_: _place_or_end(state, id_))
    for entry in arrived:
        while state.waits(entry) and _offer_best(state, entry, now, certain=certain):
            pass
        if state.may_ring_more(entry):
            _ring_others(state, entry, now)


def _offer_best(state: State, entry: str, now: datetime, *, certain: bool) -> bool:
    """Make one offer: to the best agent for `entry`, or for whoever that agent must serve first."""
    while True:
        caller = state.entries[entry]
        found = _agent_for(state, caller)
        if found is None:
            return False
        first = entry if certain else state.matcher.caller_for(found.agent, state.excludes)
        if first is None or first == entry:
            _offer(state, caller, found, now)
            if strategy_of(state, caller) == "ring_all":
                _ring_others(state, entry, now)
            return True
        entry = first


def _agent_for(state: State, caller: QueueEntry) -> Found | None:
    excluded = tuple([exclusion.agent for exclusion in caller.excluded]) if caller.excluded else ()
    return state.matcher.agent_for(caller.spot, excluded, (caller.number, caller.id, caller.offers))


def strategy_of(state: State, caller: QueueEntry) -> Strategy:
    """How the queue of `caller` chooses; one that the policy no longer has chooses as most do."""
    queue = state.queues.get(caller.queue)
    return "longest_idle" if queue is None else queue.strategy


def _ring_others(state: State, entry: str, now: datetime) -> None:
    """All phones that may ring for this caller; one that must ring for somebody else first rings for him."""
    most = state.queues[state.entries[entry].queue].ring_all_most
    while len((caller := state.entries[entry]).pending) < most:
        found = _agent_for(state, caller)
        if found is None:
            return
        first = state.matcher.caller_for(found.agent, state.excludes)
        if first is None:
            _offer(state, caller, found, now)
        else:
            _offer_best(state, first, now, certain=False)


def _one_phone_more(state: State, agent: str, now: datetime) -> None:
    """An agent whom nobody waits for helps those for whom phones ring already."""
    while state.matcher.idles(agent):
        entry = state.matcher.ringing_for(agent, state.excludes)
        if entry is None:
            return
        _ring_others(state, entry, now)


def _offer(state: State, entry: QueueEntry, found: Found, now: datetime) -> None:
    if state.watch is not None:
        state.watch(entry, found.agent, now)
    fence = entry.offers + 1
    known = state.known[found.agent]
    offer = Offer(
        id=f"{entry.id}-o{fence}",
        fence=fence,
        entry=entry.id,
        contact=entry.contact,
        queue=entry.queue,
        agent=found.agent,
        delivery=known.delivery,
        created_at=now,
        ring_until=now + timedelta(seconds=entry.ring_s),
        alone=not entry.pending,
    )
    if len(entry.pending) == 1:
        first, _ = state.offers[entry.pending[0]].handle(offer_machine.Accompany(), now=now)
        state.put_offer(first)
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
            decision=_explain(state, entry, found),
        )
    )
    state.put_offer(offer)
    state.move_entry(entry.id, entry_machine.Offered(offer.id), now)
    state.move_agent(found.agent, _reserve(state, entry, known, offer), now)


def _reserve(state: State, entry: QueueEntry, known: AgentPolicy, offer: Offer) -> agent_machine.Reserve:
    """What the agent himself is granted after a contact stands against what his queue says."""
    return agent_machine.Reserve(
        offer.id,
        offer.contact,
        entry.wrap_up_s if known.wrap_up_s is None else known.wrap_up_s,
        known.wrap_up or entry.wrap_up,
        state.number,
    )


def _explain(state: State, entry: QueueEntry, found: Found) -> events.Decision:
    passed_over = events.PassedOver(
        excluded=found.excluded,
        later_in_order=found.qualified - found.excluded - 1,
        unqualified=found.idle - found.qualified,
        not_available=len(state.known) - found.idle,
    )
    return events.Decision(
        state.number, state.policy.version, passed_over, entry.stage.ring, strategy_of(state, entry)
    )


def _place_or_end(state: State, entry: str) -> tuple[int, int, int, str]:
    found = state.entries.get(entry)
    return (0, 0, 0, entry) if found is None else found.place
