"""Scenarios as people write them: one pool in eight keys, or call types, groups and periods (docs/laboratory.md).

All mistakes are reported at once, each with its key. Queues are written as in `config/queues.yaml` and read by what
reads that, so that a rule tried here is the rule that a site would run. A policy is a part of such a document that
is laid over the scenario.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import NoReturn

from acd.config import parse
from acd.laboratory.chance import Shape, Spread
from acd.laboratory.recorded import read_recorded
from acd.laboratory.scenario import RELAXATIONS, CallType, Group, Scenario, relaxation_s
from acd.model import Policy, QueuePolicy, Skills
from acd.policies.skills import meets, required
from acd.section import Section
from callcenter.kernel.errors import ConfigError

Document = Mapping[str, object]

CALLER_KEYS = {"queue", "priority", "head_start_s", "skills"}
GROUP_KEYS = {"agents", "skills"}
POLICY_KEYS = {"distributor", "queues", "dispositions", "call_types", "groups"}

MOST_PER_MIN = 100_000.0
MOST_S = 604_800.0
MOST_HOURS = 100_000.0
MOST_AGENTS = 20_000
MOST_WARM_UP_CALLS = 1_000_000


def read_scenario(name: str, document: object, recorded: Sequence[str] = ()) -> Scenario:
    """The scenario in a parsed document; raises ConfigError with every mistake, one a line.

    `recorded`: the lines of the file that its key `calls` names.
    """
    if not isinstance(document, dict):
        _fail(name, ["must be a mapping of keys to values"])
    errors: list[str] = []
    top = Section(f"{name}: ", document, errors)
    if "call_types" in document:
        scenario = _general(name, top, document, errors, recorded)
    else:
        scenario = _pool(name, top, errors)
    if errors or scenario is None:
        raise ConfigError("\n".join(errors), data={"errors": errors})
    return scenario


def changed(name: str, document: Document, settings: Mapping[str, object]) -> Document:
    """`document` with values set by dotted key (`call_types.billing.patience_s`, `groups.a.agents.2`)."""
    result = _copy(document)
    for path, value in settings.items():
        at: object = result
        *way, last = path.split(".")
        for step in way:
            at = _enter(at, step)
        if isinstance(at, list) and last.isdigit() and int(last) < len(at):
            at[int(last)] = value
        elif isinstance(at, dict):
            at[last] = value
        else:
            _fail(name, [f"{path}: is not known"])
    return result


def with_policy(document: Document, name: str, policy: object) -> Document:
    """`document` under another policy; raises ConfigError for what is no matter of policy."""
    if not isinstance(policy, dict):
        _fail(name, ["must be a mapping of keys to values"])
    errors = [f"{key}: is not a key of a policy" for key in policy if key not in POLICY_KEYS]
    result = _copy(document)
    for key in ("distributor", "queues"):
        if key in policy:
            result[key] = policy[key]
    for part, allowed in (("call_types", CALLER_KEYS), ("groups", GROUP_KEYS)):
        theirs, ours = policy.get(part) or {}, result.get(part)
        if not isinstance(theirs, dict) or (theirs and not isinstance(ours, dict)):
            errors.append(f"{part}: must be a mapping, for a scenario that has {part}")
            continue
        for each, changes in theirs.items():
            errors += _lay_over(f"{part}.{each}", ours, each, changes, allowed)
    if errors:
        _fail(name, errors)
    return result


def _lay_over(where: str, ours: object, name: str, changes: object, allowed: set[str]) -> list[str]:
    target = ours.get(name) if isinstance(ours, dict) else None
    if not isinstance(target, dict):
        return [f"{where}: is not in the scenario"]
    if not isinstance(changes, dict):
        return [f"{where}: must be a mapping"]
    target.update({key: value for key, value in changes.items() if key in allowed})
    return [f"{where}.{key}: is not a matter of policy" for key in changes if key not in allowed]


def _copy(document: Document) -> dict[str, object]:
    return {str(key): _copied(value) for key, value in document.items()}


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _enter(at: object, step: str) -> object:
    if isinstance(at, list) and step.isdigit() and int(step) < len(at):
        return at[int(step)]
    return at.get(step) if isinstance(at, dict) else None


def _fail(name: str, errors: Sequence[str]) -> NoReturn:
    lines = [f"{name}: {error}" for error in errors]
    raise ConfigError("\n".join(lines), data={"errors": lines})


# -- one pool ------------------------------------------------------------------------------------------------------


def _pool(name: str, top: Section, errors: list[str]) -> Scenario | None:
    per_min = top.number("arrivals_per_min", 0, MOST_PER_MIN)
    service_s = top.number("service_s", 0.001, MOST_S)
    agents = top.integer("agents", 1, MOST_AGENTS, 0)
    if not agents and top.value("agents") is None:
        top.fault("agents", "is missing")
    threshold_s = top.number("threshold_s", 0, MOST_S, 20)
    patience_s = top.optional_number("patience_s", 0.001, MOST_S)
    room = top.optional_integer("waiting_room", 0, 1_000_000)
    hours = top.number("hours", 0.01, MOST_HOURS, 20)
    start_empty = top.flag("start_empty", default=False)
    top.close()
    if errors:
        return None
    patience = None if patience_s is None else Spread(patience_s)
    type_ = CallType("calls", "calls", (per_min,), Spread(service_s), patience)
    group = _group("agents", (agents,))
    scenario = Scenario(
        name=name,
        types=(type_,),
        groups=(group,),
        policy=_policy(name, {"queues": _plain_queues({"calls": ()})}, [(group, ())], errors),
        hours=hours,
        threshold_s=threshold_s,
        waiting_room=room,
        start_empty=start_empty,
    )
    return scenario if start_empty else _warmed_up(scenario, None, top)


# -- several types and groups --------------------------------------------------------------------------------------


def _general(
    name: str, top: Section, document: Document, errors: list[str], recorded: Sequence[str]
) -> Scenario | None:
    hours = top.number("hours", 0.01, MOST_HOURS, 8)
    period_s = top.number("period_minutes", 1, 10_080, min(hours * 60, 10_080)) * 60
    periods = max(1, round(hours * 3600 / period_s))
    if abs(periods * period_s - hours * 3600) > 1e-6 * hours * 3600:
        top.fault("period_minutes", "must divide the hours into equal periods")
    opens_min = _minutes(top.text("opens", default="00:00"), top)
    file = top.optional_text("calls")
    types, groups = top.section("call_types"), top.section("groups")
    if not types.names():
        top.fault("call_types", "must have at least one call type")
    if not groups.names():
        top.fault("groups", "must have at least one group of agents")
    call_types = tuple(_call_type(each, types.section(each), periods, drawn=not file) for each in types.names())
    teams = [_team(each, groups.section(each), periods) for each in groups.names()]
    given = {key: document[key] for key in ("distributor", "queues") if top.value(key) is not None}
    start_empty = top.flag("start_empty", default=True)
    warm_up_hours = top.optional_number("warm_up_hours", 0, MOST_HOURS)
    values = {
        "threshold_s": top.number("threshold_s", 0, MOST_S, 20),
        "answer_s": top.number("answer_s", 0, 299, 0),
    }
    room = top.optional_integer("waiting_room", 0, 1_000_000)
    busyness_cv = top.number("busyness_cv", 0, 5, 0)
    top.close()
    if errors:
        return None
    if "queues" not in given:
        given["queues"] = _plain_queues({type_.queue: ((type_.queue, 1),) for type_ in call_types})
    scenario = Scenario(
        name=name,
        types=call_types,
        groups=tuple(group for group, _ in teams),
        policy=_policy(name, given, teams, errors),
        hours=hours,
        periods=periods,
        opens_min=opens_min,
        waiting_room=room,
        busyness_cv=busyness_cv,
        start_empty=start_empty,
        threshold_s=values["threshold_s"],
        answer_s=values["answer_s"],
        recorded=None if file is None else read_recorded(file, recorded, opens_min),
    )
    _check_queues(scenario, top)
    _check_recorded(scenario, top)
    if errors:
        return None
    return scenario if start_empty else _warmed_up(scenario, warm_up_hours, top)


def _call_type(name: str, section: Section, periods: int, *, drawn: bool) -> CallType:
    patience_s = section.optional_number("patience_s", 0.001, MOST_S)
    shapes: tuple[Shape, ...] = ("exponential", "lognormal", "constant")
    type_ = CallType(
        name=name,
        queue=section.text("queue", default=name),
        per_min=_profile(section, "arrivals_per_min", periods, MOST_PER_MIN) if drawn else (0.0,) * periods,
        handle=Spread(
            section.number("service_s", 0.001, MOST_S),
            section.choice("service_shape", shapes, "exponential"),
            section.number("service_cv", 0.001, 10, 1),
        ),
        patience=None
        if patience_s is None
        else Spread(
            patience_s,
            section.choice("patience_shape", shapes, "exponential"),
            section.number("patience_cv", 0.001, 10, 1),
        ),
        priority=section.integer("priority", 1, 99, 50),
        head_start_s=section.integer("head_start_s", 0, 86_400, 0),
        skills=section.skills("skills"),
    )
    section.close()
    return type_


def _team(name: str, section: Section, periods: int) -> tuple[Group, Skills]:
    agents = tuple(int(each) for each in _profile(section, "agents", periods, MOST_AGENTS, whole=True))
    skills = section.skills("skills")
    section.close()
    return _group(name, agents), skills


def _group(name: str, agents: tuple[int, ...]) -> Group:
    return Group(name, tuple(f"{name}.{number:03}" for number in range(1, max(agents, default=0) + 1)), agents)


def _profile(section: Section, key: str, periods: int, most: float, *, whole: bool = False) -> tuple[float, ...]:
    """One number for all periods, or a list with one for each."""
    value = section.value(key)
    values = value if isinstance(value, list) else [value] * periods
    numbers = [
        each for each in values if isinstance(each, int if whole else int | float) and not isinstance(each, bool)
    ]
    fits = len(numbers) == len(values) and all(isfinite(each) and 0 <= each <= most for each in numbers)
    if value is None:
        section.fault(key, "is missing")
    elif not fits:
        section.fault(key, f"must be a {'whole ' if whole else ''}number from 0 to {most:g}, or a list of such")
    elif len(values) != periods:
        section.fault(key, f"has {len(values)} values for {periods} periods")
    else:
        return tuple(numbers)
    return (0,) * periods


def _minutes(opens: str, top: Section) -> int:
    hour, _, minute = opens.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
        top.fault("opens", 'must be a time of day such as "09:30"')
        return 0
    return int(hour) * 60 + int(minute)


# -- what both have ------------------------------------------------------------------------------------------------


def _plain_queues(needs: Mapping[str, Skills]) -> list[dict[str, object]]:
    """Queues without after-call work: it is part of the service time."""
    return [{"name": name, "skills": dict(skills), "wrap_up_s": 0} for name, skills in needs.items()]


def _policy(name: str, queues: Document, teams: Sequence[tuple[Group, Skills]], errors: list[str]) -> Policy:
    """The core's policy, by the reader of the site's own files."""
    agents = [
        {"id": agent, "phone": agent, "skills": dict(skills)} for group, skills in teams for agent in group.names
    ]
    try:
        return parse(queues, {"agents": agents}).policy
    except ConfigError as error:
        errors += [line.replace("queues.yaml: ", f"{name}: ", 1) for line in error.message.splitlines()]
        return Policy("none")


def _check_queues(scenario: Scenario, top: Section) -> None:
    known = {queue.name: queue for queue in scenario.policy.queues}
    for type_ in scenario.types:
        queue = known.get(type_.queue)
        if queue is None:
            top.fault(f"call_types.{type_.name}.queue", f"there is no queue {type_.queue!r}")
        elif not _can_be_served(queue, type_, scenario.policy):
            top.fault(f"call_types.{type_.name}", f"no agent has the skills that queue {queue.name!r} asks for")


def _can_be_served(queue: QueuePolicy, type_: CallType, policy: Policy) -> bool:
    """Whether anybody could ever have a call of this type; rings and overflow are left to the run."""
    if queue.rings or queue.overflow:
        return True
    need = (*required(queue.skills, queue.requires), *required(type_.skills, ()))
    return any(meets(agent.skills, need) for agent in policy.agents)


def _check_recorded(scenario: Scenario, top: Section) -> None:
    if scenario.recorded is None:
        return
    if not scenario.start_empty:
        top.fault("start_empty", "must be true with recorded calls")
    unknown = {call.type for call in scenario.recorded} - {type_.name for type_ in scenario.types}
    for name in sorted(unknown):
        top.fault("calls", f"there is no call type {name!r}")


def _warmed_up(scenario: Scenario, given_hours: float | None, top: Section) -> Scenario | None:
    """With the time that passes before counting; None, with the fault told, for what never settles."""
    types, agents = scenario.types, sum(group.agents[0] for group in scenario.groups)
    if any(len(set(type_.per_min)) > 1 for type_ in types) or any(len(set(g.agents)) > 1 for g in scenario.groups):
        top.fault("start_empty", "must be true where rates or staff change by period")
        return None
    if scenario.busyness_cv:
        top.fault("start_empty", "must be true with a busyness_cv, which is of days")
        return None
    per_s = sum(type_.per_min[0] for type_ in types) / 60
    if not per_s:
        return scenario
    wrap_up = {queue.name: queue.wrap_up_s for queue in scenario.policy.queues}
    load = scenario.answer_s * per_s + sum(
        (type_.handle.mean_s + wrap_up[type_.queue]) * type_.per_min[0] / 60 for type_ in types
    )
    patient = any(type_.patience is None for type_ in types)
    key = "groups" if scenario.groups[0].name != "agents" else "agents"
    if load >= agents and patient and scenario.waiting_room is None:
        top.fault(
            key,
            f"{agents} cannot carry a load of {load:.4g} (arrivals x service): the line would grow for ever; "
            "add agents, patience_s or a waiting_room, or set start_empty: true",
        )
        return None
    if given_hours is not None:
        return replace(scenario, warm_up_s=given_hours * 3600)
    patience = None if patient else max(type_.patience.mean_s for type_ in types if type_.patience is not None)
    relaxes_s = relaxation_s(
        load, agents, service_s=load / per_s, patience_s=patience, waiting_room=scenario.waiting_room
    )
    warm_up_s = RELAXATIONS * relaxes_s
    if warm_up_s * per_s > MOST_WARM_UP_CALLS:
        top.fault(key, f"a load of {load:.7g} on {agents} agents takes too long to settle; set start_empty: true")
        return None
    return replace(scenario, warm_up_s=warm_up_s)
