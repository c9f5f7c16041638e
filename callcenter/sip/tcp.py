"""SIP over TCP: an inherited listening socket, connections of both directions, and what a stranger may cost.

A connection is named by its far end and is used both ways (RFC 3261 section 18). Decides the bounds of security.md
S9: connections in all and of one source, how long a message may take to arrive, how much may wait to be sent. The
edge where a bug of ours must not stop the loop, like `udp`.
"""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from callcenter.sip.framing import Keepalive, StreamFramer
from callcenter.sip.hop import Hop
from callcenter.sip.message import Malformed
from callcenter.sip.statistics import Statistics

log = logging.getLogger(__name__)

SWEEP_S = 1.0
CONNECT_TIMEOUT_S = 5.0
MAX_WAITING = 262144
"""Bytes that wait for a peer that does not read."""

Receive = Callable[[bytes, Hop], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Counts and seconds. `message_s` also bounds a connection that has not said anything yet."""

    connections: int = 1000
    per_source: int = 20
    message_s: float = 10.0
    idle_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Upcalls:
    """What the driver tells the user agent."""

    receive: Receive
    malformed: Callable[[Malformed, Hop], None]
    failed: Callable[[Hop], None]


class Connection(asyncio.Protocol):
    """One connection; `begun_at` is set while a message is incomplete."""

    def __init__(self, driver: "TcpDriver", hop: Hop | None = None) -> None:
        self._driver = driver
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None
        self.hop = hop
        self.heard_at = self.begun_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is no subclass of asyncio's.
        stream = cast(asyncio.Transport, transport)
        self._transport = stream
        address, port = stream.get_extra_info("peername")[:2]
        ours = self.hop is not None
        if self.hop is None:
            self.hop = Hop("tcp", address, port)
            self.begun_at = self._driver.now()
        self.heard_at = self._driver.now()
        if not self._driver.admit(self, ours=ours):
            stream.abort()

    def data_received(self, data: bytes) -> None:
        assert self.hop is not None, "connected"
        self.heard_at = self._driver.now()
        frames = self._framer.feed(data)
        for frame in frames:
            if isinstance(frame, Keepalive):
                self.write(b"\r\n")
            else:
                self._driver.arrived(frame, self.hop)
        if self._framer.failed:
            self.close()
        elif self._framer.is_idle:
            self.begun_at = 0.0
        elif frames or not self.begun_at:
            self.begun_at = self.heard_at

    def write(self, data: bytes) -> bool:
        """False where the connection is closing, or its peer reads nothing."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MAX_WAITING:
            transport.abort()
            return False
        transport.write(data)
        return True

    def close(self) -> None:
        """Close once what was written is out."""
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self._driver.forget(self, cut=not self._framer.is_idle)


class TcpDriver:
    """`is_exempt` tells which addresses (trunks) the bounds on connections are not for."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        loop: asyncio.AbstractEventLoop,
        upcalls: Upcalls,
        statistics: Statistics,
        bounds: Bounds | None = None,
        is_exempt: Callable[[str], bool] = lambda address: False,  # noqa: ARG005  # nobody is
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = loop
        self._upcalls = upcalls
        self._statistics = statistics
        self._bounds = bounds or Bounds()
        self._is_exempt = is_exempt
        self._connections: dict[Hop, Connection] = {}
        self._sources: Counter[str] = Counter()
        self._waiting: dict[Hop, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self.now = loop.time
        self.address: tuple[str, int] = sock.getsockname()[:2]

    async def start(self) -> None:
        """Listen from now on."""
        self._server = await self._loop.create_server(lambda: Connection(self), sock=self._sock)

    def __len__(self) -> int:
        return len(self._connections)

    # -- sending --------------------------------------------------------------------------------------------------

    def is_connected(self, hop: Hop) -> bool:
        return hop in self._connections

    def send(self, data: bytes, hop: Hop) -> None:
        """Write on the connection to `hop`, opening it first where there is none."""
        connection = self._connections.get(hop)
        if connection is not None:
            self._write(connection, data, hop)
        elif (waiting := self._waiting.get(hop)) is not None:
            if sum(map(len, waiting)) < MAX_WAITING:
                waiting.append(data)
        else:
            self._waiting[hop] = [data]
            task = self._loop.create_task(self._connect(hop))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _write(self, connection: Connection, data: bytes, hop: Hop) -> None:
        if connection.write(data):
            self._statistics.sent += 1
        else:
            self._statistics.refuse("tcp_send")
            self._loop.call_soon(self._upcalls.failed, hop)

    async def _connect(self, hop: Hop) -> None:
        host = self.address[0]
        near = None if host in ("0.0.0.0", "") else (host, 0)  # noqa: S104  # compared, not bound
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self, hop), hop.address, hop.port, local_addr=near, family=socket.AF_INET
                )
        except (OSError, TimeoutError):
            del self._waiting[hop]
            self._statistics.refuse("tcp_connect")
            self._upcalls.failed(hop)
            return
        for data in self._waiting.pop(hop):
            self._write(connection, data, hop)

    # -- what connections tell ------------------------------------------------------------------------------------

    def admit(self, connection: Connection, *, ours: bool) -> bool:
        """Whether there is room for `connection`, made by us if `ours`; it is kept if so."""
        hop = connection.hop
        assert hop is not None, "connected"
        # A flood must shut out neither the trunks, which are few, nor whom we call ourselves.
        full = len(self._connections) >= self._bounds.connections
        crowded = full or self._sources[hop.address] >= self._bounds.per_source
        if crowded and not ours and not self._is_exempt(hop.address):
            self._statistics.refuse("tcp_connections")
            return False
        self._connections[hop] = connection
        self._sources[hop.address] += 1
        if self._sweep is None:
            self._sweep = self._loop.call_later(SWEEP_S, self._sweep_idle)
        return True

    def forget(self, connection: Connection, *, cut: bool) -> None:
        """`connection` is gone, `cut` off within a message."""
        hop = connection.hop
        if cut:
            self._statistics.refuse("tcp_incomplete")
        if hop is None or self._connections.get(hop) is not connection:
            return
        del self._connections[hop]
        self._sources[hop.address] -= 1
        if not self._sources[hop.address]:
            del self._sources[hop.address]

    def arrived(self, frame: bytes | Malformed, hop: Hop) -> None:
        """One message of a stream, or the fault that ends it."""
        try:
            if isinstance(frame, Malformed):
                self._upcalls.malformed(frame, hop)
            else:
                self._upcalls.receive(frame, hop)
        except Exception:
            self._statistics.surprises += 1
            log.exception("message caused an error")

    def _sweep_idle(self) -> None:
        now, bounds = self.now(), self._bounds
        for connection in list(self._connections.values()):
            if connection.begun_at and now - connection.begun_at > bounds.message_s:
                self._statistics.refuse("tcp_slow")
                connection.close()
            elif now - connection.heard_at > bounds.idle_s:
                self._statistics.refuse("tcp_idle")
                connection.close()
        self._sweep = self._loop.call_later(SWEEP_S, self._sweep_idle) if self._connections else None

    async def close(self) -> None:
        """Stop listening and close every connection."""
        if self._sweep is not None:
            self._sweep.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._connections.values()):
            connection.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        else:
            self._sock.close()
