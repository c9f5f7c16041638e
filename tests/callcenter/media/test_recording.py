"""A recording on a disk that is not always well (security.md R5)."""

import errno
import os
from pathlib import Path

import pytest

from callcenter.media.background import Background
from callcenter.media.g711 import PCMA, PCMU, SILENCE, stereo
from callcenter.media.recording import Recording
from callcenter.media.timeline import HORIZON
from tests.support import tone

SECOND = 8000


class Desk:
    """A recording, its writer, and what was told of failures."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = Background("test")
        self.failures: list[str] = []
        self.closed: list[bool] = []
        self.recording = Recording(path, 0, (PCMU, PCMA), self.writer, self.failures.append)

    def speak(self, second: int) -> None:
        """A second of 1 kHz on the left."""
        for index, frame in enumerate(tone.frames(1000, 1.0)):
            position = second * SECOND + 160 * index
            self.recording.left.place(1, position, frame, PCMU, position + 160)

    def flush(self, seconds: int) -> None:
        self.recording.flush(seconds * SECOND + HORIZON)

    def finish(self, seconds: int) -> tuple[list[int], list[int]]:
        self.recording.close(seconds * SECOND, lambda: self.closed.append(True))
        self.writer.finish(5)
        assert self.writer.surprises == 0
        return tone.read_stereo(self.path)


def test_silence_is_zero_in_both_codecs() -> None:
    assert stereo(SILENCE[PCMU] * 3, PCMU, SILENCE[PCMA] * 3, PCMA) == bytes(12)


def test_each_second_reaches_the_file_with_a_header_that_covers_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "day" / "call.wav")
    desk.speak(0)
    desk.flush(1)
    desk.speak(1)
    left, right = desk.finish(2)
    assert len(left) == 2 * SECOND
    assert tone.above_neighbours_db(left, 1000) > 30
    assert set(right) == {0}
    assert (desk.closed, desk.failures) == ([True], [])


def test_a_full_disk_costs_its_seconds_and_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path / "call.wav")
    real, full = os.pwrite, [2]

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        if len(data) > 44 and full[0]:
            full[0] -= 1
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    for second in range(4):
        desk.speak(second)
        desk.flush(second + 1)
    left, _ = desk.finish(4)
    assert desk.failures == ["disk_full"]
    assert set(left[: 2 * SECOND]) == {0}
    assert tone.above_neighbours_db(left[2 * SECOND :], 1000) > 30


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(b"precious")
    desk = Desk(path)
    desk.speak(0)
    desk.recording.close(SECOND, lambda: None)
    desk.writer.finish(5)
    assert (desk.failures, path.read_bytes()) == (["file_exists"], b"precious")


def test_a_recording_is_for_its_owner_only(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "day" / "call.wav")
    desk.finish(1)
    assert [desk.path.stat().st_mode & 0o777, desk.path.parent.stat().st_mode & 0o777] == [0o600, 0o700]
