"""The console websocket behind the real server on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from callcenter.app.http import HttpServer
from callcenter.console.connection import BACKLOG_FRAMES
from callcenter.console.consoles import Consoles
from callcenter.console.socket import ConsoleSocket
from callcenter.kernel.clock import FakeClock
from tests.support.web import FakeIdentity, principal

PATIENCE_S = 30.0  # of tests: more than a busy machine needs


class Served:
    """A server and its clients' way in."""

    def __init__(self, *, auth_s: float, backlog: int) -> None:
        self.clock = FakeClock()
        self.identity = FakeIdentity(self.clock)
        self.left = asyncio.Event()
        self.consoles = Consoles(self.clock, presence=self)
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        app = ConsoleSocket(self.identity, self.consoles, auth_s=auth_s, backlog=backlog)
        self.server = HttpServer(app, listener)

    def console_changed(self, agent: str, *, attached: bool) -> None:
        """The presence port."""
        if not attached:
            self.left.set()

    @property
    def url(self) -> str:
        """The websocket's address."""
        return f"ws://{self.address}/ws"

    @property
    def origin(self) -> str:
        """The address of a page of ours."""
        return f"http://{self.address}"

    def connecting(self, origin: str | None = None, *, max_queue: int = 16) -> connect:
        """A client, to be entered."""
        return connect(self.url, origin=Origin(origin or self.origin), compression=None, max_queue=max_queue)

    async def ticket(self, login: str, role: str) -> str:
        """A fresh ticket for `login`."""
        return await self.identity.issue_ticket(principal(login, role))

    async def enter(self, client: ClientConnection, login: str, role: str, **positions: int) -> dict[str, Any]:
        """Authenticate `client` and say hello; its first frame after the welcome."""
        await send(client, type="auth", ticket=await self.ticket(login, role))
        welcome = await receive(client)
        assert welcome["type"] == "welcome"
        await send(client, type="hello", positions=positions)
        return await receive(client)


async def send(client: ClientConnection, **frame: object) -> None:
    """A frame of the client."""
    await client.send(msgspec.json.encode(frame).decode())


async def receive(client: ClientConnection) -> dict[str, Any]:
    """The next frame of the server."""
    return msgspec.json.decode(await client.recv(), type=dict[str, Any])


async def until_closed(client: ClientConnection) -> tuple[int, int | None]:
    """Read to the end: how many frames came, and the server's close code."""
    frames = 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await client.recv()
                frames += 1
    except ConnectionClosed as closed:
        return frames, closed.rcvd.code if closed.rcvd is not None else None


@asynccontextmanager
async def serving(*, auth_s: float = PATIENCE_S, backlog: int = BACKLOG_FRAMES) -> AsyncIterator[Served]:
    """A running server, stopped at the end."""
    served = Served(auth_s=auth_s, backlog=backlog)
    await served.server.start()
    try:
        yield served
    finally:
        served.consoles.close()
        await served.server.stop()
