"""The distributor: the one actor of a site that owns agents, entries and offers (acd.md).

`handle(input, now)` runs one input to its end: the machine that owns it, the other machines that it moves, then
matching until nobody idle could serve anybody waiting. It knows no clock, no randomness and no id source, so the same
inputs give the same events under any hash seed; offer ids count the offers of their entry.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Literal

from acd import commands, events
from acd.machines import agent as agent_machine
from acd.machines import entry as entry_machine
from acd.machines import offer as offer_machine
from acd.machines.agent import Agent
from acd.machines.entry import Exclusion, QueueEntry
from acd.machines.offer import Offer
from acd.model import Policy, to_millisecond
from acd.policies.matching import Found, Matcher

Kind = Literal["agent", "entry", "offer"]
Row = tuple[Kind, str, Agent | QueueEntry | Offer | None]
Watch = Callable[[QueueEntry, str, datetime], None]
"""(entry, the agent who is about to be offered it, now)."""
Cause = Literal["rescinded", "declined", "timed_out", "busy", "unreachable", "error"]

NUMBERS_PER_RUN = 10**9
NO_POLICY = Policy("none")


class Distributor:
    """Not thread-safe; one input at a time. What it returns is also the order in which things happened."""

    def __init__(self) -> None:
        self.policy = NO_POLICY
        self.number = 0
        self._queues = {queue.name: queue for queue in self.policy.queues}
        self._known = {agent.id: agent for agent in self.policy.agents}
        self._agents: dict[str, Agent] = {}
        self._entries: dict[str, QueueEntry] = {}
        self._offers: dict[str, Offer] = {}
        self._entry_of: dict[str, str] = {}
        self._holders: dict[str, dict[str, None]] = {}
        self._matcher = Matcher(self.policy)
        self._deadlines: list[tuple[datetime, Kind, str]] = []
        self._touched: dict[tuple[Kind, str], None] = {}
        self._freed: list[str] = []
        self._arrived: list[str] = []
        self._told: list[events.Event] = []
        # Told of each decision before it changes anything (`acd.why`); nobody listens but in a replay.
        self.watch: Watch | None = None

    # -- what others may see --------------------------------------------------------------------------------------

    @property
    def agents(self) -> Mapping[str, Agent]:
        return MappingProxyType(self._agents)

    @property
    def entries(self) -> Mapping[str, QueueEntry]:
        """Those that wait or are offered; an entry that has ended is forgotten."""
        return MappingProxyType(self._entries)

    @property
    def offers(self) -> Mapping[str, Offer]:
        """The pending ones."""
        return MappingProxyType(self._offers)

    @property
    def next_deadline(self) -> datetime | None:
        """When the next `Tick` is due; None while nothing runs."""
        while self._deadlines:
            at, kind, id_ = self._deadlines[0]
            if self._deadline_of(kind, id_) == at:
                return at
            heappop(self._deadlines)
        return None

    def position(self, entry: str) -> int:
        """The place of a waiting entry in its queue, from 1. Raises KeyError for one that has ended."""
        found = self._entries[entry]
        return self._matcher.position(found.queue, found.place)

    def can_be_offered(self, agent: str) -> bool:
        """Whether this agent could get an offer now."""
        found, known = self._agents.get(agent), self._known.get(agent)
        return found is not None and known is not None and found.can_be_offered(known.delivery)

    def take_touched(self) -> list[Row]:
        """The rows changed since the last call, as they are now; None for what has ended."""
        rows: list[Row] = []
        for kind, id_ in self._touched:
            rows.append((kind, id_, self._find(kind, id_)))
        self._touched.clear()
        return rows

    # -- inputs ---------------------------------------------------------------------------------------------------

    def restore(self, agents_: Iterable[Agent], entries_: Iterable[QueueEntry], offers_: Iterable[Offer]) -> None:
        """Take the rows of an earlier run, before the first input, which must be Restarted, then PolicyLoaded."""
        for agent in agents_:
            self._agents[agent.id] = agent
            if agent.live_contact is not None:
                self._holders.setdefault(agent.live_contact, {})[agent.id] = None
            self._arm("agent", agent.id, agent.next_deadline)
        for entry in entries_:
            self._entries[entry.id] = entry
            self._entry_of[entry.contact] = entry.id
            self._arm("entry", entry.id, entry.next_deadline)
        for offer in offers_:
            self._offers[offer.id] = offer
            self._arm("offer", offer.id, offer.next_deadline)

    def resume(self, policy: Policy, number: int) -> None:
        """After `restore`: stand where a core stood that ran `policy` and had taken input `number`.

        To replay what follows. Unlike a restart this is no input: nothing is told and nothing is decided.
        """
        self._know(policy)
        self.number = number
        self._index_all()
        self._freed, self._arrived = [], []

    def handle(self, input_: commands.Input, *, now: datetime) -> list[events.Event]:
        """Run `input_` at `now` (aware UTC, never decreasing); what happened, in order."""
        now = to_millisecond(now)
        self.number += 1
        told = self._told = []
        _HANDLERS[type(input_)](self, input_, now)
        if self._freed or self._arrived:
            self._match(now)
        return told

    def _load_policy(self, input_: commands.PolicyLoaded, now: datetime) -> None:
        policy = input_.policy
        staying = {agent.id for agent in policy.agents}
        for id_ in sorted(self._agents.keys() - staying):
            self._sign_out(id_, commands.AgentSignedOut(id_), now)
        self._know(policy)
        for id_ in sorted(self._agents.keys() - staying):
            self._forget_if_gone(self._agents[id_])
        self._told.append(events.PolicyLoaded("acd", policy.version))
        for id_, entry in sorted(self._entries.items()):
            queue = self._queues.get(entry.queue)
            if queue is not None:
                changed, told = entry.handle(entry_machine.TermsChanged(queue), now=now)
                self._told += told
                self._entries[id_] = changed
                if changed != entry:
                    self._touched["entry", id_] = None
                    self._arm("entry", id_, changed.next_deadline)
        self._index_all()

    def _know(self, policy: Policy) -> None:
        self.policy = policy
        self._queues = {queue.name: queue for queue in policy.queues}
        self._known = {agent.id: agent for agent in policy.agents}

    def _index_all(self) -> None:
        """Build the index anew from the aggregates, and look at everybody once."""
        self._matcher = Matcher(self.policy)
        self._freed = []
        for id_ in sorted(self._agents):
            if self.can_be_offered(id_):
                self._matcher.agent_idles(self._agents[id_].idle_place)
                self._freed.append(id_)
        waiting = [entry for entry in self._entries.values() if entry.state == "waiting"]
        for entry in waiting:
            self._matcher.caller_waits(entry.queue, entry.need, entry.place)
        self._arrived = [entry.id for entry in waiting]

    def _restart(self, input_: commands.Restarted, now: datetime) -> None:
        self.number = input_.epoch * NUMBERS_PER_RUN
        for id_ in sorted(self._agents):
            # Consoles hung on the process that died; they say so when they are back.
            self._move_agent(id_, commands.PresenceChanged(id_, console=False), now)

    def _reconcile(self, input_: commands.Reconciled, now: datetime) -> None:
        alive = set(input_.contacts)
        for id_, entry in sorted(self._entries.items()):
            if entry.contact not in alive:
                self._end_entry(id_, entry_machine.Withdrawn("failed"), "caller_left", now)
        for contact in sorted(self._holders.keys() - alive):
            self._part_all(contact, now)

    def _tick(self, _input: commands.Tick, now: datetime) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            at, kind, id_ = heappop(self._deadlines)
            if self._deadline_of(kind, id_) != at:
                continue
            if kind == "agent":
                self._move_agent(id_, agent_machine.Lapse(), now)
            elif kind == "entry":
                self._move_entry(id_, entry_machine.Lapse(), now)
                self._arrived.append(id_)
            else:
                self._end_offer(id_, offer_machine.Lapse(), "timed_out", now)

    def _wish(self, input_: commands.AgentInput, now: datetime) -> None:
        if self._is_known(input_):
            self._move_agent(input_.agent, input_, now)

    def _take_sign_out(self, input_: commands.AgentSignedOut, now: datetime) -> None:
        if self._is_known(input_):
            self._sign_out(input_.agent, input_, now)

    def _sign_out(self, id_: str, input_: commands.AgentSignedOut, now: datetime) -> None:
        agent = self._move_agent(id_, input_, now)
        if agent.offer is not None:
            self._end_offer(agent.offer, offer_machine.Rescind("signed_out"), "rescinded", now)

    def _start_contact(self, input_: commands.ContactStarted, now: datetime) -> None:
        if not self._is_known(input_):
            return
        before = self._agents.get(input_.agent)
        if input_.contact in self._entry_of:
            self._refuse(input_.agent, input_, "contact_waits")
            return
        self._move_agent(input_.agent, input_, now)
        if before is not None and before.offer is not None:
            self._end_offer(before.offer, offer_machine.Rescind("on_contact"), "rescinded", now)

    def _end_contact(self, input_: commands.ContactEnded, now: datetime) -> None:
        contact = input_.contact
        holders = self._holders.get(contact, {})
        if input_.agent is not None:
            if input_.agent in holders:
                self._move_agent(input_.agent, agent_machine.Part(contact), now)
            else:
                self._refuse(contact, input_, "no_such_contact")
            return
        entry = self._entry_of.get(contact)
        if entry is None and not holders:
            self._refuse(contact, input_, "no_such_contact")
            return
        if entry is not None:
            self._end_entry(entry, entry_machine.Abandoned(), "caller_left", now)
        self._part_all(contact, now)

    def _part_all(self, contact: str, now: datetime) -> None:
        for id_ in sorted(self._holders.get(contact, ())):
            self._move_agent(id_, agent_machine.Part(contact), now)

    def _queue_entry(self, input_: commands.EntryQueued, now: datetime) -> None:
        queue = self._queues.get(input_.queue)
        contact = input_.contact or input_.entry
        if queue is None:
            self._refuse(input_.entry, input_, "unknown_queue")
        elif input_.entry in self._entries or contact in self._entry_of:
            self._refuse(input_.entry, input_, "already_waits")
        elif not all(self._agents[id_].direct for id_ in self._holders.get(contact, ())):
            self._refuse(input_.entry, input_, "contact_is_owned")
        else:
            at = now if input_.enqueued_at is None else min(to_millisecond(input_.enqueued_at), now)
            entry = QueueEntry.queued(
                queue,
                entry=input_.entry,
                contact=contact,
                number=self.number,
                priority=input_.priority,
                at=at,
                asked=input_.skills,
            )
            self._entry_of[contact] = entry.id
            self._told.append(events.EntryQueued(contact, entry.id, queue.name))
            self._put_entry(None, entry)

    def _abandon(self, input_: commands.EntryAbandoned, now: datetime) -> None:
        if input_.entry in self._entries:
            self._end_entry(input_.entry, entry_machine.Abandoned(), "caller_left", now)
        else:
            self._refuse(input_.entry, input_, "no_such_entry")

    def _withdraw(self, input_: commands.EntryWithdrawn, now: datetime) -> None:
        if input_.entry in self._entries:
            self._end_entry(input_.entry, entry_machine.Withdrawn(input_.outcome), "withdrawn", now)
        else:
            self._refuse(input_.entry, input_, "no_such_entry")

    def _accept(self, input_: commands.OfferAccepted, now: datetime) -> None:
        offer = self._move_offer(input_.offer, offer_machine.Accept(input_.fence), input_, now)
        if offer is not None and offer.state == "accepted":
            self._move_entry(offer.entry, entry_machine.Answered(offer.agent), now)
            self._move_agent(offer.agent, agent_machine.Connect(offer.id), now)

    def _decline(self, input_: commands.OfferDeclined, now: datetime) -> None:
        offer = self._move_offer(input_.offer, offer_machine.Decline(input_.fence), input_, now)
        if offer is not None and offer.state == "declined":
            self._give_back(offer, "declined", now)

    def _fail(self, input_: commands.OfferFailed, now: datetime) -> None:
        offer = self._move_offer(input_.offer, offer_machine.Fail(input_.reason), input_, now)
        if offer is not None:
            self._give_back(offer, input_.reason, now)

    def _take_back(self, input_: commands.OfferTakenBack, now: datetime) -> None:
        if input_.offer in self._offers:
            self._end_offer(input_.offer, offer_machine.Rescind("restart"), "rescinded", now)
        else:
            self._refuse(input_.offer, input_, "stale_offer")

    # -- steps that move more than one machine --------------------------------------------------------------------

    def _end_offer(self, id_: str, event: offer_machine.OfferInput, cause: Cause, now: datetime) -> None:
        """End a pending offer; its caller goes back to his place, its agent is released."""
        offer, told = self._offers[id_].handle(event, now=now)
        self._told += told
        self._put_offer(offer)
        self._give_back(offer, cause, now)

    def _give_back(self, offer: Offer, cause: Cause, now: datetime) -> None:
        settings = self.policy.settings
        entry = self._entries[offer.entry]
        exclude = None
        if cause != "rescinded":
            exclude = Exclusion(offer.agent, now + timedelta(seconds=settings.exclusion_s))
        position = self._matcher.position(entry.queue, entry.place)
        self._move_entry(entry.id, entry_machine.Returned(position, exclude), now)
        self._release(offer, cause, now)

    def _release(self, offer: Offer, cause: Cause, now: datetime) -> None:
        if self._agents[offer.agent].offer == offer.id:
            self._move_agent(offer.agent, agent_machine.Release(offer.id, cause, self.policy.settings), now)

    def _end_entry(
        self, id_: str, event: entry_machine.EntryInput, reason: events.RescindReason, now: datetime
    ) -> None:
        """End an entry for good; the agent who rings for it is released with his place kept."""
        pending = self._entries[id_].offer
        offer = None
        if pending is not None:
            offer, told = self._offers[pending].handle(offer_machine.Rescind(reason), now=now)
            self._told += told
            self._put_offer(offer)
        self._move_entry(id_, event, now)
        if offer is not None:
            self._release(offer, "rescinded", now)

    # -- matching -------------------------------------------------------------------------------------------------

    def _match(self, now: datetime) -> None:
        """Offer until no idle agent could serve a waiting caller.

        Before this input there was no such pair (work conservation), so only who was freed or began to wait by it
        can make one; when that is a single agent or caller, whoever suits him best is suited best by him.
        """
        freed, arrived = self._freed, self._arrived
        self._freed, self._arrived = [], []
        certain = len(freed) + len(arrived) == 1
        for agent in freed:
            while self._matcher.idles(agent):
                entry = self._matcher.caller_for(agent, self._excludes)
                if entry is None:
                    break
                self._offer_best(entry, now, certain=certain)
        if len(arrived) > 1:
            arrived.sort(key=self._place_or_end)
        for entry in arrived:
            while self._waits(entry) and self._offer_best(entry, now, certain=certain):
                pass

    def _offer_best(self, entry: str, now: datetime, *, certain: bool) -> bool:
        """Make one offer: to the best agent for `entry`, or for whoever that agent must serve first."""
        while True:
            caller = self._entries[entry]
            excluded = tuple(exclusion.agent for exclusion in caller.excluded)
            found = self._matcher.agent_for(caller.queue, caller.need, excluded)
            if found is None:
                return False
            first = entry if certain else self._matcher.caller_for(found.agent, self._excludes)
            if first is None or first == entry:
                self._offer(caller, found, now)
                return True
            entry = first

    def _offer(self, entry: QueueEntry, found: Found, now: datetime) -> None:
        if self.watch is not None:
            self.watch(entry, found.agent, now)
        fence = entry.offers + 1
        offer = Offer(
            id=f"{entry.id}-o{fence}",
            fence=fence,
            entry=entry.id,
            contact=entry.contact,
            queue=entry.queue,
            agent=found.agent,
            delivery=self._known[found.agent].delivery,
            created_at=now,
            ring_until=now + timedelta(seconds=entry.ring_s),
        )
        self._told.append(
            events.OfferCreated(
                contact=offer.contact,
                offer=offer.id,
                fence=fence,
                entry=offer.entry,
                queue=offer.queue,
                agent=offer.agent,
                delivery=offer.delivery,
                ring_until=offer.ring_until,
                decision=self._explain(found),
            )
        )
        self._put_offer(offer)
        self._move_entry(entry.id, entry_machine.Offered(offer.id), now)
        self._move_agent(found.agent, agent_machine.Reserve(offer.id, offer.contact, entry.wrap_up_s), now)

    def _explain(self, found: Found) -> events.Decision:
        passed_over = events.PassedOver(
            excluded=found.excluded,
            later_in_order=found.qualified - found.excluded - 1,
            unqualified=found.idle - found.qualified,
            not_available=len(self._known) - found.idle,
        )
        return events.Decision(self.number, self.policy.version, passed_over)

    def _excludes(self, entry: str, agent: str) -> bool:
        return self._entries[entry].excludes(agent)

    def _waits(self, entry: str) -> bool:
        found = self._entries.get(entry)
        return found is not None and found.state == "waiting"

    def _place_or_end(self, entry: str) -> tuple[int, int, int, str]:
        found = self._entries.get(entry)
        return (0, 0, 0, entry) if found is None else found.place

    # -- one machine, its row, its deadline and its place in the index --------------------------------------------

    def _move_agent(self, id_: str, event: agent_machine.AgentInput, now: datetime) -> Agent:
        before = self._agents.get(id_)
        agent, told = (before or Agent(id_, since=now, idle_since=now)).handle(event, now=now)
        self._told += told
        if agent is before:
            return agent
        self._agents[id_] = agent
        self._touched["agent", id_] = None
        held = None if before is None else before.live_contact
        if agent.live_contact != held:
            self._hand_over(id_, held, agent.live_contact)
        self._arm("agent", id_, agent.next_deadline)
        idle, can = self._matcher.idles(id_), self.can_be_offered(id_)
        if idle and not can:
            self._matcher.agent_leaves(id_)
        elif can and not idle:
            self._matcher.agent_idles(agent.idle_place)
            self._freed.append(id_)
        self._forget_if_gone(agent)
        return agent

    def _hand_over(self, agent: str, held: str | None, holds: str | None) -> None:
        if held is not None:
            holders = self._holders[held]
            del holders[agent]
            if not holders:
                del self._holders[held]
        if holds is not None:
            self._holders.setdefault(holds, {})[agent] = None

    def _forget_if_gone(self, agent: Agent) -> None:
        """Somebody whom the policy no longer knows is kept until he has signed out and talks to nobody."""
        if (
            self.policy is not NO_POLICY
            and agent.id not in self._known
            and agent.state == "logged_out"
            and agent.contact is None
        ):
            del self._agents[agent.id]
            self._touched["agent", agent.id] = None

    def _move_entry(self, id_: str, event: entry_machine.EntryInput, now: datetime) -> None:
        before = self._entries[id_]
        entry, told = before.handle(event, now=now)
        self._told += told
        self._put_entry(before, entry)

    def _put_entry(self, before: QueueEntry | None, entry: QueueEntry) -> None:
        waited = before is not None and before.state == "waiting"
        self._touched["entry", entry.id] = None
        if waited and entry.state != "waiting":
            self._matcher.caller_leaves(entry.queue, entry.need, entry.place)
        if entry.has_ended:
            del self._entries[entry.id]
            del self._entry_of[entry.contact]
            return
        self._entries[entry.id] = entry
        if entry.state == "waiting" and not waited:
            self._matcher.caller_waits(entry.queue, entry.need, entry.place)
            self._arrived.append(entry.id)
        self._arm("entry", entry.id, entry.next_deadline)

    def _move_offer(
        self, id_: str, event: offer_machine.OfferInput, input_: commands.Input, now: datetime
    ) -> Offer | None:
        pending = self._offers.get(id_)
        if pending is None:
            self._refuse(id_, input_, "stale_offer")
            return None
        offer, told = pending.handle(event, now=now)
        self._told += told
        self._put_offer(offer)
        return offer

    def _put_offer(self, offer: Offer) -> None:
        self._touched["offer", offer.id] = None
        if offer.state == "pending":
            self._offers[offer.id] = offer
            self._arm("offer", offer.id, offer.next_deadline)
        else:
            del self._offers[offer.id]

    def _arm(self, kind: Kind, id_: str, at: datetime | None) -> None:
        if at is not None:
            heappush(self._deadlines, (at, kind, id_))

    def _deadline_of(self, kind: Kind, id_: str) -> datetime | None:
        row = self._find(kind, id_)
        return None if row is None else row.next_deadline

    def _find(self, kind: Kind, id_: str) -> Agent | QueueEntry | Offer | None:
        if kind == "agent":
            return self._agents.get(id_)
        return self._entries.get(id_) if kind == "entry" else self._offers.get(id_)

    def _is_known(self, input_: commands.AgentInput) -> bool:
        if input_.agent in self._known:
            return True
        self._refuse(input_.agent, input_, "unknown_agent")
        return False

    def _refuse(self, subject: str, input_: commands.Input, reason: str) -> None:
        self._told.append(events.InputRefused(subject, type(input_).__name__, reason))


_HANDLERS: dict[type, Callable[..., None]] = {
    commands.PolicyLoaded: Distributor._load_policy,
    commands.Restarted: Distributor._restart,
    commands.Reconciled: Distributor._reconcile,
    commands.Tick: Distributor._tick,
    commands.AgentSignedIn: Distributor._wish,
    commands.AgentSignedOut: Distributor._take_sign_out,
    commands.AgentWentAvailable: Distributor._wish,
    commands.AgentWentNotReady: Distributor._wish,
    commands.PresenceChanged: Distributor._wish,
    commands.ContactStarted: Distributor._start_contact,
    commands.ContactEnded: Distributor._end_contact,
    commands.WrapUpFinished: Distributor._wish,
    commands.WrapUpExtended: Distributor._wish,
    commands.DispositionChosen: Distributor._wish,
    commands.EntryQueued: Distributor._queue_entry,
    commands.EntryAbandoned: Distributor._abandon,
    commands.EntryWithdrawn: Distributor._withdraw,
    commands.OfferAccepted: Distributor._accept,
    commands.OfferDeclined: Distributor._decline,
    commands.OfferFailed: Distributor._fail,
    commands.OfferTakenBack: Distributor._take_back,
}
