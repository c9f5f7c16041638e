"""What the distributor knows: the aggregates, and beside each its row, its deadline and its place in the index.

Whatever changes an aggregate goes through here, so that no step can forget one of the three. The steps
(`acd.steps`) say what happens; this says only what follows from it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Literal

from acd import commands, events
from acd.machines import agent as agent_machine
from acd.machines import entry as entry_machine
from acd.machines import offer as offer_machine
from acd.machines.agent import Agent
from acd.machines.care import Care
from acd.machines.entry import QueueEntry, Stage
from acd.machines.offer import Offer
from acd.model import AgentPolicy, Need, Policy, QueuePolicy, Requirements, Skills
from acd.policies.expected_wait import Estimate
from acd.policies.matching import Matcher
from acd.policies.rings import need_in, reserve_of
from acd.policies.skills import profile
from acd.policies.staffing import Staffing

Kind = Literal["agent", "entry", "offer", "care", "estimate"]
Row = tuple[Kind, str, Agent | QueueEntry | Offer | Care | Estimate | None]
Watch = Callable[[QueueEntry, str, datetime], None]
"""(entry, the agent who is about to be offered it, now)."""

NO_POLICY = Policy("none")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_STAGES = 10_000


class State:
    """One site's. `freed` and `arrived` are those whom matching must look at before the input is over.

    `queued` have come in it, `left` have left their queues; `deserted`: the last agent of some kind has gone.
    `waiting` counts the entries of each queue.
    """

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
        # Contacts of other channels than voice, and who has them.
        self.held: dict[str, str] = {}
        self.matcher = Matcher(self.policy)
        self.staffing = Staffing()
        self.cares: dict[str, Care] = {}
        self.estimates: dict[str, Estimate] = {}
        self.waiting: Counter[str] = Counter()
        self.deadlines: list[tuple[datetime, Kind, str]] = []
        self.touched: dict[tuple[Kind, str], None] = {}
        self.freed: list[str] = []
        self.arrived: list[str] = []
        self.queued: list[str] = []
        self.left: list[QueueEntry] = []
        self.deserted = False
        self.restaffed = False
        self.gone: list[str] = []
        self.stages: dict[tuple[str, int, Skills, Requirements], Stage] = {}
        self.told: list[events.Event] = []
        # New entries are copies of it: cheaper than to begin with nothing.
        self.blank = QueueEntry("", "", "", 0, 0, _LONG_AGO, (), 0, 0, None)
        # Told of each decision before it changes anything (`acd.why`); nobody listens but in a replay.
        self.watch: Watch | None = None

    def know(self, policy: Policy) -> None:
        """From now on these are the rules; the index is still that of the rules before."""
        self.policy = policy
        self.queues = {queue.name: queue for queue in policy.queues}
        self.known = {agent.id: self._trained(agent) for agent in policy.agents}
        self.stages = {}
        self.staffing = Staffing()
        for id_, agent in self.agents.items():
            if agent.state != "logged_out" and id_ in self.known:
                self.staffing.comes(id_, self.profile_of(self.known[id_]))

    def _trained(self, agent: AgentPolicy) -> AgentPolicy:
        """With the skills that a supervisor gave him."""
        found = self.agents.get(agent.id)
        if found is None or found.trained is None:
            return agent
        return replace(agent, skills=found.trained)

    @staticmethod
    def profile_of(known: AgentPolicy) -> Skills:
        """All that this agent may be chosen for."""
        return profile(known.skills, known.teams)

    def stage_in(self, queue: QueuePolicy, ring: int, asked: Skills, requires: Requirements) -> Stage:
        """Whom a caller waits for in a ring, worked out once; when it ends is not said."""
        key = (queue.name, ring, asked, requires)
        stage = self.stages.get(key)
        if stage is None:
            if len(self.stages) >= _MOST_STAGES:
                self.stages.clear()
            need = need_in(queue, ring, asked, requires)
            stage = self.stages[key] = Stage(ring, need, reserve_of(queue, ring))
        return stage

    def need_in(self, queue: QueuePolicy, ring: int, asked: Skills, requires: Requirements) -> Need:
        """What a caller needs in a ring."""
        return self.stage_in(queue, ring, asked, requires).needs

    def index(self) -> None:
        """Build the index anew from the aggregates, and look at everybody once."""
        self.matcher = Matcher(replace(self.policy, agents=tuple(self.known.values())))
        self.freed = []
        for id_ in sorted(self.agents):
            if self.can_be_offered(id_):
                self.matcher.agent_idles(self.agents[id_].idle)
                self.freed.append(id_)
        self.arrived = []
        for entry in self.entries.values():
            stands = self._stands(entry)
            if stands == "line":
                self.matcher.caller_waits(entry.spot, entry.place)
                self.arrived.append(entry.id)
            elif stands == "ringing":
                self.matcher.caller_rings(entry.spot, entry.place)

    def can_be_offered(self, agent: str) -> bool:
        """Whether this agent could get an offer now."""
        found, known = self.agents.get(agent), self.known.get(agent)
        return found is not None and known is not None and found.can_be_offered(known.delivery)

    def can_be_waited_for(self, agent: str) -> bool:
        """Whether this agent is there and will take contacts, be it after the one that he has."""
        found = self.agents.get(agent)
        if found is None or agent not in self.known:
            return False
        return found.phone and found.state not in ("logged_out", "not_ready")

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
        self._staff(before, agent)
        idle, can = self.matcher.idles(id_), self.can_be_offered(id_)
        if idle and not can:
            self.matcher.agent_leaves(id_)
        elif can and not idle:
            self.matcher.agent_idles(agent.idle)
            self.freed.append(id_)
        if self.matcher.is_waited_for(id_) and not self.can_be_waited_for(id_):
            self.gone.append(id_)
        self.forget_if_gone(agent)
        return agent

    def _staff(self, before: Agent | None, agent: Agent) -> None:
        was, is_ = before is not None and before.state != "logged_out", agent.state != "logged_out"
        known = self.known.get(agent.id)
        if is_ and not was and known is not None:
            self.restaffed = self.staffing.comes(agent.id, self.profile_of(known)) or self.restaffed
        elif was and not is_ and self.staffing.goes(agent.id):
            self.deserted = self.restaffed = True

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
            and not agent.held
        ):
            if agent.phone or agent.console:
                # Whoever watches him sees him go: signed out and out of reach is the same as unknown.
                self.told.append(events.PresenceChanged(agent.id, phone=False, console=False))
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
        self.touched["entry", entry.id] = None
        stood = None if before is None else self._stands(before)
        stands = self._stands(entry)
        if before is None:
            self.waiting[entry.queue] += 1
        elif stood is not None and (stood != stands or (before.spot, before.place) != (entry.spot, entry.place)):
            if stood == "line":
                self.matcher.caller_leaves(before.spot, before.place)
            else:
                self.matcher.caller_rings_no_more(before.spot, before.place)
            stood = None
        if entry.has_ended:
            del self.entries[entry.id]
            del self.entry_of[entry.contact]
            self.waiting[entry.queue] -= 1
            self.left.append(entry)
            return
        self.entries[entry.id] = entry
        if stands == "line" and stood is None:
            self.matcher.caller_waits(entry.spot, entry.place)
            self.arrived.append(entry.id)
            if entry.id in self.cares:
                self.arm("care", entry.id, self.cares[entry.id].next_deadline)
        elif stands == "ringing":
            if stood is None:
                self.matcher.caller_rings(entry.spot, entry.place)
            if (
                before is not None
                and before.state == "offered"
                and (stood is None or before.excluded != entry.excluded)
            ):
                self.arrived.append(entry.id)
        self.arm("entry", entry.id, entry.next_deadline)

    def may_ring_more(self, entry: str) -> bool:
        """Whether phones ring for this entry and more may."""
        found = self.entries.get(entry)
        return found is not None and self._stands(found) == "ringing"

    def _stands(self, entry: QueueEntry) -> Literal["line", "ringing"] | None:
        """In line, or with phones ringing of which there may be more, or neither."""
        if entry.state == "waiting":
            return "line"
        if entry.state != "offered":
            return None
        queue = self.queues.get(entry.queue)
        if queue is None or queue.strategy != "ring_all" or len(entry.pending) >= queue.ring_all_most:
            return None
        return "ringing"

    def put_care(self, care: Care) -> None:
        """What is done for an entry is now this."""
        if self.cares.get(care.id) != care:
            self.cares[care.id] = care
            self.touched["care", care.id] = None
            self.arm("care", care.id, care.next_deadline)

    def drop_care(self, id_: str) -> None:
        """Nothing is done for this entry any more."""
        del self.cares[id_]
        self.touched["care", id_] = None

    def put_estimate(self, estimate: Estimate) -> None:
        """What is known of a queue's waits is now this."""
        if self.estimates.get(estimate.queue) != estimate:
            self.estimates[estimate.queue] = estimate
            self.touched["estimate", estimate.queue] = None

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
        if kind == "care" and not self.waits(id_):
            return None
        row = self.find(kind, id_)
        return None if row is None or isinstance(row, Estimate) else row.next_deadline

    def find(self, kind: Kind, id_: str) -> Agent | QueueEntry | Offer | Care | Estimate | None:
        """The row of this aggregate, None when it is over."""
        match kind:
            case "agent":
                return self.agents.get(id_)
            case "entry":
                return self.entries.get(id_)
            case "offer":
                return self.offers.get(id_)
            case "care":
                return self.cares.get(id_)
            case "estimate":
                return self.estimates.get(id_)

    def is_known(self, input_: commands.AgentInput) -> bool:
        """Whether the policy has the agent of `input_`; else it is refused."""
        if input_.agent in self.known:
            return True
        self.refuse(input_.agent, input_, "unknown_agent")
        return False

    def refuse(self, subject: str, input_: commands.Input, reason: str) -> None:
        """Say to the sender why nothing came of `input_`."""
        self.told.append(events.InputRefused(subject, type(input_).__name__, reason))
