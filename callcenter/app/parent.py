"""How the application learns that its supervisor is gone (architecture.md section 1, kill matrix).

By a pidfd, which becomes readable at the parent's death. No pipe: nothing that a full buffer or a stray descriptor
could break.
"""

import os
from collections.abc import Callable
from typing import Protocol


class ReaderLoop(Protocol):
    """The part of an event loop that is used here."""

    def add_reader(self, fd: int, callback: Callable[[], object], /) -> object: ...

    def remove_reader(self, fd: int, /) -> object: ...

    def call_soon(self, callback: Callable[[], object], /) -> object: ...


def parent_watch(loop: ReaderLoop, parent: int, callback: Callable[[], object]) -> Callable[[], None]:
    """Call `callback` on `loop` once, when process `parent` is no longer our parent; returns what ends the watch.

    Race-free: the descriptor is opened first and the parent's number checked after, so a parent that died before (its
    number perhaps reused since) is told at once, and one that dies later is seen by the descriptor.
    """
    try:
        descriptor = os.pidfd_open(parent)
    except ProcessLookupError:
        descriptor = -1
    if descriptor < 0 or os.getppid() != parent:
        if descriptor >= 0:
            os.close(descriptor)
        loop.call_soon(callback)
        return lambda: None
    watching = True

    def stop() -> None:
        nonlocal watching
        if watching:
            watching = False
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def gone() -> None:
        stop()
        callback()

    loop.add_reader(descriptor, gone)
    return stop
