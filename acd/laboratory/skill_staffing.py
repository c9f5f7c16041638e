"""The fewest agents of each group so that every call type reaches its service level, found by simulation.

With several skills there is no formula. Each period is looked at by itself, as if its rates went on (the stationary
independent period by period approach): agents are added one by one where they help the worst call type most, then
taken away wherever they are not missed. What comes out is a staffing from which none can go; another with as few or
fewer agents may exist.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Staff = tuple[int, ...]
Levels = Mapping[str, float]
"""Call type -> service level."""

Judge = Callable[[Staff], Levels]
Told = Callable[[Staff, Levels], None]

MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Team:
    """A group and the call types that its agents may serve."""

    name: str
    types: frozenset[str]


def start(teams: Sequence[Team], loads: Mapping[str, float]) -> Staff:
    """Agents for the bare work: the load of each type, in erlangs, spread over the teams that may serve it."""
    work = [0.0] * len(teams)
    for type_, load in loads.items():
        able = [place for place, team in enumerate(teams) if type_ in team.types]
        for place in able:
            work[place] += load / len(able)
    return tuple(int(each) for each in work)


def fewest(teams: Sequence[Team], begin: Staff, judge: Judge, target: float, told: Told) -> Staff:
    """From `begin` up until all types reach `target`, then down. `told` hears of each staffing that was judged.

    Raises ValueError for a call type that no team may serve.
    """
    known: dict[Staff, Levels] = {}

    def levels(staff: Staff) -> Levels:
        if staff not in known:
            known[staff] = judge(staff)
            told(staff, known[staff])
        return known[staff]

    staff = begin
    for _ in range(MOST_STEPS):
        if not _missing(levels(staff), target):
            return _thinned(staff, levels, target)
        worst = min(levels(staff), key=lambda type_: levels(staff)[type_])
        able = [place for place, team in enumerate(teams) if worst in team.types]
        if not able:
            raise ValueError(worst)
        more = [_changed(staff, place, 1) for place in able]
        staff = min(more, key=lambda each: (_missing(levels(each), target), more.index(each)))
    raise ValueError("more agents than anybody has")


def _thinned(staff: Staff, levels: Callable[[Staff], Levels], target: float) -> Staff:
    """Without the agents who are not missed, the largest groups first."""
    fixed: set[int] = set()
    while len(fixed) < len(staff):
        place = max((each for each in range(len(staff)) if each not in fixed), key=lambda each: staff[each])
        fewer = _changed(staff, place, -1)
        if staff[place] > 0 and not _missing(levels(fewer), target):
            staff = fewer
        else:
            fixed.add(place)
    return staff


def _missing(levels: Levels, target: float) -> float:
    return sum(max(0.0, target - level) for level in levels.values())


def _changed(staff: Staff, place: int, by: int) -> Staff:
    return (*staff[:place], staff[place] + by, *staff[place + 1 :])
