"""The distributor in the words of its users: agents who come and go, calls that enter, time that passes.

Every step is watched by the auditor, so each test is also a test of the invariants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from acd import commands, events
from acd.core import Distributor
from acd.machines.agent import Agent
from acd.machines.care import Care
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.model import (
    DEFAULT_PRIORITY,
    AgentPolicy,
    Delivery,
    FailureReason,
    Outcome,
    Policy,
    QueuePolicy,
    Ring,
    Settings,
)
from acd.policies.announcing import SILENT, AnnouncePolicy
from acd.policies.expected_wait import Estimate
from acd.policies.overflow import OverflowRule
from acd.policies.skills import canonical
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.codec import decode, encode
from tests.support.acd_audit import Auditor

E = TypeVar("E", bound=events.Event)


class AcdWorld:
    """One site on a clock that only the test moves. `events` is all that happened, `last` what the last step told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.core = Distributor()
        self.auditor = Auditor()
        self.events: list[events.Event] = []
        self.last: list[events.Event] = []
        self.policy = Policy("v0")
        self._calls = 0
        self._epoch = 1

    @property
    def now(self) -> datetime:
        return self.clock.now()

    # -- the site -------------------------------------------------------------------------------------------------

    def queue(
        self,
        name: str,
        *,
        skills: Mapping[str, int] | None = None,
        ring_s: int = 20,
        wrap_up_s: int = 0,
        max_wait_s: int | None = None,
        announce: AnnouncePolicy = SILENT,
        overflow: Sequence[OverflowRule] = (),
    ) -> None:
        """Add or change a queue; without `skills` it asks for the skill of its own name."""
        needed = canonical({name: 1} if skills is None else skills)
        queue = QueuePolicy(name, needed, ring_s, wrap_up_s, max_wait_s, announce=announce, overflow=tuple(overflow))
        others = tuple(other for other in self.policy.queues if other.name != name)
        self.load(replace(self.policy, queues=(*others, queue)))

    def routes(self, name: str, *rings: Ring, **changes: Any) -> None:
        """Change how a queue chooses; the words are those of `QueuePolicy`."""
        found = next((queue for queue in self.policy.queues if queue.name == name), None)
        queue = replace(found or QueuePolicy(name, canonical({name: 1})), rings=rings, **changes)
        others = tuple(other for other in self.policy.queues if other.name != name)
        self.load(replace(self.policy, queues=(*others, queue)))

    def agent(
        self,
        id_: str,
        *,
        skills: Mapping[str, int] | None = None,
        delivery: Delivery = "phone",
        **more: Any,
    ) -> "AgentHand":
        """Add or change an agent; his phone is registered, he is signed out. `more`: the words of `AgentPolicy`."""
        agent = AgentPolicy(id_, canonical(skills or {}), delivery, **more)
        others = tuple(other for other in self.policy.agents if other.id != id_)
        self.load(replace(self.policy, agents=(*others, agent)))
        self.tell(commands.PresenceChanged(id_, phone=True))
        return AgentHand(self, id_)

    def settings(self, settings: Settings) -> None:
        self.load(replace(self.policy, settings=settings))

    def load(self, policy: Policy) -> None:
        """Put `policy` into force under the next version."""
        self.policy = replace(policy, version=f"v{int(self.policy.version[1:]) + 1}")
        self.tell(commands.PolicyLoaded(self.policy))

    # -- what happens ---------------------------------------------------------------------------------------------

    def tell(self, input_: commands.Input) -> list[events.Event]:
        self.last = self.core.handle(input_, now=self.now)
        self.events += self.last
        self.auditor.observe(self.core, input_, self.last, self.now)
        return self.last

    def call_enters(
        self,
        queue: str,
        *,
        skills: Mapping[str, int] | None = None,
        priority: int = DEFAULT_PRIORITY,
        contact: str | None = None,
        enqueued_at: datetime | None = None,
        **more: Any,
    ) -> "CallHand":
        """A caller begins to wait. `more`: the words of `commands.EntryQueued`."""
        if all(known.name != queue for known in self.policy.queues):
            self.queue(queue)
        self._calls += 1
        entry = f"call{self._calls}"
        asked = canonical(skills or {})
        self.tell(commands.EntryQueued(entry, queue, contact, asked, priority, enqueued_at, **more))
        return CallHand(self, entry, contact or entry)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass; every deadline within them is met."""
        end = self.now.timestamp() + seconds
        while (due := self.core.next_deadline) is not None and due.timestamp() <= end:
            self._pass(due.timestamp() - self.now.timestamp())
            self.tell(commands.Tick())
        self._pass(end - self.now.timestamp())

    def advance_to_next_deadline(self) -> list[events.Event]:
        due = self.core.next_deadline
        assert due is not None, "nothing is due"
        self._pass((due - self.now).total_seconds())
        return self.tell(commands.Tick())

    def _pass(self, seconds: float) -> None:
        self.clock.advance(max(0.0, seconds))

    def restarts(self) -> None:
        """The application dies and comes back with what its rows say."""
        self._epoch += 1
        self.core = restored(self.core)
        self.tell(commands.Restarted(self._epoch))
        self.tell(commands.PolicyLoaded(self.policy))

    # -- what one sees --------------------------------------------------------------------------------------------

    def told(self, kind: type[E]) -> list[E]:
        """Everything of `kind` that ever happened."""
        return [event for event in self.events if isinstance(event, kind)]

    def told_last(self, kind: type[E]) -> list[E]:
        return [event for event in self.last if isinstance(event, kind)]

    def refused(self) -> list[str]:
        """The reasons of the last step's refusals."""
        return [event.reason for event in self.told_last(events.InputRefused)]


@dataclass(frozen=True, slots=True)
class AgentHand:
    """An agent's hand on his controls."""

    world: AcdWorld
    id: str

    @property
    def now(self) -> Agent:
        return self.world.core.agents[self.id]

    @property
    def state(self) -> str:
        return self.now.state

    def signs_in(self) -> "AgentHand":
        self.world.tell(commands.AgentSignedIn(self.id))
        return self

    def signs_out(self) -> None:
        self.world.tell(commands.AgentSignedOut(self.id))

    def goes_available(self) -> "AgentHand":
        """Signs in where needed; a moment passes so that the idle order is that of the test's lines."""
        self.signs_in()
        self.world.tell(commands.AgentWentAvailable(self.id))
        self.world.advance(1)
        return self

    def goes_available_now(self) -> None:
        """The same without the moment."""
        self.world.tell(commands.AgentWentAvailable(self.id))

    def pauses(self, reason: str = "lunch") -> None:
        self.world.tell(commands.AgentWentNotReady(self.id, reason))

    def asks_for_wrap_up(self) -> None:
        """While he talks."""
        self.world.tell(commands.WrapUpAsked(self.id))

    def extends_wrap_up(self, seconds: int) -> None:
        self.world.tell(commands.WrapUpExtended(self.id, seconds))

    def finishes_wrap_up(self) -> None:
        self.world.tell(commands.WrapUpFinished(self.id))

    def is_forced_out(self) -> None:
        """By a supervisor, as the next."""
        self.world.tell(commands.AgentForcedOut(self.id))

    def is_given_skills(self, skills: Mapping[str, int] | None) -> None:
        learnt = None if skills is None else canonical(skills)
        self.world.tell(commands.AgentSkillsChanged(self.id, learnt))

    def phone(self, registered: bool) -> None:
        self.world.tell(commands.PresenceChanged(self.id, phone=registered))

    def console(self, connected: bool) -> None:
        self.world.tell(commands.PresenceChanged(self.id, console=connected))

    def talks_directly(self, contact: str) -> None:
        """A call that came through no queue."""
        self.world.tell(commands.ContactStarted(self.id, contact))

    def offer(self) -> Offer:
        """The offer that rings for him."""
        pending = self.now.offer
        assert pending is not None, f"{self.id} is offered nothing"
        return self.world.core.offers[pending]

    def answers(self) -> None:
        offer = self.offer()
        self.world.tell(commands.OfferAccepted(offer.id, offer.fence))

    def declines(self) -> None:
        offer = self.offer()
        self.world.tell(commands.OfferDeclined(offer.id, offer.fence))

    def cannot_be_rung(self, reason: FailureReason) -> None:
        self.world.tell(commands.OfferFailed(self.offer().id, reason))


@dataclass(frozen=True, slots=True)
class CallHand:
    """A caller's hand on the phone."""

    world: AcdWorld
    entry: str
    contact: str

    @property
    def now(self) -> QueueEntry:
        return self.world.core.entries[self.entry]

    @property
    def rings_at(self) -> str:
        """The agent whom the caller is offered to, or "nobody"."""
        offer = self.now.offer
        return "nobody" if offer is None else self.world.core.offers[offer].agent

    @property
    def all_rung(self) -> list[str]:
        """Everybody whose phone rings for the caller."""
        return sorted(self.world.core.offers[offer].agent for offer in self.now.pending)

    @property
    def position(self) -> int:
        return self.world.core.position(self.entry)

    def hangs_up(self) -> None:
        """While waiting."""
        self.world.tell(commands.EntryAbandoned(self.entry))

    def ends(self) -> None:
        """While talking, by either side."""
        self.world.tell(commands.ContactEnded(self.contact))

    def leaves_for(self, outcome: Outcome) -> None:
        self.world.tell(commands.EntryWithdrawn(self.entry, outcome))

    def is_moved_to(self, queue: str) -> None:
        """By a supervisor, as the next two."""
        self.world.tell(commands.EntryMoved(self.entry, queue))

    def is_given_priority(self, priority: int) -> None:
        self.world.tell(commands.EntryReprioritised(self.entry, priority))

    def is_cancelled(self) -> None:
        self.world.tell(commands.EntryCancelled(self.entry))

    def has_left(self) -> events.EntryEnded | None:
        """How he left his queue neither answered nor abandoned; None: he did not."""
        return next((event for event in self.world.told(events.EntryEnded) if event.entry == self.entry), None)

    def was_told(self) -> list[tuple[int | None, int | None, bool]]:
        """(position, seconds to wait, a word of comfort) of each time that something was said to him."""
        spoken = [event for event in self.world.told(events.EntryAnnounced) if event.entry == self.entry]
        return [(event.position, event.wait_s, event.comfort) for event in spoken]


def restored(core: Distributor) -> Distributor:
    """A new core with the rows of `core`, by way of the bytes that a restart would find (in order of their ids)."""
    again = Distributor()
    again.restore(
        [decode(encode(row), Agent) for _, row in sorted(core.agents.items())],
        [decode(encode(row), QueueEntry) for _, row in sorted(core.entries.items())],
        [decode(encode(row), Offer) for _, row in sorted(core.offers.items())],
        [decode(encode(row), Care) for _, row in sorted(core.cares.items())],
        [decode(encode(row), Estimate) for _, row in sorted(core.estimates.items())],
    )
    return again
