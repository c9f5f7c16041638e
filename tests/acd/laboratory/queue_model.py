"""A few lines that simulate a queue by themselves: what the laboratory is held against where no formula is known.

Calls of several types, agents with some of them, first come first served within an agent's types, the agent longest
idle first, and a waiting room for all types together. It shares nothing with the product.
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush


@dataclass
class Day:
    """What came of the calls that arrived after the warm-up; `waited_s` is the served ones' sum."""

    offered: int = 0
    served: int = 0
    blocked: int = 0
    waited_s: float = 0.0


@dataclass(frozen=True)
class QueueModel:
    """Times in seconds. `agents` has the call types of each, `types` how many there are, equally frequent."""

    agents: Sequence[Sequence[int]]
    types: int
    arrivals_per_s: float
    service_s: float
    waiting_room: int

    def day(self, seed: int, *, hours: float, warm_up_hours: float) -> Day:
        """One replication, from an empty start."""
        random_ = random.Random(seed)
        counted_from, end = warm_up_hours * 3600, (warm_up_hours + hours) * 3600
        # Longest idle first: the order of the numbers, then that of becoming idle.
        idle = dict.fromkeys(range(len(self.agents)))
        waiting = [deque[float]() for _ in range(self.types)]
        leaving: list[tuple[float, int]] = []
        day = Day()
        arrives = random_.expovariate(self.arrivals_per_s)

        def begin(agent: int, now: float, arrived: float) -> None:
            heappush(leaving, (now + random_.expovariate(1 / self.service_s), agent))
            if arrived >= counted_from:
                day.served += 1
                day.waited_s += now - arrived

        while min(arrives, leaving[0][0] if leaving else arrives) < end:
            if leaving and leaving[0][0] < arrives:
                now, agent = heappop(leaving)
                queues = [waiting[type_] for type_ in self.agents[agent] if waiting[type_]]
                if queues:
                    begin(agent, now, min(queues, key=lambda queue: queue[0]).popleft())
                else:
                    idle[agent] = None
                continue
            now, arrives = arrives, arrives + random_.expovariate(self.arrivals_per_s)
            type_ = random_.randrange(self.types)
            day.offered += now >= counted_from
            free = next((each for each in idle if type_ in self.agents[each]), None)
            if free is not None:
                del idle[free]
                begin(free, now, now)
            elif sum(map(len, waiting)) < self.waiting_room:
                waiting[type_].append(now)
            else:
                day.blocked += now >= counted_from
        return day
