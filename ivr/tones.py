"""Sounds that are computed and not spoken: marker, beep, ringing tone, music on hold. 8 kHz, floats from -1 to 1."""

import math
from collections.abc import Sequence

RATE = 8000
RAMP_S = 0.005

# An original piece for the caller who waits: eight chords of 2.5 s, each broken into eight notes (MIDI numbers).
_CHORDS = (
    (48, 55, 60, 64),
    (45, 52, 57, 60),
    (41, 48, 53, 57),
    (43, 50, 55, 59),
    (48, 55, 60, 64),
    (40, 47, 52, 55),
    (41, 48, 57, 60),
    (43, 50, 53, 59),
)
_FIGURE = (0, 1, 2, 3, 2, 3, 1, 2)
_CHORD_S = 2.5
_RING_S = 1.8
_PARTIALS = ((1, 1.0), (2, 0.35), (3, 0.12), (4, 0.05))


def tone(hertz: float, seconds: float, dbfs: float) -> list[float]:
    """A sine whose peak is `dbfs`, with ramps so that it neither begins nor ends with a click."""
    count, ramp = round(seconds * RATE), round(RAMP_S * RATE)
    level = 10 ** (dbfs / 20)
    return [
        level * min(1.0, (n + 1) / ramp, (count - n) / ramp) * math.sin(2 * math.pi * hertz * n / RATE)
        for n in range(count)
    ]


def silence(seconds: float) -> list[float]:
    """Nothing, for `seconds`."""
    return [0.0] * round(seconds * RATE)


def ringback() -> list[float]:
    """The European ringing tone: 425 Hz, 1 s on and 4 s off."""
    return tone(425, 1.0, -18) + silence(4.0)


def music() -> list[float]:
    """20 s of broken chords. What still rings at the end sounds on at the beginning, so the loop has no seam."""
    note_s = _CHORD_S / len(_FIGURE)
    total = round(_CHORD_S * len(_CHORDS) * RATE)
    samples = [0.0] * total
    for bar, chord in enumerate(_CHORDS):
        for beat, voice in enumerate(_FIGURE):
            start = round((bar * _CHORD_S + beat * note_s) * RATE)
            for offset, value in enumerate(_pluck(440 * 2 ** ((chord[voice] + 12 - 69) / 12))):
                samples[(start + offset) % total] += value
    peak = max(map(abs, samples))
    level = 10 ** (-12 / 20)
    return [level * value / peak for value in samples]


def _pluck(hertz: float) -> Sequence[float]:
    count, ramp = round(_RING_S * RATE), round(RAMP_S * RATE)
    return [
        min(1.0, (n + 1) / ramp, (count - n) / ramp)
        * math.exp(-3.0 * n / count)
        * sum(weight * math.sin(2 * math.pi * hertz * part * n / RATE) for part, weight in _PARTIALS)
        for n in range(count)
    ]
