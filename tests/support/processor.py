"""How long the machine let processes wait for a processor: what a measured bound may leave out on a busy machine."""

from collections.abc import Iterable
from pathlib import Path


def waited_s(pids: Iterable[int]) -> float:
    """Seconds that the threads of these processes were ready to run and did not, since each began (schedstat)."""
    return sum(_waited_ns(task) for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def _waited_ns(schedstat: Path) -> int:
    try:
        return int(schedstat.read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended meanwhile
