"""One site for all call stories: its flows, phones, queues and people, and the hands that ring it.

Each story has a caller's number of its own, by which its record is found; addresses and ports of clients are never
shared. Trunk callers ring from TRUNK, each phone has an address of its own in 127.0.0.0/8. A run has a lane, so that
several runs on one machine do not meet.
"""

import contextlib
import io
import itertools
import socket
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.support.baresip import Baresip
from tests.support.capture import Capture, Packet
from tests.support.processor import stolen_s, waited_s
from tests.support.scenario import registration
from tests.support.server import Document, Server, SiteFiles, eventually
from tests.support.sip_party import Call, Party, offer
from tests.support.sipp import Sipp

LANES = 8
CLOSE_S = 0.1
PATIENCE_S = 120  # of a SIPp whose call goes on: longer than any story, also on a busy machine


def _lane() -> tuple[int, socket.socket]:
    """A number that no other run on this machine has meanwhile: the socket holds it."""
    holder = socket.socket(socket.AF_UNIX)
    for lane in range(LANES):
        with contextlib.suppress(OSError):
            holder.bind(f"\0callcenter-e2e-{lane}")
            return lane, holder
    return 0, holder


LANE, _HOLDER = _lane()
TRUNK = f"127.0.{LANE}.22"
TRUNK_PORTS = range(5200, 5400)
PHONE_PORT = 5191
RTP_PORTS = f"{22000 + 80 * LANE}-{22079 + 80 * LANE}"
OWN_RTP_PORTS = f"{22800 + 20 * LANE}-{22819 + 20 * LANE}"  # of a story that starts a site for itself

# Where the trunk's numbers lead.
GREETING, MENU, RING_DESK, QUEUE, SHORT_RING, PIN, HANGS_UP = "100", "200", "300", "400", "500", "600", "700"
RING_TCP = "800"

_END: Document = {"kind": "hangup"}


def _dial(target: str, ring_s: int, *, record: bool = False) -> Document:
    back = {f"on_{why}": why for why in ("busy", "no_answer", "declined", "unreachable")}
    return {
        "kind": "dial", "target": target, "ring_s": ring_s, "record": record, "next": "end", "on_error": "failed",
        **back,
    }  # fmt: skip


_REFUSALS: dict[str, Document] = {
    "busy": {"kind": "hangup", "reason": "busy", "status": 486},
    "no_answer": {"kind": "hangup", "reason": "no_answer", "status": 480},
    "declined": {"kind": "hangup", "reason": "declined", "status": 603},
    "unreachable": {"kind": "hangup", "reason": "unreachable", "status": 404},
    "failed": {"kind": "hangup", "reason": "error", "status": 500},
}


def _flow(start: str, **nodes: Document) -> Document:
    return {"language": "en", "start": start, "on_error": "end", "nodes": {**nodes, "end": _END}}


def _queue(name: str) -> Document:
    return {"kind": "queue", "queue": name, "music": ["music"], "next": "end", "on_timeout": "end", "on_full": "end"}


def _ring(target: str, ring_s: int, *, record: bool = False) -> Document:
    return {**_flow("ring", ring=_dial(target, ring_s, record=record), **_REFUSALS), "on_error": "failed"}


FLOWS: dict[str, Document] = {
    "greeting": _flow(
        "welcome",
        # Again and again: pyVoIP opens its ears a second after it was answered, and takes its time to hang up.
        welcome={"kind": "play", "prompts": ["welcome"] * 4, "next": "echo"},
        echo={"kind": "echo", "seconds": 60, "next": "end"},
    ),
    "menu": _flow(
        "menu",
        menu={
            "kind": "menu", "prompts": ["welcome"], "timeout_s": 6, "tries": 3,
            "digits": {"1": "desk", "2": "billing", "3": "echo"}, "on_timeout": "end", "on_invalid": "end",
        },
        desk={**_dial("desk", 20, record=True), "on_busy": "end", "on_no_answer": "end", "on_declined": "end",
              "on_unreachable": "end", "on_error": "end"},
        billing=_queue("billing"),
        echo={"kind": "echo", "seconds": 60, "next": "end"},
    ),
    "ring_desk": _ring("desk", 20, record=True),
    "short_ring": _ring("desk", 1),
    "ring_tcp": _ring("walk", 20),
    "billing": _flow("billing", billing=_queue("billing")),
    "pin": _flow(
        "pin",
        pin={"kind": "gather", "prompts": ["welcome"], "into": "pin", "max": 8, "masked": True, "tries": 1,
             "next": "echo", "on_timeout": "end", "on_invalid": "end"},
        echo={"kind": "echo", "seconds": 60, "next": "end"},
    ),
    "hangs_up": _flow("welcome", welcome={"kind": "play", "prompts": ["welcome"], "next": "end"}),
    "internal": {**_ring("${called}", 20, record=True)},
}  # fmt: skip

PHONES = ("desk", "anna", "bert", "cleo", "walk", "talk", "never", "gone")
AGENTS = {"anna": {"billing": 3}, "bert": {"support": 3}, "cleo": {"billing": 3}}


def files(rtp_ports: str = RTP_PORTS) -> SiteFiles:
    """The configuration."""
    numbers = {
        GREETING: "greeting", MENU: "menu", RING_DESK: "ring_desk", QUEUE: "billing", SHORT_RING: "short_ring",
        PIN: "pin", HANGS_UP: "hangs_up", RING_TCP: "ring_tcp",
    }  # fmt: skip
    return SiteFiles(
        trunks=[{"name": "provider", "addresses": [f"{TRUNK}:{port}" for port in TRUNK_PORTS], "numbers": numbers}],
        phones=[{"user": user} for user in PHONES],
        dial={GREETING: "greeting", MENU: "menu"},
        queues=[
            {
                "name": "billing",
                "skills": {"billing": 1},
                "music": "music",
                "ring_s": 3,
                "wrap_up_s": 1,
                "record": True,
            }
        ],
        agents=[
            {"id": name, "name": name.title(), "user": name, "phone": name, "skills": skills}
            for name, skills in AGENTS.items()
        ],
        flows=FLOWS,
        settings={
            "media": {"ports": rtp_ports, "workers": 1},
            "site": {"region": "IT", "zone": "Europe/Rome"},
        },
    )


@dataclass
class House:
    """The running site and what stories do with it."""

    server: Server
    folder: Path
    rtp_ports: str = RTP_PORTS
    _ports: Iterator[int] = field(default_factory=lambda: itertools.count(TRUNK_PORTS.start))
    _media: Iterator[int] = field(default_factory=lambda: itertools.count(6000 + 400 * LANE, 4))
    _soft: Iterator[int] = field(default_factory=lambda: itertools.count(5400 + 100 * LANE, 4))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _clients: dict[str, httpx.Client] = field(default_factory=dict)
    _secrets: dict[str, str] = field(default_factory=dict)
    _registered: set[str] = field(default_factory=set)

    # -- parties ---------------------------------------------------------------------------------------------------

    def number(self) -> str:
        """A caller's number that nobody had before."""
        return f"+3906100{next(self._numbers):05d}"

    def caller(self, scenario: str, service: str, *, talk_ms: int = 1000, transport: str = "u1") -> Sipp:
        """A customer who rings through the trunk; not started."""
        return Sipp(
            scenario, self.server.sip, (TRUNK, next(self._ports)), media=(TRUNK, next(self._media)),
            service=service, talk_ms=talk_ms, transport=transport, timeout_s=PATIENCE_S,
        )  # fmt: skip

    @contextlib.contextmanager
    def customer(self, number: str, service: str) -> Iterator[Call]:
        """A customer on a plain socket, answered and without sound, who stays until the story hangs up for him."""
        port = next(self._ports)
        with Party(self.server.sip, (TRUNK, port)) as party:
            call = Call(party, service, f"customer-{port}-{number}", f"tag-{port}")
            invite = party.request(
                "INVITE", to=service, user=number, call_id=call.call_id, from_tag=call.from_tag,
                body=offer((TRUNK, self.media_port())),
            )  # fmt: skip
            party.send(invite)
            call.answered(party.final(call.call_id))
            yield call

    def phone(
        self, user: str, scenario: str, *, talk_ms: int = 1000, transport: str = "u1", service: str = ""
    ) -> Sipp:
        """The registered phone of `user`, playing `scenario`; registers it first. Not started."""
        self.register(user, transport=transport)
        address = phone_address(user)
        return Sipp(
            scenario, self.server.sip, (address, PHONE_PORT), media=(address, next(self._media)),
            talk_ms=talk_ms, transport=transport, service=service, auth=(user, self.password(user)),
            timeout_s=PATIENCE_S,
        )  # fmt: skip

    def baresip(self, user: str, **how: Any) -> Baresip:
        """The phone of `user` as a baresip; registers when it is entered."""
        self._registered = {one for one in self._registered if not one.startswith(f"{user}/")}
        local = ("127.0.0.1", next(self._soft))
        return Baresip(user, self.password(user), self.server.sip, local, self.media_port(), **how)

    def register(self, user: str, *, transport: str = "u1", expires_s: int = 3600) -> None:
        """REGISTER with the challenge answered, once for each user and transport."""
        key = f"{user}/{transport}/{expires_s}"
        if key in self._registered:
            return
        Sipp(
            registration(user, expires_s=expires_s), self.server.sip, (phone_address(user), PHONE_PORT),
            transport=transport, auth=(user, self.password(user)), timeout_s=30,
        ).start().wait()  # fmt: skip
        self._registered = {one for one in self._registered if not one.startswith(f"{user}/")} | {key}

    def media_port(self) -> int:
        """An even port that no other client has."""
        return next(self._media)

    # -- people ----------------------------------------------------------------------------------------------------

    def password(self, name: str) -> str:
        """Of a phone or a console user; a name that is both has the phone's under `name`, see `user_password`."""
        return self._secret("Telephones", name)

    def user_password(self, login: str) -> str:
        """Of a console user."""
        return self._secret("Console", login)

    def _secret(self, section: str, name: str) -> str:
        if not self._secrets:
            self._secrets = _sections((self.server.data / "first-start.txt").read_text())
        return self._secrets[f"{section}/{name}"]

    def client(self, login: str) -> httpx.Client:
        """A session of `login`, kept."""
        if login not in self._clients:
            base = f"http://127.0.0.1:{self.server.http}"
            client = httpx.Client(base_url=base, headers={"Origin": base}, timeout=15)
            answer = client.post("/api/session", json={"login": login, "password": self.user_password(login)})
            assert answer.status_code in {200, 201}, answer.text
            self._clients[login] = client
        return self._clients[login]

    def close(self) -> None:
        """End the sessions' connections."""
        for client in self._clients.values():
            client.close()

    def set_state(self, agent: str, state: str) -> None:
        """The agent asks to be available, not_ready or logged_out."""
        answer = self.client(agent).post("/api/agents/me/state", json={"state": state})
        assert answer.status_code == 200, answer.text

    def agent(self, agent: str) -> Document:
        """What the API says of an agent."""
        agents: list[Document] = self.client("sue").get("/api/agents").json()["agents"]
        return next(one for one in agents if one["id"] == agent)

    def becomes(self, agent: str, state: str, *, within_s: float = 10.0) -> Document:
        """The agent when he is in `state`."""

        def there() -> Document | None:
            found = self.agent(agent)
            return found if found["state"] == state else None

        found: Document = eventually(f"{agent} is {state}", there, within_s=within_s)
        return found

    # -- records ---------------------------------------------------------------------------------------------------

    def record(self, caller: str, called: str = "") -> Document:
        """The whole record of the newest call from `caller` (to `called`); there is one when it is over."""
        client = self.client("sue")

        def found() -> Document | None:
            calls = client.get("/api/calls", params={"limit": 100}).json()["calls"]
            mine = [call for call in calls if call["caller"] == caller and called in {"", call["called"]}]
            if not mine:
                return None
            record: Document = client.get(f"/api/calls/{mine[0]['contact']}").json()
            return record

        record: Document = eventually(f"a record of the call from {caller}", found)
        return record

    def sound(self, record: Document) -> tuple[list[int], list[int]]:
        """Left and right of the call's recording as a listener with permission gets it."""

        def audio() -> httpx.Response | None:
            answer = self.client("quinn").get(f"/api/calls/{record['contact']}/recording")
            return answer if answer.status_code == 200 else None

        answer: httpx.Response = eventually("the recording", audio)
        assert answer.headers["content-type"] == "audio/wav"
        with wave.open(io.BytesIO(answer.content)) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
            samples = memoryview(file.readframes(file.getnframes())).cast("h").tolist()
        return samples[0::2], samples[1::2]

    def withheld_s(self) -> float:
        """How long the machine, or its host, has let the server's processes of now wait for a processor."""
        return waited_s(self.server.pids().values()) + stolen_s()

    def wire(self, name: str) -> "Wire":
        """A capture of what passes this server's ports."""
        first, _, last = self.rtp_ports.partition("-")
        # PHONE_PORT: to a phone's own TCP port the server rings from any port.
        ports = (
            f"port {self.server.sip[1]} or port {PHONE_PORT} or port {self.server.http} or portrange {first}-{last}"
        )
        return Wire(self.folder / f"{name}.pcap", ports, self.withheld_s)


class Wire(Capture):
    """A capture, and how long the machine let the server wait for a processor meanwhile."""

    def __init__(self, path: Path, expression: str, waited: Callable[[], float]) -> None:
        super().__init__(path, expression)
        self._waited = waited
        self._waited_before = self._waited_after = 0.0

    def __enter__(self) -> "Wire":
        super().__enter__()
        self._waited_before = self._waited()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waited_after = self._waited()
        super().__exit__(kind, error, trace)

    @property
    def withheld_s(self) -> float:
        """What the machine withheld from the server while this was taken: so much later it may have been with all."""
        return self._waited_after - self._waited_before

    def saw(self, summary: str, *, host: str, at: str | None) -> bool:
        """Whether the first `summary` (see `instant`) to or from `host` passed within 100 ms of a record's instant.

        Packets are stamped by the kernel as they pass, records when the server comes to them.
        """
        passed = instant(self.packets(), summary, host=host)
        return at is not None and abs(datetime.fromisoformat(at).timestamp() - passed) < CLOSE_S + self.withheld_s


def phone_address(user: str) -> str:
    """Each phone has an address of its own."""
    return f"127.0.{LANE}.{31 + PHONES.index(user)}"


def _sections(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("  "):
            name, password = line.split()[:2]
            found[f"{section}/{name}"] = password
        elif line:
            section = line.split()[0]
    return found


# -- reading a capture ---------------------------------------------------------------------------------------------


def sip_of(packets: list[Packet], *, host: str) -> list[Packet]:
    """The SIP messages to and from `host`, in order."""
    return [packet for packet in packets if packet.is_sip and host in {packet.source[0], packet.destination[0]}]


def instant(packets: list[Packet], summary: str, *, host: str) -> float:
    """When the first `INVITE`, `200 INVITE`, `BYE` ... to or from `host` passed, epoch seconds."""
    found = [packet.at for packet in sip_of(packets, host=host) if packet.sip_summary == summary]
    assert found, f"no {summary} at {host}: {[packet.sip_summary for packet in sip_of(packets, host=host)]}"
    return found[0]
