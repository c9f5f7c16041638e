"""Skill requirements with levels (acd.md section 3): what a caller needs, and whether an agent has it.

A need is one canonical, hashable value; the index treats it as opaque, so alternatives (OR) and relaxation are added
here and nowhere else.
"""

from collections.abc import Mapping

from acd.model import Skills


def canonical(levels: Mapping[str, int]) -> Skills:
    """Equal needs as equal values, whatever order they were written in."""
    return tuple(sorted(levels.items()))


def raised(needed: Skills, asked: Skills) -> Skills:
    """The queue's need with what the flow or the customer's record asks on top: the higher level of each skill."""
    if not asked:
        return needed
    levels = dict(needed)
    for skill, level in asked:
        levels[skill] = max(level, levels.get(skill, 0))
    return canonical(levels)


def meets(has: Skills, needed: Skills) -> bool:
    """Whether an agent with `has` may serve a caller who needs `needed`."""
    levels = dict(has)
    return all(levels.get(skill, 0) >= level for skill, level in needed)
