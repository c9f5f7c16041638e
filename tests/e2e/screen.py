"""An agent's console: signed in over HTTP, its websocket read by a thread of its own."""

import json
import threading
from contextlib import ExitStack
from types import TracebackType

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.e2e.house import House
from tests.support.server import Document, eventually


class Screen:
    """`with Screen(house, "anna") as screen: ...`; `frames` is what came, in order."""

    def __init__(self, house: House, login: str) -> None:
        self._house = house
        self._login = login
        self.frames: list[Document] = []
        self._stack = ExitStack()
        self._socket: ClientConnection | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Screen":
        base = f"127.0.0.1:{self._house.server.http}"
        ticket = self._house.client(self._login).post("/api/session/ticket").json()["ticket"]
        origin = Origin(f"http://{base}")
        self._socket = self._stack.enter_context(
            connect(f"ws://{base}/ws", origin=origin, compression=None, proxy=None)
        )
        self._socket.send(json.dumps({"type": "auth", "ticket": ticket}))
        self._socket.send(json.dumps({"type": "hello", "positions": {}}))
        self._reader.start()
        self.wait_for("snapshot")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._reader.join(5)

    def _read(self) -> None:
        assert self._socket is not None
        try:
            for text in self._socket:
                self.frames.append(json.loads(text))
        except ConnectionClosed:
            return

    def of(self, kind: str) -> list[Document]:
        """The frames of one type so far."""
        return [frame for frame in list(self.frames) if frame["type"] == kind]

    def wait_for(self, kind: str, *, within_s: float = 10.0) -> Document:
        """The first frame of one type."""
        found: list[Document] = eventually(
            f"{kind} on the screen of {self._login}", lambda: self.of(kind), within_s=within_s
        )
        return found[0]

    def events(self, kind: str) -> list[Document]:
        """The events of one kind ("acd.offer.created")."""
        return [frame["event"] for frame in self.of("event") if frame["event"]["type"] == kind]
