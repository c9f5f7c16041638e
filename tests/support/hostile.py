"""The real server under attack: its site, what must not have changed, and the probe that shows that it lives.

The bar is security.md section A: hostile messages make no dialog, registration or call, each is refused by name, and
an OPTIONS from elsewhere is answered within 50 ms all the while.
"""

import os
import socket
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callcenter.app.status import ask
from tests.support.processor import main_threads_waited_s, stolen_s, waited_s
from tests.support.server import Document, Server, SiteFiles, eventually
from tests.support.sip_party import Address, Party

PROBE_S = 0.050
PATIENCE = 3
PORTS = (24000, 24999)
ATTACKER = "127.0.0.24"
PROBER = "127.0.0.25"
TRUNK: Address = ("127.0.0.26", 5060)
EMPTY_TRUNK: Address = ("127.0.0.27", 5060)
PHONE: Address = ("127.0.0.28", 5060)
ELSEWHERE: Address = ("127.0.0.29", 5060)

# Beyond what a test sends, so that every message reaches the parser.
OPEN: Document = {"invites_per_s": 1e5, "per_source_per_s": 1e5, "per_source_burst": 100_000}

_END: Document = {"kind": "hangup"}
FLOWS: dict[str, Document] = {
    "echo": {"language": "en", "start": "echo", "on_error": "end", "nodes": {"echo": {"kind": "echo"}, "end": _END}},
    "ring": {
        "language": "en",
        "start": "ring",
        "on_error": "end",
        "nodes": {
            "ring": {
                **{"kind": "dial", "target": "m1", "ring_s": 20, "record": True, "next": "end"},
                **{f"on_{why}": "end" for why in ("busy", "no_answer", "declined", "unreachable")},
            },
            "end": _END,
        },
    },
    "digits": {
        "language": "en",
        "start": "ask",
        "on_error": "end",
        "nodes": {
            "ask": {
                **{"kind": "gather", "prompts": ["enter-account"], "into": "account", "min": 1, "max": 20},
                **{"timeout_s": 20, "interdigit_s": 20, "next": "end", "on_timeout": "end", "on_invalid": "end"},
            },
            "end": _END,
        },
    },
}


def hostile_site(limits: Document | None = None) -> SiteFiles:
    """A trunk with numbers, one that leads nowhere, a phone with a fixed contact and two that register."""
    return SiteFiles(
        trunks=[
            {
                "name": "carrier",
                "addresses": ["{}:{}".format(*TRUNK)],
                "numbers": {"100": "echo", "300": "ring", "400": "digits"},
            },
            {"name": "empty", "addresses": ["{}:{}".format(*EMPTY_TRUNK)]},
        ],
        phones=[{"user": "m1", "contact": "sip:m1@{}:{}".format(*PHONE)}, {"user": "ann"}, {"user": "bob"}],
        queues=[{"name": "billing", "skills": {"billing": 1}, "music": "music"}],
        agents=[{"id": "anna", "name": "Anna", "user": "anna", "phone": "ann", "skills": {"billing": 2}}],
        flows=FLOWS,
        settings={
            "media": {"ports": "{}-{}".format(*PORTS), "workers": 1},
            "limits": limits or OPEN,
        },
    )


class HostileServer(Server):
    """A server, and what it says of itself at every step."""

    def __enter__(self) -> "HostileServer":
        self.start()
        eventually("the status is told", lambda: ask(self.data / "run" / "status.sock"), within_s=30)
        return self

    def status(self) -> dict[str, Any]:
        """What the application says of itself."""
        told: dict[str, Any] = eventually("the application answers", lambda: ask(self.data / "run" / "status.sock"))
        return told

    def facts(self) -> list[tuple[str, str]]:
        """(type, subject) of every event in the journal."""
        with sqlite3.connect(f"file:{self.data / 'live.db'}?mode=ro", uri=True) as db:
            return list(db.execute("SELECT type, subject FROM journal WHERE kind = 'event' ORDER BY seq"))

    def rows(self) -> list[tuple[str, str]]:
        """(kind, id) of every state row but the agents'."""
        with sqlite3.connect(f"file:{self.data / 'live.db'}?mode=ro", uri=True) as db:
            return list(db.execute("SELECT kind, id FROM live_state WHERE kind IN ('dialog', 'binding', 'contact')"))

    def withheld_s(self) -> float:
        """How long the machine, or its host, has let the server and this test wait for a processor."""
        return waited_s((os.getpid(), *self.pids().values())) + stolen_s()

    def surprises(self) -> int:
        """Exceptions caught at an edge, of the application and its workers."""
        return int(self.status()["surprises"])

    def complaints(self) -> list[str]:
        """Lines of the whole logs that show an exception."""
        files = [self.folder / "run.log", *(self.data / "log").glob("*.log")]
        lines = [line for file in files if file.exists() for line in file.read_text(errors="replace").splitlines()]
        return [line[:2000] for line in lines if "Traceback" in line or '"level": "error"' in line]

    def assert_calm(self) -> None:
        """No surprise anywhere."""
        assert self.complaints() == []
        assert self.surprises() == 0

    def memory_mb(self, pid: int) -> float:
        """Resident memory of a process."""
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * 4096 / 1e6


@contextmanager
def hostile_server(folder: Path, limits: Document | None = None) -> Iterator[HostileServer]:
    """A running server; what it caught at an edge fails the test at the end."""
    with HostileServer(folder, hostile_site(limits)) as server:
        yield server
        server.assert_calm()


@dataclass
class Probe:
    """An OPTIONS from a source of its own; `times` are seconds, without what the machine withheld."""

    party: Party
    server: HostileServer
    times: list[float] = field(default_factory=list)
    late: int = 0

    def __post_init__(self) -> None:
        self._pids = (os.getpid(), self.server.application()[0])

    def once(self, within_s: float = 10.0) -> float:
        """Seconds until the 200, without those that the application or we ourselves waited for a processor."""
        request = self.party.request("OPTIONS")
        call_id = request.split(b"Call-ID: ")[1].split(b"\r\n")[0].decode()
        withheld, begun = main_threads_waited_s(self._pids), time.perf_counter()
        self.party.send(request)
        answer = self.party.final(call_id, within_s=within_s)
        took = time.perf_counter() - begun
        took = max(0.0, took - main_threads_waited_s(self._pids) + withheld)
        assert answer.status == 200, answer.text
        self.times.append(took)
        return took

    def told(self) -> str:
        """The distribution, for the report."""
        times = sorted(1000 * took for took in self.times)
        at = {p: times[min(len(times) - 1, int(len(times) * p / 100))] for p in (50, 95, 99)}
        return (
            f"{len(times)} probes: median {at[50]:.2f} ms, p95 {at[95]:.2f}, p99 {at[99]:.2f}, "
            f"max {times[-1]:.2f}, mean {statistics.mean(times):.2f}, {self.late} late at first"
        )


def listening(address: Address) -> socket.socket:
    """A bound UDP socket that does not block."""
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind(address)
    found.setblocking(False)
    return found
