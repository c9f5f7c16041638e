"""The side that people and reports use: site database, projection of facts, web. It comes after the calls.

Imported by the application when SIP already answers: what it stands on takes longer to load than a restart may take.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from callcenter.app.asgi import Ports, create_app
from callcenter.app.call_records import CallRecords
from callcenter.app.customer_query import find_caller
from callcenter.app.customer_side import customer_ports
from callcenter.app.decisions import DecisionStories
from callcenter.app.directory import directory_of
from callcenter.app.experiments import Experiments
from callcenter.app.housekeeping import (
    ARCHIVE_EVERY,
    HOURLY,
    RELAY_EVERY,
    RELAY_OFTEN,
    Archiving,
    Housekeeping,
    forgetting,
    pruning,
    relaying,
)
from callcenter.app.http import HttpServer
from callcenter.app.inherited import Inherited
from callcenter.app.live import LiveSide
from callcenter.app.phone_secrets import stored_secrets
from callcenter.app.policy_side import PolicySide
from callcenter.app.queue_metrics import QueueMetrics
from callcenter.app.queue_terms import SiteTerms, load_queue_terms
from callcenter.app.screens import ConsoleScreens
from callcenter.app.site_opening import SiteOpening
from callcenter.app.status_report import StatusReport, StatusSocket
from callcenter.app.supervision import SupervisionDesk
from callcenter.app.ticket_side import CHORE, ESCALATE_EVERY, TicketSide
from callcenter.app.voice_tickets import FILING, FILING_EVERY, VoiceTickets
from callcenter.app.wrap_up_pops import show_wrap_ups
from callcenter.console.consoles import Consoles
from callcenter.identity.service import IdentityService
from callcenter.kernel.bus import Bus
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.projector_thread import ProjectorThread
from callcenter.kernel.site import Site
from callcenter.reporting.interval_projection import QueueHandler
from callcenter.reporting.projection import CdrHandler

if TYPE_CHECKING:
    from callcenter.kernel.site_claim import SiteClaim

DIST = Path(__file__).resolve().parents[2] / "agent_ui" / "dist"


class SiteSide:
    """Built on the loop's thread; `start` once, `close` once."""

    def __init__(
        self,
        inherited: Inherited,
        live: LiveSide,
        consoles: Consoles,
        claim: "SiteClaim | None",
        fenced: Callable[[], None],
    ) -> None:
        settings = inherited.settings
        self._inherited = inherited
        self._settings = settings
        self._live = live
        # What transactions record becomes events of the stream `site` here.
        self.events = Bus()
        self.events.subscribe(consoles.publish_site)
        self._screens = ConsoleScreens(consoles)
        self._site = Site(settings.site_database_url, recorded=lambda: self._housekeeping.ask("relay"))
        self._identity = IdentityService(self._site, live.clock)
        terms = SiteTerms(
            load_queue_terms(inherited.config, [queue.name for queue in live.site.roster.queues]),
            lambda: live.acd.core.policy,
        )
        self._projector = ProjectorThread(
            settings.site_database_url, live.journal_path, [CdrHandler(), QueueHandler(terms)]
        )
        self._tickets = TicketSide(
            self._site, live, wake=lambda: self._housekeeping.ask(CHORE), has_workers=settings.redis_url is not None
        )
        self._policy = PolicySide(self._site, live, config=inherited.config, data=settings.data_dir)
        self._voice = VoiceTickets(live, self._tickets.service)
        self._housekeeping = self._chores()
        live.director.voice_messages.left = lambda: self._housekeeping.ask(FILING)
        self._opening = SiteOpening(settings, claim, opened=self._opened, fenced=fenced)
        self._tasks: list[asyncio.Task[None]] = []
        self._report = StatusReport(live, self._projector, (self._housekeeping, self._opening, self.events))
        self._status = StatusSocket(inherited.run / "status.sock", self._report.whole_status)
        self._customers = customer_ports(
            self._site, live, region=settings.site.region, sources=[self._tickets.of_customer]
        )
        metrics = QueueMetrics(
            self._site, live, terms, zone=settings.site.zone, data=settings.data_dir, projector=self._projector
        )
        self._report.metrics = metrics.live
        self._experiments = Experiments(self._site, live.clock, config=inherited.config, data=settings.data_dir)
        ports = Ports(
            self._identity,
            CallRecords(
                self._site,
                self._tickets.of_contact,
                zone=settings.site.zone,
                region=settings.site.region,
            ),
            live.desk,
            self._report,
            self._customers,
            self._tickets.service,
            self._policy,
            DecisionStories(settings.data_dir),
            metrics,
            SupervisionDesk(
                live.director,
                live.acd,
                self._site,
                identity=self._identity,
                consoles=consoles,
                roster=lambda: live.site.roster,
                open_unit=live.open_unit,
                submit=live.submit,
            ),
            self._experiments,
            settings.site.zone,
        )
        app = create_app(
            ports, consoles, recordings=settings.recordings_dir, dist=DIST, origins=settings.http.origins
        )
        self._http = HttpServer(app, inherited.http)

    async def start(self) -> None:
        """Open the database, now or when it is back, and serve. Raises ConfigError."""
        settings, live = self._settings, self._live
        await self._opening.first()
        live.customers.ask(
            lambda number, chosen: find_caller(
                self._site,
                number,
                chosen,
                region=settings.site.region,
                with_last_agent=live.site.wants_last_agents,
            )
        )
        live.bus.subscribe(self._projector.publish)
        # What was journalled before anyone subscribed is found by this first look.
        self._projector.wake()
        await self._http.start()
        await self._status.start()
        self._tasks.append(asyncio.create_task(self._opening.keep()))

    async def _opened(self) -> None:
        """Learn the phones' passwords, project, tidy up."""
        live = self._live
        await self._policy.opened()
        secrets = await stored_secrets(self._site, self._settings.data_dir)
        live.agent.directory = directory_of(live.site, secrets, live.agent.directory.realm)
        self._projector.start()
        self._tasks.append(asyncio.create_task(self._housekeeping.run()))
        self._tasks.append(asyncio.create_task(self._show_wrap_ups()))

    async def _show_wrap_ups(self) -> None:
        """Once, when the records of the calls are there that the process before saw end."""
        await self._projector.caught_up(self._live.journal.last_seq)
        with contextlib.suppress(SiteUnavailable):
            await show_wrap_ups(self._site, self._live, self._screens, region=self._settings.site.region)

    def _chores(self) -> Housekeeping:
        live, settings = self._live, self._settings
        archiving = Archiving(settings.data_dir, live.clock, days=settings.decision_days)
        prune = pruning(
            live.journal,
            self._projector,
            live.clock,
            days=settings.journal_days,
            archived_upto=lambda: archiving.upto,
        )
        return Housekeeping(
            live.clock,
            {
                "relay": (RELAY_OFTEN if settings.redis_url else RELAY_EVERY, relaying(self._site, self.events)),
                CHORE: (ESCALATE_EVERY, self._tickets.escalate),
                "sessions": (HOURLY, forgetting(self._identity)),
                "decisions": (ARCHIVE_EVERY, archiving.work),
                "journal": (HOURLY, prune),
                FILING: (FILING_EVERY, self._voice.work),
            },
        )

    async def settle(self, seconds: float) -> None:
        """Wait until the last calls are in the records, but no longer than `seconds`: the journal keeps the rest."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._projector.caught_up(self._live.journal.last_seq), seconds)

    async def close(self) -> None:
        """Stop serving; what is not projected yet stays in the journal."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._status.stop()
        await self._experiments.close()
        self._customers.records.close()
        await self._http.stop()
        await asyncio.to_thread(self._projector.close)
        await self._site.close()
