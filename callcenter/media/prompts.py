"""Prompts and music: WAV files as G.711, converted once and kept while they are used (telephony.md section 4)."""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from callcenter.kernel.errors import InvalidInput
from callcenter.media import wav
from callcenter.media.background import Background
from callcenter.media.g711 import FRAME, PCMA, PCMU, SILENCE, from_linear

CACHE_BYTES = 64 << 20
MAX_FILE_BYTES = 256 << 20

Clip = dict[str, bytes]
"""The same audio in each codec."""

Key = tuple[str, int, int]
Loaded = Callable[[list[Clip] | None, str], None]


class Prompts:
    """The cache, and the thread that fills it. Only the loop's thread touches the cache."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], background: Background) -> None:
        self._call_soon = call_soon
        self._background = background
        self._cache: OrderedDict[Key, Clip] = OrderedDict()
        self._bytes = 0

    def load(self, paths: Sequence[str], loaded: Loaded) -> None:
        """Call `loaded(clips, "")` or `loaded(None, reason)`: at once if all are in the cache, else from the loop."""
        try:
            keys = [_key(path) for path in paths]
        except OSError:
            loaded(None, "prompt_missing")
            return
        found = [self._cache.get(key) for key in keys]
        clips = [clip for clip in found if clip is not None]
        if len(clips) == len(keys):
            for key in keys:
                self._cache.move_to_end(key)
            loaded(clips, "")
            return
        self._background.submit(lambda: self._read(keys, found, loaded))

    def _read(self, keys: list[Key], found: list[Clip | None], loaded: Loaded) -> None:
        clips: list[Clip] = []
        reason = ""
        try:
            clips = [clip or _convert(key) for key, clip in zip(keys, found, strict=True)]
        except OSError:
            reason = "prompt_missing"
        except InvalidInput:
            reason = "prompt_format"
        self._call_soon(lambda: self._arrived(keys, clips, reason, loaded))

    def _arrived(self, keys: list[Key], clips: list[Clip], reason: str, loaded: Loaded) -> None:
        for key, clip in zip(keys, clips, strict=False):
            if key not in self._cache:
                self._cache[key] = clip
                self._bytes += _size(clip)
        while self._bytes > CACHE_BYTES and len(self._cache) > 1:
            self._bytes -= _size(self._cache.popitem(last=False)[1])
        loaded(None if reason else clips, reason)


def _key(path: str) -> Key:
    found = os.stat(path)  # noqa: PTH116  # on the tick's thread; pathlib costs three times as much
    return path, found.st_mtime_ns, found.st_size


def _convert(key: Key) -> Clip:
    path, _, size = key
    if size > MAX_FILE_BYTES:
        raise InvalidInput("file too large", data={"field": "size"})
    samples = wav.to_mono(Path(path).read_bytes())
    return {codec: from_linear(samples, codec) for codec in (PCMU, PCMA)}


def _size(clip: Clip) -> int:
    return sum(len(data) for data in clip.values())


class Player:
    """Clips one after the other, 20 ms at a time, without a gap between them."""

    __slots__ = ("_clips", "_index", "_offset", "command", "loop", "started")

    def __init__(self, command: str, clips: list[Clip], *, loop: bool) -> None:
        self.command = command
        self.loop = loop and any(clip[PCMU] for clip in clips)
        self.started = False
        self._clips = clips
        self._index = 0
        self._offset = 0

    def next(self, codec: str) -> bytes | None:
        """The next frame, the last one filled up with silence; None at the end."""
        start = self._offset
        if self._index < len(self._clips):
            frame = self._clips[self._index][codec][start : start + FRAME]
            if len(frame) == FRAME:
                self._offset = start + FRAME
                return frame
            return self._across(frame, codec)
        return None

    def _across(self, frame: bytes, codec: str) -> bytes | None:
        while len(frame) < FRAME:
            self._index += 1
            if self._index == len(self._clips):
                if not self.loop:
                    break
                self._index = 0
            self._offset = FRAME - len(frame)
            piece = self._clips[self._index][codec][: self._offset]
            self._offset = len(piece)
            frame += piece
        return frame + SILENCE[codec] * (FRAME - len(frame)) if frame else None
