"""The HTTP server: uvicorn on an inherited listening socket, inside the application's own loop.

Uvicorn installs no signal handlers here and logs no addresses. `ConsoleProtocol` is its websocket with three
differences that the consoles rest on (callcenter.console.connection): a transport with any unsent byte counts as
full, so "sent" means given to the kernel; the kernel takes a bounded number of them for a peer that reads nothing;
and such a socket is aborted, not flushed for ever.
"""

import asyncio
import logging
import socket
from asyncio.transports import BaseTransport
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from callcenter.app.http_guard import GuardedProtocol

log = logging.getLogger(__name__)

LINGER_S = 3.0
STOP_S = 1
# Longer than people pause: a connection that is closed while a request is on its way looks like a dead server.
KEEP_ALIVE_S = 75
WEBSOCKET_MAX_BYTES = 16 * 1024
# What the kernel takes for a console that does not read: left to itself it would be megabytes, thousands of frames.
WEBSOCKET_SEND_BYTES = 128 * 1024


class ConsoleProtocol(WebSocketsSansIOProtocol):
    """A websocket that is never half sent without its sender knowing."""

    _linger: asyncio.TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WEBSOCKET_SEND_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._linger is not None:
            self._linger.cancel()
        super().connection_lost(exc)

    async def run_asgi(self) -> None:
        """The application's whole time with this socket; what is unsent after it gets `LINGER_S`."""
        try:
            await super().run_asgi()
        finally:
            if not self.disconnected:
                self._linger = self.loop.call_later(LINGER_S, self.transport.abort)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are the application's: it drains calls before it stops serving."""
        yield


class HttpServer:
    """Serves `app` (ASGI) on `sock`, which is bound and listening; its descriptor is closed by `stop`."""

    def __init__(
        self,
        app: Any,
        sock: socket.socket,
        *,
        trusted_proxies: Sequence[str] = (),
        protocol: type[GuardedProtocol] = GuardedProtocol,
    ) -> None:
        """`trusted_proxies` are addresses whose X-Forwarded-For and -Proto are believed."""
        config = uvicorn.Config(
            app,
            http=protocol,
            ws=ConsoleProtocol,
            ws_max_size=WEBSOCKET_MAX_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
            timeout_graceful_shutdown=STOP_S,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        self._server = _Server(config)
        self._sock = sock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Accept connections from here on."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._sock]), name="http")
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Close the listener, answer what is under way, close consoles with 1012, abort what is left after 1 s."""
        if self._task is None:
            return
        self._server.should_exit = True
        await self._task
        for connection in tuple(self._server.server_state.connections):
            cast("asyncio.WriteTransport", connection.transport).abort()
        self._task = None
