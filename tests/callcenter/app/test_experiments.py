"""Experiments beside a server: a process of their own, one at a time, followed to the end."""

from pathlib import Path

import pytest

from acd.call_logs import keep
from callcenter.app.experiment_files import Alternative, Question, policy_document
from callcenter.app.experiments import KEPT, Experiments
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import Conflict, InvalidInput, NotFound
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from tests.support.bank import LOST, logged, row

LATER = row(vru_entry="9:01:00", vru_exit="9:01:10", q_start="9:01:10", q_exit="9:01:40", **LOST)


async def a_site(folder: Path) -> Site:
    url = f"sqlite+aiosqlite:///{folder / 'site.db'}"
    await migrate(url, folder)
    site = Site(url)
    await keep(site, "log.tsv", "Asia/Jerusalem", logged(row(), LATER).calls)
    return site


def question(*alternatives: Alternative, subject: str = "1999-02-03") -> Question:
    return Question("day", subject, alternatives or (Alternative("more", more=1),), 2)


@pytest.mark.integration
async def test_day_is_tried_beside_the_server(tmp_path: Path) -> None:
    site = await a_site(tmp_path)
    laboratory = Experiments(site, FakeClock(), config=tmp_path, data=tmp_path)
    begun = laboratory.start(question(Alternative("quick", "quickest", 90), Alternative("more", more=1)))
    with pytest.raises(Conflict):
        laboratory.start(question())
    await laboratory.ended()
    assert (begun.state, begun.problem, begun.done, begun.wanted) == ("done", "", 2, 2)
    assert begun.result is not None
    assert [each["name"] for each in begun.result["policies"]] == ["as_it_is", "quick", "more"]
    assert [each["name"] for each in begun.result["differences"]] == ["quick", "more"]
    await laboratory.close()
    await site.close()


@pytest.mark.integration
async def test_failure_says_why_and_cancelled_ones_stop(tmp_path: Path) -> None:
    site = await a_site(tmp_path)
    laboratory = Experiments(site, FakeClock(), config=tmp_path, data=tmp_path)
    failed = laboratory.start(question(subject="1999-02-05"))
    await laboratory.ended()
    assert failed.state == "failed"
    assert "there are no calls of 1999-02-05" in failed.problem
    stopped = laboratory.start(question())
    assert laboratory.cancel(stopped.id).state == "cancelled"
    await laboratory.close()
    assert [each.id for each in laboratory.listed()] == ["e2", "e1"]
    with pytest.raises(NotFound):
        laboratory.found("e7")
    await site.close()


@pytest.mark.integration
async def test_one_that_meets_a_surprise_is_over_and_the_next_one_begins(tmp_path: Path) -> None:
    site = await a_site(tmp_path)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "odd.yaml").write_text("groups: {a: 3}\n")
    laboratory = Experiments(site, FakeClock(), config=tmp_path, data=tmp_path)
    begun = laboratory.start(Question("scenario", "odd", (Alternative("more", more=1, group="a"),), 2))
    await laboratory.ended()
    assert (begun.state, begun.problem) == ("failed", "an error of the program: its log has it")
    assert laboratory.start(question(subject="1999-02-05")).id == "e2"
    await laboratory.close()
    await site.close()


@pytest.mark.integration
async def test_choices_are_the_imported_days_and_the_scenarios_with_groups(tmp_path: Path) -> None:
    site = await a_site(tmp_path)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "site.yaml").write_text("groups: {a: {agents: 1}}\n")
    (tmp_path / "scenarios" / "pool.yaml").write_text("agents: 3\n")
    (tmp_path / "scenarios" / "broken.yaml").write_text("a: [\n")
    laboratory = Experiments(site, FakeClock(), config=tmp_path, data=tmp_path)
    assert await laboratory.choices() == {
        "days": [{"day": "1999-02-03", "calls": 2}],
        "scenarios": [{"name": "site", "groups": ["a"]}],
    }
    assert KEPT >= 2
    await site.close()


def test_alternatives_become_policy_files() -> None:
    assert policy_document("day", Alternative("x", "quickest", 90, 2), None) == {
        "title": "x",
        "agents": {"more": 2, "level_by": "handle_time", "skill": "quick"},
        "queue": {"strategy": "highest_level", "skills": {"quick": 1}},
        "callers": [{"priority": 2, "head_start_s": 90}],
    }
    scenario = {"groups": {"a": {"agents": [1, 2]}, "b": {"agents": 3}}, "queues": [{"name": "q"}]}
    assert policy_document("scenario", Alternative("x", "round_robin", more=-2, group="a"), scenario) == {
        "queues": [{"name": "q", "strategy": "round_robin"}],
        "groups": {"a": {"agents": [0, 0]}},
    }
    with pytest.raises(InvalidInput, match="no such group"):
        policy_document("scenario", Alternative("x", more=1, group="c"), scenario)
    with pytest.raises(InvalidInput, match="quickest"):
        policy_document("scenario", Alternative("x", "quickest"), scenario)
