"""The distributor: the one actor of a site that owns agents, entries and offers (acd.md).

`handle(input, now)` runs one input to its end: the machine that owns it, the other machines that it moves, then
matching until nobody idle could serve anybody waiting. It knows no clock, no randomness and no id source, so the same
inputs give the same events under any hash seed; offer ids count the offers of their entry.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from acd import commands, events
from acd.machines.agent import Agent
from acd.machines.care import Care
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.model import Policy, to_millisecond
from acd.policies.expected_wait import Estimate
from acd.state import NO_POLICY, Kind, Row, State, Watch
from acd.steps import agents, entries, matching, offers, rings, site, waiting

__all__ = ["NO_POLICY", "Distributor", "Kind", "Row", "Watch"]


class Distributor:
    """Not thread-safe; one input at a time. What it returns is also the order in which things happened."""

    def __init__(self) -> None:
        self.state = State()

    # -- what others may see --------------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """The rules in force."""
        return self.state.policy

    @property
    def number(self) -> int:
        """The number of the last input."""
        return self.state.number

    @property
    def agents(self) -> Mapping[str, Agent]:
        return MappingProxyType(self.state.agents)

    @property
    def entries(self) -> Mapping[str, QueueEntry]:
        """Those that wait or are offered; an entry that has ended is forgotten."""
        return MappingProxyType(self.state.entries)

    @property
    def offers(self) -> Mapping[str, Offer]:
        """The pending ones."""
        return MappingProxyType(self.state.offers)

    @property
    def next_deadline(self) -> datetime | None:
        """When the next `Tick` is due; None while nothing runs."""
        return self.state.next_deadline

    @property
    def cares(self) -> Mapping[str, Care]:
        """What is done for those who wait, by entry."""
        return MappingProxyType(self.state.cares)

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        """How long callers wait, by queue, and how well they were told."""
        return MappingProxyType(self.state.estimates)

    def position(self, entry: str) -> int:
        """The place of a waiting entry in its queue, from 1. Raises KeyError for one that has ended."""
        found = self.state.entries[entry]
        return self.state.matcher.position(found.queue, found.place)

    def can_be_offered(self, agent: str) -> bool:
        """Whether this agent could get an offer now."""
        return self.state.can_be_offered(agent)

    def free_for(self, queue: str) -> int:
        """How many could be offered a caller of `queue` who begins to wait now; 0 for a queue that is not there."""
        found = self.state.queues.get(queue)
        if found is None:
            return 0
        return self.state.matcher.free_at(self.state.stage_in(found, 1, (), ()).needs, queue)

    def take_touched(self) -> list[Row]:
        """The rows changed since the last call, as they are now; None for what has ended."""
        touched = self.state.touched
        rows: list[Row] = [(kind, id_, self.state.find(kind, id_)) for kind, id_ in touched]
        touched.clear()
        return rows

    @property
    def watch(self) -> Watch | None:
        """Who is told of each decision before it changes anything."""
        return self.state.watch

    @watch.setter
    def watch(self, watcher: Watch | None) -> None:
        self.state.watch = watcher

    # -- inputs ---------------------------------------------------------------------------------------------------

    def restore(
        self,
        agents_: Iterable[Agent],
        entries_: Iterable[QueueEntry],
        offers_: Iterable[Offer],
        cares: Iterable[Care] = (),
        estimates: Iterable[Estimate] = (),
    ) -> None:
        """Take the rows of an earlier run, before the first input, which must be Restarted, then PolicyLoaded."""
        state = self.state
        for agent in agents_:
            state.agents[agent.id] = agent
            if agent.live_contact is not None:
                state.holders.setdefault(agent.live_contact, {})[agent.id] = None
            state.held |= {held.contact: agent.id for held in agent.held}
            state.arm("agent", agent.id, agent.next_deadline)
        for entry in entries_:
            state.entries[entry.id] = entry
            state.entry_of[entry.contact] = entry.id
            state.waiting[entry.queue] += 1
            state.arm("entry", entry.id, entry.next_deadline)
        for offer in offers_:
            state.offers[offer.id] = offer
            state.arm("offer", offer.id, offer.next_deadline)
        for care in cares:
            state.put_care(care)
        for estimate in estimates:
            state.put_estimate(estimate)
        state.touched.clear()

    def resume(self, policy: Policy, number: int) -> None:
        """After `restore`: stand where a core stood that ran `policy` and had taken input `number`; for replays.

        Unlike a restart this is no input: nothing is told and nothing is decided.
        """
        self.state.know(policy)
        self.state.number = number
        self.state.index()
        self.state.freed, self.state.arrived = [], []

    def handle(self, input_: commands.Input, *, now: datetime) -> list[events.Event]:
        """Run `input_` at `now` (aware UTC, never decreasing); what happened, in order."""
        now = to_millisecond(now)
        state = self.state
        state.number += 1
        told = state.told = []
        HANDLERS[type(input_)](state, input_, now)
        if state.queued:
            waiting.arrive(state, now)
        if state.deserted:
            waiting.deserted(state, now)
        if state.restaffed or state.gone:
            rings.restaffed(state, now)
        if state.freed or state.arrived:
            matching.match(state, now)
        if state.queued or state.left:
            waiting.settle(state, now)
        return told


def tick(state: State, _input: commands.Tick, now: datetime) -> None:
    """Everything that is due."""
    while (due := state.take_due(now)) is not None:
        kind, id_ = due
        LAPSES[kind](state, id_, now)


HANDLERS: dict[type, Callable[..., None]] = {
    **site.HANDLERS,
    **agents.HANDLERS,
    **entries.HANDLERS,
    **waiting.HANDLERS,
    **offers.HANDLERS,
    commands.Tick: tick,
}
LAPSES: dict[Kind, Callable[[State, str, datetime], None]] = {
    "agent": agents.lapse,
    "entry": entries.lapse,
    "offer": offers.lapse,
    "care": waiting.lapse,
}
