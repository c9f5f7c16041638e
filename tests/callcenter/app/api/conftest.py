"""The whole web application in memory, and browsers signed in to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from callcenter.app.asgi import create_app
from callcenter.console.consoles import Consoles
from callcenter.kernel.clock import FakeClock
from tests.support.web import PASSWORD, FakePorts

ORIGIN = "http://calls.test"
# On another machine.
BROWSER = ("192.0.2.44", 50_000)


class Web:
    """The application and the way into it."""

    def __init__(self, folder: Path) -> None:
        self.fakes = FakePorts(folder)
        self.consoles = Consoles(FakeClock())
        self._clients: list[httpx.AsyncClient] = []

    def browser(self) -> httpx.AsyncClient:
        """A browser on our page that has not signed in."""
        app = create_app(self.fakes.ports(), self.consoles, recordings=self.fakes.recordings, dist=self.fakes.dist)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=BROWSER), base_url=ORIGIN, headers={"Origin": ORIGIN}
        )
        self._clients.append(client)
        return client

    async def signed_in(self, login: str) -> httpx.AsyncClient:
        """A browser whose user is `login`."""
        client = self.browser()
        answer = await client.post("/api/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200
        return client

    async def close(self) -> None:
        """Close every browser."""
        for client in self._clients:
            await client.aclose()


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    """The application with in-memory ports."""
    web = Web(tmp_path)
    yield web
    await web.close()
