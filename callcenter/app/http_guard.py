"""What a web client may cost before it has asked for anything (security.md S9).

A request's head must be whole within `HEAD_S` of the connection or of its own first byte, and no longer than
`HEAD_BYTES`; a body within `BODY_S`. Connections beyond `CONNECTIONS` are closed at once, so that those that are
there go on. Idle ones between requests are the server's own matter (`http.KEEP_ALIVE_S`).
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0
BODY_S = 120.0
HEAD_BYTES = 64 * 1024
CONNECTIONS = 4096


class GuardedProtocol(HttpToolsProtocol):
    """One connection. The limits are the class's, so that tests have others."""

    head_s = HEAD_S
    body_s = BODY_S
    head_bytes = HEAD_BYTES
    most = CONNECTIONS

    _patience: asyncio.TimerHandle | None = None
    _head = 0
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if len(self.connections) >= self.most:
            self._refused = True
            transport.abort()
            return
        super().connection_made(transport)
        self._wait(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        if not self._refused:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._head > self.head_bytes:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        self._wait(self.head_s)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._wait(self.body_s)

    def on_body(self, body: bytes) -> None:
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head = 0
        self._rest()

    def handle_websocket_upgrade(self) -> None:
        self._rest()
        super().handle_websocket_upgrade()

    def _wait(self, seconds: float) -> None:
        self._rest()
        self._patience = self.loop.call_later(seconds, self._give_up)

    def _rest(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self.transport.abort()
