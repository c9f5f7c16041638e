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
from callcenter.kernel.projector import Projector
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from callcenter.reporting.interval_projection import QueueHandler
from tests.callcenter.reporting.conftest import CallHistory
from tests.callcenter.reporting.ledgers import FixedTerms
from tests.callcenter.reporting.stories import Story, agent_call
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


def made(folder: Path, *stories: Story) -> None:
    """A site whose journal and database hold `stories`."""
    folder.mkdir(exist_ok=True)
    url = FakeSettings(folder).site_database_url

    async def make() -> None:
        await migrate(url, folder)
        site = Site(url)
        history = CallHistory(site, folder / "live.db")
        history.projector = Projector(site, history.reader, [history.handler, QueueHandler(FixedTerms())])
        await history.holds(*stories)
        history.reader.close()
        await site.close()

    asyncio.run(make())


def talks(agent: str, contact: str, until_ms: int, wrap_up_ms: int) -> Story:
    """The agent of `agent_call`: a minute with `contact`, and then after-call work."""
    story = Story(agent)
    for ms, state in ((8_010, "on_contact"), (until_ms, "wrap_up")):
        story.tell(ms, "acd.agent.state_changed", state=state, contact=contact, reason=None)
    if wrap_up_ms:
        story.tell(until_ms + wrap_up_ms, "acd.agent.state_changed", state="available", contact=None, reason=None)
    return story


def own_day(folder: Path, *more: str) -> None:
    assert run_command(register_report, ["report", "--day", "2026-03-02", *more], folder) == 0


def test_own_calls_are_reported_by_their_queue_with_their_wrap_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path, agent_call("c1"), talks("ann", "c1", 68_010, 30_000), agent_call("c2", "q2"))
    own_day(tmp_path, "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["source"] == "own"
    assert (document["calls"], document["served"], document["agents"]) == (2, 2, 1)
    assert document["mean_wait_s"] == 5.995
    assert (document["mean_handle_s"], document["handle_times"]) == (90.0, 1)
    assert document["busiest_hour"] == {"hour": 10, "calls": 2}
    assert list(document["by_type"]) == ["billing"]


def test_handle_time_waits_for_the_end_of_the_wrap_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, agent_call("c1"), talks("ann", "c1", 68_010, 0))
    own_day(tmp_path, "--json")
    document = json.loads(capsys.readouterr().out)
    assert (document["served"], document["mean_handle_s"]) == (1, None)


def test_own_phones_count_where_they_call_a_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queued = Story("c1").received(source_kind="phone", source="phone9").queued(10)
    queued.tell(30_010, "acd.entry.abandoned", entry="q1", wait_ms=30_000).leg_ended(30_010).ended(30_010)
    between = Story("c2").received(source_kind="phone", source="phone9").leg_ended(900).ended(900)
    made(tmp_path, queued, between)
    own_day(tmp_path)
    printed = capsys.readouterr().out
    assert "calls             1\n" in printed
    assert "queue abandons    1" in printed
    assert "Handle time: talk, hold and wrap-up" in printed


def test_journal_of_another_site_is_imported_like_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    made(other, agent_call("c1"), talks("ann", "c1", 68_010, 30_000), agent_call("c2", "q2"))
    words = ["calls", "import", str(other / "live.db"), "--format", "journal"]
    assert run_command(register_calls, words, tmp_path) == 0
    assert run_command(register_calls, words, tmp_path) == 0
    assert "0 new, 0 changed, 2 as they were" in capsys.readouterr().out
    own_day(tmp_path, "--json")
    document = json.loads(capsys.readouterr().out)
    assert (document["source"], document["files"]) == ("imported", ["live.db"])
    assert (document["served"], list(document["by_type"])) == (2, ["billing"])
    assert (document["mean_handle_s"], document["handle_times"]) == (90.0, 1)
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
