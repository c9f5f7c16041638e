"""The site that is killed: one trunk, agents in four queues, phones that are dialled, flows of every waiting kind.

Callers come from 127.0.0.21, phones are at 127.0.0.22. Agents `a` answer at once, `r` let it ring, `w` are called to
work by the test.
"""

import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.scenario import registration
from tests.support.server import Document, Server, SiteFiles, eventually, free_port
from tests.support.sipp import Sipp

CALLERS = "127.0.0.21"
PHONES = "127.0.0.22"
TALKERS = 5
_FAILED = {f"on_{name}": "end" for name in ("busy", "no_answer", "declined", "unreachable")}
_ASKED = {"on_timeout": "end", "on_invalid": "end", "timeout_s": 4, "tries": 9}
SERVICES = {
    "100": "queue-stay",
    "200": "queue-leave",
    "300": "queue-wait",
    "400": "queue-ring",
    "500": "dial",
    "601": "play",
    "602": "menu",
    "603": "echo",
    "604": "gather",
    "605": "record",
}
IN_FLOW = ("601", "602", "603", "604", "605")


def _flow(node: Document) -> Document:
    nodes: dict[str, Document] = {"start": node, "end": {"kind": "hangup"}}
    return {"language": "en", "start": "start", "on_error": "end", "nodes": nodes}


def _flows() -> dict[str, Document]:
    flows = {
        f"queue-{name}": _flow({"kind": "queue", "queue": name, "next": "end", "on_timeout": "end", "on_full": "end"})
        for name in ("stay", "leave", "wait", "ring")
    }
    dial = {"kind": "dial", "target": "d${called}", "ring_s": 20, "record": True, "next": "end", **_FAILED}
    flows["dial"] = _flow(dial)
    flows["play"] = _flow({"kind": "play", "prompts": ["main-menu"] * 6, "next": "end"})
    flows["menu"] = _flow({"kind": "menu", "prompts": ["welcome"], "digits": {"2": "end"}, **_ASKED})
    flows["echo"] = _flow({"kind": "echo", "seconds": 90, "next": "end"})
    flows["gather"] = _flow(
        {"kind": "gather", "prompts": ["enter-account"], "into": "account", "max": 8, "next": "end", **_ASKED}
    )
    flows["record"] = _flow({"kind": "record", "prompts": ["leave-message"], "max_s": 90, "next": "end"})
    return flows


@dataclass
class Ports:
    """Where everybody is. `stay` waits for BYE, `leave` hangs up, `ring` lets it ring, `wait` talks shortly."""

    leaving_callers: int = field(default_factory=lambda: free_port(address=CALLERS))
    staying_callers: int = field(default_factory=lambda: free_port(address=CALLERS))
    quick_callers: int = field(default_factory=lambda: free_port(address=CALLERS))
    stay: int = field(default_factory=lambda: free_port(address=PHONES))
    leave: int = field(default_factory=lambda: free_port(address=PHONES))
    ring: int = field(default_factory=lambda: free_port(address=PHONES))
    wait: int = field(default_factory=lambda: free_port(address=PHONES))


def site_files(ports: Ports, settings: Document) -> SiteFiles:
    """The configuration; agents of queue `stay` have phones that register, the others' are fixed."""
    agents: list[Document] = []
    phones: list[Document] = []
    for queue, count in (("stay", TALKERS), ("leave", TALKERS), ("ring", TALKERS), ("wait", 1)):
        for number in range(1, count + 1):
            name = f"{queue}{number}"
            agents.append(
                {
                    "id": name,
                    "name": name,
                    "user": name,
                    "phone": f"p-{name}",
                    "skills": {queue: 1},
                    "delivery": "phone",
                }
            )
            phone: Document = {"user": f"p-{name}"}
            if queue != "stay":
                phone["contact"] = f"sip:p-{name}@{PHONES}:{getattr(ports, queue)}"
            phones.append(phone)
    dialled = [(f"51{n}", ports.stay) for n in range(TALKERS)] + [(f"52{n}", ports.leave) for n in range(TALKERS)]
    phones += [{"user": f"d{number}", "contact": f"sip:d{number}@{PHONES}:{port}"} for number, port in dialled]
    numbers = dict(SERVICES) | {number: "dial" for number, _ in dialled}
    callers = (ports.leaving_callers, ports.staying_callers, ports.quick_callers)
    return SiteFiles(
        trunks=[{"name": "t", "addresses": [f"{CALLERS}:{port}" for port in callers], "numbers": numbers}],
        phones=phones,
        queues=[
            {"name": name, "skills": {name: 1}, "music": "music", "wrap_up_s": 0, "record": True, "ring_s": 60}
            for name in ("stay", "leave", "ring", "wait")
        ],
        agents=agents,
        flows=_flows(),
        settings=settings,
    )


class KillSite:
    """The running site, its people and ports."""

    def __init__(self, folder: Path, *, database_url: str | None = None, workers: int = 2) -> None:
        settings: Document = {
            "media": {"ports": "23000-23999", "workers": workers},
            "limits": {"per_source_per_s": 500, "per_source_burst": 1000},
        }
        if database_url is not None:
            settings["database_url"] = database_url
        self.ports = Ports()
        self.folder = folder
        self.server = Server(folder, site_files(self.ports, settings))
        self._client: httpx.Client | None = None

    def __enter__(self) -> "KillSite":
        try:
            self.server.start()
            self.register()
            for agent in [agent["id"] for agent in self.agents()]:
                self.set_state(agent, "not_ready" if agent == "wait1" else "available")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()
        self.server.stop()

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def register(self) -> None:
        """Every phone of queue `stay` registers, from the port at which it will answer."""
        secrets = self.server.secrets()
        for number in range(1, TALKERS + 1):
            user = f"p-stay{number}"
            sipp = Sipp(
                registration(user, expires_s=3600),
                self.server.sip,
                (PHONES, self.ports.stay),
                media=(PHONES, free_port(address=PHONES)),
                auth=(user, secrets[user]),
                timeout_s=15,
            )
            sipp.start().wait()

    # -- the API -----------------------------------------------------------------------------------------------

    def _get(self, path: str) -> httpx.Response | None:
        """The answer, None while nobody is there."""
        try:
            if self._client is None:
                self._client = self.server.client("sue")
            return self._client.get(path)
        except (httpx.TransportError, AssertionError):
            self._hang_up()
            return None

    def status_of(self, path: str) -> tuple[int, float]:
        """What one GET is answered with, and after how many seconds."""
        assert self._client is not None
        since = time.monotonic()
        answer = self._client.get(path)
        return answer.status_code, time.monotonic() - since

    def get(self, path: str, *, within_s: float = 20.0) -> httpx.Response:
        """The first answer that is 200."""

        def answered() -> httpx.Response | None:
            answer = self._get(path)
            return answer if answer is not None and answer.status_code == 200 else None

        found: httpx.Response = eventually(f"200 to GET {path}", answered, within_s=within_s)
        return found

    def agents(self) -> list[Document]:
        """All agents as the API has them."""
        answer: list[Document] = self.get("/api/agents").json()["agents"]
        return answer

    def records(self) -> list[Document]:
        """The newest 200 call records."""
        answer: list[Document] = self.get("/api/calls?limit=200").json()["calls"]
        return answer

    def set_state(self, agent: str, state: str) -> None:
        """As the supervisor does it; repeated while nobody is there."""

        def done() -> bool:
            try:
                if self._client is None:
                    self._client = self.server.client("sue")
                answer = self._client.post(f"/api/agents/{agent}/state", json={"state": state, "reason": None})
            except (httpx.TransportError, AssertionError):
                self._hang_up()
                return False
            return answer.status_code == 200

        eventually(f"{agent} is {state}", done, within_s=20.0)


def free_socket() -> socket.socket:
    """A UDP socket of the callers' address."""
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind((CALLERS, 0))
    found.settimeout(0.1)
    return found
