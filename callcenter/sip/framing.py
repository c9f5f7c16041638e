"""Where one message ends and the next begins on a stream (RFC 3261 sections 7.5 and 18.3, RFC 5626 section 3.5.1).

Decides by the empty line and Content-Length, which a stream must have. After a fault nobody knows where the next
message begins, so the framer stops: the transport answers what is answerable and closes. How slowly a head may arrive
is the transport's to bound.
"""

import re
from enum import Enum

from callcenter.sip.message import MAX_HEAD, Malformed, find_head, read_head

MAX_BODY = 65536

_LENGTH = re.compile(r"[0-9]{1,10}")


class Keepalive(Enum):
    """A double CRLF between messages, to be answered by one CRLF; several in a row count as one."""

    PING = "ping"


Frame = bytes | Keepalive | Malformed


class StreamFramer:
    """Cuts a byte stream into messages. It buffers at most one head, one body and what came with them."""

    def __init__(self, *, max_head: int = MAX_HEAD, max_body: int = MAX_BODY) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = bytearray()
        self._searched = 0
        self._needed = 0
        self.failed = False
        """A fault was found: nothing that follows on the stream can be read."""

    @property
    def is_idle(self) -> bool:
        """No message has begun and not ended."""
        return not self._buffer.strip(b"\r\n")

    def feed(self, data: bytes) -> list[Frame]:
        """What `data` completes, in order. A `Malformed` is the last that this framer will ever give."""
        frames: list[Frame] = []
        if self.failed:
            return frames
        self._buffer += data
        try:
            while (frame := self._next()) is not None:
                if frame is not Keepalive.PING or frame not in frames[-1:]:
                    frames.append(frame)
        except Malformed as malformed:
            self.failed = True
            self._buffer.clear()
            frames.append(malformed)
        return frames

    def _next(self) -> bytes | Keepalive | None:
        if not self._needed:
            if self._skip_line_ends():
                return Keepalive.PING
            self._needed = self._measure()
        if not self._needed or len(self._buffer) < self._needed:
            return None
        message = bytes(self._buffer[: self._needed])
        del self._buffer[: self._needed]
        self._needed = self._searched = 0
        return message

    def _skip_line_ends(self) -> bool:
        """Drop line ends before a message; True for a ping. One CRLF at the end may be half a ping and stays."""
        length = len(self._buffer)
        start = length - len(self._buffer.lstrip(b"\r\n"))
        if start < 4 and start == length:
            return False
        ping = self._buffer.startswith(b"\r\n\r\n")
        del self._buffer[:start]
        return ping

    def _measure(self) -> int:
        """The length of the message at the start of the buffer, 0 while its head is incomplete."""
        end, after = find_head(self._buffer, self._searched)
        if max(end, len(self._buffer) if not after else 0) > self._max_head:
            raise Malformed("too_large", status=513)
        if not after:
            self._searched = max(0, len(self._buffer) - 3)
            return 0
        head = read_head(bytes(self._buffer[:end]))
        lengths = head.headers.getlist("content-length")
        if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
            reason = "content_length" if lengths else "no_content_length"
            raise Malformed(reason, answerable=head.answerable)
        if int(lengths[0]) > self._max_body:
            raise Malformed("body_too_large", status=413, answerable=head.answerable)
        return after + int(lengths[0])
