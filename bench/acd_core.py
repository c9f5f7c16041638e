"""What an offer costs the distributor's core, in CPU microseconds, by number of agents and of waiting callers.

    python -m bench.acd_core [--offers N]

`light`: agents idle, a caller comes, is offered, answered, ends, wrap-up passes. `loaded`: callers wait, an agent is
freed, is offered the first of them, answers, the contact ends: its offer is the way from the freed agent to his next.
`rings`: as loaded, with four rings for each queue and another strategy for each. `ring_all`: the caller rings so many
phones at once; its offers are counted one by one. `us per call` is all of a call, `us per offer` the inputs that end
in OfferCreated, which the bounds of the product are about; `p50` and `p99` are of one such input.
"""

import argparse
import gc
import time
from datetime import UTC, datetime, timedelta

from acd import commands, events
from acd.core import Distributor
from acd.model import AgentPolicy, Policy, QueuePolicy, Ring, Strategy

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUEUES = 10
SKILLS_EACH = 3
WRAP_UP_S = 10
RINGS = (Ring(60), Ring(60, lower=1), Ring(60, lower=2), Ring(60, lower=3))
STRATEGIES: tuple[Strategy, ...] = (
    *("longest_idle", "longest_since_contact", "fewest_contacts", "round_robin"),
    *("highest_level", "lowest_level", "weighted_random"),
)
COLLECT_AFTER = (50_000, 20, 100)
"""As the application has it: what the set-up made is frozen, the collector looks at the rest now and then."""


def plain_queues() -> tuple[QueuePolicy, ...]:
    """Ten queues, each for one of ten skills."""
    return tuple(QueuePolicy(f"q{n}", ((f"s{n}", 1 + n % 3),), wrap_up_s=WRAP_UP_S) for n in range(QUEUES))


def ringed_queues() -> tuple[QueuePolicy, ...]:
    """The same with rings, by all strategies but `ring_all`."""
    return tuple(
        QueuePolicy(
            f"q{n}",
            ((f"s{n}", 4 + n % 3),),
            wrap_up_s=WRAP_UP_S,
            strategy=STRATEGIES[n % len(STRATEGIES)],
            rings=RINGS,
        )
        for n in range(QUEUES)
    )


def ringing_queues(most: int) -> tuple[QueuePolicy, ...]:
    """One queue that rings `most` phones at once."""
    return (QueuePolicy("q0", ring_s=20, strategy="ring_all", ring_all_most=most),)


class Bench:
    """A site of `agents` with three of ten skills each, a virtual clock, and a stopwatch on the core's CPU time."""

    def __init__(self, agents: int, waiting: int, queues: tuple[QueuePolicy, ...]) -> None:
        self.core = Distributor()
        self.now = START
        self.count = 0
        self.offers = 0
        self.total_ns = 0
        self.offer_ns: list[int] = []
        self._queues = len(queues)
        staff = tuple(AgentPolicy(f"a{n:05}", _skills(n)) for n in range(agents))
        self.run(commands.PolicyLoaded(Policy("bench", queues, staff)))
        for agent in staff:
            self.run(commands.AgentSignedIn(agent.id))
            self.run(commands.PresenceChanged(agent.id, phone=True))
            if not waiting:
                self.run(commands.AgentWentAvailable(agent.id))
        for _ in range(waiting):
            self.call()
        self.forget()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)

    def forget(self) -> None:
        """Begin to count."""
        self.offers = self.total_ns = 0
        self.offer_ns = []

    def run(self, input_: commands.Input, after_ms: int = 1) -> list[events.Event]:
        self.now += timedelta(milliseconds=after_ms)
        begin = time.process_time_ns()
        told = self.core.handle(input_, now=self.now)
        self.core.take_touched()
        spent = time.process_time_ns() - begin
        self.total_ns += spent
        made = sum(isinstance(event, events.OfferCreated) for event in told)
        self.offers += made
        if made:
            self.offer_ns.append(spent)
        return told

    def call(self) -> list[events.Event]:
        self.count += 1
        return self.run(commands.EntryQueued(f"e{self.count:07}", f"q{self.count % self._queues}"))

    def serve(self, offer: events.OfferCreated) -> list[events.Event]:
        """Answer, talk, wrap up; what the freed agent gets next."""
        self.run(commands.OfferAccepted(offer.offer, offer.fence))
        self.run(commands.ContactEnded(offer.contact))
        return self.run(commands.WrapUpFinished(offer.agent))


def _skills(n: int) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((f"s{(n + 3 * k) % QUEUES}", 3 + (n // QUEUES + k) % 8) for k in range(SKILLS_EACH)))


def _created(told: list[events.Event]) -> events.OfferCreated | None:
    return next((event for event in told if isinstance(event, events.OfferCreated)), None)


def light(agents: int, offers: int, queues: tuple[QueuePolicy, ...]) -> Bench:
    """Callers find idle agents."""
    bench = Bench(agents, 0, queues)
    while bench.offers < offers:
        offer = _created(bench.call())
        if offer is not None:
            bench.serve(offer)
    return bench


def loaded(agents: int, waiting: int, offers: int, queues: tuple[QueuePolicy, ...]) -> Bench:
    """Agents find waiting callers; each served one is replaced by a new one at the end of the line."""
    bench = Bench(agents, waiting, queues)
    busy: list[events.OfferCreated] = []
    for n in range(min(agents, waiting)):
        offer = _created(bench.run(commands.AgentWentAvailable(f"a{n:05}")))
        if offer is not None:
            busy.append(offer)
            bench.call()
    bench.forget()
    while bench.offers < offers:
        offer = _created(bench.serve(busy[bench.offers % len(busy)]))
        if offer is None:
            break
        busy[(bench.offers - 1) % len(busy)] = offer
        bench.call()
    return bench


def report(name: str, agents: int, waiting: int, bench: Bench) -> None:
    inputs = sorted(bench.offer_ns)
    offer_us = sum(inputs) / bench.offers / 1000
    p50_us, p99_us = inputs[len(inputs) // 2] / 1000, inputs[len(inputs) * 99 // 100] / 1000
    total_us = bench.total_ns / max(1, len(inputs)) / 1000
    print(
        f"{name:8} {agents:7} {waiting:8} {bench.offers:7}"
        f" {offer_us:12.1f} {p50_us:8.1f} {p99_us:8.1f} {total_us:12.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU microseconds per offer of the distributor's core")
    parser.add_argument("--offers", type=int, default=3000, help="offers timed at each point")
    offers = parser.parse_args().offers
    head = f"{'load':8} {'agents':>7} {'waiting':>8} {'offers':>7}"
    print(f"{head} {'us per offer':>12} {'p50':>8} {'p99':>8} {'us per call':>12}")
    for agents in (10, 100, 1_000, 10_000):
        report("light", agents, 0, light(agents, offers, plain_queues()))
    for agents in (10, 100, 1_000, 10_000):
        report("loaded", agents, 100, loaded(agents, 100, offers, plain_queues()))
    for waiting in (10, 100, 1_000, 10_000):
        report("loaded", 1_000, waiting, loaded(1_000, waiting, offers, plain_queues()))
    for agents in (100, 1_000, 10_000):
        report("rings", agents, 1_000, loaded(agents, 1_000, offers, ringed_queues()))
    for phones in (10, 30, 100):
        report("ring_all", phones, 0, light(phones, offers, ringing_queues(phones)))


if __name__ == "__main__":
    main()
