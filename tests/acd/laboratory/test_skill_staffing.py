"""Staffing by skill: up where it helps the worst type most, then down to what is not missed."""

import pytest

from acd.laboratory.skill_staffing import Levels, Staff, Team, fewest, start

TEAMS = (Team("a", frozenset("a")), Team("b", frozenset("b")), Team("both", frozenset("ab")))


def judge(staff: Staff) -> Levels:
    """Type a needs five agents, b three; who can do both does what is missing of a first."""
    only_a, only_b, both = staff
    for_a = min(both, max(0, 5 - only_a))
    return {"a": (only_a + for_a) / 5, "b": (only_b + both - for_a) / 3}


def test_start_is_the_bare_work_spread_over_who_can_do_it() -> None:
    assert start(TEAMS, {"a": 4.0, "b": 3.0}) == (2, 1, 3)
    assert start(TEAMS, {}) == (0, 0, 0)


def test_search_ends_where_nobody_can_go() -> None:
    judged: list[Staff] = []
    found = fewest(TEAMS, (2, 1, 0), judge, 1.0, lambda staff, _: judged.append(staff))
    assert min(judge(found).values()) >= 1.0
    assert sum(found) == 8
    assert len(judged) == len(set(judged))


def test_agents_who_are_not_missed_go_again() -> None:
    found = fewest(TEAMS, (9, 9, 9), judge, 1.0, lambda _staff, _levels: None)
    assert sum(found) == 8


def test_type_that_nobody_can_serve_is_told() -> None:
    with pytest.raises(ValueError, match="b"):
        fewest(TEAMS[:1], (5,), lambda staff: {"a": 1, "b": 0}, 1.0, lambda _staff, _levels: None)
