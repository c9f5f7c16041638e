"""RTCP packets (RFC 3550 section 6): our sender and receiver reports, and what we read of the peer's.

A compound that breaks a rule of section 6.1 or A.2 is refused as a whole with a named reason. BYE is parsed and
given no effect: whether a call is over is for SIP to say (security.md S17).
"""

import struct
from dataclasses import dataclass

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.media.reception import ReportBlock

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
BYE = 203
NTP_EPOCH_OFFSET = 2_208_988_800
"""Seconds from 1900 to 1970."""

_COMMON = struct.Struct("!BBH")
_SENDER = struct.Struct("!IIIII")
_BLOCK = struct.Struct("!IIIIII")
_SSRC = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a sender says of itself: NTP time (64 bits), RTP timestamp of that moment, counts."""

    ntp: int
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Report:
    """One SR or RR."""

    ssrc: int
    sender: SenderInfo | None
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class Compound:
    """A checked compound packet: its reports, and how many BYEs came along."""

    reports: tuple[Report, ...]
    byes: int


def ntp_time(unix_s: float) -> int:
    """Seconds since 1970 as a 64-bit NTP timestamp."""
    return int((unix_s + NTP_EPOCH_OFFSET) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def middle(ntp: int) -> int:
    """The middle 32 bits: what LSR carries."""
    return (ntp >> 16) & 0xFFFFFFFF


def build(ssrc: int, sender: SenderInfo | None, block: ReportBlock | None, cname: bytes) -> bytes:
    """A compound of SR (RR where nothing was sent) and SDES with the CNAME."""
    body = _block(block) if block is not None else b""
    count = 0x80 | (1 if block is not None else 0)
    if sender is None:
        report = _COMMON.pack(count, RECEIVER_REPORT, 1 + len(body) // 4) + _SSRC.pack(ssrc) + body
    else:
        about = _SENDER.pack(
            sender.ntp >> 32, sender.ntp & 0xFFFFFFFF, sender.timestamp & 0xFFFFFFFF,
            sender.packets & 0xFFFFFFFF, sender.octets & 0xFFFFFFFF,
        )  # fmt: skip
        report = _COMMON.pack(count, SENDER_REPORT, 6 + len(body) // 4) + _SSRC.pack(ssrc) + about + body
    chunk = _SSRC.pack(ssrc) + bytes((1, len(cname))) + cname
    chunk += bytes(4 - len(chunk) % 4)
    return report + _COMMON.pack(0x81, SOURCE_DESCRIPTION, len(chunk) // 4) + chunk


def _block(block: ReportBlock) -> bytes:
    lost = block.fraction_lost << 24 | block.cumulative_lost & 0xFFFFFF
    return _BLOCK.pack(
        block.ssrc, lost, block.highest_sequence, block.jitter & 0xFFFFFFFF, block.last_sr, block.delay_since_last_sr
    )


def parse(data: bytes) -> Compound:
    """The compound packet in `data`; raises RemoteProtocolError."""
    reports: list[Report] = []
    byes = 0
    position = 0
    if not data:
        raise RemoteProtocolError("rtcp_short")
    while position < len(data):
        kind, count, body, position = _packet(data, position)
        if position != len(data) and not reports and kind not in (SENDER_REPORT, RECEIVER_REPORT):
            raise RemoteProtocolError("rtcp_order")
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            reports.append(_report(kind, count, body))
        elif kind == BYE:
            byes += 1
    return Compound(tuple(reports), byes)


def _packet(data: bytes, position: int) -> tuple[int, int, bytes, int]:
    if len(data) < position + 4:
        raise RemoteProtocolError("rtcp_short")
    first, kind, words = _COMMON.unpack_from(data, position)
    if first & 0xC0 != 0x80:
        raise RemoteProtocolError("rtcp_version")
    if not 192 <= kind <= 223:
        raise RemoteProtocolError("rtcp_type")
    end = position + 4 + 4 * words
    if end > len(data):
        raise RemoteProtocolError("rtcp_length")
    body = data[position + 4 : end]
    if first & 0x20:
        if end != len(data) or not body or not 0 < body[-1] <= len(body):
            raise RemoteProtocolError("rtcp_padding")
        body = body[: -body[-1]]
    return kind, first & 0x1F, body, end


def _report(kind: int, count: int, body: bytes) -> Report:
    start = 24 if kind == SENDER_REPORT else 4
    if len(body) < start + 24 * count:
        raise RemoteProtocolError("rtcp_length")
    sender = None
    if kind == SENDER_REPORT:
        high, low, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
        sender = SenderInfo(high << 32 | low, timestamp, packets, octets)
    blocks = []
    for index in range(count):
        ssrc, lost, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, start + 24 * index)
        cumulative = lost & 0xFFFFFF
        if cumulative & 0x800000:
            cumulative -= 1 << 24
        blocks.append(ReportBlock(ssrc, lost >> 24, cumulative, highest, jitter, last_sr, delay))
    return Report(_SSRC.unpack_from(body)[0], sender, tuple(blocks))
