"""A SIP peer on plain sockets, for what no well-behaved client sends: callers, phones, attackers, and their RTP.

Written apart from the server's own grammar on purpose: messages are text, answers are read with regular expressions.
"""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from types import TracebackType

Address = tuple[str, int]
FRAME_S = 0.02
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
)
_serial = iter(range(1, 1_000_000))


def offer(address: Address) -> bytes:
    """A session description that names `address`."""
    return OFFER.format(*address).encode()


@dataclass(frozen=True)
class Answer:
    """A response, or a request that came to us."""

    raw: bytes
    source: Address

    @property
    def text(self) -> str:
        return self.raw.decode("utf-8", "replace")

    @property
    def status(self) -> int:
        """0 for a request."""
        found = re.match(r"SIP/2\.0 (\d{3})", self.text)
        return int(found[1]) if found else 0

    @property
    def method(self) -> str:
        """Of a request its own, of a response that of its CSeq."""
        return self.header("CSeq").split()[-1]

    def header(self, name: str) -> str:
        """The first such field; empty where there is none."""
        found = re.search(rf"(?im)^{name}[ \t]*:[ \t]*([^\r\n]*)", self.text)
        return found[1] if found else ""

    @property
    def to_tag(self) -> str:
        found = re.search(r";tag=([^;\s]+)", self.header("To"))
        return found[1] if found else ""

    @property
    def media(self) -> Address:
        """Where its session description wants the sound."""
        address = re.search(r"(?m)^c=IN IP4 ([\d.]+)", self.text)
        port = re.search(r"(?m)^m=audio (\d+)", self.text)
        assert address is not None, self.text
        assert port is not None, self.text
        return address[1], int(port[1])

    def as_reply(self, status: str, *, tag: str = "", body: bytes = b"", extra: str = "") -> bytes:
        """Our answer to this request."""
        copied = "".join(
            f"{line}\r\n"
            for line in self.text.split("\r\n")
            if re.match(r"(?i)(via|from|call-id|cseq|record-route):", line)
        )
        to = self.header("To") + (f";tag={tag}" if tag else "")
        kind = "Content-Type: application/sdp\r\n" if body else ""
        head = f"SIP/2.0 {status}\r\n{copied}To: {to}\r\n{extra}{kind}Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


class Party:
    """One UDP socket that speaks SIP with `server`."""

    def __init__(self, server: Address, local: Address) -> None:
        self.server = server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(local)
        self.local: Address = self.socket.getsockname()

    def __enter__(self) -> "Party":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.server)

    def receive(self, within_s: float = 5.0) -> Answer | None:
        """The next message, None if none comes in time."""
        self.socket.settimeout(max(within_s, 0.0001))
        try:
            data, source = self.socket.recvfrom(65535)
        except (TimeoutError, BlockingIOError):
            return None
        return Answer(data, source)

    def drain(self) -> list[Answer]:
        """Everything that has come."""
        found = []
        while (answer := self.receive(0)) is not None:
            found.append(answer)
        return found

    def wait(self, wanted: Callable[[Answer], bool], what: str, *, within_s: float = 10.0) -> Answer:
        """The first message that is `wanted`; others are dropped."""
        until = time.monotonic() + within_s
        while (left := until - time.monotonic()) > 0:
            answer = self.receive(left)
            if answer is not None and wanted(answer):
                return answer
        raise AssertionError(f"not within {within_s} s: {what}")

    def final(self, call_id: str, *, within_s: float = 10.0) -> Answer:
        """The final response of `call_id`."""
        return self.wait(
            lambda answer: answer.status >= 200 and answer.header("Call-ID") == call_id,
            f"a final answer to {call_id}",
            within_s=within_s,
        )

    def request(
        self,
        method: str,
        *,
        to: str = "100",
        user: str = "390612345678",
        call_id: str = "",
        cseq: str | int = 1,
        to_tag: str = "",
        from_tag: str = "",
        branch: str = "",
        extra: Sequence[str] = (),
        body: bytes = b"",
        content_type: str = "application/sdp",
    ) -> bytes:
        """The bytes of a request of this party's; what is not given is fresh."""
        number = next(_serial)
        host = f"{self.local[0]}:{self.local[1]}"
        lines = [
            f"{method} sip:{to}@{self.server[0]}:{self.server[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {host};branch={branch or f'z9hG4bKparty{number}'};rport",
            "Max-Forwards: 70",
            f"From: <sip:{user}@{self.local[0]}>;tag={from_tag or f'party{number}'}",
            f"To: <sip:{to}@{self.server[0]}>" + (f";tag={to_tag}" if to_tag else ""),
            f"Call-ID: {call_id or f'party{number}@{self.local[0]}'}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{user}@{host}>",
            *extra,
            *([f"Content-Type: {content_type}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    # -- calls ----------------------------------------------------------------

    def call(self, to: str, media: Address, *, within_s: float = 10.0) -> "Call":
        """Ring `to` and be answered."""
        number = next(_serial)
        call = Call(self, to, f"call{number}@{self.local[0]}", f"caller{number}")
        self.send(call.request("INVITE", body=offer(media)))
        answer = self.final(call.call_id, within_s=within_s)
        assert answer.status == 200, answer.text
        call.answered(answer)
        return call


@dataclass
class Call:
    """A call that `party` has made."""

    party: Party
    to: str
    call_id: str
    from_tag: str
    to_tag: str = ""
    cseq: int = 1
    media: Address = ("", 0)
    answers: list[Answer] = field(default_factory=list)

    def request(
        self, method: str, *, by: Party | None = None, cseq: int | None = None, branch: str = "", body: bytes = b"",
        extra: Sequence[str] = (),
    ) -> bytes:  # fmt: skip
        """A request of this call, from the socket of `by` where somebody else sends it."""
        return (by or self.party).request(
            method, to=self.to, call_id=self.call_id, cseq=self.cseq if cseq is None else cseq, to_tag=self.to_tag,
            from_tag=self.from_tag, branch=branch or f"z9hG4bK{next(_serial)}{method}", body=body, extra=extra,
        )  # fmt: skip

    def answered(self, answer: Answer) -> None:
        """Take the 200 and acknowledge it."""
        self.answers.append(answer)
        self.to_tag, self.media = answer.to_tag, answer.media
        self.party.send(self.request("ACK"))

    def hang_up(self) -> Answer:
        """BYE; its answer."""
        self.cseq += 1
        self.party.send(self.request("BYE"))
        return self.party.wait(
            lambda answer: answer.method == "BYE" and answer.status > 0 and answer.header("Call-ID") == self.call_id,
            "an answer to BYE",
        )

    def is_up(self) -> bool:
        """Whether the server still knows the dialog: it answers an OPTIONS inside it."""
        self.cseq += 1
        self.party.drain()
        self.party.send(self.request("OPTIONS"))
        answer = self.party.wait(
            lambda answer: answer.method == "OPTIONS" and answer.status > 0, "an answer to OPTIONS in the dialog"
        )
        return answer.status == 200


def authorization(challenge: Answer, method: str, user: str, password: str, *, count: int = 1) -> str:
    """The Authorization line that answers a 401 with MD5 (RFC 2617)."""
    told = challenge.header("WWW-Authenticate")
    realm, nonce = (re.search(rf'{name}="([^"]*)"', told) for name in ("realm", "nonce"))
    assert realm is not None, challenge.text
    assert nonce is not None, challenge.text
    uri, cnonce, nc = "sip:server", "abcdef", f"{count:08x}"
    ha1 = md5(f"{user}:{realm[1]}:{password}".encode()).hexdigest()
    ha2 = md5(f"{method}:{uri}".encode()).hexdigest()
    response = md5(f"{ha1}:{nonce[1]}:{nc}:{cnonce}:auth:{ha2}".encode()).hexdigest()
    return (
        f'Authorization: Digest username="{user}", realm="{realm[1]}", nonce="{nonce[1]}", uri="{uri}", '
        f'algorithm=MD5, qop=auth, nc={nc}, cnonce="{cnonce}", response="{response}"'
    )


def rtp(payload: bytes, sequence: int, *, timestamp: int | None = None, ssrc: int = 0x1234, kind: int = 0) -> bytes:
    """One RTP packet; the timestamp follows the sequence number where none is given."""
    moment = sequence * 160 if timestamp is None else timestamp
    return struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, moment & 0xFFFFFFFF, ssrc) + payload


@dataclass(frozen=True)
class Heard:
    """One RTP datagram that came, and when (monotonic seconds)."""

    at: float
    payload: bytes
    sequence: int
    kind: int


class Sound:
    """A party's RTP socket: sends `frame` each 20 ms in a thread of its own and keeps what comes."""

    def __init__(self, local: Address, frame: bytes, *, ssrc: int = 0x1234) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(local)
        self.socket.settimeout(0.005)
        self.local: Address = self.socket.getsockname()
        self.frame = frame
        self.ssrc = ssrc
        self.heard: list[Heard] = []
        self.sequence = 1
        self._destination: Address | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, destination: Address) -> "Sound":
        """Send from now on."""
        self._destination = destination
        self._thread.start()
        return self

    def send(self, data: bytes) -> None:
        """One more datagram from this very socket."""
        assert self._destination is not None
        self.socket.sendto(data, self._destination)

    def _run(self) -> None:
        assert self._destination is not None
        due = time.monotonic()
        while not self._over.is_set():
            now = time.monotonic()
            if now >= due:
                # After a stall of the machine the clock goes on from now: a burst would look like an attack.
                due = max(due + FRAME_S, now - FRAME_S)
                self.socket.sendto(rtp(self.frame, self.sequence, ssrc=self.ssrc), self._destination)
                self.sequence += 1
            self._listen()

    def _listen(self) -> None:
        try:
            data = self.socket.recv(2048)
        except (TimeoutError, ConnectionRefusedError):
            return
        if len(data) >= 12:
            _, second, sequence, _, _ = struct.unpack_from(">BBHII", data)
            self.heard.append(Heard(time.monotonic(), data[12:], sequence, second & 0x7F))

    def stop(self) -> None:
        self._over.set()
        self._thread.join(5)
        self.socket.close()

    def __enter__(self) -> "Sound":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.ident is None:
            self.socket.close()
        else:
            self.stop()
