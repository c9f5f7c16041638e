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
from acd.model import AgentPolicy, FailureReason, Outcome, Policy, QueuePolicy, Settings
from callcenter.kernel.clock import FakeClock
from tests.support.acd import restored
from tests.support.acd_audit import Auditor

T = TypeVar("T")
Step = tuple[int, int, int, int]

AGENTS = ("ann", "bob", "chen", "dan", "eve")
QUEUES = ("billing", "support", "sales")
FAILURES: tuple[FailureReason, ...] = ("busy", "unreachable", "error")
OUTCOMES: tuple[Outcome, ...] = ("overflowed", "callback", "transferred", "failed")
PAUSES_MS = (*(0, 1, 7, 40, 400, 900) * 4, 0, 3_000, 9_000, 31_000)

_BASE = Policy(
    "p0",
    queues=(
        QueuePolicy("billing", (("billing", 1),), ring_s=20, wrap_up_s=15),
        QueuePolicy("support", (("english", 1), ("support", 2)), ring_s=10, wrap_up_s=0),
        QueuePolicy("sales", (("sales", 1),), ring_s=15, wrap_up_s=30, max_wait_s=60),
    ),
    agents=(
        AgentPolicy("ann", (("billing", 3), ("sales", 1))),
        AgentPolicy("bob", (("english", 5), ("support", 2))),
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
)


class Walk:
    """One distributor on its way. `log` keeps each input with its instant, `told` what came of it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.core = Distributor()
        self.auditor = Auditor()
        self.log: list[tuple[datetime, commands.Input]] = []
        self.told: list[list[events.Event]] = []
        self.entries: list[str] = []
        self.contacts: list[str] = ["c0"]
        self.offers: list[tuple[str, int]] = [("none-o1", 1)]
        self.policy = _BASE
        self.epoch = 1
        self.tell(commands.Restarted(1))
        self.tell(commands.PolicyLoaded(_BASE))
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
        if kind in ("abandon", "withdraw"):
            entry = _recent(self.entries or ["none"], which)
            if kind == "abandon":
                return [commands.EntryAbandoned(entry)]
            return [commands.EntryWithdrawn(entry, OUTCOMES[how % len(OUTCOMES)])]
        if kind in ("accept", "decline", "fail"):
            return [self._answer(kind, which, how)]
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
        priority = 80 if how % 5 == 4 else 50
        return commands.EntryQueued(entry, QUEUES[which % len(QUEUES)], contact, skills, priority, earlier)

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
        }
        return simple[kind]

    def _restart(self, how: int) -> list[commands.Input]:
        self.epoch += 1
        self.core = restored(self.core)
        again: list[commands.Input] = [commands.Restarted(self.epoch), commands.PolicyLoaded(self.policy)]
        if how % 3 == 0:
            alive = {entry.contact for entry in self.core.entries.values()}
            alive |= {agent.contact for agent in self.core.agents.values() if agent.contact}
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
    *("policy",) * 2,
    *("restart",) * 2,
)


def _recent(values: Sequence[T], which: int) -> T:
    return values[-1 - which % min(len(values), 6)]


def walked(steps: Iterable[Step]) -> Walk:
    """A walk of `steps`; AssertionError at the first broken invariant."""
    walk = Walk()
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
