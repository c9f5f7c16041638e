"""`callcenter calls` prints what the database holds, and nothing that drives a terminal."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from callcenter.kernel.errors import NotFound
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from callcenter.reporting.command import register
from callcenter.reporting.render import as_document, as_summary, as_table, as_text
from callcenter.reporting.service import CallQuery, calls_list, calls_show
from tests.callcenter.reporting.conftest import CallHistory
from tests.callcenter.reporting.stories import Story, agent_call
from tests.support.settings import FakeSettings, run_command


def run(words: list[str], folder: Path) -> int:
    return run_command(register, words, folder)


def written(tmp_path: Path, *stories: Story) -> Path:
    """A SQLite site with the stories in it, made in a loop of its own as the command will have one."""
    url = FakeSettings(tmp_path).site_database_url

    async def write() -> None:
        await migrate(url, tmp_path)
        site = Site(url)
        history = CallHistory(site, tmp_path / "live.db")
        await history.holds(*stories, caller="+43123", called="100", caller_name="Ann", collected={"choice": "2"})
        history.reader.close()
        await site.close()

    asyncio.run(write())
    return tmp_path


def test_list_prints_a_line_for_each_call_in_the_sites_zone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, agent_call("c1"), agent_call("c2"))
    assert run(["calls", "list", "--day", "2026-03-02"], folder) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "STARTED",
        "(Europe/Vienna)",
        "CALL",
        "FROM",
        "TO",
        "QUEUE",
        "AGENT",
        "WAIT",
        "TALK",
        "RESULT",
        "REASON",
    ]
    assert first.split()[:6] == ["2026-03-02", "10:00:00", "c2", "+43123", "100", "billing"]
    assert second.split()[6:] == ["ann", "6.0s", "60.0s", "answered", "hangup"]


def test_list_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, agent_call())
    assert run(["calls", "list", "--json", "--agent", "ann"], folder) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert printed["after"] is None
    assert [(c["contact"], c["started_at"], c["talk_ms"], c["caller"], c["recording"]) for c in printed["calls"]] == [
        ("c1", "2026-03-02T09:00:00.000Z", 60_000, "+43123", "r.wav")
    ]


def test_show_prints_json_with_every_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calls", "show", "c1", "--json"], written(tmp_path, agent_call())) == 0
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert shown["recording"] == {"file": "r.wav", "ms": 60_000, "truncated": False}
    assert shown["path"][0] == {
        "node": "hello",
        "kind": "menu",
        "at": "2026-03-02T09:00:00.002Z",
        "branch": "2",
        "digits": 1,
    }
    assert [leg["role"] for leg in shown["legs"]] == ["customer", "agent"]
    assert shown["collected"] == {"choice": "2"}
    assert shown["queues"][0]["outcome"] == shown["result"] == "answered"


def test_show_prints_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calls", "show", "c1"], written(tmp_path, agent_call())) == 0
    printed = capsys.readouterr().out
    assert "agent: ann\n" in printed
    assert "\nlegs:\n  leg=in  role=customer" in printed


def test_unknown_call_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="c9"):
        run(["calls", "show", "c9"], written(tmp_path, agent_call()))


async def test_masked_digits_are_stars(site: Site, history: CallHistory) -> None:
    story = Story().received().tell(1, "ivr.node.entered", node="card", kind="gather")
    await history.holds(story.tell(2, "ivr.digits.collected", node="card", count=16, masked=True).ended(5))
    call = await calls_show(site, "c1")
    assert call is not None
    document: dict[str, Any] = as_document(call)
    assert [step["digits"] for step in document["path"]] == ["***"]


async def test_control_characters_of_callers_are_not_printed(site: Site, history: CallHistory) -> None:
    await history.holds(agent_call(), caller="\x1b[2J\x9b31m", caller_name="a\nb")
    calls = (await calls_list(site, CallQuery())).calls
    printed = as_table(calls, "UTC") + as_text(as_document(calls[0]))
    assert not {"\x1b", "\x9b"} & set(printed)
    assert "caller_name: a?b\n" in printed
    assert as_summary(calls[0])["caller_name"] == "a\nb"
