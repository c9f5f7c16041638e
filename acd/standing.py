"""Where an agent stands towards a waiting caller: could he be offered him now, and if not, why.

It asks what decides (`Agent.obstacle`, `QueueEntry.excludes` and `spot`, the skills that the index matches, the keys
of the queue's order), so a reason that is told is the reason that held.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from acd.machines.agent import Agent, Obstacle
from acd.machines.entry import QueueEntry
from acd.model import EPOCH, AgentPolicy, Need, Strategy
from acd.policies.order import KEYS, Key
from acd.policies.skills import lacking, level_for
from acd.state import State
from acd.steps.matching import strategy_of

Reason = Obstacle | Literal["unqualified", "not_preferred", "excluded", "later_in_order", "chosen"]
BUSY: frozenset[str] = frozenset({"reserved", "on_contact", "on_other_contact", "wrap_up"})
FREE: frozenset[str] = frozenset({"later_in_order", "chosen"})


@dataclass(frozen=True, slots=True)
class Standing:
    """`reason` is the first that holds; what else holds besides is told too.

    `detail`: why not ready. `since`: of his state. `until`: when that ends by itself (wrap-up, rest). `lacks`: the
    groups of what the caller needs of which he has nothing. `excluded_until`: he let this caller go. `order`: what
    the queue's order looks at, and `key` what it makes of it (the smallest is offered first).
    """

    agent: str
    reason: Reason
    detail: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    lacks: Need = ()
    excluded_until: datetime | None = None
    order: Mapping[str, object] = field(default_factory=dict)
    key: Key = (0, 0)

    @property
    def qualifies(self) -> bool:
        """Whether he has what the caller needs, be he there or not."""
        return not self.lacks


def standing(state: State, entry: QueueEntry, known: AgentPolicy, chosen: str | None = None) -> Standing:
    """How `known` stands towards `entry` now; `chosen` is whom the decision at hand offers to."""
    agent = state.agents.get(known.id)
    has = state.profile_of(known)
    lacks = lacking(has, entry.need)
    excluded = next((each.until for each in entry.excluded if each.agent == known.id), None)
    if agent is None:
        return Standing(known.id, "logged_out", lacks=lacks, excluded_until=excluded)
    reason = _reason(entry, agent, known, lacks, chosen)
    strategy = strategy_of(state, entry)
    level = level_for(has, entry.need)
    ranks = reason in FREE
    return Standing(
        agent=known.id,
        reason=reason,
        detail=agent.reason,
        since=agent.since,
        until=agent.until if agent.state == "wrap_up" else agent.rests_until,
        lacks=lacks,
        excluded_until=excluded,
        order=_order(strategy, agent, known, level) if ranks else {},
        key=KEYS[strategy](agent.idle, level) if ranks else (0, 0),
    )


def _reason(entry: QueueEntry, agent: Agent, known: AgentPolicy, lacks: Need, chosen: str | None) -> Reason:
    if known.id == chosen:
        return "chosen"
    obstacle = agent.obstacle(known.delivery)
    if obstacle is not None:
        return obstacle
    only = entry.spot[3]
    if only is not None and only != known.id:
        return "not_preferred"
    if lacks and only is None:
        return "unqualified"
    return "excluded" if entry.excludes(known.id) else "later_in_order"


def _order(strategy: Strategy, agent: Agent, known: AgentPolicy, level: int) -> Mapping[str, object]:
    """What this order looks at, in its own words."""
    match strategy:
        case "longest_since_contact":
            return {"contact_at": agent.inbound_at or EPOCH}
        case "fewest_contacts":
            return {"contacts": agent.contacts}
        case "round_robin":
            return {"turn": agent.turn}
        case "highest_level" | "lowest_level":
            return {"level": level, "idle_since": agent.idle_since}
        case "weighted_random":
            return {"weight": known.weight}
        case _:
            return {"idle_since": agent.idle_since}
