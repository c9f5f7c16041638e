"""The file that follows the log: each line once, however its writer ended."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from callcenter.kernel.errors import ConfigError
from callcenter.kernel.site import Site
from callcenter.reporting.interval_tables import QueueLogLine
from callcenter.reporting.queue_log_export import LogFile, follow_into, log_lines
from tests.callcenter.reporting.stories import at


async def add(site: Site, *seconds: int) -> None:
    rows = [
        {
            "at": at(second * 1000),
            "contact": None,
            "queue": "q",
            "agent": "ann",
            "event": "PAUSE",
            "params": str(second),
        }
        for second in seconds
    ]
    async with site.session() as session:
        await session.execute(insert(QueueLogLine), rows)


def reasons(path: Path) -> list[str]:
    return [line.rpartition("|")[2] for line in path.read_text().splitlines()]


async def test_lines_of_a_time_are_chosen_by_when_they_were(site: Site) -> None:
    await add(site, 1, 2, 3)
    chosen = [line async for _, line in log_lines(site, after=0, since=at(2_000), until=at(3_000))]
    assert chosen == ["1772442002|NONE|q|ann|PAUSE|2"]


async def test_a_follower_that_comes_back_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    await add(site, 1, 2)
    await follow_into(site, LogFile(path), once=True)
    await add(site, 3)
    await follow_into(site, LogFile(path), once=True)
    assert reasons(path) == ["1", "2", "3"]


async def test_a_line_that_was_half_written_is_written_again(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    await add(site, 1)
    await follow_into(site, LogFile(path), once=True)
    with path.open("a") as file:
        file.write("1772442002|NO")
    await add(site, 2)
    await follow_into(site, LogFile(path), once=True)
    assert reasons(path) == ["1", "2"]


async def test_a_file_that_was_moved_away_is_followed_by_a_new_one(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    await add(site, 1)
    file = LogFile(path)
    await follow_into(site, file, once=True)
    path.rename(tmp_path / "queue_log.1")
    await add(site, 2)
    await follow_into(site, file, once=True)
    assert reasons(path) == ["2"]
    await add(site, 3)
    await follow_into(site, LogFile(path), once=True)
    assert reasons(path) == ["2", "3"]


async def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "diary"
    path.write_text("dear diary\n")
    with pytest.raises(ConfigError, match="move it away"):
        LogFile(path)
    assert path.read_text() == "dear diary\n"
    (tmp_path / "other.position").write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        LogFile(tmp_path / "other")
