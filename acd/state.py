"""What the distributor knows: the aggregates, and beside each its row, its deadline and its place in the index.

Whatever changes an aggregate goes through here, so that no step can forget one of the three. The steps
(`acd.steps`) say what happens; this says only what follows from it.
"""

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush
from typing import Literal

from acd import commands, events
from acd.machines import agent as agent_machine
from acd.machines import entry as entry_machine
from acd.machines import offer as offer_machine
from acd.machines.agent import Agent
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.model import AgentPolicy, Policy, QueuePolicy
from acd.policies.matching import Matcher

Kind = Literal["agent", "entry", "offer"]
Row = tuple[Kind, str, Agent | QueueEntry | Offer | None]
Watch = Callable[[QueueEntry, str, datetime], None]
"""(entry, the agent who is about to be offered it, now)."""

NO_POLICY = Policy("none")


class State:
    """One site's. `freed` and `arrived` are those whom matching must look at before the input is over."""

    def __init__(self) -> None:
        self.policy = NO_POLICY
        self.number = 0
        self.queues: dict[str, QueuePolicy] = {}
        self.known: dict[str, AgentPolicy] = {}
        self.agents: dict[str, Agent] = {}
        self.entries: dict[str, QueueEntry] = {}
        self.offers: dict[str, Offer] = {}
        self.entry_of: dict[str, str] = {}
        self.holders: dict[str, dict[str, None]] = {}
        self.matcher = Matcher(self.policy)
        self.deadlines: list[tuple[datetime, Kind, str]] = []
        self.touched: dict[tuple[Kind, str], None] = {}
        self.freed: list[str] = []
        self.arrived: list[str] = []
        self.told: list[events.Event] = []
        # Told of each decision before it changes anything (`acd.why`); nobody listens but in a replay.
        self.watch: Watch | None = None

    def know(self, policy: Policy) -> None:
        """From now on these are the rules; the index is still that of the rules before."""
        self.policy = policy
        self.queues = {queue.name: queue for queue in policy.queues}
        self.known = {agent.id: agent for agent in policy.agents}

    def index(self) -> None:
        """Build the index anew from the aggregates, and look at everybody once."""
        self.matcher = Matcher(self.policy)
        self.freed = []
        for id_ in sorted(self.agents):
            if self.can_be_offered(id_):
                self.matcher.agent_idles(self.agents[id_].idle_place)
                self.freed.append(id_)
        waiting = [entry for entry in self.entries.values() if entry.state == "waiting"]
        for entry in waiting:
            self.matcher.caller_waits(entry.queue, entry.need, entry.place)
        self.arrived = [entry.id for entry in waiting]

    def can_be_offered(self, agent: str) -> bool:
        """Whether this agent could get an offer now."""
        found, known = self.agents.get(agent), self.known.get(agent)
        return found is not None and known is not None and found.can_be_offered(known.delivery)

    def excludes(self, entry: str, agent: str) -> bool:
        """Whether this agent is passed over for this entry."""
        return self.entries[entry].excludes(agent)

    def waits(self, entry: str) -> bool:
        """Whether this entry waits to be offered."""
        found = self.entries.get(entry)
        return found is not None and found.state == "waiting"

    # -- agents ---------------------------------------------------------------------------------------------------

    def move_agent(self, id_: str, event: agent_machine.AgentInput, now: datetime) -> Agent:
        """One input for an agent, who comes into being with his first."""
        before = self.agents.get(id_)
        agent, told = (before or Agent(id_, since=now, idle_since=now)).handle(event, now=now)
        self.told += told
        if agent is before:
            return agent
        self.agents[id_] = agent
        self.touched["agent", id_] = None
        held = None if before is None else before.live_contact
        if agent.live_contact != held:
            self._hand_over(id_, held, agent.live_contact)
        self.arm("agent", id_, agent.next_deadline)
        idle, can = self.matcher.idles(id_), self.can_be_offered(id_)
        if idle and not can:
            self.matcher.agent_leaves(id_)
        elif can and not idle:
            self.matcher.agent_idles(agent.idle_place)
            self.freed.append(id_)
        self.forget_if_gone(agent)
        return agent

    def _hand_over(self, agent: str, held: str | None, holds: str | None) -> None:
        if held is not None:
            holders = self.holders[held]
            del holders[agent]
            if not holders:
                del self.holders[held]
        if holds is not None:
            self.holders.setdefault(holds, {})[agent] = None

    def forget_if_gone(self, agent: Agent) -> None:
        """Somebody whom the policy no longer knows is kept until he has signed out and talks to nobody."""
        if (
            self.policy is not NO_POLICY
            and agent.id not in self.known
            and agent.state == "logged_out"
            and agent.contact is None
        ):
            del self.agents[agent.id]
            self.touched["agent", agent.id] = None

    # -- entries --------------------------------------------------------------------------------------------------

    def move_entry(self, id_: str, event: entry_machine.EntryInput, now: datetime) -> None:
        """One input for an entry."""
        before = self.entries[id_]
        entry, told = before.handle(event, now=now)
        self.told += told
        self.put_entry(before, entry)

    def put_entry(self, before: QueueEntry | None, entry: QueueEntry) -> None:
        """`entry` instead of `before`; whatever of queue, need and place has changed changes in the index too."""
        waited = before is not None and before.state == "waiting"
        self.touched["entry", entry.id] = None
        if waited and entry.state != "waiting":
            self.matcher.caller_leaves(entry.queue, entry.need, entry.place)
        if entry.has_ended:
            del self.entries[entry.id]
            del self.entry_of[entry.contact]
            return
        self.entries[entry.id] = entry
        if entry.state == "waiting" and not waited:
            self.matcher.caller_waits(entry.queue, entry.need, entry.place)
            self.arrived.append(entry.id)
        self.arm("entry", entry.id, entry.next_deadline)

    # -- offers ---------------------------------------------------------------------------------------------------

    def move_offer(
        self, id_: str, event: offer_machine.OfferInput, input_: commands.Input, now: datetime
    ) -> Offer | None:
        """One input for a pending offer; None, and a refusal of `input_`, when it is over."""
        pending = self.offers.get(id_)
        if pending is None:
            self.refuse(id_, input_, "stale_offer")
            return None
        offer, told = pending.handle(event, now=now)
        self.told += told
        self.put_offer(offer)
        return offer

    def put_offer(self, offer: Offer) -> None:
        """Keep `offer` while it is pending, forget it when it is over."""
        self.touched["offer", offer.id] = None
        if offer.state == "pending":
            self.offers[offer.id] = offer
            self.arm("offer", offer.id, offer.next_deadline)
        else:
            del self.offers[offer.id]

    # -- deadlines and refusals -----------------------------------------------------------------------------------

    def arm(self, kind: Kind, id_: str, at: datetime | None) -> None:
        """Have a look at this one at `at`. What it no longer owes by then is passed over."""
        if at is not None:
            heappush(self.deadlines, (at, kind, id_))

    @property
    def next_deadline(self) -> datetime | None:
        """The first that is still owed."""
        while self.deadlines:
            at, kind, id_ = self.deadlines[0]
            if self._deadline_of(kind, id_) == at:
                return at
            heappop(self.deadlines)
        return None

    def take_due(self, now: datetime) -> tuple[Kind, str] | None:
        """The first that is owed by `now`, once."""
        while self.deadlines and self.deadlines[0][0] <= now:
            at, kind, id_ = heappop(self.deadlines)
            if self._deadline_of(kind, id_) == at:
                return kind, id_
        return None

    def _deadline_of(self, kind: Kind, id_: str) -> datetime | None:
        row = self.find(kind, id_)
        return None if row is None else row.next_deadline

    def find(self, kind: Kind, id_: str) -> Agent | QueueEntry | Offer | None:
        """The row of this aggregate, None when it is over."""
        if kind == "agent":
            return self.agents.get(id_)
        return self.entries.get(id_) if kind == "entry" else self.offers.get(id_)

    def is_known(self, input_: commands.AgentInput) -> bool:
        """Whether the policy has the agent of `input_`; else it is refused."""
        if input_.agent in self.known:
            return True
        self.refuse(input_.agent, input_, "unknown_agent")
        return False

    def refuse(self, subject: str, input_: commands.Input, reason: str) -> None:
        """Say to the sender why nothing came of `input_`."""
        self.told.append(events.InputRefused(subject, type(input_).__name__, reason))
