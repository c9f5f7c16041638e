"""What is shown of a process that failed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.app import processes

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.integration
def test_the_end_of_a_log_is_what_this_process_wrote_without_its_records(tmp_path: Path) -> None:
    log = tmp_path / "application.log"
    log.write_text("callcenter: queues.yaml: a mistake of before\n")
    script = 'print(\'{"level": "info"}\'); print("callcenter: queues.yaml: a mistake of now")'
    child = processes.start(["-c", script], log, now=NOW)
    assert child.wait(60)
    child.reap()
    assert processes.last_lines(log, since=child.log_from) == "callcenter: queues.yaml: a mistake of now"
