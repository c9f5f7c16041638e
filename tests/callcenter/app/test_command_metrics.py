"""`callcenter metrics` and `callcenter queue-log`, as an administrator types them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from callcenter.app.command_metrics import register
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from callcenter.reporting.interval_projection import fact_row, over, visit_row
from callcenter.reporting.interval_tables import INTERVAL_FACTS, QueueVisit
from callcenter.reporting.queue_log_command import register as register_log
from callcenter.reporting.visits import Visit
from tests.callcenter.reporting.stories import at
from tests.support.settings import FakeSettings, run_command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One abandoned call of 2026-03-02."""
    visit = Visit("e1", "c1", "billing", at(0), left_at=at(9_000), outcome="abandoned", wait_ms=9_000, logged=True)
    facts = [fact_row(key, measures) for key, measures in over([visit], []).items()]
    write(tmp_path, lambda site: _fill(site, visit, facts))
    return tmp_path


async def _fill(site: Site, visit: Visit, facts: list[dict[str, object]]) -> None:
    await migrate(site.url, Path())
    async with site.session() as session:
        await session.execute(insert(QueueVisit), [visit_row(visit)])
        await session.execute(insert(INTERVAL_FACTS), facts)


def write(folder: Path, job: Callable[[Site], Awaitable[None]]) -> None:
    async def run() -> None:
        site = Site(FakeSettings(folder).site_database_url)
        try:
            await job(site)
        finally:
            await site.close()

    asyncio.run(run())


def test_quarter_hours_of_a_day_as_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(register, ["metrics", "intervals", "--day", "2026-03-02", "--json"], data) == 0
    (row,) = json.loads(capsys.readouterr().out)["intervals"]
    assert (row["name"], row["offered"], row["abandoned_in_time"], row["sl_sl2"]) == ("billing", 1, 1, 1.0)


def test_a_fact_that_was_tampered_with_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["metrics", "check", "--day", "2026-03-02"]
    assert run_command(register, words, data) == 0

    async def tamper(site: Site) -> None:
        async with site.session() as session:
            await session.execute(text("UPDATE interval_facts SET abandoned = 0"))

    write(data, tamper)
    assert run_command(register, words, data) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2026-03-02T09:00Z queue billing abandoned: 0, not 1"


def test_live_values_need_the_server(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(register, ["metrics", "live"], data) == 3
    assert "not running" in capsys.readouterr().err


def test_a_day_that_is_none_is_refused_by_name(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_command(register, ["metrics", "intervals", "--day", "02.03.2026"], data)
    assert "--day: '02.03.2026' is no day such as 2026-03-02" in capsys.readouterr().err


def test_a_followed_log_has_no_end(data: Path) -> None:
    with pytest.raises(InvalidInput, match="--to"):
        run_command(register_log, ["queue-log", "export", "--follow", "--to", "2026-03-03"], data)
