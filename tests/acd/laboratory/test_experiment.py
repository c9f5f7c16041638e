"""Trials and their seeds."""

import pytest

from acd.experiment import BATCH, Done, run, run_trial
from acd.laboratory.scenario_file import changed, read_scenario, with_policy
from acd.laboratory.summary import difference, summarised

POOL = {"arrivals_per_min": 2, "service_s": 60, "agents": 3, "hours": 0.5, "patience_s": 60, "start_empty": True}
SITE = {
    "hours": 0.5,
    "call_types": {
        "billing": {"arrivals_per_min": 2, "service_s": 60, "patience_s": 60},
        "gold": {"arrivals_per_min": 1, "service_s": 60, "patience_s": 60, "queue": "billing"},
    },
    "groups": {"all": {"agents": 3, "skills": {"billing": 1}}},
}


def test_one_seed_gives_one_result_and_another_another() -> None:
    pool = [read_scenario("s", POOL)]
    assert run_trial(pool, 1, 0) == run_trial(pool, 1, 0)
    assert run_trial(pool, 1, 0) != run_trial(pool, 1, 1)
    assert run_trial(pool, 1, 0) != run_trial(pool, 2, 0)


@pytest.mark.integration
def test_the_number_of_processes_does_not_show_in_the_result() -> None:
    pool = [read_scenario("s", POOL)]
    alone = run(pool, seed=3, replications=5, processes=1)
    assert run(pool, seed=3, replications=5, processes=2) == alone


def test_more_agents_meet_the_very_same_callers() -> None:
    few, many = (read_scenario("s", changed("s", POOL, {"agents": agents})) for agents in (3, 5))
    results = run([few, many], seed=1, replications=15, processes=1)
    offered = [[outcome.overall.offered for outcome in policy] for policy in results.outcomes]
    assert offered[0] == offered[1]
    minus = difference(results.outcomes[1], results.outcomes[0], ("00:00",)).overall
    assert minus["offered"].mean == 0
    assert minus["mean_wait_s"].high is not None
    assert minus["mean_wait_s"].high < 0


def test_the_same_callers_make_a_difference_surer_than_two_runs_do() -> None:
    rules = with_policy(SITE, "p", {"call_types": {"gold": {"priority": 60}}})
    own, other = (read_scenario("s", document) for document in (SITE, rules))
    results = run([own, other], seed=1, replications=15, processes=1)
    paired = difference(results.outcomes[1], results.outcomes[0], ("00:00",)).overall["mean_wait_s"].half_width
    alone = summarised(results.outcomes[0], ("00:00",)).overall["mean_wait_s"].half_width
    assert paired is not None
    assert alone is not None
    assert paired < alone / 2


def test_without_a_wish_trials_are_added_until_the_figures_are_sure() -> None:
    easy = read_scenario("s", {**POOL, "hours": 5, "agents": 9})
    seen: list[Done] = []
    results = run([easy], seed=1, processes=1, progress=seen.append)
    assert results.sure
    assert results.replications == BATCH
    assert seen[-1] == Done(BATCH, None, results.calls, 1.0)


def test_how_much_is_done_is_told_from_the_first_batch_on() -> None:
    scenario = read_scenario("s", {**POOL, "hours": 5, "agents": 7})
    seen: list[Done] = []
    results = run([scenario], seed=1, processes=1, progress=seen.append)
    shares = [done.share for done in seen]
    assert results.replications > BATCH
    assert not any(shares[:BATCH])
    assert all(0 < share < 1 for share in shares[BATCH:-1])
    assert shares[-1] == 1


def test_a_wish_is_done_by_as_much_as_its_trials() -> None:
    seen: list[Done] = []
    easy = read_scenario("s", {**POOL, "hours": 1, "agents": 9})
    run([easy], seed=1, replications=4, processes=1, progress=seen.append)
    assert [done.share for done in seen] == [0.25, 0.5, 0.75, 1]
