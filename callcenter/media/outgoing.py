"""The one RTP stream that a leg hears from us: one SSRC, rising sequence, a clock that never runs back.

Prompts, music and the packets of whoever it is bridged with follow each other in it. A relayed source keeps its own
spacing (loss stays loss, order stays order) under an offset that is chosen anew when the source changes or jumps.
"""

import secrets

from callcenter.media.g711 import FRAME
from callcenter.media.rtp import HEADER, MARKER, VERSION, Packet, signed

# Beyond these a relayed source has started anew even if its SSRC says otherwise.
_SEQUENCE_JUMP = 500
_TIMESTAMP_JUMP = 80_000


class Outgoing:
    """Numbering of what is sent to one leg. `clock` is the worker's monotonic time in samples."""

    __slots__ = (
        "_clock_offset", "_sequence_offset", "_since", "_source", "_timestamp_offset", "octets", "packets",
        "sequence", "ssrc", "timestamp",
    )  # fmt: skip

    def __init__(self, clock: int) -> None:
        self.ssrc = secrets.randbits(32)
        self.sequence = secrets.randbits(15)
        self.timestamp = secrets.randbits(31)
        self.packets = 0
        self.octets = 0
        self._clock_offset = self.timestamp - clock
        self._source = -1
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._since = 0

    def at(self, clock: int) -> int:
        """The RTP timestamp of the moment `clock`, for sender reports."""
        return (clock + self._clock_offset) & 0xFFFFFFFF

    def _next_timestamp(self, clock: int) -> int:
        follows = (self.timestamp + FRAME) & 0xFFFFFFFF
        ahead = signed(self.at(clock) - follows, 32)
        if ahead < 0:
            # A relayed clock ran ahead of ours: go on from there.
            self._clock_offset -= ahead
            return follows
        return (follows + ahead) & 0xFFFFFFFF

    def first(self, payload_type: int, payload: bytes, clock: int) -> bytes:
        """The first packet of something of our own (prompt, music): marked, and after any pause in time."""
        self._source = -1
        self.timestamp = self._next_timestamp(clock) - FRAME
        return self.next(payload_type | MARKER, payload)

    def next(self, payload_type: int, payload: bytes, skipped: int = 0) -> bytes:
        """A packet of our own that follows the last one; `skipped` samples lie between them."""
        self.sequence = sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = timestamp = (self.timestamp + FRAME + skipped) & 0xFFFFFFFF
        self.packets += 1
        self.octets += len(payload)
        return HEADER.pack(VERSION, payload_type, sequence, timestamp, self.ssrc) + payload

    def relay(self, packet: Packet, payload_type: int, payload: bytes, clock: int) -> bytes | None:
        """The peer's `packet` as one of ours, with our payload type and payload; None if older than its start."""
        marker, _, sequence, timestamp, ssrc, _ = packet
        payload_type |= marker
        if ssrc != self._source:
            payload_type |= self._rebase(ssrc, sequence, timestamp, clock)
        ours = (sequence + self._sequence_offset) & 0xFFFF
        moment = (timestamp + self._timestamp_offset) & 0xFFFFFFFF
        step = ((ours - self.sequence + 0x8000) & 0xFFFF) - 0x8000
        pace = ((moment - self.timestamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        if not -_SEQUENCE_JUMP < step < _SEQUENCE_JUMP or not -_TIMESTAMP_JUMP < pace < _TIMESTAMP_JUMP:
            payload_type |= self._rebase(ssrc, sequence, timestamp, clock)
            ours = (sequence + self._sequence_offset) & 0xFFFF
            moment = (timestamp + self._timestamp_offset) & 0xFFFFFFFF
            step = 1
        if step > 0:
            self._since += step
            self.sequence = ours
            self.timestamp = moment
        elif -step >= self._since:
            return None
        self.packets += 1
        self.octets += len(payload)
        return HEADER.pack(VERSION, payload_type, ours, moment, self.ssrc) + payload

    def _rebase(self, ssrc: int, sequence: int, timestamp: int, clock: int) -> int:
        self._source = ssrc
        self._sequence_offset = self.sequence + 1 - sequence
        self._timestamp_offset = self._next_timestamp(clock) - timestamp
        self._since = 0
        return MARKER
