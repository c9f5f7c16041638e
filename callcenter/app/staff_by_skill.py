"""`callcenter staff --scenario`: agents by group for a site with several skills, by simulation."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from acd.command_simulate import find, load
from acd.experiment import run
from acd.laboratory.erlang import Target
from acd.laboratory.scenario import Scenario
from acd.laboratory.scenario_file import changed, read_scenario
from acd.laboratory.skill_staffing import Levels, Staff, Team, fewest, start
from acd.laboratory.summary import Summary, summarised
from acd.laboratory.world import NeverServed
from acd.model import MOST_RINGS
from acd.policies.rings import need_in
from acd.policies.skills import meets, profile
from callcenter.kernel.errors import ConfigError, InvalidInput

# A period is simulated for so long, after an hour in which it settles.
HOURS = 3.0
WARM_UP_HOURS = 1.0


@dataclass(frozen=True, slots=True)
class Period:
    """What one period needs: agents by group, and the figures that they reach with their intervals."""

    begins: str
    staff: Staff
    summary: Summary


def staff_by_skill(given: argparse.Namespace, target: Target) -> int:
    """Search, and print what was found. Raises ConfigError, InvalidInput."""
    if target.max_occupancy < 1 or target.max_abandon < 1:
        raise InvalidInput("max-occupancy, max-abandon: not with --scenario", data={"field": "max-occupancy"})
    file = find(given.scenario, given.config)
    document = load(file)
    scenario = read_scenario(file.name, document)
    if not isinstance(document, dict) or "call_types" not in document:
        raise InvalidInput(f"scenario: {file.name} has one pool: use --calls", data={"field": "scenario"})
    periods = range(scenario.periods)
    if given.period is not None:
        if given.period not in scenario.period_names:
            known = ", ".join(scenario.period_names)
            raise InvalidInput(f"period: there is no {given.period}, but {known}", data={"field": "period"})
        periods = range(scenario.period_names.index(given.period), scenario.period_names.index(given.period) + 1)
    search = _Search(file.name, document, scenario, target, given.replications, given.seed)
    found = [search.period(place) for place in periods]
    names = [group.name for group in scenario.groups]
    if given.json:
        print(json.dumps(_document(found, names, target, given.shrinkage), indent=2))
    else:
        print("\n".join(_lines(found, names, target, given.shrinkage)))
    return 0


@dataclass(frozen=True, slots=True)
class _Search:
    name: str
    document: Mapping[str, object]
    scenario: Scenario
    target: Target
    replications: int
    seed: int

    def period(self, place: int) -> Period:
        """The fewest agents of one period."""
        begins = self.scenario.period_names[place]
        teams = [Team(group.name, self._types_of(group.name)) for group in self.scenario.groups]
        for type_ in self.scenario.types:
            if type_.per_min[place] and not any(type_.name in team.types for team in teams):
                raise InvalidInput(f"scenario: no group can serve {type_.name}", data={"field": "scenario"})
        loads = {type_.name: type_.per_min[place] * type_.handle.mean_s / 60 for type_ in self.scenario.types}
        staff = fewest(
            teams,
            start(teams, loads),
            lambda each: self._levels(place, each),
            self.target.level,
            lambda each, levels: _tell(begins, each, levels),
        )
        return Period(begins, staff, self._summary(place, staff, 4 * self.replications))

    def _types_of(self, group: str) -> frozenset[str]:
        policy = self.scenario.policy
        agent = next(each for each in policy.agents if each.id.startswith(f"{group}."))
        queues = {queue.name: queue for queue in policy.queues}
        return frozenset(
            type_.name
            for type_ in self.scenario.types
            if meets(profile(agent.skills, agent.teams), need_in(queues[type_.queue], MOST_RINGS, type_.skills, ()))
        )

    def _levels(self, place: int, staff: Staff) -> Levels:
        try:
            by_type = self._summary(place, staff, self.replications).by_type
        except (ConfigError, NeverServed):
            # Too few for the work: the line grows for ever. The fewer there are, the worse.
            return {type_.name: -1.0 / (1 + sum(staff)) for type_ in self.scenario.types}
        return {name: _mean(figures[self.target.variant].mean) for name, figures in by_type.items()}

    def _summary(self, place: int, staff: Staff, replications: int) -> Summary:
        scenario = read_scenario(self.name, self._stretched(place, staff))
        outcomes = run([scenario], seed=self.seed, replications=replications, processes=1).outcomes[0]
        return summarised(outcomes, ())

    def _stretched(self, place: int, staff: Staff) -> Mapping[str, object]:
        """The document as if this period went on, with `staff`."""
        settings: dict[str, object] = {
            "hours": HOURS,
            "start_empty": False,
            "warm_up_hours": WARM_UP_HOURS,
            "busyness_cv": 0,
            "period_minutes": None,
            "threshold_s": self.target.threshold_s,
        }
        for type_ in self.scenario.types:
            settings[f"call_types.{type_.name}.arrivals_per_min"] = type_.per_min[place]
        for group, agents in zip(self.scenario.groups, staff, strict=True):
            settings[f"groups.{group.name}.agents"] = agents
        return changed(self.name, self.document, settings)


def _mean(value: float | None) -> float:
    """Nobody called: nobody was let down."""
    return 1.0 if value is None else value


def _tell(begins: str, staff: Staff, levels: Levels) -> None:
    if sys.stderr.isatty():
        print(f"\r{begins}: {sum(staff)} agents, worst level {min(levels.values()):.2f}  ", end="", file=sys.stderr)
        sys.stderr.flush()


def _scheduled(agents: int, shrinkage: float) -> int:
    return ceil(agents / (1 - shrinkage) - 1e-9)


def _document(found: list[Period], names: list[str], target: Target, shrinkage: float) -> dict[str, object]:
    return {
        "target": {"level": target.level, "threshold_s": target.threshold_s, "variant": target.variant},
        "periods": [
            {
                "start": each.begins,
                "agents": sum(each.staff),
                "scheduled": sum(_scheduled(one, shrinkage) for one in each.staff),
                "by_group": dict(zip(names, each.staff, strict=True)),
                "by_type": {
                    type_: dict(zip(("mean", "low", "high"), figures[target.variant], strict=True))
                    for type_, figures in each.summary.by_type.items()
                },
                "occupancy": each.summary.overall["occupancy"].mean,
            }
            for each in found
        ],
    }


def _lines(found: list[Period], names: list[str], target: Target, shrinkage: float) -> list[str]:
    lines = [f"{target.level:.0%} within {target.threshold_s:g} s ({target.variant}) for every call type", ""]
    head = "  ".join(f"{name:>{max(5, len(name))}}" for name in names)
    lines.append(f"{'from':<7}{'agents':>7}{'scheduled':>11}  {head}")
    for each in found:
        scheduled = sum(_scheduled(one, shrinkage) for one in each.staff)
        cells = "  ".join(f"{one:>{max(5, len(name))}}" for name, one in zip(names, each.staff, strict=True))
        lines.append(f"{each.begins:<7}{sum(each.staff):>7}{scheduled:>11}  {cells}")
    lines.append("")
    for each in found:
        for type_, figures in each.summary.by_type.items():
            level = figures[target.variant]
            if level.mean is not None and level.low is not None and level.high is not None:
                lines.append(f"{each.begins} {type_:<16}{level.mean:>7.1%} [{level.low:.1%}, {level.high:.1%}]")
    return lines
