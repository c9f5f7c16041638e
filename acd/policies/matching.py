"""The index that finds the agent for a caller and the caller for an agent (acd.md section 2, 3 and 4).

A pool is one queue and one need. It has the line of callers who wait with that need, and the idle agents who meet it
in idle order. Agents with the same skills share a profile, which knows its pools; so a freed agent looks only at
pools he can serve and a new caller only at agents who can serve him. The idle order of a pool is a heap whose stale
items are dropped when they surface or outnumber the others: everything costs a logarithm.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from acd.model import Policy, Skills
from acd.policies.line import Line
from acd.policies.order import IdlePlace, Place
from acd.policies.skills import meets

_SLACK = 32


@dataclass(frozen=True, slots=True)
class Found:
    """The agent to offer to, with the counts that explain it."""

    agent: str
    excluded: int
    qualified: int
    idle: int


@dataclass(slots=True, eq=False)
class _Pool:
    queue: str
    need: Skills
    line: Line = field(default_factory=Line)
    order: list[IdlePlace] = field(default_factory=list)
    idle: int = 0


class Matcher:
    """Who is idle, who waits, and who is for whom. Rebuilt from the aggregates when the policy changes."""

    def __init__(self, policy: Policy) -> None:
        self._pools: dict[tuple[str, Skills], _Pool] = {}
        self._of_queue: dict[str, list[_Pool]] = {}
        self._profiles: dict[Skills, list[_Pool]] = {}
        self._agents: dict[str, Skills] = {}
        self._idle: dict[str, IdlePlace] = {}
        for agent in policy.agents:
            self._agents[agent.id] = agent.skills
            self._profiles.setdefault(agent.skills, [])
        for queue in policy.queues:
            self._pool(queue.name, queue.skills)

    # -- agents ---------------------------------------------------------------------------------------------------

    def agent_idles(self, place: IdlePlace) -> None:
        """This agent can be offered a contact."""
        agent = place[1]
        self._idle[agent] = place
        for pool in self._profiles[self._agents[agent]]:
            pool.idle += 1
            self._push(pool, place)

    def agent_leaves(self, agent: str) -> None:
        """This agent, who idled, cannot be offered one any more."""
        del self._idle[agent]
        for pool in self._profiles[self._agents[agent]]:
            pool.idle -= 1

    def idles(self, agent: str) -> bool:
        return agent in self._idle

    # -- callers --------------------------------------------------------------------------------------------------

    def caller_waits(self, queue: str, need: Skills, place: Place) -> None:
        self._pool(queue, need).line.join(place)

    def caller_leaves(self, queue: str, need: Skills, place: Place) -> None:
        self._pools[queue, need].line.leave(place)

    def position(self, queue: str, place: Place) -> int:
        """The position, from 1, that `place` has or would have among those who wait in `queue`."""
        return 1 + sum(pool.line.rank(place) for pool in self._of_queue.get(queue, ()))

    # -- matching -------------------------------------------------------------------------------------------------

    def agent_for(self, queue: str, need: Skills, excluded: Container[str]) -> Found | None:
        """The first idle agent in order who meets `need` and is not excluded."""
        pool = self._pool(queue, need)
        if not pool.idle:
            return None
        order, idle = pool.order, self._idle
        skipped: list[IdlePlace] = []
        found = None
        while order:
            place = order[0]
            if idle.get(place[1]) != place or (skipped and skipped[-1] == place):
                heappop(order)
            elif place[1] in excluded:
                skipped.append(heappop(order))
            else:
                found = Found(place[1], len(skipped), pool.idle, len(idle))
                break
        for place in skipped:
            heappush(order, place)
        return found

    def caller_for(self, agent: str, excludes: Callable[[str, str], bool]) -> str | None:
        """The entry first in place whose need `agent` meets, over all queues; `excludes(entry, agent)` skips some."""
        best: Place | None = None
        for pool in self._profiles[self._agents[agent]]:
            if not len(pool.line):
                continue
            for place in pool.line:
                if best is not None and place > best:
                    break
                if not excludes(place[3], agent):
                    best = place
                    break
        return None if best is None else best[3]

    # -- inside ---------------------------------------------------------------------------------------------------

    def _pool(self, queue: str, need: Skills) -> _Pool:
        pool = self._pools.get((queue, need))
        if pool is None:
            pool = self._pools[queue, need] = _Pool(queue, need)
            self._of_queue.setdefault(queue, []).append(pool)
            for skills, pools in self._profiles.items():
                if meets(skills, need):
                    pools.append(pool)
            pool.order = [place for place in self._idle.values() if meets(self._agents[place[1]], need)]
            pool.idle = len(pool.order)
            heapify(pool.order)
        return pool

    def _push(self, pool: _Pool, place: IdlePlace) -> None:
        if len(pool.order) > 2 * pool.idle + _SLACK:
            idle = self._idle
            pool.order = list(dict.fromkeys(old for old in pool.order if idle.get(old[1]) == old))
            heapify(pool.order)
        heappush(pool.order, place)
