"""A real media worker in a process of its own, a client of its socket, and a phone made of one UDP socket."""

import asyncio
import os
import random
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from callcenter.media import protocol
from callcenter.media.protocol import Message, Remote
from callcenter.media.rtp import build, parse

M = TypeVar("M", bound=Message)
DEADLINE_S = 60.0  # a busy machine takes its time


class WorkerProcess:
    """`python -m callcenter.media` below `folder`."""

    def __init__(self, folder: Path, name: str = "w1", ports: str = "", *extra: str) -> None:
        self.path = folder / "run" / f"media-{name}.sock"
        self.recordings = folder / "recordings"
        # Workers of tests that run at the same time must not share ports.
        first = 30000 + 2 * random.Random(os.urandom(8)).randrange(7000)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "callcenter.media", "--socket", str(self.path), "--name", name),
                *("--ports", ports or f"{first}-{first + 99}", "--recordings", str(self.recordings), *extra),
            ]
        )

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(DEADLINE_S)


class Client:
    """An application as the worker sees it, with everything it was told in `said`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.said: list[protocol.FromWorker] = []
        self.closed = False
        self._frames = protocol.Frames()
        self._reader = reader
        self._writer = writer
        self._numbers: dict[str, int] = {}
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, path: Path) -> "Client":
        """Connect as soon as the worker listens."""
        until = time.monotonic() + DEADLINE_S
        while True:
            try:
                return cls(*await asyncio.open_unix_connection(path))
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < until, "the worker did not start"
                await asyncio.sleep(0.01)

    @classmethod
    async def attach(cls, path: Path, epoch: int = 1) -> "Client":
        """Connect and be welcomed."""
        client = await cls.connect(path)
        client.send(protocol.Hello(protocol.PROTOCOL, epoch, "test"))
        await client.hear(protocol.Welcome)
        return client

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65536):
                self.said.extend(protocol.decode_from_worker(body) for body in self._frames.feed(data))
        except ConnectionResetError:
            pass
        self.closed = True

    def send(self, message: Message) -> None:
        self._writer.write(protocol.encode(message))

    def number(self, session: str) -> int:
        """The next command number of `session`."""
        self._numbers[session] = self._numbers.get(session, 0) + 1
        return self._numbers[session]

    def heard(self, kind: type[M]) -> list[M]:
        """What was said of one kind."""
        return [message for message in self.said if isinstance(message, kind)]

    async def hear(self, kind: type[M], which: Callable[[M], bool] = lambda message: True) -> M:
        """Wait for a message."""
        await eventually(lambda: any(which(message) for message in self.heard(kind)))
        return next(message for message in self.heard(kind) if which(message))

    async def open(self, session: str, phone: "Phone", **about: object) -> int:
        """Open a session for `phone`; the worker's RTP port."""
        self.send(protocol.Open(session, self.number(session), phone.remote(**about)))
        opened = await self.hear(protocol.Opened, lambda event: event.session == session)
        phone.target = (opened.address, opened.port)
        return opened.port

    async def statistics(self) -> protocol.Statistics:
        """The worker's counters now."""
        self.said = [message for message in self.said if not isinstance(message, protocol.Statistics)]
        self.send(protocol.AskStatistics())
        return await self.hear(protocol.Statistics)

    async def drops(self, wanted: Callable[[dict[str, int]], object]) -> protocol.Statistics:
        """Ask until the drops are as `wanted`: a datagram that was sent has not been read yet."""
        until = time.monotonic() + DEADLINE_S
        while not wanted((statistics := await self.statistics()).drops):
            assert time.monotonic() < until, f"the drops are {statistics.drops}"
        return statistics

    async def close(self) -> None:
        self._writer.close()
        await self._task


class Phone:
    """One RTP endpoint: sends frames at their pace, keeps every packet that it gets."""

    def __init__(self, address: str = "127.0.0.1", codec: str = "PCMU", port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.socket.setblocking(False)
        self.codec = codec
        self.payload_type = 0 if codec == "PCMU" else 8
        self.target: tuple[str, int] = ("127.0.0.1", 9)
        self.sequence = 100
        self.timestamp = 1000
        self.ssrc = random.Random(self.port).getrandbits(32)
        self._raw: list[bytes] = []
        self._spoke_at = time.monotonic()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def remote(self, **about: object) -> Remote:
        """What this phone's SDP would say."""
        address, port = self.socket.getsockname()
        given = {
            "address": address,
            "port": port,
            "codecs": ((self.payload_type, self.codec),),
            "telephone_event": 101,
        }
        return Remote(**{**given, **about})

    def send(self, payload: bytes, *, payload_type: int | None = None, marker: bool = False) -> None:
        """One packet now; time goes on by its length."""
        kind = self.payload_type if payload_type is None else payload_type
        self.raw(build(kind, self.sequence, self.timestamp, self.ssrc, payload, marker=marker))
        self.sequence += 1
        self.timestamp += len(payload)

    def raw(self, data: bytes) -> None:
        self.socket.sendto(data, self.target)
        self._spoke_at = time.monotonic()

    def speak_again(self) -> None:
        """The clock of the timestamps has gone on while nothing was said."""
        self.timestamp += 160 * int((time.monotonic() - self._spoke_at) * 50)

    def event(self, payload: bytes, *, marker: bool = False, payload_type: int = 101) -> None:
        """One telephone-event packet; the timestamp stays."""
        self.raw(build(payload_type, self.sequence, self.timestamp, self.ssrc, payload, marker=marker))
        self.sequence += 1

    def packets(self) -> list[tuple[int, int, int, int, int, bytes]]:
        """Everything that has arrived so far, parsed."""
        while True:
            try:
                self._raw.append(self.socket.recv(2048))
            except BlockingIOError:
                return [parse(data) for data in self._raw]

    def audio(self) -> bytes:
        """The payloads of the audio that has arrived, in order of arrival."""
        return b"".join(packet[5] for packet in self.packets() if packet[1] == self.payload_type)

    def close(self) -> None:
        self.socket.close()


async def talk(frames: dict[Phone, list[bytes]]) -> None:
    """Let phones send their frames side by side, one each 20 ms."""
    for phone in frames:
        phone.speak_again()
    start = time.monotonic()
    for index in range(max(len(each) for each in frames.values())):
        for phone, each in frames.items():
            if index < len(each):
                phone.send(each[index])
        await asyncio.sleep(max(0.0, start + 0.02 * (index + 1) - time.monotonic()))


async def eventually(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Poll `condition` until it holds."""
    until = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        await asyncio.sleep(0.01)


def samples_in_header(path: Path) -> int:
    """Instants that the header of a recording covers."""
    header = path.read_bytes()[:44]
    return int(struct.unpack("<I", header[40:])[0]) // 4 if len(header) == 44 else 0
