"""The simulator against what is known exactly, and against what others have simulated (acd.md section 7).

A figure agrees when it is within four standard errors of the exact one; at full size half of its 95 % interval must
also be small. Against published simulations, and against a model of a few lines where nothing is published, the
two-sample z counts both errors. The full size is `soak`; in CI the
same with 100 days each, which is why the steady rows have short days there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, variance

import pytest
import yaml

from acd.experiment import run
from acd.laboratory.erlang import impatient
from acd.laboratory.interval import Estimate, student
from acd.laboratory.scenario_file import read_scenario
from acd.laboratory.summary import Figures, summarised
from tests.acd.laboratory.queue_model import QueueModel

pytestmark = pytest.mark.integration

SEED = 20260302
DAYS_IN_CI = 100
SHARES = {"p_wait", "p_abandon", "p_blocked", "sl_answered", "occupancy"}
CHAINED = Path(__file__).parents[3] / "config" / "scenarios" / "chained_skills.yaml"
DAY = {"arrivals_per_min": 4.2, "service_s": 120, "agents": 12, "hours": 8, "start_empty": True}


def simulated(document: Mapping[str, object], days: int) -> Figures:
    scenario = read_scenario("ground truth", document)
    results = run([scenario], seed=SEED, replications=days, processes=2)
    return summarised(results.outcomes[0], scenario.period_names).overall


def standard_error(found: Estimate, days: int) -> float:
    assert found.half_width is not None
    return found.half_width / student(days - 1)


def agrees(found: Figures, exact: Mapping[str, float], days: int) -> None:
    for name, value in exact.items():
        mean = found[name].mean
        assert mean is not None
        assert abs(mean - value) <= 4 * standard_error(found[name], days), f"{name}: {found[name]} is not {value}"


def is_narrow(found: Figures, exact: Mapping[str, float], share: float, absolute: float) -> None:
    for name, value in exact.items():
        half = found[name].half_width
        assert half is not None
        assert half <= (absolute if name in SHARES else share * value), f"{name}: {found[name]} is not sure enough"


def agrees_with_published(found: Estimate, days: int, published: float, low: float, high: float) -> None:
    assert found.mean is not None
    error = sqrt(standard_error(found, days) ** 2 + ((high - low) / 2 / 1.96) ** 2)
    assert abs(found.mean - published) <= 3 * error


@dataclass(frozen=True)
class Row:
    """Calls of 180 s, T = 20 s; `days` of `hours` make the intervals narrow enough."""

    load: int
    agents: int
    p_wait: float
    sl: float
    asa_s: float
    days: int
    hours: float = 20

    def __str__(self) -> str:
        return f"{self.load}/{self.agents}"

    @property
    def exact(self) -> dict[str, float]:
        return {"p_wait": self.p_wait, "sl_answered": self.sl, "asa_s": self.asa_s}

    @property
    def is_wide(self) -> bool:
        """Of the two large pools the intervals may be twice as wide."""
        return self.load >= 50

    def scenario(self, hours: float) -> dict[str, object]:
        return {"arrivals_per_min": self.load / 3, "service_s": 180, "agents": self.agents, "hours": hours}


ERLANG_C = (
    Row(10, 11, 0.682118, 0.389614, 122.78, 110, 100),
    Row(10, 12, 0.449388, 0.640158, 40.44, 300),
    Row(10, 13, 0.285270, 0.795595, 17.12, 300),
    Row(10, 14, 0.174132, 0.888350, 7.84, 350),
    Row(20, 24, 0.298072, 0.808882, 13.41, 200),
    Row(50, 55, 0.384547, 0.779365, 13.84, 50),
    Row(100, 106, 0.445783, 0.771128, 13.37, 60),
)
ERLANG_A = {"p_abandon": 0.029679, "p_wait": 0.127372, "occupancy": 0.679225}


@pytest.mark.soak
@pytest.mark.parametrize("row", ERLANG_C, ids=str)
def test_waits_and_service_levels_are_those_of_erlang_c(row: Row) -> None:
    found = simulated(row.scenario(row.hours), row.days)
    agrees(found, row.exact, row.days)
    is_narrow(found, row.exact, *((0.10, 0.02) if row.is_wide else (0.05, 0.01)))


@pytest.mark.parametrize("row", ERLANG_C[2:4], ids=str)
def test_a_hundred_short_days_agree_with_erlang_c(row: Row) -> None:
    agrees(simulated(row.scenario(0.5), DAYS_IN_CI), row.exact, DAYS_IN_CI)


@pytest.mark.soak
def test_abandonment_and_occupancy_are_those_of_erlang_a() -> None:
    found = simulated({**DAY, "start_empty": False, "patience_s": 60}, 1_000)
    agrees(found, ERLANG_A, 1_000)
    is_narrow(found, ERLANG_A, 0.05, 0.01)


def test_a_hundred_short_days_agree_with_erlang_a() -> None:
    found = simulated({**DAY, "start_empty": False, "patience_s": 60, "hours": 0.5}, DAYS_IN_CI)
    agrees(found, ERLANG_A, DAYS_IN_CI)


@pytest.mark.parametrize("days", [DAYS_IN_CI, pytest.param(1_000, marks=pytest.mark.soak)])
def test_days_that_begin_empty_have_the_published_service_level(days: int) -> None:
    found = simulated(DAY, days)
    agrees_with_published(found["sl_answered"], days, 0.902, 0.900, 0.904)


@pytest.mark.parametrize("days", [DAYS_IN_CI, pytest.param(1_000, marks=pytest.mark.soak)])
def test_days_with_impatient_callers_lose_as_many_as_published(days: int) -> None:
    found = simulated({**DAY, "patience_s": 60}, days)
    agrees_with_published(found["abandoned_per_day"], days, 58.6, 57.66, 59.56)
    agrees_with_published(found["sl_answered"], days, 0.975, 0.974, 0.976)


FULL = {"p_blocked": 0.00364, "mean_wait_s": 0.450 * 60}
NONE = {"p_blocked": 0.0653, "mean_wait_s": 0.823 * 60}
FULL_POOL = {"arrivals_per_min": 8.4, "service_s": 600, "agents": 90, "waiting_room": 30, "hours": 20}
ONE_OF_SIX = {"arrivals_per_min": 1.4, "service_s": 600, "agents": 15, "waiting_room": 5, "hours": 20}


CHAIN = QueueModel(
    agents=[(group, (group + 1) % 6) for group in range(6) for _ in range(15)],
    types=6, arrivals_per_s=8.4 / 60, service_s=600, waiting_room=30,
)  # fmt: skip


def share_of_the_way(found: Estimate, name: str) -> float:
    """0 for full pooling, 1 for none."""
    assert found.mean is not None
    return (found.mean - FULL[name]) / (NONE[name] - FULL[name])


def is_nearly_a_full_pool(chained: Figures) -> None:
    """Blocks hardly more calls than full pooling does; who waits, waits some half of the way to none's."""
    assert share_of_the_way(chained["p_blocked"], "p_blocked") < 0.1
    assert share_of_the_way(chained["mean_wait_s"], "mean_wait_s") < 0.65


def agrees_with_model(found: Estimate, days: int, samples: Sequence[float]) -> None:
    assert found.mean is not None
    error = sqrt(standard_error(found, days) ** 2 + variance(samples) / len(samples))
    assert abs(found.mean - fmean(samples)) <= 3 * error


@pytest.mark.soak
def test_two_chained_skills_come_close_to_full_pooling_and_far_from_none() -> None:
    full, none = simulated(FULL_POOL, 250), simulated(ONE_OF_SIX, 250)
    agrees(full, FULL, 250)
    agrees(none, NONE, 250)
    is_narrow(full, FULL, 0.05, 0.01)
    is_narrow(none, NONE, 0.05, 0.01)
    chained = simulated(yaml.safe_load(CHAINED.read_text(encoding="utf-8")), 250)
    is_nearly_a_full_pool(chained)
    modelled = [CHAIN.day(seed, hours=20, warm_up_hours=5) for seed in range(250)]
    agrees_with_model(chained["mean_wait_s"], 250, [day.waited_s / day.served for day in modelled])
    agrees_with_model(chained["p_blocked"], 250, [day.blocked / day.offered for day in modelled])


def test_a_hundred_hours_of_chained_skills_are_nearly_a_full_pool() -> None:
    document = yaml.safe_load(CHAINED.read_text(encoding="utf-8"))
    is_nearly_a_full_pool(simulated({**document, "hours": 0.5, "warm_up_hours": 1.0}, DAYS_IN_CI))


SMALL = {"arrivals_per_min": 3, "service_s": 60, "agents": 4, "patience_s": 60}


def covered(samples: int, days: int, hours: float) -> dict[str, float]:
    """The share of `samples` small experiments whose 95 % interval holds the exact value."""
    scenario = read_scenario("small", {**SMALL, "hours": hours})
    exact = impatient(3 / 60, 60, 4, 20, 60)
    truth = {
        "p_wait": exact.p_wait,
        "p_abandon": exact.p_abandon,
        "mean_wait_s": exact.mean_wait_s,
        "occupancy": exact.occupancy,
    }
    outcomes = run([scenario], seed=SEED, replications=samples * days, processes=2).outcomes[0]
    hits = dict.fromkeys(truth, 0)
    for sample in range(samples):
        found = summarised(outcomes[sample * days : (sample + 1) * days], ("00:00",)).overall
        for name, value in truth.items():
            low, high = found[name].low, found[name].high
            hits[name] += low is not None and high is not None and low <= value <= high
    return {name: count / samples for name, count in hits.items()}


@pytest.mark.soak
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    for name, share in covered(samples=200, days=10, hours=1).items():
        assert 0.90 <= share <= 0.99, name


def test_intervals_of_short_days_hold_the_truth_nearly_as_often() -> None:
    for name, share in covered(samples=30, days=6, hours=0.5).items():
        assert share >= 0.85, name
