"""From RFC 4733 packets to key presses: one press is one digit, whatever the network and the phone do to it.

A press is known by (SSRC, timestamp). Some phones change the timestamp within a press, and some networks lose every
end packet or repeat it; so a packet with the same key and without the marker still belongs to the last press when
it overlaps it in RTP time, or follows it so closely that a finger cannot have moved, with a duration that grows.
"""

import struct
from collections import deque

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.media.rtp import signed

KEYS = "0123456789*#ABCD"
_PAYLOAD = struct.Struct("!BBH")
_END = 0x80
# A second press of the same key starts at least 40 ms (320) after the end of the first; an unfinished one may
# lack two update packets of 20 ms.
_SLACK_ENDED = 240
_SLACK_OPEN = 400
_SAME_BREATH = 480


class KeyPresses:
    """Follows the telephone-events of one leg. Times are in samples."""

    __slots__ = ("_arrival", "_duration", "_ended", "_event", "_known", "_source", "_timestamp")

    def __init__(self) -> None:
        self._known: deque[tuple[int, int]] = deque(maxlen=8)
        self._event = -1
        self._source = -1
        self._timestamp = 0
        self._duration = 0
        self._ended = True
        self._arrival = 0

    def packet(self, ssrc: int, timestamp: int, payload: bytes, arrival: int, *, marker: bool) -> str | None:
        """The key that this packet newly presses, None where it tells of a press already known (or of no key)."""
        if len(payload) < 4:
            raise RemoteProtocolError("telephone_event_short")
        event, flags, duration = _PAYLOAD.unpack_from(payload)
        key = (ssrc, timestamp)
        if key == (self._source, self._timestamp):
            if event == self._event:
                self._update(duration, flags, arrival)
            return None
        if key in self._known:
            return None
        self._known.append(key)
        same = event == self._event and not marker and self._continues(timestamp, duration, arrival)
        self._event, (self._source, self._timestamp), self._ended = event, key, False
        if not same:
            self._duration = 0
        self._update(duration, flags, arrival)
        return None if same or event >= len(KEYS) else KEYS[event]

    def _continues(self, timestamp: int, duration: int, arrival: int) -> bool:
        slack = _SLACK_ENDED if self._ended else _SLACK_OPEN
        if 0 < signed(timestamp - self._timestamp, 32) <= self._duration + slack:
            return True
        return arrival - self._arrival <= _SAME_BREATH and duration >= self._duration

    def _update(self, duration: int, flags: int, arrival: int) -> None:
        self._duration = max(self._duration, duration)
        self._ended = self._ended or bool(flags & _END)
        self._arrival = arrival


def build(key: str, duration: int, *, end: bool = False, volume: int = 10) -> bytes:
    """The payload that tells of `key` held for `duration` samples so far."""
    return _PAYLOAD.pack(KEYS.index(key), (_END if end else 0) | volume, duration)


def duration_of(payload: bytes) -> int:
    """Samples for which the key has been held; 0 in a packet too short to say."""
    return int(_PAYLOAD.unpack_from(payload)[2]) if len(payload) >= 4 else 0
