"""Where a received packet belongs in a recording.

A side's samples lie on the recording's own time line: the first packet of a source is anchored so that it ends when
it arrived, later ones follow by their RTP timestamps, whatever the network did to their order. What comes later than
the horizon is dropped; a source whose clock jumped is anchored again; a clock that runs faster or slower than ours is
moved when it has gone 60 ms astray. What nobody sent is silence, and so is the time of a key press (RFC 4733).

All positions are samples since the start of the recording; the bytes are G.711.
"""

from callcenter.media.g711 import SILENCE, convert

HORIZON = 3200
"""Samples (400 ms) for which a late packet is waited for."""

_EARLY = 1600
_LONGEST_PRESS = 80_000
_LATE_RUN = 25
_SKEW = 480
_SKEW_WEIGHT = 256
_NEVER = -(1 << 62)


class Side:
    """One channel of a recording, up to what has been taken from it."""

    __slots__ = (
        "_anchor", "_buffer", "_late_run", "_mute_from", "_mute_until", "_skew", "_source", "codec", "dropped",
        "taken",
    )  # fmt: skip

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.taken = 0
        self.dropped = 0
        self._buffer = bytearray()
        self._source = -1
        self._anchor = 0
        self._late_run = 0
        self._skew = 0
        self._mute_from = self._mute_until = _NEVER

    def place(self, ssrc: int, timestamp: int, payload: bytes, codec: str, arrival: int) -> None:
        """Put one audio packet where it belongs."""
        length = len(payload)
        position = self._position(ssrc, timestamp, length, arrival)
        if codec != self.codec:
            payload = convert(payload, codec, self.codec)
        if position < self._mute_until and position + length > self._mute_from:
            return
        self._write(position, payload, length)

    def press(self, ssrc: int, timestamp: int, duration: int, arrival: int) -> None:
        """Silence the key press that began at `timestamp` and has lasted for `duration` samples."""
        position = (
            self._position(ssrc, timestamp, duration, arrival)
            if self._source != ssrc
            else self._at(timestamp, arrival)
        )
        if not -_LONGEST_PRESS <= position - arrival <= _EARLY:
            # A clock that jumped, or a lie: believed, it would be gigabytes of silence. The anchor is the sound's.
            position = arrival - duration
        end = min(position + duration, arrival + _EARLY)
        if position > self._mute_until:
            self._mute_from = position
        self._mute_until = max(self._mute_until, end)
        start = max(position, self.taken)
        silent = min(end, self.taken + len(self._buffer)) - start
        if silent > 0:
            self._write(start, SILENCE[self.codec] * silent, silent)

    def _at(self, timestamp: int, arrival: int) -> int:
        # The timestamp wraps; the arrival tells which turn it is in.
        return arrival + ((timestamp + self._anchor - arrival + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def _position(self, ssrc: int, timestamp: int, length: int, arrival: int) -> int:
        expected = arrival - length
        if ssrc != self._source:
            return self._anchor_at(ssrc, timestamp, expected)
        position = arrival + ((timestamp + self._anchor - arrival + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        late = expected - position
        if late < -_EARLY:
            return self._anchor_at(ssrc, timestamp, expected)
        if late > HORIZON:
            self._late_run += 1
            return self._anchor_at(ssrc, timestamp, expected) if self._late_run > _LATE_RUN else position
        self._late_run = 0
        self._skew += late - self._skew // _SKEW_WEIGHT
        if not -_SKEW < self._skew // _SKEW_WEIGHT < _SKEW:
            self._anchor += self._skew // _SKEW_WEIGHT
            self._skew = 0
        return position

    def _anchor_at(self, ssrc: int, timestamp: int, position: int) -> int:
        self._source = ssrc
        self._anchor = position - timestamp
        self._late_run = 0
        self._skew = 0
        return position

    def _write(self, position: int, payload: bytes, length: int) -> None:
        start = position - self.taken
        if start < 0:
            if start <= -length:
                self.dropped += 1
                return
            payload = payload[-start:]
            length += start
            start = 0
        buffer = self._buffer
        missing = start - len(buffer)
        if missing > 0:
            buffer += SILENCE[self.codec] * missing
        buffer[start : start + length] = payload

    def take(self, until: int) -> bytes:
        """What lies before `until` and has not been taken yet, holes as silence."""
        wanted = until - self.taken
        if wanted <= 0:
            return b""
        chunk = bytes(self._buffer[:wanted])
        del self._buffer[:wanted]
        self.taken = until
        return chunk + SILENCE[self.codec] * (wanted - len(chunk))
