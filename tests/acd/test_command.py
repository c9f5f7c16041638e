"""`callcenter acd`: the verdict on a log, and the story of a call, as an administrator gets them."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from acd.archive import FILE
from acd.reading import JOURNAL
from acd.version import core_version
from callcenter.app.command import main
from tests.acd.test_archive import LoggedSite
from tests.support.acd_walk import seeded, walked

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a site that has run, been archived and gone on."""
    site = LoggedSite(tmp_path, walked(seeded(7_100, 200)))
    site.goes_on(80)
    site.archives()
    site.goes_on(60)
    site.journal.close()
    return tmp_path


def change(data: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(data / JOURNAL)) as db, db:
        db.execute(statement, values)


def last(data: Path, type_: str) -> int:
    """The number of the last line of this type in the journal."""
    with closing(sqlite3.connect(data / JOURNAL)) as db:
        return int(db.execute("SELECT max(seq) FROM journal WHERE type = ?", (type_,)).fetchone()[0])


def run(data: Path, *words: str) -> int:
    return main(["--data", str(data), "acd", *words])


def test_an_equal_log_is_said_to_be_equal(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "replay") == 0
    said = capsys.readouterr().out
    assert said.startswith("equal: ")
    assert "2 snapshots" in said
    assert f"core: {core_version()}" in said
    assert "another core" not in said


def test_a_changed_line_is_named_with_both_sides_and_the_exit_code_says_so(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seq = last(data, "acd.agent.state_changed")
    change(data, "UPDATE journal SET data = json_set(data, '$.state', 'asleep') WHERE seq = ?", seq)
    assert run(data, "replay") == 1
    said = capsys.readouterr().out
    assert f"journal number {seq} " in said
    assert '"state":"asleep"' in said
    assert "replay: " in said
    assert run(data, "replay", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["equal"], document["divergence"]["seq"]) == (False, seq)


def test_a_changed_state_row_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(data, "UPDATE live_state SET blob = json_set(blob, '$.misses', 9) WHERE kind = 'agent' AND id = 'ann'")
    assert run(data, "replay") == 1
    assert "agent ann: " in capsys.readouterr().out


def test_another_core_is_said_clearly(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seq = last(data, "acd.input.restarted")
    change(data, "UPDATE journal SET data = json_set(data, '$.core', '0.0.9+old') WHERE seq = ?", seq)
    # From the archive's snapshot on the changed start is not part of the log.
    (data / FILE).unlink()
    assert run(data, "replay") == 0
    assert f"from number {seq} on the log was written by another core: 0.0.9+old" in capsys.readouterr().out


def test_a_replay_may_begin_later(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "replay", "--json") == 0
    whole = json.loads(capsys.readouterr().out)
    assert run(data, "replay", "--json", "--from", str(whole["to_seq"])) == 0
    late = json.loads(capsys.readouterr().out)
    assert late["from_seq"] > whole["from_seq"] == 1
    assert late["inputs"] < whole["inputs"]


def test_what_another_core_wrote_is_left_out_unless_it_is_asked_for(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(data / FILE)) as db, db:
        db.execute("UPDATE segment SET core = '0.0.9+old' WHERE upto IS NOT NULL")
    assert run(data, "replay") == 0
    said = capsys.readouterr().out
    assert "left out: what another core wrote before number" in said
    assert run(data, "replay", "--json") == 0
    late = json.loads(capsys.readouterr().out)
    assert run(data, "replay", "--json", "--from", "0") == 0
    whole = json.loads(capsys.readouterr().out)
    assert (late["left_out"], whole["left_out"]) == (True, False)
    assert late["inputs"] < whole["inputs"]


def test_a_log_that_only_another_core_wrote_is_replayed_as_it_is(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(data / FILE)) as db, db:
        db.execute("UPDATE segment SET core = '0.0.9+old'")
    assert run(data, "replay", "--json") == 0
    assert json.loads(capsys.readouterr().out)["from_seq"] == 1


@pytest.mark.parametrize("seq", ["-1", "x", "1.5"])
def test_a_number_that_is_none_is_named(data: Path, capsys: pytest.CaptureFixture[str], seq: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(data, "replay", f"--from={seq}")
    assert ended.value.code == 2
    assert f"{seq!r} is no journal number" in capsys.readouterr().err


def test_a_number_after_the_end_and_a_folder_without_a_server_are_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "replay", "--from", "999999") == 1
    assert "the journal ends at" in capsys.readouterr().err
    assert run(tmp_path / "nowhere", "replay") == 1
    assert "no server has run" in capsys.readouterr().err


def contacts(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / JOURNAL)) as db:
        rows = db.execute("SELECT DISTINCT subject FROM journal WHERE type = 'acd.offer.created' ORDER BY seq")
        return [row[0] for row in rows]


def test_every_call_that_was_offered_has_a_story(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for contact in contacts(data):
        assert run(data, "why", contact, "--json") == 0
        story = json.loads(capsys.readouterr().out)
        assert story["replayed"]
        kinds = [step["kind"] for step in story["steps"]]
        assert kinds[0] == "entry.queued"
        assert "offer.created" in kinds


def test_a_call_is_told_from_the_archive_alone(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(data / FILE)) as db:
        upto = db.execute("SELECT max(upto) FROM segment").fetchone()[0]
    with closing(sqlite3.connect(data / JOURNAL)) as db:
        ended = {
            row[0] for row in db.execute("SELECT subject FROM journal GROUP BY subject HAVING max(seq) <= ?", (upto,))
        }
    contact = next(each for each in contacts(data) if each in ended)
    assert run(data, "why", contact) == 0
    before = capsys.readouterr().out
    change(data, "DELETE FROM journal WHERE subject = ?", contact)
    assert run(data, "why", contact) == 0
    assert capsys.readouterr().out == before
    assert "offered to" in before


def test_a_call_that_is_none_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "why", "nobody") == 1
    assert "no such call" in capsys.readouterr().err


def test_the_verdict_is_the_same_under_two_hash_seeds(data: Path) -> None:
    said = [
        subprocess.run(
            [sys.executable, "-m", "callcenter", "--data", str(data), "acd", "replay", "--json"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=300,
        ).stdout
        for seed in ("0", "4242")
    ]
    assert said[0] == said[1]
    assert json.loads(said[0])["equal"]
