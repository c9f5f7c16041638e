"""The application put together: live side, site database, web, and the order in which they come and go.

SIP answers as soon as the live side is back; the web and the projection of facts follow, because a caller must not
wait for them.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from callcenter.app.asgi import Ports, create_app
from callcenter.app.call_records import CallRecords
from callcenter.app.customers import CustomerLookUp
from callcenter.app.directory import load_directory
from callcenter.app.http import HttpServer
from callcenter.app.inherited import Inherited
from callcenter.app.live import LiveSide, Outside
from callcenter.app.live_view import view_of
from callcenter.app.restart import restart
from callcenter.app.screens import ConsoleScreens
from callcenter.app.sign_in import SiteIdentity
from callcenter.app.site_config import load_site
from callcenter.app.site_secrets import realm
from callcenter.app.status_report import StatusReport, StatusSocket
from callcenter.console.consoles import Consoles
from callcenter.console.fanout import Fanout
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import ConfigError
from callcenter.kernel.projector_thread import ProjectorThread
from callcenter.kernel.site import Site, SiteUnavailable
from callcenter.migrations.migrate import migrate
from callcenter.reporting.projection import CdrHandler
from callcenter.sip.tcp import Bounds, TcpDriver, Upcalls
from callcenter.sip.transports import TransportLayer
from callcenter.sip.udp import UdpDriver

log = logging.getLogger(__name__)

DIST = Path(__file__).resolve().parents[2] / "agent_ui" / "dist"
FAREWELL_S = 1.0
POLL_S = 0.05


class Application:
    """Everything of one application process: `start`, then `drain` where calls are to end, then `close`."""

    def __init__(self, inherited: Inherited, *, fenced: Callable[[], None]) -> None:
        """Reads the configuration; raises ConfigError."""
        self._inherited = inherited
        self._settings = inherited.settings
        self._fenced = fenced
        self._config = load_site(inherited.config, language=self._settings.site.language)
        self._site = Site(self._settings.site_database_url)
        self._transports = TransportLayer(public_address=self._settings.sip.public_address or "")
        self._udp: UdpDriver | None = None
        self._tcp: TcpDriver | None = None
        self._http: HttpServer | None = None
        self._status: StatusSocket | None = None

    async def start(self) -> None:
        """Come back to where the process before left off, listen, then serve the web. Raises ConfigError."""
        settings = self._settings
        await self._migrate()
        directory = await load_directory(
            self._site, self._config, settings.data_dir, realm(settings.data_dir, settings.sip.realm)
        )
        self.consoles = Consoles(SystemClock())
        self.customers = CustomerLookUp(self._site, settings.site.region)
        screens = ConsoleScreens(self.consoles)
        outside = Outside(screens, self.customers.start, self._transports, self._fenced)
        self.live = live = LiveSide(settings, self._config, directory, outside)
        self.customers.bind(live)
        contacts = await restart(live)
        await self._listen()
        log.info("live again", extra={"contacts": contacts, "epoch": live.journal.epoch})
        self._projector = ProjectorThread(settings.site_database_url, live.journal_path, [CdrHandler()])
        self._projector.start()
        live.bus.subscribe(self._projector.publish)
        await self._serve()

    async def _migrate(self) -> None:
        try:
            await migrate(self._settings.site_database_url, self._settings.data_dir)
        except SiteUnavailable:
            log.error("site database does not answer, its schema is not checked")

    async def _listen(self) -> None:
        agent, loop = self.live.agent, asyncio.get_running_loop()
        if self._inherited.sip_udp is not None:
            self._udp = UdpDriver(
                self._inherited.sip_udp,
                loop=loop,
                receive=agent.receive,
                failed=agent.transport_failed,
                statistics=agent.statistics,
            )
            self._transports.udp = self._udp
        if self._inherited.sip_tcp is not None:
            trunks = {address for trunk in self._config.endpoints.trunks for address, _ in trunk.addresses}
            self._tcp = TcpDriver(
                self._inherited.sip_tcp,
                loop=loop,
                upcalls=Upcalls(agent.receive, agent.refuse_malformed, agent.transport_failed),
                statistics=agent.statistics,
                bounds=Bounds(connections=self._settings.limits.tcp_connections),
                is_exempt=trunks.__contains__,
            )
            self._transports.tcp = self._tcp
            await self._tcp.start()
        if self._udp is not None:
            self._udp.start()

    async def _serve(self) -> None:
        live, settings = self.live, self._settings
        report = StatusReport(live, self._projector)
        ports = Ports(SiteIdentity(self._site), CallRecords(self._site), live.desk, report)
        app = create_app(
            ports, self.consoles, recordings=settings.recordings_dir, dist=DIST, origins=settings.http.origins
        )
        self._http = HttpServer(app, self._inherited.http)
        await self._http.start()
        self._status = StatusSocket(self._inherited.run / "status.sock", report.status)
        await self._status.start()

    async def drain(self, at_once: asyncio.Event) -> None:
        """Refuse new calls, wait for those that are up (`drain_s` at most, or until `at_once`), end the rest."""
        live = self.live
        live.agent.draining = True
        loop = asyncio.get_running_loop()
        until = loop.time() + self._settings.drain_s
        while live.calls.contacts and loop.time() < until and not at_once.is_set():
            await asyncio.sleep(POLL_S)
        for contact in sorted(live.calls.contacts):
            unit = live.open_unit()
            live.calls.end(unit, contact, "system", "shutdown", status=503)
            live.submit(unit)
        until = loop.time() + FAREWELL_S
        while (live.calls.contacts or live.agent.transaction_count) and loop.time() < until:
            await asyncio.sleep(POLL_S)

    async def close(self) -> None:
        """Stop listening and commit; calls that are up stay with the workers."""
        if self._status is not None:
            await self._status.stop()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            await self._tcp.close()
        if self._http is not None:
            await self._http.stop()
        live = getattr(self, "live", None)
        if live is not None:
            self.consoles.close()
            live.agent.close()
            await live.media.leave()
            live.journal.close()
            self._projector.close()
        await self._site.close()
