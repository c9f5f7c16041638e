"""A supervisor with stub children in a process of its own, and what a test asks of it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE_S = 90.0  # four interpreters start on a busy machine


def until(condition: Callable[[], T | None], what: str) -> T:
    """The first truthy outcome; fails loudly after a time that no healthy machine needs."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"never came: {what}")


@dataclass
class ServerProcess:
    """Started by `start`; `end` leaves nothing behind whatever the test did."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    _pids: set[int] = field(default_factory=set)

    def start(self, *flags: str) -> None:
        with (self.data.parent / "said").open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.stub_server", str(self.data), *flags],
                cwd=REPOSITORY,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def said(self) -> str:
        return (self.data.parent / "said").read_text(encoding="utf-8")

    def status(self) -> dict[str, Any] | None:
        """What the present supervisor last wrote of itself."""
        try:
            told: dict[str, Any] = json.loads((self.data / "run" / "supervisor.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        self._pids |= {one["pid"] for one in told["workers"]} | {told["application"]["pid"] or 0}
        return told if told["pid"] == self.pid else None

    def ready(self, *, starts: int = 1) -> dict[str, Any]:
        """Wait until the application of the `starts`-th start is ready and every worker has its socket."""

        def is_up() -> dict[str, Any] | None:
            told = self.status()
            if told is None or not told["application"]["ready"] or told["application"]["starts"] < starts:
                return None
            sockets = [self.data / "run" / f"media-{one['name']}.sock" for one in told["workers"]]
            return told if len(sockets) == 2 and all(path.exists() for path in sockets) else None

        return until(is_up, f"a ready server; it said: {self.said}")

    def signals(self) -> list[str]:
        """What the stub application was sent."""
        path = self.data / "run" / "signals"
        return path.read_text(encoding="ascii").split() if path.exists() else []

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE_S)

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(pid, number)

    def end(self) -> None:
        """Kill whatever is left of every run."""
        self.status()
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        for pid in self._pids - {0}:
            if str(self.data) in _command_line(pid):
                with contextlib.suppress(ProcessLookupError):  # it may be ending by itself
                    os.kill(pid, signal.SIGKILL)


def ask_http(told: dict[str, Any]) -> int:
    """The process number that answers on HTTP; waits as long as the backlog makes it."""
    host, _, port = told["http"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as asking:
        return int(asking.recv(100))


def ask_sip(told: dict[str, Any]) -> int:
    """The process number that answers one datagram, sent once."""
    host, _, port = told["sip_udp"].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(PATIENCE_S)
        asking.sendto(b"who", (host, int(port)))
        return int(asking.recv(100).split()[1])


def is_running(pid: int) -> bool:
    """Whether the process lives and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def pending(pid: int) -> set[signal.Signals]:
    """The signals that a process was sent and has not taken (proc(5), ShdPnd)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    mask = int(next(line for line in status.splitlines() if line.startswith("ShdPnd")).split()[1], 16)
    return {number for number in signal.Signals if mask >> (number - 1) & 1}
