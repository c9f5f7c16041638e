"""The real server in its real processes, with a configuration and a data folder of the test's own."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from copy import deepcopy
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parents[2]
START_S = 90.0  # a busy machine takes its time
# Below those that Linux hands out (net.ipv4.ip_local_port_range): between the look and the use no connection of
# somebody else's gets it.
PORTS = range(10000, 20000)
Document = dict[str, Any]


def free_port(*, address: str = "127.0.0.1") -> int:
    """A port that nobody uses now, by UDP or TCP, and that the kernel gives to nobody who does not ask for it."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with ExitStack() as probes, suppress(OSError):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                probes.enter_context(socket.socket(socket.AF_INET, kind)).bind((address, port))
            return port


def eventually(what: str, found: Callable[[], Any], *, within_s: float = 10.0, every_s: float = 0.05) -> Any:
    """The first true value of `found`, polled; fails naming `what` when there is none in time."""
    deadline = time.monotonic() + within_s
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(every_s)


@dataclass
class SiteFiles:
    """The configuration of one test. Prompts and calendars are the repository's."""

    trunks: list[Document] = field(default_factory=list)
    phones: list[Document] = field(default_factory=list)
    dial: dict[str, str] = field(default_factory=dict)
    outside: str | None = None
    queues: list[Document] = field(default_factory=list)
    agents: list[Document] = field(default_factory=list)
    flows: dict[str, Document] = field(default_factory=dict)
    settings: Document = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What one test adds is not to be in the next one's site.
        for one in fields(self):
            setattr(self, one.name, deepcopy(getattr(self, one.name)))

    def write(self, folder: Path) -> Path:
        """Write config/ below `folder`; its path."""
        config = folder / "config"
        (config / "flows").mkdir(parents=True)
        shutil.copytree(ROOT / "config" / "calendars", config / "calendars")
        (config / "prompts").symlink_to(ROOT / "config" / "prompts")
        documents: dict[str, Document] = {
            "trunks.yaml": {"trunks": self.trunks},
            "phones.yaml": {"phones": self.phones, "dial": self.dial, "outside": self.outside},
            "queues.yaml": {"queues": self.queues},
            "agents.yaml": {"agents": self.agents},
            "settings.yaml": self.settings,
        }
        documents.update({f"flows/{name}.yaml": {"name": name, **flow} for name, flow in self.flows.items()})
        for name, document in documents.items():
            (config / name).write_text(
                yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8"
            )
        return config


class Server:
    """`callcenter run` as an administrator starts it. `with Server(...) as server: ...` stops it at the end."""

    def __init__(self, folder: Path, files: SiteFiles, *, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = files.write(folder)
        self.sip = ("127.0.0.1", free_port())
        self.http = free_port()
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "run.log"

    # -- life ----------------------------------------------------------------

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def command(self, *arguments: str) -> list[str]:
        """`callcenter ...` of this checkout."""
        return [sys.executable, "-m", "callcenter", *arguments]

    def start(self) -> "Server":
        """Start and wait until it is ready."""
        before = self._announced()[1]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(
                    *("run", "--http", str(self.http), "--sip", str(self.sip[1])),
                    *("--data", str(self.data), "--config", str(self.config)),
                ),
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.wait_ready(after_epoch=before)
        except BaseException:
            self.stop()
            raise
        return self

    def wait_ready(self, *, after_epoch: int = 0) -> int:
        """Wait for an application that is ready, of a higher epoch than `after_epoch`; its epoch."""

        def ready() -> int:
            assert self._process is None or self._process.poll() is None, f"the server ended:\n{self.logs()}"
            pid, epoch = self._announced()
            return epoch if epoch > after_epoch and Path(f"/proc/{pid}").exists() else 0

        return int(eventually("the application is ready", ready, within_s=START_S))

    def stop(self) -> None:
        """Stop it as Ctrl-C twice does; whatever is left after that is killed."""
        if self._process is not None and self._process.poll() is None:
            process = self._process
            process.send_signal(signal.SIGTERM)
            # Not before it has taken the first: two that wait to be taken are one.
            with suppress(AssertionError):
                eventually("it drains", lambda: process.poll() is not None or self._drains())
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
        for pid in self.pids().values():
            with_pid_gone(pid)

    def _drains(self) -> bool:
        try:
            told = json.loads((self.data / "run" / "supervisor.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return False
        return bool(told["pid"] == self.supervisor_pid and told["draining"])

    def exit_code(self, *, within_s: float = 15.0) -> int:
        """How `callcenter run` ended; waits for it."""
        assert self._process is not None
        return self._process.wait(within_s)

    # -- processes ----------------------------------------------------------------

    @property
    def supervisor_pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def forget_process(self) -> None:
        """The supervisor was killed: take its exit code, so that `start` may start another."""
        assert self._process is not None
        self._process.wait(5)
        self._process = None

    def application(self) -> tuple[int, int]:
        """(pid, epoch) of the application that announced itself last."""
        pid, epoch = self._announced()
        assert epoch, "no application has announced itself"
        return pid, epoch

    def _announced(self) -> tuple[int, int]:
        """The same; (0, 0) where none has."""
        try:
            said = json.loads((self.data / "run" / "application.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return 0, 0
        return int(said["pid"]), int(said["epoch"])

    def pids(self) -> dict[str, int]:
        """The application and the media workers that live, by name."""
        found: dict[str, int] = {}
        marker = str(self.data)
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if not any(marker in word for word in line):
                continue
            if "callcenter.app.application" in line:
                found["application"] = int(entry.name)
            elif "callcenter.media" in line:
                found[line[line.index("--name") + 1]] = int(entry.name)
        return found

    def workers(self) -> list[int]:
        """The media workers' process numbers."""
        return [pid for name, pid in self.pids().items() if name != "application"]

    def logs(self) -> str:
        """What the processes wrote last."""
        return "\n".join(f"== {name}\n{text[-6000:]}" for name, text in self._log_texts())

    def _log_texts(self) -> list[tuple[str, str]]:
        files = [self._log, *sorted((self.data / "log").glob("*.log"))]
        return [(file.name, file.read_text(errors="replace")) for file in files if file.exists()]

    def tracebacks(self) -> list[str]:
        """Lines of the logs that show a surprise."""
        lines = (line for _, text in self._log_texts() for line in text.splitlines())
        return [line for line in lines if "Traceback" in line or '"level": "error"' in line]

    # -- people ----------------------------------------------------------------

    def secrets(self) -> dict[str, str]:
        """Names and passwords that the first start made: users by login, phones by user."""
        lines = (self.data / "first-start.txt").read_text().splitlines()
        words = (line.split() for line in lines if line.startswith("  "))
        return {each[0]: each[1] for each in words if len(each) > 1}

    def client(self, login: str) -> httpx.Client:
        """A client with the session of `login` (a sample user)."""
        base = f"http://127.0.0.1:{self.http}"
        client = httpx.Client(base_url=base, headers={"Origin": base}, timeout=15)
        answer = client.post("/api/session", json={"login": login, "password": self.secrets()[login]})
        assert answer.status_code in {200, 201}, answer.text
        return client

    def callcenter(self, *arguments: str) -> str:
        """Run a command against this server's data; its output."""
        done = subprocess.run(
            self.command("--data", str(self.data), "--config", str(self.config), *arguments),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    def cdrs(self, count: int, *, within_s: float = 15.0) -> list[Document]:
        """The records of calls that are over, oldest first, when there are `count` of them (at most 200)."""

        def enough() -> list[Document]:
            listed = json.loads(self.callcenter("calls", "list", "--json", "--limit", "200"))
            records: list[Document] = [record for record in listed["calls"] if record["result"] != "open"]
            return records[::-1] if len(records) >= count else []

        found: list[Document] = eventually(f"{count} call records", enough, within_s=within_s)
        return found


def with_pid_gone(pid: int) -> None:
    """Kill `pid` if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
