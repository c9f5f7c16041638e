"""The server on an inherited socket, inside a loop that is not its own."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from callcenter.app.asgi import create_app
from callcenter.app.http import HttpServer
from callcenter.app.http_guard import GuardedProtocol
from callcenter.console.consoles import Consoles
from callcenter.kernel.clock import FakeClock
from tests.callcenter.console.served import PATIENCE_S, serving, until_closed
from tests.support.web import FakePorts

pytestmark = pytest.mark.integration


async def test_the_application_is_served_without_banner_or_signal_handlers(tmp_path: Path) -> None:
    fakes = FakePorts(tmp_path)
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(fakes.ports(), Consoles(FakeClock()), recordings=fakes.recordings, dist=fakes.dist)
    before = signal.getsignal(signal.SIGTERM)
    server = HttpServer(app, listener)
    await server.start()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{address}/api/health")
        assert answer.json() == {"status": "ok"}
        assert "server" not in answer.headers
        assert signal.getsignal(signal.SIGTERM) is before
        spoofed = await client.get(f"http://{address}/api/health", headers={"X-Forwarded-Proto": "https"})
        assert "strict-transport-security" not in spoofed.headers
    async with connect(f"ws://{address}/ws", origin=Origin(f"http://{address}"), compression=None) as console:
        await console.send('{"type":"auth","ticket":"none"}')
        assert await until_closed(console) == (0, 4401)
    await server.stop()
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))


class Impatient(GuardedProtocol):
    """Limits of a request that a test can reach."""

    head_s = 0.2
    body_s = 0.2
    head_bytes = 2000


class Small(GuardedProtocol):
    """A number of connections that a test can reach."""

    most = 3


@asynccontextmanager
async def limited(folder: Path, protocol: type[GuardedProtocol]) -> AsyncIterator[int]:
    """A server with the limits of `protocol`; its port."""
    fakes = FakePorts(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(fakes.ports(), Consoles(FakeClock()), recordings=fakes.recordings, dist=fakes.dist)
    server = HttpServer(app, listener, protocol=protocol)
    await server.start()
    try:
        yield listener.getsockname()[1]
    finally:
        await server.stop()


UPLOAD = b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
HEALTH = b"GET /api/health HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        HEALTH,
        UPLOAD,
        HEALTH + b"X: " + b"y" * 3000,
    ],
    ids=["nothing", "half a head", "half a body", "a head too long"],
)
async def test_a_client_that_does_not_get_on_is_cut_off(tmp_path: Path, said: bytes) -> None:
    async with limited(tmp_path, Impatient) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        with suppress(ConnectionResetError):
            # To its end, whatever was answered to what was whole.
            await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()


async def test_connections_beyond_the_limit_are_closed_and_those_within_go_on(tmp_path: Path) -> None:
    async with limited(tmp_path, Small) as port:
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in kept:
            writer.write(HEALTH + b"\r\n")
        for reader, _ in kept:
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()
        first, other = kept[0]
        other.write(HEALTH + b"\r\n")
        await first.readuntil(b'{"status":"ok"}')
        assert (await first.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        for _, each in kept:
            each.close()


async def test_stopping_tells_the_consoles_that_the_server_restarts() -> None:
    async with serving() as served, served.connecting() as client:
        await served.enter(client, "ann", "agent")
        await served.server.stop()
        assert await until_closed(client) == (0, 1012)
