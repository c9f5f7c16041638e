"""`callcenter simulate` as its user sees it."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from acd.command_simulate import register, time_left
from acd.laboratory.tally import METRIC_NAMES
from callcenter.kernel.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "config"
QUICK = ["mmn", "--set", "hours=0.5", "--set", "start_empty=true", "--replications", "3", "--processes", "1"]
PARTS = ("overall", "by_type", "by_group", "by_period")


def simulate(*words: str) -> None:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    given = parser.parse_args(["simulate", *words])
    given.config = CONFIG
    assert given.handler(given) == 0


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    simulate(*words, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refusal(*words: str) -> str:
    with pytest.raises(ConfigError) as caught:
        simulate(*words)
    return caught.value.message


def test_every_metric_has_mean_low_and_high_in_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, *QUICK)
    parts = [found["overall"], found["by_type"]["calls"], found["by_group"]["agents"], found["by_period"]["00:00"]]
    for part in parts:
        assert tuple(part) == METRIC_NAMES
        assert all(tuple(metric) == ("mean", "low", "high") for metric in part.values())
    assert found["overall"]["offered"]["low"] < found["overall"]["offered"]["mean"]
    assert found["by_type"]["calls"]["occupancy"] == {"mean": None, "low": None, "high": None}
    assert found["replications"] == 3


def test_a_seed_gives_the_same_figures_again(capsys: pytest.CaptureFixture[str]) -> None:
    first = document(capsys, *QUICK, "--seed", "5")
    assert document(capsys, *QUICK, "--seed", "5") == first
    assert document(capsys, *QUICK, "--seed", "6") != first


@pytest.mark.parametrize("name", ["multi_skill", "bank_day"])
def test_the_sample_days_run_for_every_type_group_and_period(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, name, "--replications", "1", "--processes", "1")
    assert all(found[part] for part in PARTS)
    assert sum(each["offered"]["mean"] for each in found["by_type"].values()) == found["overall"]["offered"]["mean"]
    assert sum(each["offered"]["mean"] for each in found["by_period"].values()) == found["overall"]["offered"]["mean"]
    assert sum(each["served"]["mean"] for each in found["by_group"].values()) == found["overall"]["served"]["mean"]


def test_policies_are_compared_on_the_same_callers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calm, bold = tmp_path / "calm.yaml", tmp_path / "bold.yaml"
    calm.write_text("groups: {}\n", encoding="utf-8")
    bold.write_text("call_types: {priority: {head_start_s: 0}}\n", encoding="utf-8")
    found = document(
        capsys, "bank_day", "--replications", "2", "--processes", "1", "--policy", str(calm), "--policy", str(bold)
    )
    same, other = found["policies"]
    assert (same["name"], other["name"]) == ("calm", "bold")
    assert same["overall"] == found["overall"]
    assert same["difference"]["overall"]["mean_wait_s"] == {"mean": 0, "low": 0, "high": 0}
    assert other["difference"]["by_type"]["priority"]["mean_wait_s"]["mean"] > 0
    assert other["difference"]["overall"]["offered"]["mean"] == 0


def test_the_table_and_the_progress_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    simulate(*QUICK)
    told = capsys.readouterr()
    assert told.out.startswith("mmn.yaml: 3 replications of 0.5 h")
    assert all(name in told.out for name in METRIC_NAMES)
    assert "replication 3 of 3" in told.err


@pytest.mark.parametrize(
    ("elapsed_s", "share", "words"),
    [
        (1, 0.5, ""),
        (60, 0, ""),
        (60, 1, ""),
        (60, 0.75, ", about 20 s left"),
        (60, 0.25, ", about 3 min left"),
    ],
)
def test_time_left_is_told_once_it_is_known(elapsed_s: float, share: float, words: str) -> None:
    assert time_left(elapsed_s, share) == words


def test_mistakes_are_told_by_name(tmp_path: Path) -> None:
    assert "--set agents: must be KEY=VALUE" in refusal("mmn", "--set", "agents")
    assert refusal("mmn", "--set", "agnts=3") == "mmn.yaml: agnts: is not known"
    assert "mmn.yaml: patience_s: must be a number" in refusal("mmn", "--set", "patience_s=soon")
    assert "bank_day, chained_skills, mmn, multi_skill" in refusal("nothing")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1\n", encoding="utf-8")
    assert "is not YAML in line" in refusal(str(broken))
    assert "broken.yaml" in refusal("mmn", "--policy", str(broken))
    broken.write_text("calls: none.csv\ncall_types: {}\n", encoding="utf-8")
    assert "calls: none.csv cannot be read" in refusal(str(broken))
