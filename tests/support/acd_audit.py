"""Watches a distributor from outside and fails at the first broken invariant (acd.md section 2).

It folds the events into a picture of its own and compares it with the core's aggregates, and with what
`acd_demands` finds by looking at everybody.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from acd import commands, events
from acd.core import Distributor
from acd.model import WrapUpMode, milliseconds
from tests.support.acd_demands import offer_was_fair, rings_are_kept, work_is_conserved

HIS_OWN_DOING = (
    commands.WrapUpFinished,
    commands.AgentWentAvailable,
    commands.AgentWentNotReady,
    commands.AgentSignedOut,
    commands.AgentForcedOut,
    commands.ContactStarted,
    commands.PolicyLoaded,
)


@dataclass(slots=True)
class _Pending:
    created: events.OfferCreated
    wrap_up_s: int
    wrap_up: WrapUpMode
    alone: bool = True


@dataclass(slots=True)
class Auditor:
    """Call `observe` after each input, with the core as it is then."""

    waiting_since: dict[str, datetime] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    pending: dict[str, _Pending] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)
    states: dict[str, events.AgentStateChanged] = field(default_factory=dict)
    excluded_until: dict[tuple[str, str], datetime] = field(default_factory=dict)
    rests_until: dict[str, datetime] = field(default_factory=dict)
    wrap_up_owed: dict[str, _Pending] = field(default_factory=dict)
    chats: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    turns: dict[str, int] = field(default_factory=dict)

    def observe(self, core: Distributor, input_: commands.Input, told: list[events.Event], now: datetime) -> None:
        for event in told:
            self._fold(core, input_, event, now)
        self._same_picture(core)
        self._chats(core)
        self._nobody_stuck(core, input_, now)
        work_is_conserved(core)
        rings_are_kept(core)
        made = [event for event in told if isinstance(event, events.OfferCreated) and event.offer in self.pending]
        for event in made:
            offer_was_fair(core, event, self.turns)
        self.turns |= {event.agent: core.number for event in told if isinstance(event, events.OfferCreated)}

    # -- folding --------------------------------------------------------------------------------------------------

    def _fold(self, core: Distributor, input_: commands.Input, event: events.Event, now: datetime) -> None:
        match event:
            case events.EntryQueued(entry=entry):
                assert entry not in self.ended | self.waiting_since.keys(), "an entry starts once"
                assert isinstance(input_, commands.EntryQueued)
                self.waiting_since[entry] = min(input_.enqueued_at or now, now)
            case events.OfferCreated():
                self._fold_created(core, event, now)
            case events.OfferAccepted(offer=offer):
                assert isinstance(input_, commands.OfferAccepted), "accepted by its agent"
                assert input_.fence == self.pending[offer].created.fence, "never by a stale answer"
                self.wrap_up_owed[event.agent] = self.pending.pop(offer)
                self.asked.discard(event.agent)
            case events.OfferRescinded(offer=offer):
                del self.pending[offer]
            case events.OfferDeclined() | events.OfferTimedOut() | events.OfferFailed():
                self._fold_let_go(core, event, now)
            case events.LoadChanged(agent=agent, contact=contact, held=held, most=most):
                if self.chats.pop(contact, None) is None:
                    assert held <= most, "no more than his capacity"
                    self.chats[contact] = agent
            case events.WrapUpAsked(agent=agent):
                self.asked.add(agent)
            case events.EntryAnswered(entry=entry, wait_ms=wait_ms):
                self._end(entry, wait_ms, now)
            case events.EntryAbandoned(entry=entry, wait_ms=wait_ms):
                self._end(entry, wait_ms, now)
            case events.EntryEnded(entry=entry, wait_ms=wait_ms):
                self._end(entry, wait_ms, now)
            case events.EntryRequeued(entry=entry):
                assert entry in self.waiting_since, "only who waits comes back"
            case events.AgentStateChanged():
                self._fold_state(input_, event, now)
            case events.PresenceChanged(agent=agent, phone=True):
                self.rests_until.pop(agent, None)

    def _fold_created(self, core: Distributor, event: events.OfferCreated, now: datetime) -> None:
        agent, entry = event.agent, event.entry
        assert entry in self.waiting_since, "only who waits is offered"
        queue = next((queue for queue in core.policy.queues if queue.name == event.queue), None)
        if queue is None or queue.strategy != "ring_all":
            assert entry not in {other.created.entry for other in self.pending.values()}, "to one agent at a time"
        assert agent not in {other.created.agent for other in self.pending.values()}, "one offer an agent"
        assert self.states[agent].state == "available", "only to the available"
        assert event.fence > self.fences.get(entry, 0), "fences only rise"
        assert event.ring_until > now, "a lease has a length"
        assert self.excluded_until.get((agent, entry), now) <= now, "not again to who let him go"
        assert self.rests_until.get(agent, now) <= now, "not to a phone that rests"
        self.fences[entry] = event.fence
        found, known = core.entries[entry], next(each for each in core.policy.agents if each.id == agent)
        beside = [other for other in self.pending.values() if other.created.entry == entry]
        for other in beside:
            other.alone = False
        self.pending[event.offer] = _Pending(
            event,
            found.wrap_up_s if known.wrap_up_s is None else known.wrap_up_s,
            known.wrap_up or found.wrap_up,
            alone=not beside,
        )

    def _fold_let_go(
        self,
        core: Distributor,
        event: events.OfferDeclined | events.OfferTimedOut | events.OfferFailed,
        now: datetime,
    ) -> None:
        pending = self.pending.pop(event.offer)
        settings = core.policy.settings
        self.excluded_until[event.agent, pending.created.entry] = now + timedelta(seconds=settings.exclusion_s)
        if isinstance(event, events.OfferTimedOut):
            assert now >= pending.created.ring_until, "the phone rang its time"
            if pending.alone:
                assert core.agents[event.agent].state != "available" or settings.misses > 1, "a miss makes not ready"
            else:
                assert core.agents[event.agent].reason != "no_answer", "what all missed is no miss of his"
        if isinstance(event, events.OfferFailed):
            self.rests_until[event.agent] = now + timedelta(seconds=settings.back_off_s)

    def _fold_state(self, input_: commands.Input, event: events.AgentStateChanged, now: datetime) -> None:
        before = self.states.get(event.agent)
        if before is not None and before.state == "wrap_up" and event.state != "wrap_up":
            ended = before.until is not None and now >= before.until
            assert isinstance(input_, HIS_OWN_DOING) or ended, "wrap-up is not cut short"
        if before is not None and before.state == "on_contact":
            owed = self.wrap_up_owed.pop(event.agent, None)
            if owed is not None and not isinstance(input_, commands.AgentForcedOut) and event.state != "on_contact":
                self._wrap_up_follows(owed, event)
        if event.state not in ("available", "reserved"):
            self.rests_until.pop(event.agent, None)
        if event.state == "wrap_up":
            assert event.until is None or event.until > now, "wrap-up has an end to come"
        assert event.since <= now
        self.states[event.agent] = event

    def _wrap_up_follows(self, owed: _Pending, event: events.AgentStateChanged) -> None:
        asked = event.agent in self.asked
        if owed.wrap_up == "mandatory" or (asked and not owed.wrap_up_s):
            assert (event.state, event.until) == ("wrap_up", None), "as long as he needs"
        elif owed.wrap_up_s and (owed.wrap_up == "timed" or asked):
            assert event.state == "wrap_up"
            assert event.until == event.since + timedelta(seconds=owed.wrap_up_s), "wrap-up as long as was said"
        else:
            assert event.state != "wrap_up", "no wrap-up that nobody wanted"

    def _end(self, entry: str, wait_ms: int, now: datetime) -> None:
        assert entry not in self.ended, "an entry ends once"
        since = self.waiting_since.pop(entry)
        self.ended.add(entry)
        assert wait_ms == milliseconds(now) - milliseconds(since), "the wait counts from the first moment"

    # -- what must hold between inputs ----------------------------------------------------------------------------

    def _same_picture(self, core: Distributor) -> None:
        assert set(core.entries) == self.waiting_since.keys(), "no entry lost, none left over"
        assert set(core.offers) == self.pending.keys(), "no offer lost, none left over"
        for id_, entry in core.entries.items():
            assert entry.enqueued_at == self.waiting_since[id_], "enqueued_at never changes"
            assert (entry.state == "offered") == bool(entry.pending), "offered is: an offer is pending"
            mine = {id_ for id_, pending in self.pending.items() if pending.created.entry == entry.id}
            assert set(entry.pending) == mine, "an entry knows its offers"
        reserved = {agent.offer: id_ for id_, agent in core.agents.items() if agent.state == "reserved"}
        ringing = {offer: pending.created.agent for offer, pending in self.pending.items()}
        assert reserved == ringing, "reserved is: his offer is pending"
        for id_, agent in core.agents.items():
            told = self.states.get(id_)
            assert (told.state if told else "logged_out") == agent.state, "each change of state was told"
            assert agent.offer is None or agent.state == "reserved", "no offer beside a contact"
            assert agent.state != "on_contact" or agent.contact is not None, "on_contact with a contact"
        rung = {agent.contact for agent in core.agents.values() if agent.state == "reserved"}
        owned = [agent.contact for agent in core.agents.values() if agent.state == "on_contact" and not agent.direct]
        owned += rung
        assert len(owned) == len(set(owned)), "a contact has one owner"
        waiting = {entry.contact for entry in core.entries.values() if entry.state == "waiting"}
        assert not waiting & set(owned), "who waits has no owner"

    def _chats(self, core: Distributor) -> None:
        held = [(each.contact, agent.id) for agent in core.agents.values() for each in agent.held]
        assert dict(held) == self.chats, "each chat came and is not over"
        assert len(held) == len(self.chats), "a chat has one owner"

    def _nobody_stuck(self, core: Distributor, input_: commands.Input, now: datetime) -> None:
        due = core.next_deadline
        ends = [pending.created.ring_until for pending in self.pending.values()]
        ends += [agent.until for agent in core.agents.values() if agent.state == "wrap_up" and agent.until]
        ends += [agent.rests_until for agent in core.agents.values() if agent.rests_until]
        ends += [
            entry.stage.until for entry in core.entries.values() if entry.state == "waiting" and entry.stage.until
        ]
        ends += [ex.until for entry in core.entries.values() if entry.state == "waiting" for ex in entry.excluded]
        assert not ends or (due is not None and due <= min(ends)), "each timer has its deadline"
        assert not isinstance(input_, commands.Tick) or due is None or due > now, "a tick leaves nothing overdue"
