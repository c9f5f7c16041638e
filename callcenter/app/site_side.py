"""The side that people and reports use: site database, projection of facts, web. It comes after the calls.

Imported by the application when SIP already answers: what it stands on takes longer to load than a restart may take.
"""

import asyncio
import logging
from pathlib import Path

from callcenter.app.asgi import Ports, create_app
from callcenter.app.call_records import CallRecords
from callcenter.app.customer_query import find_customer
from callcenter.app.directory import directory_of
from callcenter.app.http import HttpServer
from callcenter.app.inherited import Inherited
from callcenter.app.live import LiveSide
from callcenter.app.phone_secrets import stored_secrets
from callcenter.app.status_report import StatusReport, StatusSocket
from callcenter.console.consoles import Consoles
from callcenter.identity.service import IdentityService
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.projector_thread import ProjectorThread
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from callcenter.reporting.projection import CdrHandler

log = logging.getLogger(__name__)

DIST = Path(__file__).resolve().parents[2] / "agent_ui" / "dist"


class SiteSide:
    """Built on the loop's thread; `start` once, `close` once."""

    def __init__(self, inherited: Inherited, live: LiveSide, consoles: Consoles) -> None:
        settings = inherited.settings
        self._inherited = inherited
        self._settings = settings
        self._live = live
        self._site = Site(settings.site_database_url)
        self._projector = ProjectorThread(settings.site_database_url, live.journal_path, [CdrHandler()])
        self._report = StatusReport(live, self._projector)
        self._status = StatusSocket(inherited.run / "status.sock", self._report.whole_status)
        ports = Ports(IdentityService(self._site, live.clock), CallRecords(self._site), live.desk, self._report)
        app = create_app(
            ports, consoles, recordings=settings.recordings_dir, dist=DIST, origins=settings.http.origins
        )
        self._http = HttpServer(app, inherited.http)

    async def start(self) -> None:
        """Bring the database to this version, learn the phones' passwords, project, serve. Raises ConfigError."""
        settings, live = self._settings, self._live
        try:
            await migrate(settings.site_database_url, settings.data_dir)
            secrets = await stored_secrets(self._site, settings.data_dir)
            live.agent.directory = directory_of(live.site, secrets, live.agent.directory.realm)
        except SiteUnavailable:
            log.warning("site database does not answer; calls go on, facts wait in the journal")
        live.customers.ask(
            lambda number, chosen: find_customer(self._site, number, chosen, region=settings.site.region)
        )
        self._projector.start()
        live.bus.subscribe(self._projector.publish)
        # What was journalled before anyone subscribed is found by this first look.
        self._projector.wake()
        await self._http.start()
        await self._status.start()

    async def close(self) -> None:
        """Stop serving; what is not projected yet stays in the journal."""
        await self._status.stop()
        await self._http.stop()
        await asyncio.to_thread(self._projector.close)
        await self._site.close()
