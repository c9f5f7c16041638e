"""kill -9 of a process that is writing: what it said it did is on disk, each unit wholly or not at all."""

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PARTS = "SELECT subject, count(*), max(epoch), min(epoch) FROM journal GROUP BY subject ORDER BY min(seq)"


async def write_and_kill(path: Path, first: int, after: int) -> int:
    """Have a process write from unit `first`; kill it when it has acted on `after`; the last number that it said."""
    command = (sys.executable, "-m", "tests.callcenter.kernel.writing_process", str(path), str(first))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=REPOSITORY)
    assert process.stdout is not None
    said = [int(await process.stdout.readline()) for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    rest = (await process.stdout.read()).split(b"\n")[:-1]
    await process.wait()
    return int(rest[-1]) if rest else said[-1]


@pytest.mark.integration
async def test_killed_writer_loses_nothing_that_it_acted_on_and_leaves_no_half_unit(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    first = 0
    for epoch, after in enumerate((1, 40, 333), start=1):
        said = await write_and_kill(path, first, after)
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            units = db.execute(PARTS).fetchall()
            state = db.execute("SELECT blob FROM live_state").fetchall()
            people = db.execute("SELECT count(*) FROM personal").fetchone()[0]
            numbers = db.execute("SELECT min(seq), max(seq), count(*) FROM journal").fetchone()
        written = len(units)
        assert [(subject, count) for subject, count, *_ in units] == [(f"c{n}", 3) for n in range(written)]
        assert all(low == high for _, _, high, low in units)
        assert units[-1][2] == epoch
        assert written > said
        assert state == [(f'{{"number":{written - 1}}}'.encode(),)]
        assert people == written
        assert numbers == (1, 3 * written, 3 * written)
        first = written
