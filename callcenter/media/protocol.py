"""What application and media worker say to each other over the worker's Unix socket (architecture.md section 1).

A frame is a 4-byte length and one msgpack array tagged by its type. The application speaks first: Hello; the worker
answers Welcome or Refused. Commands carry the session and a number that rises per session: one that is not above the
last applied is acknowledged and ignored. Events carry a number that rises per worker and are kept until an Ack.

Hello, Refused and Drain keep their form in every version, so that an old worker can be told to finish.
"""

import struct
from collections.abc import Iterator
from typing import Literal, cast

import msgspec

from callcenter.kernel.errors import RemoteProtocolError

PROTOCOL = 1
MAX_FRAME = 16 << 20
MAX_SOCKET_PATH = 107
"""Bytes of a Unix socket's path: sun_path is 108 with its closing zero."""

_LENGTH = struct.Struct("!I")


class Message(msgspec.Struct, frozen=True, array_like=True):
    """Base of everything on the socket; arrays, so a later version may only append fields with defaults."""


class Remote(Message, frozen=True):
    """The peer's side of a leg, as its SDP says."""

    address: str
    port: int
    codecs: tuple[tuple[int, Literal["PCMU", "PCMA"]], ...]
    telephone_event: int | None = None
    direction: str = "sendrecv"
    ptime_ms: int = 20


class Hello(Message, tag=1, frozen=True):
    protocol: int
    epoch: int
    release: str


class Drain(Message, tag=2, frozen=True):
    """Take no new sessions but those that join one which is there; exit when the last has closed."""


class Ack(Message, tag=3, frozen=True):
    """Events up to `number` are on disk."""

    number: int


class AskStatistics(Message, tag=4, frozen=True):
    """Answered by Statistics."""


class Open(Message, tag=10, frozen=True):
    """`beside` is a session of this worker that it will be bridged with: taken even while the worker drains.

    `port` is one that the worker holds ready, and no Opened follows; 0 for any, which Opened names.
    """

    session: str
    number: int
    remote: Remote | None = None
    beside: str | None = None
    port: int = 0


class Connect(Message, tag=11, frozen=True):
    session: str
    number: int
    remote: Remote


class Play(Message, tag=12, frozen=True):
    session: str
    number: int
    command: str
    prompts: tuple[str, ...]
    loop: bool = False


class Stop(Message, tag=13, frozen=True):
    session: str
    number: int


class Echo(Message, tag=14, frozen=True):
    session: str
    number: int


class Record(Message, tag=15, frozen=True):
    session: str
    number: int
    command: str
    path: str
    max_ms: int


class Bridge(Message, tag=16, frozen=True):
    """`session` is the customer's: left in the recording."""

    session: str
    number: int
    agent: str
    recording: str | None = None


class Unbridge(Message, tag=17, frozen=True):
    session: str
    number: int


class Close(Message, tag=18, frozen=True):
    session: str
    number: int


class Hold(Message, tag=19, frozen=True):
    """Keep the bridge and let neither hear the other; `prompts` loop to `session`, the customer. Bridge ends it."""

    session: str
    number: int
    command: str
    prompts: tuple[str, ...]


class Refused(Message, tag=30, frozen=True):
    """No Welcome: `reason` is epoch or protocol; the worker drains after the latter."""

    reason: str
    protocol: int
    epoch: int


class SessionState(Message, frozen=True):
    """A session as a new application finds it."""

    session: str
    address: str
    port: int
    last_command: int
    playing: str | None = None
    looping: bool = False
    echo: bool = False
    message: str | None = None
    customer: str | None = None
    agent: str | None = None
    recording: str | None = None
    digits: int = 0
    remote: Remote | None = None


class Taken(Message, tag=32, frozen=True):
    """`count` more command frames of this connection have been applied or ignored; `ready` more ports can be had."""

    count: int
    ready: tuple[int, ...] = ()


class Statistics(Message, tag=33, frozen=True):
    """Counters since the worker started; lateness of the tick in microseconds."""

    worker: str
    pid: int
    sessions: int
    ports_free: int
    packets_received: int
    packets_sent: int
    drops: dict[str, int]
    surprises: int
    ticks: int
    late_ticks: int
    worst_lateness_us: int
    events_waiting: int
    events_lost: int
    draining: bool
    cpu_ms: int


class Opened(Message, tag=40, frozen=True):
    n: int
    session: str
    address: str
    port: int


class Failed(Message, tag=41, frozen=True):
    """The session could not be had, or with `command` only that prompt or message: the session goes on."""

    n: int
    session: str
    reason: str
    command: str = ""


class Digit(Message, tag=42, frozen=True):
    n: int
    session: str
    number: int
    digit: str


class PlayEnded(Message, tag=43, frozen=True):
    n: int
    session: str
    command: str


class MessageRecorded(Message, tag=44, frozen=True):
    n: int
    session: str
    command: str
    duration_ms: int


class Silent(Message, tag=45, frozen=True):
    n: int
    session: str


class RecordingTrouble(Message, tag=46, frozen=True):
    n: int
    session: str
    reason: str


class Closed(Message, tag=47, frozen=True):
    n: int
    session: str
    packets_received: int
    packets_sent: int
    packets_lost: int
    jitter_us: int
    remote_packets_lost: int | None
    remote_jitter_us: int | None
    largest_gap_ms: int
    recording_ms: int | None


Event = Opened | Failed | Digit | PlayEnded | MessageRecorded | Silent | RecordingTrouble | Closed
Command = Open | Connect | Play | Stop | Echo | Record | Bridge | Unbridge | Close | Hold
ToWorker = Hello | Drain | Ack | AskStatistics | Command


class Welcome(Message, tag=31, frozen=True):
    """The worker's answer: its sessions, and the events that nobody has acknowledged, oldest first.

    `address` and `ready` are where its sessions are and the ports that it holds ready for new ones.
    """

    protocol: int
    worker: str
    pid: int
    release: str
    draining: bool
    events_lost: int
    sessions: tuple[SessionState, ...]
    replay: tuple[Event, ...]
    address: str = ""
    ready: tuple[int, ...] = ()


FromWorker = Welcome | Refused | Taken | Statistics | Event

_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def encode(message: Message) -> bytes:
    """`message` as a frame."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def decode_to_worker(body: bytes) -> ToWorker:
    """What the application said; raises RemoteProtocolError."""
    try:
        return cast("ToWorker", _to_worker.decode(body))
    except msgspec.DecodeError as error:
        raise RemoteProtocolError("control_message") from error


def decode_from_worker(body: bytes) -> FromWorker:
    """What the worker said; raises RemoteProtocolError."""
    try:
        return cast("FromWorker", _from_worker.decode(body))
    except msgspec.DecodeError as error:
        raise RemoteProtocolError("control_message") from error


class Frames:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that `data` completes; raises RemoteProtocolError when one is too long."""
        self._pending += data
        while len(self._pending) >= 4:
            (length,) = _LENGTH.unpack_from(self._pending)
            if length > MAX_FRAME:
                raise RemoteProtocolError("control_frame_long")
            if len(self._pending) < 4 + length:
                return
            body = bytes(self._pending[4 : 4 + length])
            del self._pending[: 4 + length]
            yield body
