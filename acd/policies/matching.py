"""The index that finds the agent for a caller and the caller for an agent (acd.md section 2, 3 and 4).

A pool is one queue and one need, or one queue and the one agent whom its callers wait for. It has the line of callers
who wait with that need, and the idle agents who meet it in the order of the queue's strategy. Agents with the same
skills share a profile, which knows its pools; so a freed agent looks only at pools he can serve and a new caller only
at agents who can serve him. The order of a pool is a heap whose stale items are dropped when they surface or
outnumber the others: everything costs a logarithm.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from acd.model import Need, Policy, QueuePolicy, Skills
from acd.policies import rings
from acd.policies.chance import Urn, urn_of
from acd.policies.line import Line
from acd.policies.order import KEYS, Idle, Key, Place
from acd.policies.skills import level_for, meets, profile

_SLACK = 32
_NOBODYS = QueuePolicy("")

Spot = tuple[str, Need, int, str | None]
"""Where a caller waits: queue, need, how many must stay idle, the one agent whom he waits for."""

Draw = tuple[int | str, ...]
"""What chance depends on, where the strategy asks it: the entry, and which of its offers this is."""

_Item = tuple[int, int, str, int]
"""(key, key, agent, number of his idling); stale when he idles under another number or not at all."""


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
    need: Need
    reserve: int
    only: str | None
    key: Callable[[Idle, int], Key]
    by_level: bool
    urn: Urn | None = None
    line: Line = field(default_factory=Line)
    ringing: Line = field(default_factory=Line)
    order: list[_Item] = field(default_factory=list)
    idle: int = 0


class Matcher:
    """Who is idle, who waits, and who is for whom. Rebuilt from the aggregates when the policy changes.

    `holds_back`: whether some pool keeps agents in reserve.
    """

    def __init__(self, policy: Policy) -> None:
        self._queues = {queue.name: queue for queue in policy.queues}
        self._weights = {agent.id: agent.weight for agent in policy.agents}
        self._agents: dict[str, Skills] = {agent.id: profile(agent.skills, agent.teams) for agent in policy.agents}
        self._profiles: dict[Skills, list[_Pool]] = {has: [] for has in self._agents.values()}
        self._pools: dict[Spot, _Pool] = {}
        self._of_queue: dict[str, list[_Pool]] = {}
        self._for_one: dict[str, list[_Pool]] = {}
        self._for_ones: dict[str, Line] = {}
        self._idle: dict[str, tuple[Idle, int]] = {}
        self._idlings = 0
        self._ringing = 0
        self.holds_back = False
        for queue in self._queues.values():
            for ring in range(1, rings.last_ring(queue) + 1):
                self._pool((queue.name, rings.need_in(queue, ring, (), ()), rings.reserve_of(queue, ring), None))

    # -- agents ---------------------------------------------------------------------------------------------------

    def agent_idles(self, idle: Idle) -> None:
        """This agent can be offered a contact."""
        self._idlings += 1
        self._idle[idle.id] = idle, self._idlings
        has = self._agents[idle.id]
        for pool in self._profiles[has]:
            pool.idle += 1
            if pool.urn is not None:
                pool.urn.put(idle.id)
            else:
                self._push(pool, has, idle)

    def agent_leaves(self, agent: str) -> None:
        """This agent, who idled, cannot be offered one any more."""
        del self._idle[agent]
        for pool in self._profiles[self._agents[agent]]:
            pool.idle -= 1
            if pool.urn is not None:
                pool.urn.take(agent)

    def idles(self, agent: str) -> bool:
        return agent in self._idle

    def has(self, agent: str) -> Skills:
        """What this agent may be chosen for; nothing for one whom the policy does not know."""
        return self._agents.get(agent, ())

    # -- callers --------------------------------------------------------------------------------------------------

    def caller_waits(self, spot: Spot, place: Place) -> None:
        self._pool(spot).line.join(place)
        if spot[3] is not None:
            self._for_ones.setdefault(spot[0], Line()).join(place)

    def caller_leaves(self, spot: Spot, place: Place) -> None:
        pool = self._pools[spot]
        pool.line.leave(place)
        if pool.only is not None:
            self._for_ones[spot[0]].leave(place)
            self._forget_if_empty(spot, pool)

    def caller_rings(self, spot: Spot, place: Place) -> None:
        """Phones ring for this caller, and more may."""
        self._pool(spot).ringing.join(place)
        self._ringing += 1

    def caller_rings_no_more(self, spot: Spot, place: Place) -> None:
        pool = self._pools[spot]
        pool.ringing.leave(place)
        self._ringing -= 1
        if pool.only is not None:
            self._forget_if_empty(spot, pool)

    def position(self, queue: str, place: Place) -> int:
        """The position, from 1, that `place` has or would have among those who wait in `queue`."""
        ahead = sum([pool.line.rank(place) for pool in self._of_queue.get(queue, ())])
        for_one = self._for_ones.get(queue)
        return 1 + ahead if for_one is None else 1 + ahead + for_one.rank(place)

    def is_waited_for(self, agent: str) -> bool:
        """Whether some entry waits for this agent only."""
        return agent in self._for_one

    def waiting_for(self, agent: str) -> list[str]:
        """The entries that wait for this agent only."""
        return [place[3] for pool in self._for_one.get(agent, ()) for place in pool.line]

    def waiting_at(self, queue: str) -> Iterator[tuple[Need, list[str]]]:
        """What the callers of `queue` wait for who do not wait for one agent, and their entries."""
        for pool in self._of_queue.get(queue, ()):
            if len(pool.line):
                yield pool.need, [place[3] for place in pool.line]

    # -- matching -------------------------------------------------------------------------------------------------

    def agent_for(self, spot: Spot, excluded: Collection[str], draw: Draw) -> Found | None:
        """The first idle agent in order for a caller at `spot`, but the excluded; `draw` settles what chance does."""
        pool = self._pool(spot)
        if pool.only is not None:
            there = pool.only in self._idle and pool.only not in excluded
            return Found(pool.only, 0, 1, len(self._idle)) if there else None
        if pool.idle <= pool.reserve:
            return None
        if pool.urn is not None:
            return self._drawn(pool, pool.urn, excluded, draw)
        order, idle = pool.order, self._idle
        skipped: list[_Item] = []
        found = None
        while order:
            item = order[0]
            idling = idle.get(item[2])
            if idling is None or idling[1] != item[3]:
                heappop(order)
            elif item[2] in excluded:
                skipped.append(heappop(order))
            else:
                found = Found(item[2], len(skipped), pool.idle, len(idle))
                break
        for item in skipped:
            heappush(order, item)
        return found

    def _drawn(self, pool: _Pool, urn: Urn, excluded: Collection[str], draw: Draw) -> Found | None:
        out = [agent for agent in excluded if agent in self._idle and meets(self._agents[agent], pool.need)]
        agent = urn.draw(":".join(map(str, draw)), out)
        return None if agent is None else Found(agent, len(out), pool.idle, len(self._idle))

    def caller_for(self, agent: str, excludes: Callable[[str, str], bool]) -> str | None:
        """The entry first in place whom `agent`, who idles, may serve, over all queues.

        `excludes(entry, agent)` skips some.
        """
        best: Place | None = None
        pools = self._profiles[self._agents[agent]]
        for pool in (*pools, *self._for_one[agent]) if agent in self._for_one else pools:
            if not len(pool.line) or (pool.idle <= pool.reserve and pool.only is None):
                continue
            best = _first(pool.line, agent, excludes, best)
        return None if best is None else best[3]

    def behind_reserve(self, agent: str) -> list[str]:
        """The entries of the pools of `agent` that a reserve held back, and that it does not hold back any more."""
        return [
            place[3]
            for pool in self._profiles[self._agents[agent]]
            if pool.reserve and pool.idle > pool.reserve
            for place in pool.line
        ]

    def free_at(self, need: Need, queue: str) -> int:
        """How many idle agents meet `need`, which is one of `queue`."""
        return max((pool.idle for pool in self._of_queue.get(queue, ()) if pool.need == need), default=0)

    def ringing_for(self, agent: str, excludes: Callable[[str, str], bool]) -> str | None:
        """The entry first in place for whom phones ring already and this agent's may ring too."""
        if not self._ringing:
            return None
        best: Place | None = None
        for pool in self._profiles[self._agents[agent]]:
            if len(pool.ringing):
                best = _first(pool.ringing, agent, excludes, best)
        return None if best is None else best[3]

    # -- inside ---------------------------------------------------------------------------------------------------

    def _pool(self, spot: Spot) -> _Pool:
        return self._pools.get(spot) or self._new_pool(spot)

    def _new_pool(self, spot: Spot) -> _Pool:
        queue, need, reserve, only = spot
        strategy = self._queues.get(queue, _NOBODYS).strategy
        by_level = strategy in ("highest_level", "lowest_level")
        pool = self._pools[spot] = _Pool(queue, need, reserve, only, KEYS[strategy], by_level)
        if only is not None:
            self._for_one.setdefault(only, []).append(pool)
            return pool
        self._of_queue.setdefault(queue, []).append(pool)
        self.holds_back = self.holds_back or reserve > 0
        for has, pools in self._profiles.items():
            if meets(has, need):
                pools.append(pool)
        inside = [idle for idle, _ in self._idle.values() if meets(self._agents[idle.id], need)]
        pool.idle = len(inside)
        if strategy == "weighted_random":
            able = {id_: self._weights[id_] for id_, has in self._agents.items() if meets(has, need)}
            pool.urn = urn_of(able, [idle.id for idle in inside])
        else:
            pool.order = [self._item(pool, self._agents[idle.id], idle) for idle in inside]
            heapify(pool.order)
        return pool

    def _forget_if_empty(self, spot: Spot, pool: _Pool) -> None:
        """A pool for one agent goes with its last caller: there may be as many as agents."""
        if pool.only is not None and not len(pool.line) and not len(pool.ringing):
            del self._pools[spot]
            own = self._for_one[pool.only]
            own.remove(pool)
            if not own:
                del self._for_one[pool.only]

    def _item(self, pool: _Pool, has: Skills, idle: Idle) -> _Item:
        key = pool.key(idle, level_for(has, pool.need) if pool.by_level else 0)
        return key[0], key[1], idle.id, self._idle[idle.id][1]

    def _push(self, pool: _Pool, has: Skills, idle: Idle) -> None:
        if len(pool.order) > 2 * pool.idle + _SLACK:
            known = self._idle
            pool.order = [item for item in pool.order if item[2] in known and known[item[2]][1] == item[3]]
            heapify(pool.order)
        heappush(pool.order, self._item(pool, has, idle))


def _first(line: Line, agent: str, excludes: Callable[[str, str], bool], best: Place | None) -> Place | None:
    """The first of `line` whom the agent may serve, or `best` when nobody is before it."""
    for place in line:
        if best is not None and place > best:
            break
        if not excludes(place[3], agent):
            return place
    return best
