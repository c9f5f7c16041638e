"""Packet captures of the loopback, taken with tcpdump and read without a library.

What the tests say about order and sound is said of these packets and not of anything that the server tells.
"""

import os
import re
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType

from tests.support.server import eventually

READY_S = 10.0
MARK = ("127.0.0.1", 9)
"""Where a datagram goes that only says how far a capture has come. Nobody listens there."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One IPv4 packet; `at` is epoch seconds, `flags` those of TCP (0 for UDP)."""

    at: float
    protocol: str
    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes

    @property
    def is_sip(self) -> bool:
        return bool(re.match(rb"SIP/2\.0 |[A-Z]+ sips?:|[A-Z]+ tel:", self.payload))

    @property
    def sip_summary(self) -> str:
        """`INVITE` or `200 INVITE`."""
        first = self.payload.split(b"\r\n", 1)[0].split(b" ")
        if first[0] != b"SIP/2.0":
            return first[0].decode()
        method = re.search(rb"\r\nCSeq: *\d+ +(\w+)", self.payload, re.IGNORECASE)
        return f"{first[1].decode()} {method.group(1).decode() if method else '?'}"

    @property
    def call_id(self) -> str:
        found = re.search(rb"\r\n(?:Call-ID|i) *: *([^\r]+)", self.payload, re.IGNORECASE)
        return found.group(1).decode() if found else ""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """The parts of an RTP packet that tests look at."""

    at: float
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class Capture:
    """`with Capture(path) as capture: ...` then `capture.packets()`."""

    def __init__(self, path: Path, expression: str = "udp or tcp") -> None:
        self._path = path
        self._expression = expression
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Capture":
        self._process = subprocess.Popen(
            [
                "tcpdump",
                "-i",
                "lo",
                "-n",
                "-U",
                "--immediate-mode",
                "-B",
                "65536",
                "-w",
                str(self._path),
                f"({self._expression}) or (udp dst port {MARK[1]} and dst host {MARK[0]})",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        while line and "listening on" not in line:
            line = self._process.stderr.readline()
        assert line, "tcpdump did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        try:
            self._catch_up()
        finally:
            self._process.send_signal(signal.SIGINT)
            self._process.communicate(timeout=READY_S)

    def _catch_up(self) -> None:
        """Wait for a mark of our own in the file: all that the kernel saw before it is there too."""
        mark, offset = os.urandom(16), self._path.stat().st_size
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, self._path.open("rb") as file:
            sender.sendto(mark, MARK)

            def has_come() -> bool:
                file.seek(offset)
                return mark in file.read()

            eventually("the capture has caught up", has_come, within_s=READY_S, every_s=0.01)

    def packets(self) -> list[Packet]:
        """Everything captured so far, in order."""
        return [packet for packet in read_capture(self._path) if packet.destination != MARK]


def read_capture(path: Path) -> Iterator[Packet]:
    """The IPv4 UDP and TCP packets of a pcap file (Ethernet or raw loopback link types)."""
    data = path.read_bytes()
    nanoseconds = struct.unpack("<I", data[:4])[0] == 0xA1B23C4D
    link = struct.unpack("<I", data[20:24])[0]
    header = {1: 14, 0: 4, 113: 16, 101: 0}[link]
    offset = 24
    while offset + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack("<IIII", data[offset : offset + 16])
        offset += 16
        if offset + length > len(data):
            return  # still being written
        frame = data[offset + header : offset + length]
        offset += length
        packet = _ipv4(seconds + fraction / (1e9 if nanoseconds else 1e6), frame)
        if packet is not None:
            yield packet


def _ipv4(at: float, frame: bytes) -> Packet | None:
    if len(frame) < 28 or frame[0] >> 4 != 4:
        return None
    start = (frame[0] & 15) * 4
    protocol = frame[9]
    total = struct.unpack(">H", frame[2:4])[0]
    source, destination = (".".join(map(str, frame[i : i + 4])) for i in (12, 16))
    ports = struct.unpack(">HH", frame[start : start + 4])
    if protocol == 17:
        payload = frame[start + 8 : total]
        return Packet(at, "udp", (source, ports[0]), (destination, ports[1]), payload)
    if protocol == 6:
        payload = frame[start + (frame[start + 12] >> 4) * 4 : total]
        return Packet(at, "tcp", (source, ports[0]), (destination, ports[1]), payload)
    return None


def rtp_of(
    packets: list[Packet], *, source: tuple[str, int] | None = None, destination: tuple[str, int] | None = None
) -> list[RtpPacket]:
    """The RTP (not RTCP) packets that went from `source` or to `destination`."""
    found = []
    for packet in packets:
        if packet.protocol != "udp" or len(packet.payload) < 12 or packet.payload[0] >> 6 != 2:
            continue
        if source is not None and packet.source != source:
            continue
        if destination is not None and packet.destination != destination:
            continue
        first, second, sequence, timestamp, ssrc = struct.unpack(">BBHII", packet.payload[:12])
        if 72 <= second & 0x7F <= 76:
            continue
        start = 12 + 4 * (first & 15)
        found.append(
            RtpPacket(
                packet.at, second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, packet.payload[start:]
            )
        )
    return found


def sound_of(rtp: list[RtpPacket], payload_type: int = 0) -> bytes:
    """The payloads of one type, in order of arrival, joined."""
    return b"".join(packet.payload for packet in rtp if packet.payload_type == payload_type)


def largest_gap_s(rtp: list[RtpPacket], *, since: float, until: float) -> float:
    """The longest time without a packet within [since, until]."""
    moments = [since, *sorted(packet.at for packet in rtp if since <= packet.at <= until), until]
    return max(later - earlier for earlier, later in pairwise(moments))
