"""Tones that tests send and find again: u-law or A-law by the second, and Goertzel's measure of one frequency."""

import math
import struct
import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from callcenter.media.g711 import FRAME, PCMU, RATE, from_linear, to_linear


def samples(hertz: float, seconds: float, *, amplitude: float = 8000.0, rate: int = RATE) -> list[int]:
    """A sine as 16-bit samples."""
    step = 2 * math.pi * hertz / rate
    return [round(amplitude * math.sin(step * index)) for index in range(round(seconds * rate))]


def g711(hertz: float, seconds: float, codec: str = PCMU) -> bytes:
    """A sine in G.711."""
    tone = samples(hertz, seconds)
    return from_linear(struct.pack(f"<{len(tone)}h", *tone), codec)


def frames(hertz: float, seconds: float, codec: str = PCMU) -> list[bytes]:
    """The same in pieces of 20 ms."""
    tone = g711(hertz, seconds, codec)
    return [tone[start : start + FRAME] for start in range(0, len(tone), FRAME)]


def linear(payload: bytes, codec: str = PCMU) -> list[int]:
    """G.711 as samples."""
    raw = to_linear(payload, codec)
    return list(struct.unpack(f"<{len(raw) // 2}h", raw))


def power_db(signal: Sequence[int], hertz: float, *, rate: int = RATE) -> float:
    """Goertzel: the power of `hertz` in `signal`, in dB of full scale of a 16-bit sine; -120 at least."""
    if not signal:
        return -120.0
    coefficient = 2 * math.cos(2 * math.pi * hertz / rate)
    one = two = 0.0
    for value in signal:
        one, two = value + coefficient * one - two, one
    power = (one * one + two * two - coefficient * one * two) / (len(signal) / 2) ** 2
    return max(-120.0, 10 * math.log10(power / 32768**2 + 1e-12))


def above_neighbours_db(signal: Sequence[int], hertz: float, *, rate: int = RATE) -> float:
    """How far `hertz` stands out from the frequencies 15 and 30 per cent beside it."""
    beside = max(power_db(signal, hertz * factor, rate=rate) for factor in (0.7, 0.85, 1.15, 1.3))
    return power_db(signal, hertz, rate=rate) - beside


def sounding(signal: Sequence[int]) -> slice:
    """Where `signal` sounds: from its first sample that is not zero to its last one."""
    heard = [index for index, value in enumerate(signal) if value]
    return slice(heard[0], heard[-1] + 1) if heard else slice(0, 0)


def longest_silence(signal: Sequence[int]) -> slice:
    """The longest run of zeros within what sounds."""
    heard = [index for index, value in enumerate(signal) if value]
    before, after = max(pairwise(heard), key=lambda pair: pair[1] - pair[0])
    return slice(before + 1, after)


def write_wave(path: Path, tone: Sequence[int], *, rate: int = RATE, channels: int = 1, width: int = 2) -> Path:
    """A WAV file with `tone` (16-bit samples) in every channel, stored with `width` bytes (1 to 4) a sample."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"".join(_stored(value, width) * channels for value in tone))
    return path


def _stored(value: int, width: int) -> bytes:
    if width == 1:
        return bytes(((value >> 8) + 128,))
    return (value << 8 * (width - 2)).to_bytes(width, "little", signed=True)


def read_stereo(path: Path) -> tuple[list[int], list[int]]:
    """Left and right channel of a recording."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        raw = file.readframes(file.getnframes())
    both = struct.unpack(f"<{len(raw) // 2}h", raw)
    return list(both[0::2]), list(both[1::2])
