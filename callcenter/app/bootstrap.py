"""The application put together, and the order in which its parts come and go.

SIP answers as soon as the live side is back. Web, site database and projection follow: they take longer to load than
a caller should wait, so they are loaded beside the running calls.
"""

import asyncio
import importlib
import logging
from collections.abc import Callable
from typing import Protocol, cast

from callcenter.app.active import claim_of
from callcenter.app.directory import directory_of, kept_secrets
from callcenter.app.inherited import Inherited
from callcenter.app.live import LiveSide, Outside
from callcenter.app.live_view import view_of
from callcenter.app.policy_start import active_roster
from callcenter.app.restart import restart
from callcenter.app.screens import ConsoleScreens
from callcenter.app.site_config import load_site
from callcenter.app.site_secrets import realm
from callcenter.console.consoles import Consoles
from callcenter.kernel.clock import SystemClock
from callcenter.sip.tcp import Bounds, TcpDriver, Upcalls
from callcenter.sip.transports import TransportLayer
from callcenter.sip.udp import UdpDriver

log = logging.getLogger(__name__)

FAREWELL_S = 1.0
SETTLE_S = 1.5


class LateSide(Protocol):
    """What is loaded late (`site_side.SiteSide`)."""

    async def start(self) -> None: ...

    async def settle(self, seconds: float) -> None: ...

    async def close(self) -> None: ...


class Application:
    """Everything of one application process: `start`, then `drain` where calls are to end, then `close`."""

    def __init__(self, inherited: Inherited, *, fenced: Callable[[], None]) -> None:
        """Reads the configuration and the journal; raises ConfigError. Needs the running loop."""
        settings = inherited.settings
        self._inherited = inherited
        self._settings = settings
        data = settings.data_dir
        active = active_roster(inherited.config, data)
        config = load_site(
            inherited.config, language=settings.site.language, region=settings.site.region, active=active
        )
        directory = directory_of(config, kept_secrets(data), realm(data, settings.sip.realm))
        self._transports = TransportLayer(public_address=settings.sip.public_address or "")
        self._udp: UdpDriver | None = None
        self._tcp: TcpDriver | None = None
        self._late: LateSide | None = None
        self._looking: asyncio.Future[None] | None = None
        self.consoles = Consoles(SystemClock())
        outside = Outside(ConsoleScreens(self.consoles), self._transports, fenced)
        self.live = LiveSide(settings, config, directory, outside)
        self._claim = claim_of(settings, self.live.clock)
        self._fenced = fenced

    async def start(self) -> None:
        """Come back to where the process before left off, listen, then serve the web. Raises ConfigError."""
        live = self.live
        if self._claim is not None:
            await self._claim.before_calls()
        # What the restart repeats must leave at once; what has queued meanwhile is read when all is in its place.
        self._open_transports()
        contacts = await restart(live)
        self.consoles.fanout.view = view_of(
            live.acd.core, live.calls.contacts.values(), position=live.journal.last_seq
        )
        self.consoles.presence = live.desk
        live.bus.subscribe(self.consoles.publish)
        await self._listen()
        log.info("live again", extra={"contacts": contacts, "epoch": live.journal.epoch})
        module = await asyncio.to_thread(importlib.import_module, "callcenter.app.site_side")
        self._late = cast(
            "LateSide", module.SiteSide(self._inherited, live, self.consoles, self._claim, self._fenced)
        )
        await self._late.start()

    def _open_transports(self) -> None:
        """Ready to send; nothing is read yet."""
        agent, loop = self.live.agent, asyncio.get_running_loop()
        statistics = agent.statistics
        if self._inherited.sip_udp is not None:
            self._udp = self._transports.udp = UdpDriver(
                self._inherited.sip_udp,
                loop=loop,
                receive=agent.receive,
                failed=agent.transport_failed,
                statistics=statistics,
            )
        if self._inherited.sip_tcp is not None:
            trunks = {address for trunk in self.live.site.endpoints.trunks for address, _ in trunk.addresses}
            self._tcp = self._transports.tcp = TcpDriver(
                self._inherited.sip_tcp,
                loop=loop,
                upcalls=Upcalls(agent.receive, agent.receive_malformed, agent.transport_failed),
                statistics=statistics,
                bounds=Bounds(connections=self._settings.limits.tcp_connections),
                is_exempt=trunks.__contains__,
            )

    async def _listen(self) -> None:
        if self._tcp is not None:
            await self._tcp.start()
        if self._udp is not None:
            self._udp.start()
        self.live.agent.watch_trunks()

    def look_for_workers(self) -> None:
        """The supervisor says that a worker's socket has appeared."""
        self._looking = asyncio.ensure_future(self.live.media.look())

    async def drain(self, at_once: asyncio.Event) -> None:
        """Refuse new calls, wait for those that are up (`drain_s` at most, or until `at_once`), end the rest."""
        live = self.live
        live.agent.draining = True
        await self._last_call(at_once)
        left = sorted(live.calls.contacts)
        for contact in left:
            unit = live.open_unit()
            live.calls.end(unit, contact, "system", "shutdown", status=503)
            live.submit(unit)
        if left:
            # Time for the peers to answer our BYEs and for the workers to give the sessions back.
            await asyncio.sleep(FAREWELL_S)
        if self._late is not None:
            await self._late.settle(SETTLE_S)

    async def _last_call(self, at_once: asyncio.Event) -> None:
        """Return when no call is left, when it is enough, or when `at_once` says so."""
        live, over = self.live, asyncio.Event()
        live.bus.subscribe(lambda _event: None if live.calls.contacts else over.set())
        if not live.calls.contacts:
            return
        waits = [asyncio.create_task(event.wait()) for event in (over, at_once)]
        await asyncio.wait(waits, timeout=self._settings.drain_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def close(self) -> None:
        """Stop listening and commit; calls that are up stay with the workers."""
        live = self.live
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            await self._tcp.close()
        live.agent.close()
        self.consoles.close()
        await live.media.leave()
        live.journal.close()
        if self._late is not None:
            await self._late.close()
        if self._claim is not None:
            await self._claim.close()
