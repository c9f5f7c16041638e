"""The index against what a scan of everybody would find, and the parts it is made of."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.model import AgentPolicy, Need, Policy, QueuePolicy, Strategy
from acd.policies.line import Line
from acd.policies.matching import Matcher, Spot
from acd.policies.order import Idle, Place
from acd.policies.skills import canonical, level_for, meets, required

LEVELS = st.dictionaries(st.sampled_from("abc"), st.integers(1, 10))


@given(LEVELS, LEVELS)
def test_agent_meets_a_need_when_each_level_suffices(has: dict[str, int], needed: dict[str, int]) -> None:
    enough = all(has.get(skill, 0) >= level for skill, level in needed.items())
    assert meets(canonical(has), required(canonical(needed), ())) is enough


@given(LEVELS, LEVELS, LEVELS)
def test_raised_need_is_met_by_who_meets_both(has: dict[str, int], one: dict[str, int], two: dict[str, int]) -> None:
    needs = [required(canonical(levels), ()) for levels in (one, two)]
    both = all(meets(canonical(has), need) for need in needs)
    assert meets(canonical(has), required((*canonical(one), *canonical(two)), ())) is both


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=300))
def test_line_is_a_sorted_set_with_ranks(moves: list[tuple[bool, int]]) -> None:
    line, plain = Line(), set[Place]()
    for joins, number in moves:
        place: Place = (0, number, number, f"e{number}")
        if joins and place not in plain:
            line.join(place)
            plain.add(place)
        elif not joins and place in plain:
            line.leave(place)
            plain.remove(place)
        assert line.rank(place) == sum(other < place for other in plain)
    assert list(line) == sorted(plain)
    assert len(line) == len(plain)


def test_line_forgets_who_left_at_the_front_and_refuses_who_is_not_in_it() -> None:
    line = Line()
    places: list[Place] = [(0, number, number, f"e{number:03}") for number in range(400)]
    for place in places:
        line.join(place)
    for place in places[:399]:
        line.leave(place)
    assert list(line) == places[399:]
    with pytest.raises(KeyError):
        line.leave(places[0])


def _barring(entries: set[str]) -> Callable[[str, str], bool]:
    return lambda entry, _agent: entry in entries


POLICY = Policy(
    "v1",
    queues=tuple(QueuePolicy(f"q{n}", ((f"s{n}", 1 + n),)) for n in range(4)),
    agents=tuple(
        AgentPolicy(f"a{n:02}", canonical({f"s{n % 4}": 1 + n % 5, f"s{(n + 1) % 4}": 1 + n % 3})) for n in range(20)
    ),
)
SKILLS = {agent.id: agent.skills for agent in POLICY.agents}
KEYS: dict[str, Callable[[Idle, Need], tuple[int, ...]]] = {
    "longest_idle": lambda idle, need: (idle.idle_ms,),
    "longest_since_contact": lambda idle, need: (idle.contact_ms, idle.idle_ms),
    "fewest_contacts": lambda idle, need: (idle.contacts, idle.idle_ms),
    "round_robin": lambda idle, need: (idle.turn,),
    "highest_level": lambda idle, need: (-level_for(SKILLS[idle.id], need), idle.idle_ms),
    "lowest_level": lambda idle, need: (level_for(SKILLS[idle.id], need), idle.idle_ms),
}


@pytest.mark.parametrize("strategy", KEYS)
@pytest.mark.parametrize("seed", range(3))
def test_index_finds_whom_a_scan_finds(seed: int, strategy: Strategy) -> None:
    random = Random(seed)
    policy = replace(POLICY, queues=tuple(replace(queue, strategy=strategy) for queue in POLICY.queues))
    matcher, key_of = Matcher(policy), KEYS[strategy]
    idle: dict[str, Idle] = {}
    lines: dict[Spot, set[Place]] = {}
    for moment in range(1000):
        agent = random.choice(POLICY.agents).id
        if agent in idle:
            matcher.agent_leaves(agent)
            del idle[agent]
        else:
            draw = random.randrange
            idle[agent] = Idle(agent, random.choice((moment, 5)), draw(9), draw(9), draw(9))
            matcher.agent_idles(idle[agent])
        queue = random.choice(POLICY.queues)
        need = required((*queue.skills, *random.choice(((), (), (("s1", 2),)))), ())
        spot = (queue.name, need, random.choice((0, 0, 2)), None)
        line = lines.setdefault(spot, set())
        place = (-random.choice((1, 50)), moment, moment, f"e{moment}")
        if random.random() < 0.5 or not line:
            matcher.caller_waits(spot, place)
            line.add(place)
        else:
            place = random.choice(sorted(line))
            matcher.caller_leaves(spot, place)
            line.remove(place)
        excluded = tuple(random.sample(sorted(SKILLS), 3))
        fit = sorted((*key_of(i, need), id_) for id_, i in idle.items() if meets(SKILLS[id_], need))
        chosen = [key for key in fit if key[-1] not in excluded] if len(fit) > spot[2] else []
        found = matcher.agent_for(spot, excluded, ())
        assert (found.agent if found else None) == (chosen[0][-1] if chosen else None)
        if found is not None:
            assert (found.excluded, found.qualified, found.idle) == (fit.index(chosen[0]), len(fit), len(idle))
        if agent in idle:
            _first_in_place(matcher, agent, lines, set(idle), moment)
        ahead = sum(p < place for (name, *_), ps in lines.items() if name == queue.name for p in ps)
        assert matcher.position(queue.name, place) == 1 + ahead


def _first_in_place(matcher: Matcher, agent: str, lines: dict[Spot, set[Place]], idle: set[str], moment: int) -> None:
    barred = {f"e{n}" for n in range(moment % 7, moment, 7)}
    waiting = [
        place
        for (_, need, reserve, _), places in lines.items()
        if meets(SKILLS[agent], need) and sum(meets(SKILLS[other], need) for other in idle) > reserve
        for place in places
        if place[3] not in barred
    ]
    first = matcher.caller_for(agent, _barring(barred))
    assert first == (min(waiting)[3] if waiting else None)
