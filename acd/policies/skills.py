"""Skill requirements with levels (acd.md section 3): what a caller needs, and whether an agent has it.

A need is one canonical, hashable value; the index treats it as opaque. Teams are part of it: to be of a team is to
have the skill of its name after `TEAM`, so a ring that lets more teams serve only asks for less.
"""

from collections.abc import Iterable, Mapping

from acd.model import Need, Requirements, SkillRequirement, Skills

TEAM = "@"
EVERYBODY = "*"


def canonical(levels: Mapping[str, int]) -> Skills:
    """Equal needs as equal values, whatever order they were written in."""
    return tuple(sorted(levels.items()))


def profile(skills: Skills, teams: Iterable[str]) -> Skills:
    """All that an agent may be chosen for."""
    return canonical({**dict(skills), **{TEAM + team: 1 for team in teams}})


def required(
    skills: Skills, requires: Requirements, *, teams: Iterable[str] = (), lower: int = 0, drop: Iterable[str] = ()
) -> Need:
    """What is left of the requirements when levels are lowered and skills dropped, as far as each allows it.

    Who asks for the same skill twice needs the higher level. Of a group of alternatives one dropped skill is enough
    to give the group up.
    """
    groups: list[tuple[SkillRequirement, ...]] = [(SkillRequirement(skill, level),) for skill, level in skills]
    dropped = frozenset(drop)
    single: dict[str, int] = {}
    several: set[Skills] = set()
    for group in (*groups, *requires):
        if not group or any(each.skill in dropped and each.relax == "drop" for each in group):
            continue
        levels: dict[str, int] = {}
        for each in group:
            level = each.min_level if each.relax == "never" else max(1, each.min_level - lower)
            levels[each.skill] = min(level, levels.get(each.skill, level))
        if len(levels) == 1:
            ((skill, level),) = levels.items()
            single[skill] = max(level, single.get(skill, 0))
        else:
            several.add(canonical(levels))
    if teams and EVERYBODY not in teams:
        several.add(canonical({TEAM + team: 1 for team in teams}))
    return tuple(sorted([*(((skill, level),) for skill, level in single.items()), *several]))


def meets(has: Skills, need: Need) -> bool:
    """Whether an agent with `has` may serve a caller with `need`."""
    levels = dict(has)
    return all(any(levels.get(skill, 0) >= level for skill, level in group) for group in need)


def lacking(has: Skills, need: Need) -> Need:
    """The groups of `need` of which an agent with `has` has nothing that suffices."""
    return tuple(group for group in need if not meets(has, (group,)))


def of_any_team(need: Need) -> Need:
    """The need without its teams: for the agent whom the caller is to have, of whatever team."""
    return tuple(group for group in need if not group[0][0].startswith(TEAM))


def level_for(has: Skills, need: Need) -> int:
    """How good the agent is at what this caller needs: his levels in it, of each group the highest, added up."""
    levels = dict(has)
    return sum(max(levels.get(skill, 0) for skill, _ in group) for group in of_any_team(need))
