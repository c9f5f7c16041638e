"""WAV files: the header that we write and the formats that we read (Multimedia Programming Interface 1.0, RIFF).

Read: PCM of 8, 16, 24 or 32 bits, u-law, A-law, at any rate and with any number of channels (mixed into one).
"""

import struct
from dataclasses import dataclass

from callcenter.kernel.errors import InvalidInput
from callcenter.media.audio import audioop
from callcenter.media.g711 import RATE

HEADER_LENGTH = 44
SAMPLE_BYTES = 4
"""Bytes of one instant: two channels of 16 bits."""

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")
_PCM, _ALAW, _ULAW, _EXTENSIBLE = 1, 6, 7, 0xFFFE
# One second at a time: the interpreter is released between the steps and the tick is not held up.
_STEP_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Wave:
    """The format of a file and where its samples lie in it."""

    format: int
    channels: int
    rate: int
    width: int
    start: int
    length: int


def header(data_bytes: int) -> bytes:
    """The header of PCM16 stereo 8 kHz with `data_bytes` of samples."""
    size = min(data_bytes, 0xFFFFFFFF - 36)
    rate = RATE * SAMPLE_BYTES
    return _HEADER.pack(
        b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, _PCM, 2, RATE, rate, SAMPLE_BYTES, 16, b"data", size
    )


def parse(data: bytes) -> Wave:
    """The format of a WAV file; raises InvalidInput naming what is wrong."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise InvalidInput("not a WAV file", data={"field": "riff"})
    position = 12
    form: tuple[int, int, int, int] | None = None
    while position + 8 <= len(data):
        name, size = _CHUNK.unpack_from(data, position)
        position += 8
        if name == b"fmt ":
            form = _form(data, position, size)
        elif name == b"data":
            if form is None:
                raise InvalidInput("samples before their format", data={"field": "fmt"})
            length = min(size, len(data) - position)
            return Wave(*form, position, length - length % (form[1] * form[3]))
        position += size + (size & 1)
    raise InvalidInput("no samples", data={"field": "data"})


def _form(data: bytes, position: int, size: int) -> tuple[int, int, int, int]:
    if size < 16 or position + size > len(data):
        raise InvalidInput("short format", data={"field": "fmt"})
    kind, channels, rate, _, _, bits = _FORMAT.unpack_from(data, position)
    if kind == _EXTENSIBLE and size >= 40:
        kind = int.from_bytes(data[position + 24 : position + 26], "little")
    known = (kind == _PCM and bits in (8, 16, 24, 32)) or (kind in (_ALAW, _ULAW) and bits == 8)
    if not known or not 1 <= channels <= 16 or not 1000 <= rate <= 384_000:
        raise InvalidInput("format not known", data={"field": "fmt"})
    return kind, channels, rate, bits // 8


def to_mono(data: bytes) -> bytes:
    """The file's samples as 16-bit mono at 8 kHz; raises InvalidInput."""
    wave = parse(data)
    state = None
    out = []
    step = _STEP_BYTES - _STEP_BYTES % (wave.channels * wave.width)
    for start in range(wave.start, wave.start + wave.length, step):
        piece = _linear(data[start : min(start + step, wave.start + wave.length)], wave)
        piece = _one_channel(piece, wave.channels)
        if wave.rate != RATE:
            piece, state = audioop.ratecv(piece, 2, 1, wave.rate, RATE, state)
        out.append(piece)
    return b"".join(out)


def _linear(piece: bytes, wave: Wave) -> bytes:
    if wave.format == _ULAW:
        return audioop.ulaw2lin(piece, 2)
    if wave.format == _ALAW:
        return audioop.alaw2lin(piece, 2)
    if wave.width == 1:
        # 8-bit WAV is unsigned.
        piece = audioop.bias(piece, 1, -128)
    return piece if wave.width == 2 else audioop.lin2lin(piece, wave.width, 2)


def _one_channel(piece: bytes, channels: int) -> bytes:
    if channels == 1:
        return piece
    if channels == 2:
        return audioop.tomono(piece, 2, 0.5, 0.5)
    # More than two: the first is the front left and carries speech.
    frames = len(piece) // (2 * channels)
    return b"".join(piece[2 * channels * i : 2 * channels * i + 2] for i in range(frames))
