"""`callcenter what-if`: from an imported day and policy files to what is printed."""

import argparse
import json
from pathlib import Path

import pytest

from callcenter.app.command_calls import register as register_calls
from callcenter.app.command_what_if import register
from callcenter.kernel.errors import ConfigError, InvalidInput
from tests.support.bank import HEADER, LOST, row
from tests.support.settings import FakeSettings, run_command

QUEUED = row(vru_entry="9:01:00", vru_exit="9:01:10", q_start="9:01:10", q_exit="9:02:40", q_time="90", **{
    "ser_start": "9:02:40", "ser_exit": "9:04:40", "type": "NW", "priority": "2",
})  # fmt: skip
LEFT = row(vru_entry="9:01:30", vru_exit="9:01:40", q_start="9:01:40", q_exit="9:02:00", q_time="20", **LOST)


def imported(folder: Path, *rows: str) -> None:
    path = folder / "log.tsv"
    path.write_text("\n".join([HEADER, *rows]))
    words = ["calls", "import", str(path), "--format", "technion", "--zone", "Asia/Jerusalem"]
    assert run_command(register_calls, words, folder) == 0


def what_if(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    given = parser.parse_args(["what-if", "--day", "1999-02-03", "--processes", "1", "--replications", "3", *words])
    given.settings, given.config = FakeSettings(folder), folder
    code: int = given.handler(given)
    return code


def a_policy(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_one_policy_is_compared_with_first_come_first_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(tmp_path, row(), QUEUED, LEFT)
    file = a_policy(tmp_path, "ahead.yaml", "title: ahead\ncallers:\n- {priority: 2, head_start_s: 90}\n")
    capsys.readouterr()
    assert what_if(tmp_path, "--policy", file, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["policies"]] == ["first come, first served", "ahead"]
    assert document["logged"]["served"] == 2
    assert document["policies"][0]["overall"]["offered"]["mean"] == 3
    assert document["differences"][0]["minus"] == "first come, first served"
    assert set(document["differences"][0]["verdict"]) == {"lowers_mean_wait", "harms_nobody", "harmed"}
    assert any("Kaplan-Meier" in line for line in document["assumptions"])


def test_text_says_what_is_assumed_and_what_the_log_itself_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(tmp_path, row(), QUEUED, LEFT)
    assert what_if(tmp_path, "--handling", "pooled") == 0
    printed = capsys.readouterr().out
    assert "- 3 callers asked for an agent" in printed
    assert "- handle times are drawn from all agents' of the call type" in printed
    assert "the log itself: served 2, abandoned 1, asa_s 60.0" in printed


def test_policies_are_found_by_their_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(tmp_path, row(), QUEUED)
    (tmp_path / "policies").mkdir()
    a_policy(tmp_path, "policies/plain.yaml", "title: plain\n")
    capsys.readouterr()
    assert what_if(tmp_path, "--policy", "plain", "--policy", "plain", "--json") == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["policies"]] == ["plain", "plain"]
    with pytest.raises(ConfigError, match=r"policy: there is no fancy .*: plain"):
        what_if(tmp_path, "--policy", "fancy")


def test_shifts_may_be_said_instead_of_learnt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(tmp_path, row(), QUEUED)
    shifts = tmp_path / "shifts.csv"
    shifts.write_text("agent,from,until\nANN,08:30,10:00\nBOB,22:00,06:00\n")
    capsys.readouterr()
    assert what_if(tmp_path, "--shifts", str(shifts)) == 0
    assert "2 agents for 9.5 h" in capsys.readouterr().out
    shifts.write_text("agent,from,until\nANN,early,10:00\n")
    with pytest.raises(InvalidInput, match=r"shifts: shifts.csv line 2: must be agent,from,until"):
        what_if(tmp_path, "--shifts", str(shifts))
    shifts.write_bytes(b"agent,from,until\n\xff\xfe,08:30,10:00\n")
    with pytest.raises(InvalidInput, match=r"shifts: .*/shifts.csv: is no CSV file in UTF-8$"):
        what_if(tmp_path, "--shifts", str(shifts))
    shifts.unlink()
    with pytest.raises(InvalidInput, match=r"shifts: .*/shifts.csv: No such file or directory$"):
        what_if(tmp_path, "--shifts", str(shifts))


def test_day_on_which_nobody_asked_for_an_agent_is_refused(tmp_path: Path) -> None:
    imported(tmp_path, row(q_time="0", q_start="0:00:00", q_exit="0:00:00", **LOST))
    with pytest.raises(InvalidInput, match="day: nobody asked for an agent"):
        what_if(tmp_path)
