"""RTP packets on the wire (RFC 3550 section 5): what is one, and what ours look like.

`parse` accepts what a telephone may send (padding, CSRCs, one header extension) and names every other case.
It returns a plain tuple because it runs for each packet.
"""

import struct

from callcenter.kernel.errors import RemoteProtocolError

HEADER = struct.Struct("!BBHII")
HEADER_LENGTH = 12
VERSION = 0x80
MARKER = 0x80
# 200 ms of G.711: more than any telephone sends, and a bound for what one packet may write into a recording.
MAX_PAYLOAD = 1600
_RTCP_TYPES = range(72, 77)
_EXTENSION = struct.Struct("!HH")

Packet = tuple[int, int, int, int, int, bytes]


def parse(data: bytes) -> Packet:
    """(marker bit, 0 or 0x80; payload type; sequence; timestamp; SSRC; payload); raises RemoteProtocolError."""
    if len(data) < HEADER_LENGTH:
        raise RemoteProtocolError("rtp_short")
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    payload = data[HEADER_LENGTH:] if first == VERSION else _unusual_payload(data, first)
    payload_type = second & 0x7F
    if payload_type in _RTCP_TYPES:
        raise RemoteProtocolError("rtp_is_rtcp")
    if not payload:
        raise RemoteProtocolError("rtp_empty")
    if len(payload) > MAX_PAYLOAD:
        raise RemoteProtocolError("rtp_long")
    return second & MARKER, payload_type, sequence, timestamp, ssrc, payload


def _unusual_payload(data: bytes, first: int) -> bytes:
    if first & 0xC0 != VERSION:
        raise RemoteProtocolError("rtp_version")
    start = HEADER_LENGTH + 4 * (first & 0x0F)
    end = len(data)
    if first & 0x10:
        if end < start + 4:
            raise RemoteProtocolError("rtp_extension")
        start += 4 + 4 * int(_EXTENSION.unpack_from(data, start)[1])
    if start > end:
        raise RemoteProtocolError("rtp_extension" if first & 0x10 else "rtp_csrc")
    if first & 0x20:
        padding = data[-1]
        if not 0 < padding <= end - start:
            raise RemoteProtocolError("rtp_padding")
        end -= padding
    return data[start:end]


def build(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool = False
) -> bytes:
    """A packet without CSRC, extension or padding."""
    second = payload_type | MARKER if marker else payload_type
    return HEADER.pack(VERSION, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def signed(value: int, bits: int) -> int:
    """`value` modulo 2**bits as the nearest signed distance: how far a counter that wraps has moved."""
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half
