"""Policies to try on a day of a log, as people write them (docs/what-if.md).

Every call type has a queue of its own, named after it, so that each can have its rules; all agents serve all of them,
in one order over all queues. Queues are read by what reads `config/queues.yaml`, so a rule that is tried here is one
that a site can run.
"""

from collections import defaultdict
from collections.abc import Mapping

from acd.config import parse
from acd.laboratory.day_model import DayModel, Stretch
from acd.laboratory.what_if import CallerRule, DayPolicy
from acd.model import DEFAULT_PRIORITY, Policy
from acd.section import Section
from callcenter.kernel.errors import ConfigError

LEVELS = 10
_MOST_HEAD_START_S = 86_400
_MOST_MORE = 50


def read_policy(name: str, document: object, model: DayModel) -> DayPolicy:
    """The policy in a parsed document, for the agents and call types of `model`.

    Raises ConfigError with every mistake, one a line, each with its key.
    """
    errors: list[str] = []
    top = Section(f"{name}: ", document if document is not None else {}, errors)
    title = top.text("title", default=name)
    callers = tuple(_rule(section) for section in top.sections("callers", may_be_missing=True))
    section = top.section("agents")
    more = section.integer("more", -_MOST_MORE, _MOST_MORE, 0)
    skills = _levels(section, model)
    stretches = staffed(model, more)
    names = sorted({each.agent for each in stretches})
    shared, own = _mapping(top, "queue"), _mapping(top, "queues")
    distributor = top.value("distributor")
    top.close()
    types = sorted({call.type for call in model.arrivals})
    errors += [f"{name}: queues.{each}: that day has no such call type" for each in own if each not in types]
    queues = [_queue(name, type_, shared, own.get(type_), errors) for type_ in types]
    nobodys = {skill: LEVELS // 2 for each in skills.values() for skill in each}
    agents = [{"id": agent, "phone": agent, "skills": skills.get(agent, nobodys)} for agent in names]
    if not names:
        errors.append(f"{name}: agents.more: leaves nobody")
    policy = Policy("none")
    try:
        policy = parse({"distributor": distributor, "queues": queues}, {"agents": agents}).policy
    except ConfigError as error:
        errors += dict.fromkeys(_renamed(line, name, types) for line in error.message.splitlines())
    if errors:
        raise ConfigError("\n".join(errors), data={"errors": errors})
    return DayPolicy(title, policy, callers, stretches if more else None)


def staffed(model: DayModel, more: int) -> tuple[Stretch, ...]:
    """Who is there with `more` agents, who work at the pool's pace from the day's first call to its last.

    With fewer, those stay away who were there for longest.
    """
    if more >= 0:
        begin = min(each.start for each in model.stretches)
        end = max(each.end for each in model.stretches)
        return (*model.stretches, *(Stretch(f"more.{number:02}", begin, end) for number in range(1, more + 1)))
    hours: dict[str, float] = defaultdict(float)
    for each in model.stretches:
        hours[each.agent] += (each.end - each.start).total_seconds()
    away = set(sorted(hours, key=lambda agent: (-hours[agent], agent))[:-more])
    return tuple(each for each in model.stretches if each.agent not in away)


def levels(model: DayModel) -> dict[str, int]:
    """Agent -> 10 for the quickest tenth to 1 for the slowest, by the handle times of other days.

    Not by those of the day itself, which nobody knew before it had been. Who has none is in the middle.
    """
    pace = {agent: model.pace_elsewhere.get(agent, 1.0) for agent in model.agents}
    order = sorted(pace, key=lambda agent: (pace[agent], agent))
    return {agent: LEVELS - place * LEVELS // len(order) for place, agent in enumerate(order)}


def _rule(section: Section) -> CallerRule:
    type_ = section.optional_text("type")
    rule = CallerRule(
        type=type_,
        priority=section.optional_integer("priority", -1_000_000, 1_000_000),
        head_start_s=section.integer("head_start_s", 0, _MOST_HEAD_START_S, 0),
        rank=section.integer("rank", 1, 99, DEFAULT_PRIORITY),
    )
    section.close()
    return rule


def _levels(section: Section, model: DayModel) -> Mapping[str, dict[str, int]]:
    """The skill that `agents` gives to everybody, at the level that is said to be measured."""
    by = section.choice("level_by", ("handle_time", "nothing"), "nothing")
    skill = section.text("skill", default="quick")
    section.close()
    if by == "nothing":
        return {}
    return {agent: {skill: level} for agent, level in levels(model).items()}


def _mapping(top: Section, key: str) -> Mapping[str, object]:
    value = top.value(key)
    if value is None:
        return {}
    if isinstance(value, dict):
        return {str(name): part for name, part in value.items()}
    top.fault(key, "must be a mapping")
    return {}


def _queue(
    name: str, type_: str, shared: Mapping[str, object], own: object, errors: list[str]
) -> Mapping[str, object]:
    if own is not None and not isinstance(own, dict):
        errors.append(f"{name}: queues.{type_}: must be a mapping")
        own = None
    # After-call work is part of the day's handle times.
    return {"wrap_up_s": 0, **shared, **(own or {}), "name": type_}


def _renamed(line: str, name: str, types: list[str]) -> str:
    """The fault under the key that the policy's own file has."""
    for place, type_ in enumerate(types):
        line = line.replace(f"queues.yaml: queues[{place}].", f"{name}: queues.{type_}.", 1)
    return line.replace("queues.yaml: ", f"{name}: ", 1)
