"""A recording as it is written: PCM16 stereo at 8 kHz, each second to the file, its header always true.

Every second goes to the place in the file that its time says, so after a disk that was full or away has come back
the recording goes on where it should and the gap is silence (security.md R5). A kill costs what is not yet written:
one second and the horizon for late packets. The samples are written before the sizes that cover them.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from callcenter.media import wav
from callcenter.media.background import Background
from callcenter.media.g711 import RATE, stereo
from callcenter.media.timeline import HORIZON, Side

# A writer that is this far behind hangs; memory is worth more than the rest of the file.
MAX_BACKLOG = 4000

_REASONS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EEXIST: "file_exists",
    errno.EACCES: "not_permitted",
    errno.EROFS: "not_permitted",
}


class RecordingFile:
    """The file, in the writer's thread."""

    def __init__(self, path: Path, failed: Callable[[str], None]) -> None:
        self._path = path
        self._failed = failed
        self._descriptor = -1
        self._told = False

    def write(self, position: int, samples: bytes) -> None:
        """Put `samples` at `position` (instants since the start)."""
        try:
            if self._descriptor < 0:
                self._open()
            at = wav.HEADER_LENGTH + position * wav.SAMPLE_BYTES
            self._put(at, samples)
            self._put(0, wav.header(at + len(samples) - wav.HEADER_LENGTH))
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor >= 0:
            try:
                os.close(self._descriptor)
            except OSError as error:
                self._fail(error)
            self._descriptor = -1

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)

    def _put(self, at: int, data: bytes) -> None:
        if os.pwrite(self._descriptor, data, at) != len(data):
            raise OSError(errno.ENOSPC, "short write")

    def _fail(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            self._failed(_reason(error))


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, "disk_error")


class Recording:
    """Two sides on one time line, handed to the writer second by second."""

    def __init__(
        self, path: Path, start: int, codecs: tuple[str, str], writer: Background, failed: Callable[[str], None]
    ) -> None:
        """`start` in samples of the worker's clock; `failed(reason)` is called once, in the writer's thread."""
        self.path = path
        self.start = start
        self.left = Side(codecs[0])
        self.right = Side(codecs[1])
        self._writer = writer
        self._failed = failed
        self._file = RecordingFile(path, failed)
        writer.submit(lambda: self._file.write(0, b""))

    def flush(self, clock: int) -> None:
        """Write what nothing can reach any more."""
        self._write(clock - self.start - HORIZON)

    def close(self, clock: int, closed: Callable[[], None]) -> int:
        """Write the rest; `closed` is called in the writer's thread. The length in samples."""
        length = max(0, clock - self.start)
        self._write(length)
        self._writer.submit(self._file.close)
        self._writer.submit(closed)
        return length

    def _write(self, until: int) -> None:
        position = self.left.taken
        if until <= position:
            return
        left, right = self.left.take(until), self.right.take(until)
        if self._writer.backlog > MAX_BACKLOG:
            self._failed("disk_slow")
            return
        samples = stereo(left, self.left.codec, right, self.right.codec)
        file = self._file
        self._writer.submit(lambda: file.write(position, samples))


def milliseconds(samples: int) -> int:
    """A length in samples as whole milliseconds."""
    return samples * 1000 // RATE
