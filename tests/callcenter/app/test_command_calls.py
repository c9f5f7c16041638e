"""`callcenter calls show` names the tickets of the call, as the page does."""

import asyncio
import json
from pathlib import Path

import pytest

from callcenter.app.command_calls import register
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from tests.callcenter.reporting.conftest import CallHistory
from tests.callcenter.reporting.stories import agent_call
from tests.support.settings import FakeSettings, run_command
from tests.tickets.conftest import Desk


def test_a_call_is_shown_with_its_tickets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = FakeSettings(tmp_path).site_database_url

    async def make() -> None:
        await migrate(url, tmp_path)
        site = Site(url)
        history = CallHistory(site, tmp_path / "live.db")
        await history.holds(agent_call("c1"))
        history.reader.close()
        await Desk(site).open(contact="c1")
        await site.close()

    asyncio.run(make())
    assert run_command(register, ["calls", "show", "c1"], tmp_path) == 0
    assert "number=1" in capsys.readouterr().out.partition("tickets:\n")[2]
    assert run_command(register, ["calls", "show", "c1", "--json"], tmp_path) == 0
    assert [ticket["number"] for ticket in json.loads(capsys.readouterr().out)["tickets"]] == [1]
