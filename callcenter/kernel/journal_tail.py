"""The tail of the journal: batches that are durable and not in `live.db` yet (ADR 0009).

A batch is one frame, appended to `live.tail-EPOCH` by one write. As the WAL of SQLite does, it survives the death of
the process in the system's page cache. The file belongs to one application; whoever comes after it takes the frames
over and removes the file, and so tells the one before that it is superseded.
"""

import contextlib
import errno
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

Row = tuple[int, str, int, str, str, int, str, bytes]
"""seq, id, epoch, kind, type, at (ms), subject, data: a row of the table `journal`."""


def _is_text(value: object) -> bool:
    return isinstance(value, str) and (value.isascii() or _is_unicode(value))


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_HEAD = struct.Struct("<II")
_STEM = ".tail-"


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """What one turn of the loop has brought. Batches are numbered without gaps for as long as the journal lives."""

    number: int
    rows: list[Row]
    states: list[tuple[str, str, bytes | None]]
    """kind, id, and the state row's content or None where it is removed."""
    people: list[tuple[str, str]]
    forgotten: list[str]

    @property
    def is_empty(self) -> bool:
        return not (self.rows or self.states or self.people or self.forgotten)

    @property
    def is_sound(self) -> bool:
        """Whether the tables take it: what is a text there is one here."""
        names = [(row[4], row[6]) for row in self.rows]
        names += [(kind, id_) for kind, id_, _ in self.states]
        return all(_is_text(first) and _is_text(second) for first, second in names)


_encoder = msgspec.msgpack.Encoder()
_decode = msgspec.msgpack.Decoder().decode


class Tail:
    """The file of the application of `epoch` beside the journal at `path`."""

    def __init__(self, path: Path, epoch: int) -> None:
        self._path = path.with_name(f"{path.stem}{_STEM}{epoch}")
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._size = 0

    @property
    def is_superseded(self) -> bool:
        """Whether a later application has taken the frames over."""
        return os.fstat(self._file).st_nlink == 0

    def append(self, batch: Batch) -> None:
        """Write all of `batch`, which is sound, or nothing; raises OSError (disk full)."""
        body = _encoder.encode(batch)
        frame = _HEAD.pack(len(body), zlib.crc32(body)) + body
        written = os.write(self._file, frame)
        if written != len(frame):
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def clear(self) -> None:
        """Everything is in the journal. What cannot be cut off is known by its number there and does no harm."""
        if self._size:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)
                self._size = 0

    def close(self, *, remove: bool) -> None:
        os.close(self._file)
        if remove:
            self._path.unlink(missing_ok=True)


def tails(path: Path) -> list[Path]:
    """The files that applications of the journal at `path` have left, oldest first."""
    found = path.parent.glob(f"{path.stem}{_STEM}*")
    return sorted(found, key=lambda each: int(each.name.rpartition("-")[2]))


def batches_in(tail: Path) -> Iterator[Batch]:
    """Its frames, up to one that was not written whole."""
    content = tail.read_bytes()
    at = 0
    while at + _HEAD.size <= len(content):
        length, checksum = _HEAD.unpack_from(content, at)
        body = content[at + _HEAD.size : at + _HEAD.size + length]
        if len(body) != length or zlib.crc32(body) != checksum:
            return
        # Without a look at the types: the database says what it does not take, one batch at a time.
        yield Batch(*_decode(body))
        at += _HEAD.size + length
