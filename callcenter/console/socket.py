"""The websocket `/ws`: origin, `auth{ticket}` within 5 s, `hello{positions}`, then frames until somebody goes.

Spoken straight in ASGI, below all middleware, so that a frame given to `send` goes to the server's socket and nowhere
in between. Close codes: 4401 no valid ticket in time, 4400 not our protocol, 4403 session ended, 4408 too slow.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from callcenter.console.connection import BACKLOG_FRAMES, Connection, Message, Send
from callcenter.console.consoles import HEARTBEAT_S, Consoles
from callcenter.console.origin import is_same_origin
from callcenter.console.ports import Identity, Principal
from callcenter.console.protocol import (
    CLOSE_BAD_FRAME,
    CLOSE_UNAUTHENTICATED,
    Auth,
    Hello,
    Welcome,
    decode_frame,
    encode_frame,
)
from callcenter.kernel.errors import RemoteProtocolError

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Message]]

AUTH_S = 5.0


class Refused(Exception):
    """The console is closed with `code`; `reason` is a short stable name."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class PeerGone(Exception):
    """The peer closed the socket."""


class ConsoleSocket:
    """The ASGI application behind `/ws`."""

    def __init__(
        self,
        identity: Identity,
        consoles: Consoles,
        *,
        origins: Sequence[str] = (),
        auth_s: float = AUTH_S,
        backlog: int = BACKLOG_FRAMES,
    ) -> None:
        """`origins` are allowed besides the address that the request itself was sent to."""
        self._identity = identity
        self._consoles = consoles
        self._origins = origins
        self._auth_s = auth_s
        self._backlog = backlog

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        if not is_same_origin(scope, self._origins):
            await send({"type": "websocket.close"})  # before accept: the handshake is answered 403
            return
        try:
            await send({"type": "websocket.accept"})
            async with asyncio.timeout(self._auth_s):
                principal = await self._authenticate(receive)
                await send({"type": "websocket.send", "text": encode_frame(_welcome(principal))})
                hello = await _hello(receive)
        except TimeoutError:
            await _refuse(send, Refused(CLOSE_UNAUTHENTICATED, "too late"))
        except Refused as refusal:
            await _refuse(send, refusal)
        except (PeerGone, OSError):
            return
        else:
            await self._serve(Connection(send, principal, limit=self._backlog), hello, receive)

    async def _authenticate(self, receive: Receive) -> Principal:
        frame = await _next_frame(receive)
        if not isinstance(frame, Auth):
            raise Refused(CLOSE_UNAUTHENTICATED, "auth comes first")
        principal = await self._identity.redeem_ticket(frame.ticket)
        if principal is None:
            raise Refused(CLOSE_UNAUTHENTICATED, "ticket refused")
        return principal

    async def _serve(self, connection: Connection, hello: Hello, receive: Receive) -> None:
        self._consoles.attach(connection, hello.positions)
        reader = asyncio.create_task(_read_until_gone(connection, receive))
        try:
            await asyncio.wait({reader, connection.gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._consoles.detach(connection)
            connection.lost()
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader


def _welcome(principal: Principal) -> Welcome:
    return Welcome(
        user=principal.user,
        name=principal.name,
        agent=principal.agent,
        permissions=tuple(sorted(principal.permissions)),
        heartbeat_s=HEARTBEAT_S,
    )


async def _hello(receive: Receive) -> Hello:
    frame = await _next_frame(receive)
    if not isinstance(frame, Hello):
        raise Refused(CLOSE_BAD_FRAME, "hello comes second")
    return frame


async def _next_frame(receive: Receive) -> Auth | Hello:
    message = await receive()
    if message["type"] == "websocket.disconnect":
        raise PeerGone
    text = message.get("text")
    if text is None:
        raise Refused(CLOSE_BAD_FRAME, "text frames only")
    try:
        return decode_frame(text)
    except RemoteProtocolError as error:
        raise Refused(CLOSE_BAD_FRAME, "unknown frame") from error


async def _read_until_gone(connection: Connection, receive: Receive) -> None:
    """A console that has said hello says no more; whatever it sends is a mistake of its own."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        if not connection.closed:
            connection.close(CLOSE_BAD_FRAME, "nothing more to say")


async def _refuse(send: Send, refusal: Refused) -> None:
    log.info("console refused", extra={"code": refusal.code, "reason": refusal.reason})
    with suppress(OSError):
        await send({"type": "websocket.close", "code": refusal.code, "reason": refusal.reason})
