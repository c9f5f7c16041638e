"""`callcenter calls import` and `callcenter report`, from a file to what is printed."""

import asyncio
import csv
import gzip
import json
from pathlib import Path

import pytest

from callcenter.app.command_calls import register as register_calls
from callcenter.app.command_report import register as register_report
from callcenter.kernel.errors import InvalidInput, NotFound
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from tests.callcenter.reporting.conftest import CallHistory
from tests.callcenter.reporting.stories import agent_call
from tests.support.bank import HEADER, LOST, row
from tests.support.settings import FakeSettings, run_command
from tests.support.shared import shared_path

ROWS = (row(), row(server="NO_SERVER", type="NW", vru_entry="9:00:01", vru_time="9"), row(**LOST))


def a_file(folder: Path, *rows: str, name: str = "log.tsv") -> Path:
    path = folder / name
    path.write_bytes("".join(line + "\r\n" for line in (HEADER, *rows)).encode())
    return path


def take_in(folder: Path, path: Path, *more: str) -> int:
    words = ["calls", "import", str(path), "--format", "technion", "--zone", "Asia/Jerusalem", *more]
    return run_command(register_calls, words, folder)


def report(folder: Path, *more: str) -> int:
    return run_command(register_report, ["report", "--day", "1999-02-03", *more], folder)


def test_imported_day_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert take_in(tmp_path, a_file(tmp_path, *ROWS)) == 0
    printed = capsys.readouterr().out
    assert "no_agent" in printed
    assert "3 calls (3 new, 0 changed, 0 as they were" in printed
    assert report(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "served            2 by 1 agents" in printed
    assert "busiest hour      09:00-10:00 with 3 calls" in printed


def test_report_file_has_every_flagged_or_rejected_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert take_in(tmp_path, a_file(tmp_path, *ROWS, "rubbish"), "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["calls"], document["flagged"], document["rejected"]) == (3, 1, 1)
    rows = [("3", "flagged", "no_agent"), ("5", "rejected", "1 columns instead of 17")]
    assert [(str(each["line"]), each["verdict"], each["why"]) for each in document["rows"]] == rows
    with (tmp_path / "imports" / "log.tsv.csv").open(newline="") as file:
        assert [tuple(each) for each in csv.reader(file)][1:] == rows


def test_packed_file_is_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_file(tmp_path, *ROWS)
    packed = tmp_path / "log.tsv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    take_in(tmp_path, path)
    take_in(tmp_path, packed)
    assert "0 new, 0 changed, 3 as they were" in capsys.readouterr().out


def test_what_cannot_be_imported_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        take_in(tmp_path, tmp_path / "none.tsv")
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(InvalidInput, match="damaged or not whole"):
        take_in(tmp_path, damaged)
    with pytest.raises(InvalidInput, match="no row of it can be read"):
        take_in(tmp_path, a_file(tmp_path, "rubbish"))
    with pytest.raises(InvalidInput, match="no IANA zone 'Mars/Base'"):
        take_in(tmp_path, a_file(tmp_path, *ROWS), "--zone", "Mars/Base")
    assert not (tmp_path / "site.db").exists()


def test_day_without_calls_says_which_days_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no site database"):
        report(tmp_path)
    take_in(tmp_path, a_file(tmp_path, row(date="990204")))
    with pytest.raises(NotFound, match="no calls of 1999-02-03; imported are 1999-02-04"):
        report(tmp_path)


def test_own_calls_are_reported_by_their_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = FakeSettings(tmp_path).site_database_url

    async def make() -> None:
        await migrate(url, tmp_path)
        site = Site(url)
        history = CallHistory(site, tmp_path / "live.db")
        await history.holds(agent_call("c1"), agent_call("c2"))
        history.reader.close()
        await site.close()

    asyncio.run(make())
    assert run_command(register_report, ["report", "--day", "2026-03-02", "--json"], tmp_path) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["source"] == "own"
    assert (document["calls"], document["served"], document["agents"]) == (2, 2, 1)
    assert (document["mean_wait_s"], document["mean_handle_s"]) == (5.995, 60.0)
    assert document["busiest_hour"] == {"hour": 10, "calls": 2}
    assert list(document["by_type"]) == ["billing"]


def test_journal_of_another_site_is_imported_like_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    url = FakeSettings(other).site_database_url

    async def make() -> None:
        await migrate(url, other)
        site = Site(url)
        history = CallHistory(site, other / "live.db")
        await history.holds(agent_call("c1"), agent_call("c2"))
        history.reader.close()
        await site.close()

    asyncio.run(make())
    words = ["calls", "import", str(other / "live.db"), "--format", "journal"]
    assert run_command(register_calls, words, tmp_path) == 0
    assert run_command(register_calls, words, tmp_path) == 0
    assert "0 new, 0 changed, 2 as they were" in capsys.readouterr().out
    assert run_command(register_report, ["report", "--day", "2026-03-02", "--json"], tmp_path) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["source"], document["files"]) == ("imported", ["live.db"])
    assert (document["served"], list(document["by_type"])) == (2, ["billing"])
    with pytest.raises(InvalidInput, match="is no journal"):
        run_command(register_calls, ["calls", "import", str(a_file(tmp_path)), "--format", "journal"], tmp_path)


@pytest.mark.integration
def test_banks_february_is_imported_and_its_peak_day_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert take_in(tmp_path, shared_path("data/anonymous_bank_1999_02.tsv.gz")) == 0
    assert "33344 calls (33344 new" in capsys.readouterr().out
    assert report(tmp_path, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["calls"], document["served"], document["agents"]) == (1_949, 1_319, 17)
    assert document["busiest_hour"] == {"hour": 13, "calls": 494}
    assert document["mean_wait_s"] == pytest.approx(37.2, abs=0.05)
    assert document["queue_abandons"] == 223
