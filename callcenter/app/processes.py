"""Children: how they are started, found again after the supervisor's death, watched and ended.

Every one has a session of its own, no standard input, and a log file for output: nothing ties it to its parent. A
process is held by pidfd, never by number alone, so a reused number is never signalled.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

MAX_LOG = 8 * 1024 * 1024


@dataclass(slots=True)
class Child:
    """A running process. `process` is None for one that an earlier supervisor started.

    `log_from` is where its log began, in bytes.
    """

    pid: int
    pidfd: int
    since: datetime
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    log_from: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        return not select.select([self.pidfd], [], [], 0)[0]

    def option(self, name: str) -> str:
        """The value of `--name` on its command line, empty if it has none."""
        flag = f"--{name}"
        return self.arguments[self.arguments.index(flag) + 1] if flag in self.arguments[:-1] else ""

    def send(self, number: signal.Signals) -> None:
        """Signal it; nothing happens if it is gone already."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def wait(self, seconds: float) -> bool:
        """Whether it is gone within `seconds`."""
        return bool(select.select([self.pidfd], [], [], seconds)[0])

    def reap(self) -> int | None:
        """Take the exit code of a dead child (None if it was not ours) and let its descriptor go."""
        code = self.process.wait() if self.process else None
        os.close(self.pidfd)
        return code


def start(arguments: Sequence[str], log: Path, *, now: datetime, fds: Sequence[int] = ()) -> Child:
    """Run `python ARGUMENTS` detached, its output appended to `log`, with `fds` open in it."""
    _rotate(log)
    with log.open("ab") as output:
        begins = output.tell()
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=tuple(fds),
        )
    # Not reaped before `Child.reap`, so the number cannot be another's.
    return Child(process.pid, os.pidfd_open(process.pid), now, tuple(arguments), process, begins)


def find(module: str, run: Path, *, now: datetime) -> list[Child]:
    """Live processes of `python -m MODULE` that name something below `run`'s folder and have no supervisor."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        arguments = _arguments(entry)
        if not _is_ours(arguments, module, run):
            continue
        try:
            pidfd = os.pidfd_open(int(entry.name))
        except ProcessLookupError:
            continue
        child = Child(int(entry.name), pidfd, now, arguments)
        # Alive after the descriptor was opened and still with that command line: the descriptor is that process's.
        if _arguments(entry) == arguments and child.is_alive:
            found.append(child)
        else:
            os.close(pidfd)
    return found


def last_lines(log: Path, *, since: int = 0, count: int = 15) -> str:
    """The end of a log, to be shown where its writer failed: what stands behind byte `since`, its JSON left out."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - 8192))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return "\n".join([line for line in lines if not line.startswith("{")][-count:])


def _is_ours(arguments: tuple[str, ...], module: str, run: Path) -> bool:
    if module not in arguments[:4]:
        return False
    places = {str(run.parent), str(run)}
    return any(word in places or str(Path(word).parent) in places for word in arguments)


def _arguments(entry: Path) -> tuple[str, ...]:
    try:
        if entry.stat().st_uid != os.getuid():
            return ()
        return tuple((entry / "cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0"))
    except OSError:
        return ()


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > MAX_LOG:
        log.replace(log.with_name(log.name + ".1"))
