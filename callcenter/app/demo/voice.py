"""A voice on the line: a WAV file sent as PCMU packets, one each 20 ms, as a telephone does."""

import asyncio
import contextlib
import random
import socket
import struct
import wave
from pathlib import Path

from callcenter.calls.negotiation import default_offer
from callcenter.calls.ports import MediaDescription
from callcenter.media.g711 import PCMU, from_linear

FRAME = 160
PERIOD_S = 0.02


def frames_of(path: Path) -> list[bytes]:
    """The PCMU frames of a mono 8 kHz WAV of 16 bits."""
    with wave.open(str(path)) as file:
        sound = from_linear(file.readframes(file.getnframes()), PCMU)
    return [sound[start : start + FRAME] for start in range(0, len(sound) - FRAME + 1, FRAME)]


class Voice:
    """One RTP endpoint: its port is open from the start, it speaks from `speak` to `close`."""

    def __init__(self, address: str, frames: list[bytes]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.setblocking(False)
        self._frames = frames
        self._task: asyncio.Task[None] | None = None
        self.local: MediaDescription = default_offer(address, self._socket.getsockname()[1])

    def speak(self, remote: MediaDescription | None) -> None:
        """Send to `remote` from now on, over and over; nothing where it is not known."""
        if remote is not None and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._talk((remote.address, remote.port)))

    async def _talk(self, to: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        ssrc = random.getrandbits(32)  # an identifier, not a secret
        start, number = loop.time(), 0
        while True:
            frame = self._frames[number % len(self._frames)]
            header = struct.pack("!BBHII", 0x80, 0 if number else 0x80, number & 0xFFFF, number * FRAME, ssrc)
            with contextlib.suppress(OSError):
                self._socket.sendto(header + frame, to)
                while self._socket.recv(2048):  # what comes is not listened to, only taken off
                    pass
            number += 1
            await asyncio.sleep(max(0.0, start + number * PERIOD_S - loop.time()))

    def close(self) -> None:
        """Fall silent and give the port back."""
        if self._task is not None:
            self._task.cancel()
        self._socket.close()
