"""Erlang's formulas against published values, values by hand, and another library's."""

from math import exp, inf
from typing import NamedTuple

import pytest

from acd.laboratory.erlang import Target, erlang_b, erlang_c, impatient, patient, required


def test_erlang_b_by_hand() -> None:
    # B(2, 3) = (8/6) / (1 + 2 + 2 + 8/6) = 4/19.
    assert erlang_b(2, 3) == pytest.approx(4 / 19)
    assert erlang_b(5, 0) == 1
    assert erlang_b(0, 3) == 0


def test_erlang_c_by_hand() -> None:
    # One agent: the part of the time that he is busy. Two agents and load 1: 1/3.
    assert erlang_c(0.7, 1) == pytest.approx(0.7)
    assert erlang_c(1, 2) == pytest.approx(1 / 3)
    assert (erlang_c(3, 3), erlang_c(4, 3)) == (1, 1)


@pytest.mark.parametrize(
    ("load", "agents", "p_wait", "level", "asa_s"),
    [
        (10, 11, 0.682118, 0.389614, 122.78),
        (10, 12, 0.449388, 0.640158, 40.44),
        (10, 13, 0.285270, 0.795595, 17.12),
        (10, 14, 0.174132, 0.888350, 7.84),
        (20, 24, 0.298072, 0.808882, 13.41),
        (50, 55, 0.384547, 0.779365, 13.84),
        (100, 106, 0.445783, 0.771128, 13.37),
    ],
)
def test_erlang_c_is_as_published(load: float, agents: int, p_wait: float, level: float, asa_s: float) -> None:
    found = patient(load / 180, 180, agents, 20)
    assert found.p_wait == pytest.approx(p_wait, abs=5e-7)
    assert found.levels["sl_answered"] == pytest.approx(level, abs=5e-7)
    assert found.asa_s == pytest.approx(asa_s, abs=5e-3)


def test_erlang_a_is_as_published() -> None:
    found = impatient(4.2 / 60, 120, 12, 20, 60)
    assert found.p_abandon == pytest.approx(0.029679, abs=5e-7)
    assert found.p_wait == pytest.approx(0.127372, abs=5e-7)
    assert found.occupancy == pytest.approx(0.679225, abs=5e-7)


def test_erlang_a_by_hand() -> None:
    # One agent, service and patience both 1 s on average, one call a second: k calls are there with chance
    # e^-1 / k! (every one of them leaves at rate 1). So 1 - 1/e wait, and as much of the time the agent is busy.
    found = impatient(1, 1, 1, 0.5, 1)
    busy = 1 - exp(-1)
    assert found.p_wait == pytest.approx(busy)
    assert found.occupancy == pytest.approx(busy)
    assert found.p_abandon == pytest.approx(1 - busy)
    assert found.mean_wait_s == pytest.approx(1 - busy)


def test_erlang_a_levels_hang_together() -> None:
    found = impatient(2, 300, 580, 20, 120)
    assert found.levels["sl_answered"] * (1 - found.p_abandon) == pytest.approx(found.levels["sl_abandons_negative"])
    assert found.levels["sl_abandons_negative"] < found.levels["sl_sl2"]
    assert found.occupancy == pytest.approx(2 * 300 * (1 - found.p_abandon) / 580)


def test_erlang_a_comes_near_erlang_c_when_nobody_leaves() -> None:
    a, c = impatient(10 / 180, 180, 14, 20, 1e7), patient(10 / 180, 180, 14, 20)
    assert a.p_wait == pytest.approx(c.p_wait, abs=1e-4)
    assert a.p_served_in == pytest.approx(c.p_served_in, abs=1e-4)


def test_erlang_a_bears_any_load() -> None:
    assert impatient(10, 100, 500, 20, 3600).p_abandon == pytest.approx(0.5)
    assert impatient(0, 100, 5, 20, 60).p_served_in == 1
    nobody = impatient(1, 100, 0, 20, 60)
    assert (nobody.p_abandon, nobody.asa_s) == (1, inf)
    assert nobody.p_in == pytest.approx(1 - exp(-1 / 3))


def test_required_is_the_fewest_that_reach_the_target() -> None:
    target = Target(level=0.8)
    found = required(100 / 1800, 180, target)
    assert (found.agents, found.scheduled) == (14, 14)
    assert patient(100 / 1800, 180, 13, 20).levels[target.variant] < 0.8
    assert required(100 / 1800, 180, target, shrinkage=0.3).scheduled == 20


def test_callers_who_leave_need_fewer_agents_and_a_bound_on_them_more() -> None:
    target = Target(level=0.8)
    assert required(100 / 1800, 180, target, patience_s=120).agents == 12
    few = required(100 / 1800, 180, Target(level=0.8, max_abandon=0.01), patience_s=120)
    assert few.expected.p_abandon <= 0.01
    assert few.agents > 12


def test_no_calls_need_no_agents() -> None:
    assert required(0, 180, Target()).agents == 0
    assert required(0, 180, Target(), patience_s=60).agents == 0


# What pyworkforce 0.5.1 says (ErlangC.required_positions): calls, minutes, handle time, threshold, level, occupancy,
# shrinkage -> raw positions, positions, service level, occupancy, chance to wait.
class Asked(NamedTuple):
    calls: float
    minutes: float
    aht_s: float
    threshold_s: float
    level: float
    occupancy: float
    shrinkage: float


PYWORKFORCE = [
    (Asked(100, 30, 180, 20.0, 0.8, 1, 0), (14, 14, 0.888350019, 0.714285714, 0.174131934)),
    (Asked(100, 30, 180, 20.0, 0.8, 0.85, 0.3), (14, 20, 0.888350019, 0.714285714, 0.174131934)),
    (Asked(250, 15, 240, 30.0, 0.9, 0.85, 0.25), (79, 106, 0.979488593, 0.843881857, 0.095836904)),
    (Asked(20, 30, 300, 20.0, 0.8, 0.7, 0.1), (6, 7, 0.875923622, 0.555555556, 0.148216657)),
    (Asked(1000, 60, 210.0, 15.0, 0.95, 0.9, 0.3), (70, 100, 0.959325982, 0.833333333, 0.093589934)),
    (Asked(7, 60, 120, 60, 0.5, 1, 0), (1, 1, 0.840963345, 0.233333333, 0.233333333)),
]


@pytest.mark.parametrize(("asked", "answer"), PYWORKFORCE)
def test_agrees_with_what_pyworkforce_says(asked: Asked, answer: tuple[float, ...]) -> None:
    assert _ours(asked) == pytest.approx(answer, abs=1e-8)


@pytest.mark.parametrize(("asked", "answer"), PYWORKFORCE)
def test_agrees_with_pyworkforce_itself(asked: Asked, answer: tuple[float, ...]) -> None:
    """Where it is installed (the extra `workforce`): it brings numpy, pandas and ortools."""
    queuing = pytest.importorskip("pyworkforce.queuing")
    theirs = queuing.ErlangC(
        transactions=asked.calls,
        aht=asked.aht_s / 60,
        asa=asked.threshold_s / 60,
        interval=asked.minutes,
        shrinkage=asked.shrinkage,
    ).required_positions(service_level=asked.level, max_occupancy=asked.occupancy)
    assert _ours(asked) == pytest.approx(tuple(theirs.values()), abs=1e-8)


def _ours(asked: Asked) -> tuple[float, ...]:
    target = Target(asked.level, asked.threshold_s, max_occupancy=asked.occupancy)
    found = required(asked.calls / asked.minutes / 60, asked.aht_s, target, shrinkage=asked.shrinkage)
    expected = found.expected
    return found.agents, found.scheduled, expected.p_in, expected.occupancy, expected.p_wait
