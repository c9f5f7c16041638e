"""How a queue chooses among agents, and what an agent takes, as queues.yaml and agents.yaml say it."""

from dataclasses import dataclass
from typing import Literal, get_args

from acd.model import (
    MOST_RINGS,
    Capacity,
    Channel,
    Relax,
    Requirements,
    Ring,
    SkillRequirement,
    Skills,
    Strategy,
    WrapUpMode,
)
from acd.policies.skills import EVERYBODY
from acd.section import Section

DAY_S = 86_400
MOST_CHATS = 50
Preference = Literal["account_owner", "last_agent"]


@dataclass(frozen=True, slots=True)
class RoutingConfig:
    """The routing keys of one queue, named as `acd.model.QueuePolicy` has them.

    `preferred`: whom its callers are to have first, or the next of them who can be waited for; the director finds
    them, and tells the core.
    """

    strategy: Strategy = "longest_idle"
    requires: Requirements = ()
    teams: tuple[str, ...] = ()
    rings: tuple[Ring, ...] = ()
    wrap_up: WrapUpMode = "timed"
    preferred_s: int = 20
    head_start_s: int = 0
    ring_all_most: int = 30
    preferred: tuple[Preference, ...] = ()


@dataclass(frozen=True, slots=True)
class StaffConfig:
    """The routing keys of one agent, named as `acd.model.AgentPolicy` has them."""

    teams: tuple[str, ...] = ()
    weight: int = 1
    wrap_up: WrapUpMode | None = None
    wrap_up_s: int | None = None
    capacity: tuple[Capacity, ...] = ()


PLAIN_ROUTING = RoutingConfig()
PLAIN_STAFF = StaffConfig()


def read_routing(section: Section, skills: Skills) -> RoutingConfig:
    """The routing keys of a queue that needs `skills`."""
    requires = tuple(_group(each) for each in section.sections("requires", may_be_missing=True))
    known = {skill for skill, _ in skills} | {each.skill for group in requires for each in group}
    rings = [_ring(each, known) for each in section.sections("rings", may_be_missing=True)]
    if len(rings) > MOST_RINGS:
        section.fault("rings", f"must be at most {MOST_RINGS}")
    for index, ring in enumerate(rings[:-1]):
        if not ring.seconds:
            section.fault(f"rings[{index}].seconds", "is missing (only the last ring has no end)")
    return RoutingConfig(
        strategy=section.choice("strategy", get_args(Strategy), "longest_idle"),
        requires=requires,
        teams=section.words("teams"),
        rings=tuple(rings),
        wrap_up=section.choice("wrap_up", get_args(WrapUpMode), "timed"),
        preferred_s=section.integer("preferred_s", 0, DAY_S, 20),
        head_start_s=section.integer("head_start_s", 0, DAY_S, 0),
        ring_all_most=section.integer("ring_all_most", 2, 200, 30),
        preferred=section.choices("preferred", get_args(Preference)),
    )


def _group(section: Section) -> tuple[SkillRequirement, ...]:
    """One requirement, or `any_of` several."""
    if "any_of" in section.names():
        group = tuple(_requirement(each) for each in section.sections("any_of"))
        section.close()
        return group
    return (_requirement(section),)


def _requirement(section: Section) -> SkillRequirement:
    requirement = SkillRequirement(
        skill=section.text("skill"),
        min_level=section.integer("min_level", 1, 10, 1),
        relax=section.choice("relax", get_args(Relax), "drop"),
    )
    section.close()
    return requirement


def _ring(section: Section, known: set[str]) -> Ring:
    ring = Ring(
        seconds=section.integer("seconds", 1, DAY_S, 0),
        lower=section.integer("lower", 0, 9, 0),
        drop=section.words("drop"),
        teams=section.words("teams"),
        reserve=section.integer("reserve", 0, 1000, 0),
    )
    for skill in ring.drop:
        if skill not in known:
            section.fault("drop", f"{skill!r} is no skill that the queue needs")
    section.close()
    return ring


def read_staff(section: Section) -> StaffConfig:
    """The routing keys of an agent."""
    wrap_up = section.choice("wrap_up", get_args(WrapUpMode), None)
    teams = section.words("teams")
    if EVERYBODY in teams:
        section.fault("teams", f"{EVERYBODY!r} stands for everybody and is no team")
    return StaffConfig(
        teams=teams,
        weight=section.integer("weight", 1, 1000, 1),
        wrap_up=wrap_up,
        wrap_up_s=section.optional_integer("wrap_up_s", 0, DAY_S),
        capacity=_capacity(section),
    )


def _capacity(section: Section) -> tuple[Capacity, ...]:
    inner = section.section("capacity")
    counts = {channel: inner.optional_integer(channel, 0, MOST_CHATS) for channel in get_args(Channel)}
    inner.close()
    interruptible = section.words("interruptible")
    for channel in interruptible:
        if not counts.get(channel):
            section.fault("interruptible", f"{channel!r} is no channel of which `capacity` has any")
    if (counts["voice"] or 0) > 1:
        section.fault("capacity.voice", "must be 0 or 1: nobody has two calls at once")
    return tuple(
        Capacity(channel, most, channel in interruptible) for channel, most in counts.items() if most is not None
    )
