"""`callcenter status`: what runs, with process numbers, calls, sessions and lag.

The supervisor's account is a file; the application's is what it writes on `DATA/run/status.sock` to whoever connects
(one JSON object, then the end). A process that does not answer is shown as such: this command never hangs.
"""

import argparse
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callcenter import __version__

if TYPE_CHECKING:
    from callcenter.app.command import Commands

ANSWER_S = 2.0
EXIT_DOWN = 3  # as of `service status`: not running


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("status", help="show processes, calls, sessions and lag")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(handler=_status)


def read_status(run: Path) -> dict[str, Any]:
    """Both accounts in one object; `supervisor` and `application` are None where nobody is there."""
    supervisor = _supervisor(run / "supervisor.json")
    application = ask(run / "status.sock")
    return {"version": __version__, "supervisor": supervisor, "application": application}


def ask(path: Path) -> dict[str, Any] | None:
    """What the application says of itself; None if it does not within ANSWER_S."""
    parts = []
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(ANSWER_S)
            asking.connect(str(path))
            while part := asking.recv(65536):
                parts.append(part)
        told = json.loads(b"".join(parts))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _supervisor(path: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        os.kill(told["pid"], 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    except PermissionError:
        pass  # alive, and somebody else's
    return dict(told)


def _status(given: argparse.Namespace) -> int:
    status = read_status(given.settings.data_dir / "run")
    if given.json:
        print(json.dumps(status, indent=2, sort_keys=True))
    else:
        print("\n".join(lines(status)))
    return 0 if status["supervisor"] and status["application"] else EXIT_DOWN


def lines(status: Mapping[str, Any]) -> list[str]:
    """The account as text."""
    supervisor, application = status["supervisor"], status["application"]
    if supervisor is None and application is None:
        return ["callcenter is not running"]
    told = []
    if supervisor is None:
        told.append("supervisor    gone: `callcenter run` starts it and takes the rest over")
    else:
        doing = ", draining" if supervisor["draining"] else ""
        told.append(f"supervisor    process {supervisor['pid']}, version {supervisor['version']}{doing}")
        told.append(f"  sip         udp {supervisor['sip_udp'] or 'off'}, tcp {supervisor['sip_tcp'] or 'off'}")
        told.append(f"  http        {supervisor['http']}")
    told += _application(application, supervisor)
    for worker in supervisor["workers"] if supervisor else []:
        first, last = worker["ports"]
        told.append(
            f"media {worker['name']:<8}process {worker['pid']}, ports {first}-{last}{_sessions(worker, application)}"
        )
    return told


def _application(application: Mapping[str, Any] | None, supervisor: Mapping[str, Any] | None) -> list[str]:
    if application is None:
        pid = supervisor["application"]["pid"] if supervisor else None
        return [f"application   does not answer (process {pid})" if pid else "application   is being started"]
    told = [f"application   process {application.get('pid')}, version {application.get('version')}"]
    told += [f"  missing     {fault}" for fault in application.get("faults", ())]
    told_apart = ("pid", "version", "workers", "metrics", "faults")
    rest = {name: _plain(value) for name, value in application.items() if name not in told_apart}
    return told + [f"  {name:<12}{text}" for name, text in rest.items() if text]


def _sessions(worker: Mapping[str, Any], application: Mapping[str, Any] | None) -> str:
    for each in (application or {}).get("workers", []):
        if each.get("name") == worker["name"]:
            return f", {each.get('sessions', 0)} sessions"
    return ", not attached" if application else ""


def _plain(value: object) -> str:
    """Empty for a mapping in which there is nothing."""
    if isinstance(value, Mapping):
        parts = ((name, _plain(item)) for name, item in value.items())
        return ", ".join(f"{name} {text}" for name, text in parts if text)
    return str(value)
