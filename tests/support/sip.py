"""A user agent in a world without sockets, disk and time, and a peer that writes its own messages.

`SipWorld` keeps what was sent, what reached the room of calls, and the state rows as the journal would (encoded), so
a test can end the process (`restarted`) and look at what the next one does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from callcenter.calls.events import SignallingInput
from callcenter.calls.ports import Codec, MediaDescription
from callcenter.kernel.codec import encode
from callcenter.kernel.ids import counted_ids
from callcenter.kernel.unit import Unit
from callcenter.sip.agent import UserAgent
from callcenter.sip.core import Room
from callcenter.sip.digest import answer_challenge, make_secrets
from callcenter.sip.directory import Directory, Phone, Trunk
from callcenter.sip.hop import Hop
from callcenter.sip.invite_client import ReinviteEnded
from callcenter.sip.limits import SourceLimits
from callcenter.sip.message import Request, Response, parse_message
from callcenter.sip.sdp import build_offer

EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
US = ("10.0.0.1", 5060)
TRUNK = Hop("udp", "10.0.0.2", 5060)
PHONE = Hop("udp", "10.0.0.3", 5070)
STRANGER = Hop("udp", "10.0.0.66", 5060)
OUR_MEDIA = MediaDescription("10.0.0.1", 20000, ((0, Codec.PCMU), (8, Codec.PCMA)), 101)
PEER_MEDIA = MediaDescription("10.0.0.2", 30000, ((8, Codec.PCMA),), 101)
REALM = "test"
PASSWORD = "correct horse"


def secrets_of(user: str) -> tuple[str, str]:
    """HA1 of the password that every phone of the tests has."""
    secrets = make_secrets(user, REALM, PASSWORD)
    return secrets.md5, secrets.sha256


def directory(**changes: object) -> Directory:
    """One trunk at TRUNK, phones ann (registers), bob (registers) and m1 (static contact at PHONE)."""
    phones = [Phone(user, *secrets_of(user)) for user in ("ann", "bob")]
    phones.append(Phone("m1", *secrets_of("m1"), agent="m1", contact="sip:m1@10.0.0.3:5070"))
    trunk = Trunk("carrier", ((TRUNK.address, TRUNK.port),), {"100": "main"})
    return Directory(REALM, [trunk], phones)


class FakeHandle:
    """A timer of the fake loop."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """Loop time that moves when the test moves it; timers run in order."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.handles: list[FakeHandle] = []

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, call: Callable[[], None]) -> FakeHandle:
        handle = FakeHandle(at, call)
        self.handles.append(handle)
        return handle

    def next_at(self) -> float | None:
        """When the next timer is due."""
        return min((handle.at for handle in self.handles if not handle.cancelled), default=None)

    def advance(self, seconds: float) -> None:
        """Move forward, running what becomes due at its own time."""
        end = self.now + seconds
        while True:
            self.handles = [handle for handle in self.handles if not handle.cancelled]
            due = min(self.handles, key=lambda handle: handle.at, default=None)
            if due is None or due.at > end:
                break
            self.handles.remove(due)
            self.now = max(self.now, due.at)
            due.call()
        self.now = end


@dataclass
class FakeTransports:
    """What was sent, in order. TCP hops are connected while they are in `connected`."""

    sent: list[tuple[bytes, Hop]] = field(default_factory=list)
    connected: set[Hop] = field(default_factory=set)

    def send(self, data: bytes, hop: Hop) -> None:
        self.sent.append((data, hop))

    def is_connected(self, hop: Hop) -> bool:
        return hop.transport == "udp" or hop in self.connected

    def local_address(self, hop: Hop) -> tuple[str, int]:
        return US


class SipWorld:
    """A user agent, its room and its journal. `hold_commits` keeps units from being released."""

    def __init__(
        self,
        *,
        rows: Mapping[tuple[str, str], bytes] | None = None,
        loop: FakeLoop | None = None,
        ids: Callable[[], str] | None = None,
        admit: Callable[[], int | None] | None = None,
        limits: SourceLimits | None = None,
    ) -> None:
        self.loop = loop or FakeLoop()
        self.ids = ids or counted_ids("leg")
        self.transports = FakeTransports()
        self.rows: dict[tuple[str, str], bytes] = dict(rows or {})
        self.inputs: list[SignallingInput] = []
        self.reinvites: list[ReinviteEnded] = []
        self.events: list[tuple[str, str, Mapping[str, object]]] = []
        self.presence: list[tuple[str, bool]] = []
        self.commits = 0
        self.hold_commits = False
        self.held: list[Unit] = []
        self.react: Callable[[Unit, SignallingInput], None] = lambda unit, event: None
        self.agent = UserAgent(
            transports=self.transports,
            now=self.loop.time,
            call_at=self.loop.call_at,
            room=Room(self.open_unit, self.submit, self._deliver),
            directory=directory(),
            admit=admit,
            limits=limits,
            presence_changed=lambda unit, user, reachable: self.presence.append((user, reachable)),
            reinvited=lambda unit, ended: self.reinvites.append(ended),
            secret=b"s" * 32,
            algorithms=("SHA-256", "MD5"),
            ids=self.ids,
        )

    # -- the kernel's part ----------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.loop.now)

    def open_unit(self) -> Unit:
        return Unit(self.now())

    def submit(self, unit: Unit) -> None:
        if self.hold_commits:
            self.held.append(unit)
            return
        self._commit(unit)

    def release(self) -> None:
        """Commit what was held, in order."""
        self.hold_commits = False
        held, self.held = self.held, []
        for unit in held:
            self._commit(unit)

    def _commit(self, unit: Unit) -> None:
        self.persist(unit)
        for action in unit.actions:
            action()

    def persist(self, unit: Unit) -> None:
        """Write the unit's rows without running its actions, as when the process dies between the two."""
        self.commits += not unit.is_empty
        for key, state in unit.states.items():
            if state is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = encode(state)
        self.events += [(draft.type, draft.subject, draft.data) for draft in unit.drafts]

    def _deliver(self, unit: Unit, event: SignallingInput) -> None:
        self.inputs.append(event)
        self.react(unit, event)

    def last(self) -> SignallingInput:
        """The last input that reached the room."""
        return self.inputs[-1]

    def do(self, act: Callable[[Unit], None]) -> None:
        """Let the room do something in a unit of its own."""
        unit = self.open_unit()
        act(unit)
        self.submit(unit)

    def restarted(self) -> "SipWorld":
        """The next process on the same rows and clock."""
        world = SipWorld(rows=self.rows, loop=self.loop, ids=self.ids)
        world.loop.handles.clear()
        world.agent.restore(world.rows_of("dialog"), world.rows_of("binding"))
        return world

    def rows_of(self, kind: str) -> list[tuple[str, bytes]]:
        return [(id_, blob) for (each, id_), blob in sorted(self.rows.items()) if each == kind]

    # -- the wire -------------------------------------------------------------------------------------------------

    def receive(self, text: bytes | str, source: Hop = TRUNK) -> None:
        self.agent.receive(text.encode() if isinstance(text, str) else text, source)

    def take(self) -> list[Request | Response]:
        """What was sent since the last look, parsed."""
        return [message for message, _ in self.take_routed()]

    def take_routed(self) -> list[tuple[Request | Response, Hop]]:
        sent, self.transports.sent = self.transports.sent, []
        return [(parse_message(data), hop) for data, hop in sent]

    def take_raw(self) -> list[bytes]:
        sent, self.transports.sent = self.transports.sent, []
        return [data for data, _ in sent]

    def take_lines(self) -> list[str]:
        """What was sent, in short: `200 INVITE`, `BYE`."""
        return [
            f"{message.status} {message.cseq_method}" if isinstance(message, Response) else message.method
            for message in self.take()
        ]


def sdp(media: MediaDescription = PEER_MEDIA, version: int = 1) -> bytes:
    """A peer's session description."""
    return build_offer(media, session_id=7, version=version)


@dataclass
class Peer:
    """A caller or called party: writes its requests and responses with its own tags and CSeqs."""

    hop: Hop = TRUNK
    user: str = "0123456789"
    called: str = "100"
    tag: str = "peertag"
    call_id: str = "call-1"
    cseq: int = 1
    to_tag: str = ""
    branches: int = 0

    def request(
        self,
        method: str,
        *,
        body: bytes = b"",
        cseq: int | None = None,
        branch: str = "",
        headers: tuple[str, ...] = (),
        uri: str | None = None,
        via_host: str | None = None,
        content_type: str = "application/sdp",
    ) -> bytes:
        """The bytes of a request; without `branch` it is a new transaction."""
        self.branches += not branch
        name = branch or f"z9hG4bK{self.call_id}-{self.branches}"
        to = f"<sip:{self.called}@10.0.0.1>" + (f";tag={self.to_tag}" if self.to_tag else "")
        host = via_host or f"{self.hop.address}:{self.hop.port}"
        lines = [
            f"{method} {uri or f'sip:{self.called}@10.0.0.1'} SIP/2.0",
            f"Via: SIP/2.0/{self.hop.transport.upper()} {host};branch={name}",
            "Max-Forwards: 70",
            f'From: "Peer" <sip:{self.user}@{self.hop.address}>;tag={self.tag}',
            f"To: {to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq if cseq is None else cseq} {method}",
            f"Contact: <sip:{self.user}@{self.hop.address}:{self.hop.port}>",
            *headers,
        ]
        if body:
            lines.append(f"Content-Type: {content_type}")
        lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def beside(self, invite: bytes, method: str) -> bytes:
        """CANCEL, or the ACK of a refusal, in the transaction of `invite`."""
        request = parse_message(invite)
        return self.request(method, cseq=request.cseq, branch=request.via.branch or "")


def respond(
    request: Request,
    status: int,
    *,
    tag: str = "calledtag",
    body: bytes = b"",
    contact: str | None = "sip:m1@10.0.0.3:5070",
    headers: tuple[str, ...] = (),
) -> bytes:
    """The bytes of a called party's answer to a request of ours."""
    to = request.headers.get("to") or ""
    if status > 100 and request.to_tag is None:
        to = f"{to};tag={tag}"
    lines = [
        f"SIP/2.0 {status} Whatever",
        f"Via: {request.via.text}",
        f"From: {request.headers.get('from')}",
        f"To: {to}",
        f"Call-ID: {request.call_id}",
        f"CSeq: {request.cseq} {request.cseq_method}",
        *([f"Contact: <{contact}>"] if contact else []),
        *headers,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def authorized(
    challenge: Response, method: str, user: str, algorithm: str = "MD5", *, password: str = PASSWORD
) -> tuple[str, ...]:
    """The Authorization header line with which `user` answers `challenge`."""
    wanted = [each for each in challenge.challenges if each.parameters["algorithm"] == algorithm]
    value = answer_challenge(
        wanted,
        realm=REALM,
        username=user,
        secrets=make_secrets(user, REALM, password),
        method=method,
        uri="sip:10.0.0.1",
        cnonce="cnonce",
    )
    assert value is not None
    return (f"Authorization: {value}",)
