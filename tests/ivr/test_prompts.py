"""The recorded prompts that are in the repository: all there, of the right form, findable, and not too large."""

import array
import math
import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from ivr.prompts import PromptFolder
from ivr.speech import pieces_of
from ivr.synthesise import read_texts, sounds, write_wav

FOLDER = Path(__file__).resolve().parents[2] / "config" / "prompts"
TEXTS = read_texts(FOLDER / "texts.yaml")
SOUNDS = sounds()
FILES = sorted(FOLDER.rglob("*.wav"))


def samples_of(path: Path) -> Sequence[int]:
    with wave.open(str(path), "rb") as file:
        return array.array("h", file.readframes(file.getnframes()))


def level_dbfs(samples: Sequence[int], hertz: float) -> float:
    """Peak level of the tone `hertz` in `samples` by Goertzel's recurrence."""
    turn = 2 * math.cos(2 * math.pi * hertz / 8000)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample / 32768 + turn * last - before
    power = last * last + before * before - turn * last * before
    return 20 * math.log10(max(2 * math.sqrt(max(power, 0.0)) / len(samples), 1e-9))


def test_every_text_is_recorded_in_every_language() -> None:
    folder = PromptFolder(FOLDER)
    wanted = {(language, id_) for id_, texts in TEXTS.prompts.items() for language in texts}
    wanted |= {(language, piece) for language in TEXTS.voices for piece in pieces_of(language)}
    wanted |= {(language, sound) for language in TEXTS.voices for sound in SOUNDS}
    assert [pair for pair in sorted(wanted) if folder.find(*pair) is None] == []
    assert {(language, id_) for language in TEXTS.voices for id_ in folder.ids([language])} == wanted


def test_each_language_speaks_the_same_prompts() -> None:
    assert {frozenset(texts) for texts in TEXTS.prompts.values()} == {frozenset(TEXTS.voices)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_a_prompt_is_8_khz_mono_16_bit_and_audible(path: Path) -> None:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
    peak = max(map(abs, samples_of(path)))
    assert 3000 < peak < 32000


def test_all_prompts_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < 4_000_000


@pytest.mark.parametrize("language", sorted(TEXTS.voices))
def test_the_greeting_begins_with_its_marker_and_nothing_else_has_it(language: str) -> None:
    marker = TEXTS.marker
    count = marker.milliseconds * 8
    tone = samples_of(FOLDER / language / "welcome.wav")[:count]
    assert level_dbfs(tone, marker.hertz) == pytest.approx(marker.dbfs, abs=1)
    assert level_dbfs(tone, marker.hertz + 200) < marker.dbfs - 20
    other = samples_of(FOLDER / language / "goodbye.wav")[:count]
    assert level_dbfs(other, marker.hertz) < marker.dbfs - 15


def test_music_is_20_s_and_loops_without_a_click() -> None:
    samples = samples_of(FOLDER / "any" / "music.wav")
    assert len(samples) == 20 * 8000
    steps = [abs(after - before) for before, after in pairwise(samples)]
    assert abs(samples[0] - samples[-1]) <= max(steps)


def test_computed_sounds_are_the_ones_that_are_committed(tmp_path: Path) -> None:

    for name, samples in SOUNDS.items():
        write_wav(tmp_path / f"{name}.wav", samples)
        computed, committed = samples_of(tmp_path / f"{name}.wav"), samples_of(FOLDER / "any" / f"{name}.wav")
        assert max(abs(a - b) for a, b in zip(computed, committed, strict=True)) <= 1


def test_a_prompt_for_any_language_is_found_in_each_but_not_the_other_way_round(tmp_path: Path) -> None:
    for name in ("en/hello.wav", "any/beep.wav", "en/numbers/1.wav", "stray.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    folder = PromptFolder(tmp_path)
    assert folder.find("en", "beep") == folder.find("zh", "beep") == str(tmp_path / "any" / "beep.wav")
    assert folder.find("en", "numbers/1") == str(tmp_path / "en" / "numbers" / "1.wav")
    assert folder.find("zh", "hello") is None
    assert folder.ids(["zh"]) == {"beep"}
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "hello.wav").write_bytes(b"")
    folder.refresh()
    assert folder.find("zh", "hello") is not None
