"""Playing clips, and keeping them."""

import os
from pathlib import Path

import pytest

from callcenter.media.background import Background
from callcenter.media.g711 import PCMA, PCMU, SILENCE
from callcenter.media.prompts import Clip, Player, Prompts
from tests.support import tone


def clip(code: int, length: int) -> Clip:
    return {PCMU: bytes((code,)) * length, PCMA: bytes((code,)) * length}


def played(player: Player, frames: int) -> list[bytes | None]:
    return [player.next(PCMU) for _ in range(frames)]


def test_clips_follow_each_other_without_a_gap() -> None:
    player = Player("p", [clip(1, 200), clip(2, 0), clip(3, 100)], loop=False)
    rest = bytes((3,)) * 100 + SILENCE[PCMU] * 20
    assert played(player, 3) == [bytes((1,)) * 160, bytes((1,)) * 40 + rest, None]


def test_music_goes_round_and_round() -> None:
    player = Player("p", [clip(1, 100)], loop=True)
    assert played(player, 100) == [bytes((1,)) * 160] * 100


def test_empty_music_ends_at_once() -> None:
    assert played(Player("p", [clip(1, 0)], loop=True), 1) == [None]
    assert played(Player("p", [], loop=False), 1) == [None]


class Loading:
    """Prompts whose loop is the test: answers are run when it says so."""

    def __init__(self) -> None:
        self.background = Background("test")
        self.calls: list[object] = []
        self.prompts = Prompts(self.calls.append, self.background)
        self.answers: list[tuple[int | None, str]] = []

    def load(self, *paths: Path) -> None:
        self.prompts.load([str(path) for path in paths], self.loaded)

    def loaded(self, clips: list[Clip] | None, reason: str) -> None:
        self.answers.append((None if clips is None else sum(len(each[PCMU]) for each in clips), reason))

    def finish(self) -> None:
        self.background.finish(5)
        for call in self.calls:
            assert callable(call)
            call()


@pytest.fixture
def loading() -> Loading:
    return Loading()


def test_a_file_is_converted_once_and_again_when_it_changes(loading: Loading, tmp_path: Path) -> None:
    path = tone.write_wave(tmp_path / "a.wav", tone.samples(440, 0.1))
    loading.load(path)
    loading.finish()
    loading.load(path)
    assert loading.answers == [(800, "")] * 2
    tone.write_wave(path, tone.samples(440, 0.2))
    os.utime(path, ns=(1, 1))
    loading.load(path)
    assert loading.answers == [(800, "")] * 2


@pytest.mark.parametrize(("content", "reason"), [(None, "prompt_missing"), (b"no sound", "prompt_format")])
def test_a_bad_file_is_told_by_reason(loading: Loading, tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    loading.load(path)
    loading.finish()
    assert loading.answers == [(None, reason)]
