"""Random interleavings of everything that can reach the distributor, each step audited.

A step is four small numbers, so that Hypothesis can draw and shrink walks and a seeded generator can make many fast.
The walk sends what a correct director would send and what a late, doubled or hostile one would.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from acd import commands, events
from acd.core import Distributor
from acd.machines.agent import Agent
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.model import (
    AgentPolicy,
    Capacity,
    FailureReason,
    Outcome,
    Policy,
    QueuePolicy,
    Ring,
    Settings,
    SkillRequirement,
)
from callcenter.kernel.clock import FakeClock
from tests.support.acd import restored
from tests.support.acd_audit import Auditor

T = TypeVar("T")
Step = tuple[int, int, int, int]

AGENTS = ("ann", "bob", "chen", "dan", "eve")
QUEUES = ("billing", "support", "sales")
FAILURES: tuple[FailureReason, ...] = ("busy", "unreachable", "error")
OUTCOMES: tuple[Outcome, ...] = ("overflowed", "callback", "transferred", "failed")
_TONGUES = (SkillRequirement("english", 2, "lower"), SkillRequirement("chinese", 3))
PAUSES_MS = (*(0, 1, 7, 40, 400, 900) * 4, 0, 3_000, 9_000, 31_000)

_BASE = Policy(
    "p0",
    queues=(
        QueuePolicy("billing", (("billing", 1),), ring_s=20, wrap_up_s=15),
        QueuePolicy("support", (("english", 1), ("support", 2)), ring_s=10, wrap_up_s=0),
        QueuePolicy("sales", (("sales", 1),), ring_s=15, wrap_up_s=30, max_wait_s=60),
    ),
    agents=(
        AgentPolicy("ann", (("billing", 3), ("sales", 1)), capacity=(Capacity("chat", 2, interruptible=True),)),
        AgentPolicy("bob", (("english", 5), ("support", 2)), capacity=(Capacity("chat", 1),)),
        AgentPolicy("chen", (("billing", 1), ("chinese", 3), ("sales", 2))),
        AgentPolicy("dan", (("billing", 3), ("sales", 1)), delivery="console"),
        AgentPolicy("eve", (("billing", 2), ("english", 1), ("sales", 1), ("support", 3))),
    ),
)
POLICIES = (
    _BASE,
    replace(_BASE, version="p1", settings=Settings(exclusion_s=5, misses=2, back_off_s=3)),
    replace(_BASE, version="p2", agents=_BASE.agents[:3], queues=_BASE.queues[1:]),
    replace(
        _BASE,
        version="p3",
        queues=(
            QueuePolicy("billing", (("billing", 2),), ring_s=12, wrap_up_s=5, max_wait_s=40),
            QueuePolicy("support", (("support", 1),), ring_s=10, wrap_up_s=20),
            QueuePolicy("sales", (("sales", 2),), ring_s=15, wrap_up_s=10),
        ),
    ),
    replace(
        _BASE,
        version="p4",
        queues=(
            QueuePolicy("billing", (("billing", 1),), ring_s=20, strategy="ring_all", wrap_up="mandatory"),
            QueuePolicy(
                "support",
                requires=((SkillRequirement("support", 3), SkillRequirement("english", 5)),),
                strategy="round_robin",
                wrap_up_s=10,
                wrap_up="optional",
                rings=(Ring(15), Ring(20, lower=1), Ring(30, drop=("support",), reserve=1), Ring(30)),
            ),
            QueuePolicy("sales", (("sales", 1),), strategy="weighted_random", head_start_s=20, preferred_s=10),
        ),
        agents=(*_BASE.agents[:4], replace(_BASE.agents[4], wrap_up="timed", wrap_up_s=7, weight=3)),
    ),
    replace(
        _BASE,
        version="p5",
        settings=Settings(misses=1, strict_priority=True),
        queues=(
            QueuePolicy("billing", (("billing", 1),), strategy="highest_level", rings=(Ring(9, reserve=1), Ring(9))),
            QueuePolicy(
                "support", teams=("day",), strategy="fewest_contacts", rings=(Ring(8), Ring(0, teams=("night",)))
            ),
            QueuePolicy("sales", (("sales", 1),), strategy="ring_all", ring_all_most=2, ring_s=8, max_wait_s=60),
        ),
        agents=tuple(replace(agent, teams=("day",) if agent.id < "c" else ("night",)) for agent in _BASE.agents),
    ),
    replace(
        _BASE,
        version="p6",
        queues=(
            QueuePolicy("billing", (("billing", 1),), strategy="lowest_level", wrap_up_s=5),
            QueuePolicy("support", (("support", 1),), strategy="longest_since_contact", wrap_up="optional"),
            QueuePolicy("sales", (("sales", 2),), strategy="round_robin", rings=(Ring(5), Ring(5, drop=("sales",)))),
        ),
    ),
)


class Walk:
    """One distributor on its way. `log` keeps each input with its instant, `told` what came of it."""

    def __init__(self, policy: Policy = _BASE) -> None:
        self.clock = FakeClock()
        self.core = Distributor()
        self.auditor = Auditor()
        self.log: list[tuple[datetime, commands.Input]] = []
        self.told: list[list[events.Event]] = []
        self.entries: list[str] = []
        self.contacts: list[str] = ["c0"]
        self.offers: list[tuple[str, int]] = [("none-o1", 1)]
        self.policy = policy
        self.epoch = 1
        self.tell(commands.Restarted(1))
        self.tell(commands.PolicyLoaded(policy))
        for agent in AGENTS:
            self.tell(commands.AgentSignedIn(agent))
            self.tell(commands.PresenceChanged(agent, phone=True, console=True))
            self.tell(commands.AgentWentAvailable(agent))

    def tell(self, input_: commands.Input) -> None:
        told = self.core.handle(input_, now=self.clock.now())
        self.log.append((self.clock.now(), input_))
        self.told.append(told)
        for event in told:
            if isinstance(event, events.OfferCreated):
                self.offers.append((event.offer, event.fence))
        self.auditor.observe(self.core, input_, told, self.clock.now())

    def take(self, step: Step) -> None:
        """Let some time pass, or all of it until the next deadline, then send something."""
        what, which, how, pause = step
        if pause % 13 == 0 and (due := self.core.next_deadline) is not None:
            self._pass_to(due)
        else:
            self._pass_to(self.clock.now() + timedelta(milliseconds=PAUSES_MS[pause % len(PAUSES_MS)]))
        for input_ in self._inputs(what, which, how):
            self.tell(input_)

    def _pass_to(self, end: datetime) -> None:
        while (due := self.core.next_deadline) is not None and due <= end:
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
            self.tell(commands.Tick())
        self.clock.advance(max(0.0, (end - self.clock.now()).total_seconds()))

    def _inputs(self, what: int, which: int, how: int) -> list[commands.Input]:
        kind = _MIX[what % len(_MIX)]
        agent = AGENTS[which % len(AGENTS)]
        if kind == "queue":
            return [self._queue(which, how)]
        if kind in ("abandon", "withdraw", "supervise"):
            return [self._end_of(kind, _recent(self.entries or ["none"], which), how)]
        if kind in ("accept", "decline", "fail"):
            return [self._answer(kind, which, how)]
        if kind == "end_chat":
            chats = sorted(self.core.state.held) or ["chat1"]
            return [commands.ContactEnded(chats[which % len(chats)], agent=agent if how % 3 == 0 else None)]
        if kind == "end":
            held = sorted({a.contact for a in self.core.agents.values() if a.contact and a.state != "reserved"})
            contact = held[which % len(held)] if held and how % 4 else _recent(self.contacts, which)
            return [commands.ContactEnded(contact, agent=agent if how % 7 == 6 else None)]
        if kind == "restart":
            return self._restart(how)
        if kind == "policy":
            self.policy = POLICIES[which % len(POLICIES)]
            return [commands.PolicyLoaded(self.policy)]
        return [self._wish(kind, agent, which, how)]

    def _end_of(self, kind: str, entry: str, how: int) -> commands.Input:
        if kind == "abandon":
            return commands.EntryAbandoned(entry)
        if kind == "withdraw":
            return commands.EntryWithdrawn(entry, OUTCOMES[how % len(OUTCOMES)])
        if how % 5 == 3:
            return commands.EntryMoved(entry, QUEUES[how % len(QUEUES)])
        if how % 5 == 4:
            return commands.EntryCancelled(entry)
        return commands.EntryReprioritised(entry, (10, 50, 60, 99, 200)[how % 7 % 5])

    def _queue(self, which: int, how: int) -> commands.Input:
        entry = f"e{len(self.entries) + 1}"
        if how % 23 == 22 and self.core.entries:
            entry = _recent([*self.core.entries], which)
        contact = f"c{len(self.contacts)}"
        self.entries.append(entry)
        if how % 6 == 5:
            contact = _recent(self.contacts, which)
        else:
            self.contacts.append(contact)
        earlier = self.clock.now() - timedelta(seconds=how % 50) if how % 11 == 10 else None
        skills = (("chinese", 1),) if how % 13 == 12 else ()
        priority = 53 if how % 5 == 4 else 50
        return commands.EntryQueued(
            entry,
            QUEUES[which % len(QUEUES)],
            contact,
            skills,
            priority,
            earlier,
            requires=(_TONGUES,) if how % 17 == 16 else (),
            head_start_s=30 if how % 19 == 18 else 0,
            preferred=(*AGENTS, "nobody")[how % 6] if which % 4 == 3 else None,
            preferred_s=(None, 5, 0)[how % 3],
            or_preferred=AGENTS[how % 2 :] if how % 5 == 3 else (),
        )

    def _answer(self, kind: str, which: int, how: int) -> commands.Input:
        pending = [(offer.id, offer.fence) for offer in self.core.offers.values()]
        offer, fence = pending[which % len(pending)] if pending and how % 4 else _recent(self.offers, which)
        if kind == "fail" and how % 5 == 4:
            return commands.OfferTakenBack(offer)
        if kind == "fail":
            return commands.OfferFailed(offer, FAILURES[how % len(FAILURES)])
        if how % 9 == 8:
            fence += 1
        return commands.OfferAccepted(offer, fence) if kind == "accept" else commands.OfferDeclined(offer, fence)

    def _wish(self, kind: str, agent: str, which: int, how: int) -> commands.Input:
        if kind == "presence":
            return commands.PresenceChanged(agent, phone=how % 3 != 0, console=(None, True, False)[which % 3])
        if kind == "start":
            if how % 3 == 0:
                return commands.ContactStarted(agent, _recent(self.contacts, which))
            self.contacts.append(f"c{len(self.contacts)}")
            return commands.ContactStarted(agent, self.contacts[-1])
        if kind == "chat":
            return commands.ContactStarted(agent, f"chat{which % 3}", "chat")
        if kind == "dispose":
            held = self.core.agents[agent].contact if agent in self.core.agents else None
            return commands.DispositionChosen(agent, held or "c0", "solved")
        simple: dict[str, commands.Input] = {
            "sign_in": commands.AgentSignedIn(agent),
            "sign_out": commands.AgentSignedOut(agent),
            "available": commands.AgentWentAvailable(agent),
            "pause": commands.AgentWentNotReady(agent, ("lunch", "training")[how % 2]),
            "finish": commands.WrapUpFinished(agent),
            "extend": commands.WrapUpExtended(agent, 10),
            "ask": commands.WrapUpAsked(agent),
            "force": commands.AgentForcedOut(agent),
            "teach": commands.AgentSkillsChanged(agent, (None, (("billing", 2), ("support", 3)), ())[how % 3]),
        }
        return simple[kind]

    def _restart(self, how: int) -> list[commands.Input]:
        self.epoch += 1
        self.core = restored(self.core)
        again: list[commands.Input] = [commands.Restarted(self.epoch), commands.PolicyLoaded(self.policy)]
        if how % 3 == 0:
            alive = {entry.contact for entry in self.core.entries.values()}
            alive |= {agent.contact for agent in self.core.agents.values() if agent.contact}
            alive |= {held.contact for agent in self.core.agents.values() for held in agent.held}
            again.append(commands.Reconciled(tuple(sorted(alive)[how % 2 :])))
        again += [commands.PresenceChanged(agent, console=True) for agent in AGENTS[: how % 6]]
        return again


_MIX = (
    *("queue",) * 18,
    *("accept",) * 16,
    *("decline",) * 3,
    *("fail",) * 3,
    *("abandon",) * 3,
    *("withdraw",) * 2,
    *("end",) * 12,
    *("available",) * 12,
    *("sign_in",) * 5,
    *("sign_out",) * 3,
    *("pause",) * 3,
    *("presence",) * 5,
    *("start",) * 4,
    *("finish",) * 3,
    *("extend",) * 2,
    *("dispose",) * 3,
    *("supervise",) * 3,
    *("chat",) * 8,
    *("end_chat",) * 6,
    *("ask",) * 3,
    *("force",) * 3,
    *("teach",) * 2,
    *("policy",) * 2,
    *("restart",) * 2,
)


def _recent(values: Sequence[T], which: int) -> T:
    return values[-1 - which % min(len(values), 6)]


def walked(steps: Iterable[Step], policy: Policy = _BASE) -> Walk:
    """A walk of `steps`, beginning under `policy`; AssertionError at the first broken invariant."""
    walk = Walk(policy)
    for step in steps:
        walk.take(step)
    return walk


def seeded(seed: int, length: int = 60) -> list[Step]:
    """`length` steps that depend on `seed` only."""
    draw = Random(seed).randrange
    return [(draw(2520), draw(2520), draw(2520), draw(2520)) for _ in range(length)]


Transition = tuple[str, str, str]


@contextmanager
def counted() -> Iterator[Counter[Transition]]:
    """Count (machine, state, input) of every transition taken meanwhile."""
    taken: Counter[Transition] = Counter()
    machines: list[Any] = [Agent, QueueEntry, Offer]
    originals = [machine.handle for machine in machines]

    def counting(original: Any) -> Any:
        def handle(machine: Any, event: Any, *, now: datetime) -> Any:
            step = original(machine, event, now=now)
            taken[type(machine).__name__, machine.state, type(event).__name__] += 1
            return step

        return handle

    for machine, original in zip(machines, originals, strict=True):
        machine.handle = counting(original)
    try:
        yield taken
    finally:
        for machine, original in zip(machines, originals, strict=True):
            machine.handle = original
