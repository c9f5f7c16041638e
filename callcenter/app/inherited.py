"""What the supervisor hands the application: sockets as descriptors, settings as a file, the parent's number.

Both sides are here, so they cannot disagree. It writes `DATA/run/application.json` when it is ready,
scans `DATA/run` for new worker sockets on SIGUSR1, drains on SIGTERM, ends its calls on `AT_ONCE`, and exits with
`EXIT_CONFIG` when no restart could help.
"""

import argparse
import json
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.app.settings import Settings, from_json

MODULE = "callcenter.app.application"
EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h
# Not a second SIGTERM: the kernel makes one of two equal signals that a busy process has not taken yet.
AT_ONCE = signal.SIGUSR2


@dataclass(frozen=True, slots=True)
class Inherited:
    """What the application starts with. A SIP socket is None where settings turn that transport off."""

    settings: Settings
    config: Path
    parent: int
    http: socket.socket
    sip_udp: socket.socket | None
    sip_tcp: socket.socket | None

    @property
    def run(self) -> Path:
        """DATA/run, where worker sockets appear."""
        return self.settings.data_dir / "run"


def command_line(
    settings_file: Path, data: Path, config: Path, fds: Mapping[str, int], parent: int, *, module: str = MODULE
) -> list[str]:
    """The arguments of the application; `data` is there to be seen by `ps` and by the next supervisor."""
    pairs = ",".join(f"{name}={fd}" for name, fd in sorted(fds.items()))
    return [
        *("-m", module, "--data", str(data), "--config", str(config)),
        *("--settings", str(settings_file), "--fds", pairs, "--parent", str(parent)),
    ]


def read_command_line(arguments: Sequence[str] | None = None) -> Inherited:
    """Parse the application's arguments and take over the sockets they name (non-blocking, closed on exec)."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Started by `callcenter run`.")
    for name in ("data", "config", "settings", "fds"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--parent", type=int, required=True)
    given = parser.parse_args(arguments)
    pairs = (pair.partition("=") for pair in str(given.fds).split(","))
    sockets = {name: _take(int(fd)) for name, _, fd in pairs}
    settings = from_json(Path(given.settings).read_text(encoding="utf-8"))
    return Inherited(
        settings,
        Path(given.config),
        int(given.parent),
        sockets["http"],
        sockets.get("sip_udp"),
        sockets.get("sip_tcp"),
    )


def _take(fd: int) -> socket.socket:
    taken = socket.socket(fileno=fd)
    taken.setblocking(False)
    taken.set_inheritable(False)
    return taken


def announce_ready(run: Path, *, pid: int, epoch: int) -> None:
    """Tell the supervisor that SIP and HTTP are served from now on."""
    write_whole(run / "application.json", json.dumps({"pid": pid, "epoch": epoch, "ready": True}))


def is_ready(run: Path, pid: int) -> bool:
    """Whether process `pid` has announced itself."""
    try:
        said = json.loads((run / "application.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return isinstance(said, dict) and said.get("pid") == pid and said.get("ready") is True


def write_whole(path: Path, text: str) -> None:
    """Replace `path` at once, readable by its owner only: a reader sees the old text or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
