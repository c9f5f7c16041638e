"""The server's user agent on loopback sockets, with a room that does as a test says."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from callcenter.calls.events import SignallingInput
from callcenter.kernel.unit import Unit
from callcenter.sip.agent import UserAgent
from callcenter.sip.client import udp_and_tcp
from callcenter.sip.core import Room
from callcenter.sip.directory import Directory
from callcenter.sip.hop import Hop
from callcenter.sip.tcp import Bounds, TcpDriver, Upcalls
from callcenter.sip.transports import TransportLayer
from callcenter.sip.udp import UdpDriver
from tests.support.sip import directory

PATIENCE_S = 30.0  # of tests: more than a busy machine needs


class Server:
    """The user agent on sockets, with a room that does as told."""

    def __init__(
        self,
        bounds: Bounds | None = None,
        known: Directory | None = None,
        algorithms: tuple[str, ...] = ("SHA-256", "MD5"),
        exempt: frozenset[str] = frozenset(),
    ) -> None:
        loop = asyncio.get_running_loop()
        self.inputs: asyncio.Queue[SignallingInput] = asyncio.Queue()
        self.react: Callable[[Unit, SignallingInput], None] = lambda unit, event: None
        self.layer = TransportLayer()
        self.agent = UserAgent(
            transports=self.layer,
            now=loop.time,
            call_at=loop.call_at,
            room=Room(lambda: Unit(datetime.now(UTC)), self._submit, self._deliver),
            directory=known or directory(),
            algorithms=algorithms,
        )
        udp, listener = udp_and_tcp("127.0.0.1")
        statistics = self.agent.statistics
        failed = self.agent.transport_failed
        self.udp = UdpDriver(udp, loop=loop, receive=self.agent.receive, failed=failed, statistics=statistics)
        upcalls = Upcalls(self.agent.receive, self.agent.receive_malformed, failed)
        self.tcp = TcpDriver(
            listener,
            loop=loop,
            upcalls=upcalls,
            statistics=statistics,
            bounds=bounds,
            is_exempt=exempt.__contains__,
        )
        self.layer.udp, self.layer.tcp = self.udp, self.tcp

    def hop(self, transport: str) -> Hop:
        return Hop(transport, *self.udp.address)

    def _submit(self, unit: Unit) -> None:
        for action in unit.actions:
            action()

    def _deliver(self, unit: Unit, event: SignallingInput) -> None:
        self.inputs.put_nowait(event)
        self.react(unit, event)

    def do(self, act: Callable[[Unit], None]) -> None:
        unit = Unit(datetime.now(UTC))
        act(unit)
        self._submit(unit)

    async def next(self) -> SignallingInput:
        async with asyncio.timeout(PATIENCE_S):
            return await self.inputs.get()

    async def start(self) -> None:
        """Listen from now on."""
        self.udp.start()
        await self.tcp.start()

    async def close(self) -> None:
        """Close the sockets; a bug of ours that was caught at a driver's edge fails the test."""
        self.agent.close()
        self.udp.close()
        await self.tcp.close()
        assert self.agent.statistics.surprises == 0
