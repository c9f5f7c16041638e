"""The server on an inherited socket, inside a loop that is not its own."""

import asyncio
import signal
import socket
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from callcenter.app.asgi import create_app
from callcenter.app.http import HttpServer
from callcenter.console.consoles import Consoles
from callcenter.kernel.clock import FakeClock
from tests.callcenter.console.served import serving, until_closed
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


async def test_stopping_tells_the_consoles_that_the_server_restarts() -> None:
    async with serving() as served, served.connecting() as client:
        await served.enter(client, "ann", "agent")
        await served.server.stop()
        assert await until_closed(client) == (0, 1012)
