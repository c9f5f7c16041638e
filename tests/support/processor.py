"""How long the machine let processes wait for a processor: what a measured bound may leave out on a busy machine."""

import os
from collections.abc import Iterable
from pathlib import Path

_STEAL = 8


def waited_s(pids: Iterable[int]) -> float:
    """Seconds that the threads of these processes were ready to run and did not, since each began (schedstat)."""
    return sum(_waited_ns(task) for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def stolen_s() -> float:
    """Seconds that its host kept from this machine's processors, since it began (proc(5), /proc/stat)."""
    ticks = Path("/proc/stat").read_text().split(maxsplit=_STEAL + 1)[_STEAL]
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def main_threads_waited_s(pids: Iterable[int]) -> float:
    """The same of their first threads alone, on which an event loop runs: cheap enough for each of many answers."""
    return sum(_waited_ns(Path(f"/proc/{pid}/schedstat")) for pid in pids) / 1e9


def _waited_ns(schedstat: Path) -> int:
    try:
        return int(schedstat.read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended meanwhile
