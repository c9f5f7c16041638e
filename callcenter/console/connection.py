"""One console's outgoing side: write at once where the socket takes it, else a bounded backlog, then cut.

A frame is written by stepping the ASGI `send` coroutine once by hand. Our server's `send` (callcenter.app.http) has a
single place to wait, before it writes: while the transport holds unsent bytes. So a step that finishes has handed the
whole frame to the kernel, and one that suspends has written nothing and may be thrown away. A console whose socket is
full costs its neighbours nothing: its frames wait here, and after `limit` of them it is cut with 4408 and resyncs.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from callcenter.console.ports import Principal
from callcenter.console.protocol import CLOSE_SLOW

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

BACKLOG_FRAMES = 256
CLOSE_S = 2.0


class Connection:
    """An authenticated console. Owned by the loop's thread; every method is synchronous and none blocks."""

    def __init__(self, send: Send, principal: Principal, *, limit: int = BACKLOG_FRAMES) -> None:
        self.principal = principal
        self.sees_all = "live.read" in principal.permissions
        self.agent = principal.agent
        self.closed = False
        self.slow = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._send = send
        self._limit = limit
        self._backlog: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None

    def push(self, text: str) -> None:
        """Send in order: now if the socket takes it, else when it does; cut if too many wait."""
        if self.closed:
            return
        if not self._backlog and self._write(text):
            return
        self._backlog.append(text)
        if len(self._backlog) > self._limit:
            self._cut()
        elif self._task is None:
            self._task = asyncio.create_task(self._drain())

    def write_now(self, text: str) -> bool:
        """True when the frame has been given to the kernel on return; a console that cannot take it is cut."""
        if self.closed:
            return False
        if not self._backlog and self._write(text):
            return True
        if not self.closed:
            self._cut()
        return False

    def close(self, code: int, reason: str) -> None:
        """Send no more; say why if the socket takes it within 2 s, and let the socket's owner go (`gone`)."""
        if self.closed:
            return
        self.closed = True
        self._backlog.clear()
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._say_goodbye(code, reason))

    def lost(self) -> None:
        """The socket is gone."""
        self.closed = True
        self._backlog.clear()
        if not self.gone.done():
            self.gone.set_result(None)

    def _cut(self) -> None:
        log.warning("slow console cut", extra={"session": self.principal.session})
        self.slow = True
        self.close(CLOSE_SLOW, "slow")

    def _write(self, text: str) -> bool:
        step = self._send({"type": "websocket.send", "text": text}).__await__()
        try:
            next(step)
        except StopIteration:
            return True
        except OSError:  # the peer has gone; the reader hears of it too
            self.lost()
            return False
        step.close()
        return False

    async def _drain(self) -> None:
        try:
            while self._backlog:
                await self._send({"type": "websocket.send", "text": self._backlog[0]})
                if self._backlog:  # emptied meanwhile when the console was closed or lost
                    self._backlog.popleft()
        except OSError:
            self.lost()
        finally:
            if not self.closed:
                self._task = None

    async def _say_goodbye(self, code: int, reason: str) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        self.lost()
