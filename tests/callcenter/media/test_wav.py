"""WAV files in and out."""

import contextlib
import io
import struct
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.kernel.errors import InvalidInput
from callcenter.media import wav
from callcenter.media.g711 import PCMA, PCMU
from tests.support import tone


@pytest.mark.parametrize(
    ("rate", "channels", "width"), [(8000, 1, 2), (16000, 1, 1), (44100, 2, 2), (48000, 2, 3), (22050, 6, 4)]
)
def test_any_rate_width_and_number_of_channels_becomes_8_khz_mono(
    tmp_path: Path, rate: int, channels: int, width: int
) -> None:
    source = tone.samples(1000, 0.5, rate=rate)
    path = tone.write_wave(tmp_path / "a.wav", source, rate=rate, channels=channels, width=width)
    raw = wav.to_mono(path.read_bytes())
    signal = struct.unpack(f"<{len(raw) // 2}h", raw)
    assert abs(len(signal) - 4000) <= 2
    assert tone.above_neighbours_db(signal[400:3600], 1000) > 30
    assert tone.power_db(signal[400:3600], 1000) == pytest.approx(tone.power_db(tone.samples(1000, 0.4), 1000), abs=1)


@pytest.mark.parametrize(("kind", "codec"), [(7, PCMU), (6, PCMA)])
def test_g711_in_a_wav_is_read(kind: int, codec: str) -> None:
    body = tone.g711(1000, 0.2, codec)
    form = struct.pack("<HHIIHH", kind, 1, 8000, 8000, 1, 8)
    data = b"WAVEfmt " + struct.pack("<I", 16) + form + b"LIST\3\0\0\0abc\0data" + struct.pack("<I", len(body)) + body
    raw = wav.to_mono(b"RIFF" + struct.pack("<I", len(data)) + data)
    assert tone.above_neighbours_db(struct.unpack("<1600h", raw), 1000) > 30


def test_the_header_that_we_write_is_read_by_the_standard_library() -> None:
    with wave.open(io.BytesIO(wav.header(400) + bytes(400)), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (2, 2, 8000, 100)


def test_a_file_cut_short_is_read_as_far_as_it_goes() -> None:
    assert wav.parse(wav.header(4000) + bytes(402)).length == 400


@pytest.mark.parametrize("data", [b"", b"RIFF\0\0\0\0WAVE", b"RIFFxxxxWAVEdata\0\0\0\0", b"ID3" + bytes(100)])
def test_what_is_no_wav_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        wav.to_mono(data)


@given(st.lists(st.tuples(st.integers(0, 43), st.integers(0, 255)), max_size=6), st.integers(0, 300))
def test_a_mutated_file_is_read_or_refused_and_nothing_else(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(wav.header(256) + bytes(256))
    for position, value in changes:
        data[position] = value
    with contextlib.suppress(InvalidInput):
        assert len(wav.to_mono(bytes(data[:length]))) % 2 == 0
