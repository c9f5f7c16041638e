"""`callcenter staff` and `callcenter forecast`: what they print, and what they refuse by its name."""

import argparse
import json
from pathlib import Path

import pytest

from callcenter.app.command_calls import register as register_calls
from callcenter.app.command_forecast import register as register_forecast
from callcenter.app.command_staff import register as register_staff
from callcenter.kernel.errors import ConfigError, InvalidInput, NotFound
from tests.support.bank import HEADER, LOST, row
from tests.support.settings import FakeSettings, run_command


def staff(folder: Path, *words: str) -> int:
    return run_command(register_staff, ["staff", *words], folder)


def history(folder: Path) -> None:
    """Two weeks in which ten calls come at nine o'clock each day, of whom one leaves."""
    rows = [
        row(date=f"9902{day:02}", vru_entry=f"9:0{minute}:00", vru_time="10", **({"server": f"A{minute}"} | lost))
        for day in range(1, 15)
        for minute in range(10)
        for lost in [LOST if minute == 9 else {}]
    ]
    path = folder / "log.tsv"
    path.write_text("\n".join([HEADER, *rows]))
    words = ["calls", "import", str(path), "--format", "technion", "--zone", "Asia/Jerusalem"]
    assert run_command(register_calls, words, folder) == 0


def test_one_interval_by_erlang_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--calls", "100", "--interval", "30", "--aht", "180", "--shrinkage", "0.3"]
    assert staff(tmp_path, *words) == 0
    printed = capsys.readouterr().out
    assert "agents at work   14" in printed
    assert "scheduled        20" in printed
    assert staff(tmp_path, *words, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["model"], document["agents"], document["scheduled"]) == ("erlang_c", 14, 20)
    assert document["sl_answered"] == pytest.approx(0.888350, abs=1e-6)


def test_patience_makes_it_erlang_a(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert staff(tmp_path, "--calls", "100", "--interval", "30", "--aht", "180", "--patience", "120", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["model"], document["agents"]) == ("erlang_a", 12)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--calls", "-1", "--aht", "3"], "argument --calls: must be from 0"),
        (["--calls", "nan", "--aht", "3"], "argument --calls: must be from 0"),
        (["--calls", "1", "--aht", "0"], "argument --aht: must be above 0"),
        (["--calls", "1", "--aht", "3", "--target-sl", "1"], "argument --target-sl: must be from 0 to 0.9999"),
        (["--calls", "1", "--aht", "3", "--interval", "0"], "argument --interval: must be whole minutes"),
        (["--aht", "3"], "one of the arguments --calls --scenario --day is required"),
        (["--day", "tomorrow"], "argument --day: 'tomorrow' is no day"),
        (["--day", "0001-01-31"], "argument --day: '0001-01-31' is no day"),
    ],
)
def test_bad_flags_are_refused_by_their_name(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        staff(tmp_path, *words)
    assert message in capsys.readouterr().err


def test_calls_without_a_handle_time_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="aht: is needed"):
        staff(tmp_path, "--calls", "10")
    with pytest.raises(InvalidInput, match="calls: more than"):
        staff(tmp_path, "--calls", "1e6", "--interval", "1", "--aht", "3600")


def test_day_is_staffed_by_its_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history(tmp_path)
    capsys.readouterr()
    assert staff(tmp_path, "--day", "1999-02-15", "--interval", "60", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["calls"] == pytest.approx(10)
    busy = [each for each in document["by_interval"] if each["agents"]]
    assert [(each["start"], each["calls"]) for each in busy] == [("09:00", 10.0)]
    # Every caller waited 30 s, one of ten left: one leaves in 300 s.
    assert document["patience_s"] == pytest.approx(300)
    assert document["model"] == "erlang_a"
    assert document["error"]["interval"] == 0


def test_forecast_says_what_it_is_made_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history(tmp_path)
    capsys.readouterr()
    assert run_command(register_forecast, ["forecast", "--day", "1999-02-15", "--interval", "60"], tmp_path) == 0
    printed = capsys.readouterr().out
    assert "Monday 1999-02-15: 10 calls for agents" in printed
    assert "from 14 days of log.tsv, 1999-02-01 to 1999-02-14" in printed
    assert "held back 1999-02-08 to 1999-02-14: off by 0 %" in printed
    assert "09:00     10.0" in printed


def test_forecast_without_history_or_of_odd_intervals_is_refused(tmp_path: Path) -> None:
    history(tmp_path)
    with pytest.raises(NotFound, match="no calls of"):
        run_command(register_forecast, ["forecast", "--day", "1999-02-01"], tmp_path)
    with pytest.raises(InvalidInput, match="interval: 7 minutes"):
        run_command(register_forecast, ["forecast", "--day", "1999-02-15", "--interval", "7"], tmp_path)


SITE = """
hours: 2
period_minutes: 60
call_types:
  a: {arrivals_per_min: [1, 0.5], service_s: 120, patience_s: 120}
  b: {arrivals_per_min: [0.5, 0.5], service_s: 120, patience_s: 120}
groups:
  a: {agents: 3, skills: {a: 1}}
  both: {agents: 2, skills: {a: 1, b: 1}}
"""


def by_skill(folder: Path, text: str, *words: str) -> int:
    path = folder / "site.yaml"
    path.write_text(text)
    parser = argparse.ArgumentParser()
    register_staff(parser.add_subparsers())
    given = parser.parse_args(["staff", "--scenario", str(path), *words])
    given.settings, given.config = FakeSettings(folder), folder
    code: int = given.handler(given)
    return code


def test_skills_are_staffed_by_simulation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert by_skill(tmp_path, SITE, "--period", "00:00", "--replications", "3", "--json") == 0
    (period,) = json.loads(capsys.readouterr().out)["periods"]
    assert period["agents"] == sum(period["by_group"].values())
    # 3 erlangs of work; as one pool Erlang A would ask for 5.
    assert 4 <= period["agents"] <= 7
    assert all(level["mean"] > 0.7 for level in period["by_type"].values())


def test_scenario_that_cannot_be_staffed_is_refused_by_its_name(tmp_path: Path) -> None:
    nobody = SITE.replace("skills: {a: 1, b: 1}", "skills: {a: 1}")
    with pytest.raises(ConfigError, match=r"call_types\.b: no agent has the skills"):
        by_skill(tmp_path, nobody)
    with pytest.raises(InvalidInput, match="period: there is no 09:00, but 00:00, 01:00"):
        by_skill(tmp_path, SITE, "--period", "09:00")
    with pytest.raises(InvalidInput, match="one pool: use --calls"):
        by_skill(tmp_path, "arrivals_per_min: 1\nservice_s: 60\nagents: 2\n")
