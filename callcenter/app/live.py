"""The live side put together: journal, rooms, director, gateway and workers on one loop.

Every way into the machines passes `_signalled`, `_heard` or `_ring`: the edges where a surprise is logged and counted
and the unit goes on with what was decided before it, so that memory and disk never part.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from acd.service import AcdService
from callcenter import __version__
from callcenter.app.customers import CustomerLookUp
from callcenter.app.desk import ApplicationDesk
from callcenter.app.settings import Settings
from callcenter.app.site_config import SiteConfig
from callcenter.calls import events as ev
from callcenter.calls.notices import Notice
from callcenter.calls.ports import Target
from callcenter.calls.service import CallService
from callcenter.director.ports import CallerFound, Screens
from callcenter.director.recovery import Recovery
from callcenter.director.rooms import Rooms, Surroundings
from callcenter.director.service import Director
from callcenter.kernel.alarms import Alarms
from callcenter.kernel.bus import Bus
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.journal import Journal
from callcenter.kernel.unit import Unit
from callcenter.media.adapter import MediaWorkers
from callcenter.sip.agent import UserAgent
from callcenter.sip.core import Room
from callcenter.sip.directory import Directory
from callcenter.sip.hop import Transports
from callcenter.sip.limits import SourceLimits, TokenBucket
from callcenter.sip.session_interval import SessionRules
from ivr.service import FlowService

log = logging.getLogger(__name__)

ANONYMOUS = "anonymous"
BUSY_RETRY_S = 2
CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Outside:
    """What the live side is given by the rest of the application."""

    screens: Screens
    transports: Transports
    fenced: Callable[[], None]


class LiveSide:
    """Everything that a call needs. Built and run on the loop's thread."""

    def __init__(self, settings: Settings, site: SiteConfig, directory: Directory, outside: Outside) -> None:
        loop = asyncio.get_running_loop()
        self._settings = settings
        self._loop = loop
        self.site = site
        self.surprises = 0
        self.bus = Bus()
        self.journal_path = settings.data_dir / "live.db"
        self.journal = Journal(
            self.journal_path,
            call_soon=loop.call_soon_threadsafe,
            at_turn_end=loop.call_soon,
            call_later=loop.call_later,
            publish=self.bus.publish,
            fenced=outside.fenced,
        )
        self.clock = SystemClock(self.journal.last_at)
        self.alarms = Alarms(self.clock, loop.call_later)
        self.acd = AcdService()
        self.flows = FlowService(
            site.flows, site.prompts, site.calendars, wall=self.clock.wall, region=settings.site.region
        )
        self.media = self._media(outside)
        self.agent = self._agent(outside, directory)
        self.calls = CallService(
            self.agent, self.media, notify=self._notice, set_alarm=lambda id_, at: self._set_alarm(CONTACT, id_, at)
        )
        self.customers = CustomerLookUp(self._customer_found)
        around = Surroundings(
            site, outside.screens, self._target_for, self.customers.start, self._set_alarm, self.agent.trunk_answers
        )
        rooms = Rooms(self.calls, self.flows, self.acd)
        self.director = Director(rooms, around)
        self.recovery = Recovery(self.director, rooms, around)
        self.desk = ApplicationDesk(
            self.director, self.acd, lambda: site.roster, site.endpoints, open_unit=self.open_unit, submit=self.submit
        )

    def _media(self, outside: Outside) -> MediaWorkers:
        settings = self._settings
        return MediaWorkers(
            settings.data_dir / "run",
            epoch=self.journal.epoch,
            release=__version__,
            open_unit=self.open_unit,
            deliver=self._heard,
            submit=self.submit,
            public_address=settings.sip.public_address or "",
            fenced=outside.fenced,
        )

    def _agent(self, outside: Outside, directory: Directory) -> UserAgent:
        limits, sip, loop = self._settings.limits, self._settings.sip, self._loop
        self._admission = TokenBucket(limits.invites_per_s, limits.invites_per_s, loop.time())
        return UserAgent(
            transports=outside.transports,
            now=loop.time,
            call_at=loop.call_at,
            room=Room(self.open_unit, self.submit, self._signalled),
            directory=directory,
            admit=self._admit,
            limits=SourceLimits(rate=limits.per_source_per_s, burst=limits.per_source_burst),
            presence_changed=self._phone_changed,
            session_rules=SessionRules(max(sip.session_s, sip.session_min_s), sip.session_min_s),
        )

    # -- units -----------------------------------------------------------------------------------------------

    def open_unit(self) -> Unit:
        """A unit that starts now."""
        return Unit(self.clock.now())

    def submit(self, unit: Unit) -> None:
        """Commit it, then act."""
        self.journal.submit(unit)

    def _set_alarm(self, kind: str, id_: str, at: datetime | None) -> None:
        self.alarms.set((kind, id_), at, lambda: self._ring(kind, id_))

    # -- the edges -------------------------------------------------------------------------------------------

    def _ring(self, kind: str, id_: str) -> None:
        unit = self.open_unit()
        if kind == CONTACT:
            self.run("deadline", lambda: self.calls.tick(unit, id_))
        else:
            self.run("deadline", lambda: self.director.tick(unit, kind, id_))
        self.submit(unit)

    def _signalled(self, unit: Unit, event: ev.SignallingInput) -> None:
        self.run("signalling", lambda: self.calls.signalled(unit, event))

    def _heard(self, unit: Unit, event: ev.MediaInput) -> None:
        self.run("media", lambda: self.calls.heard(unit, event))

    def _customer_found(self, contact: str, found: CallerFound) -> None:
        unit = self.open_unit()
        self.run("customer", lambda: self.director.customer_found(unit, contact, found))
        self.submit(unit)

    def run(self, edge: str, step: Callable[[], None]) -> None:
        """Do `step` so that a bug in it is logged and counted and stops nothing else."""
        try:
            step()
        except Exception:
            self.surprises += 1
            log.exception("input failed", extra={"edge": edge})

    def _phone_changed(self, unit: Unit, user: str, reachable: bool) -> None:  # the gateway's callback
        self.desk.phone_changed(unit, user, reachable)

    # -- small answers ---------------------------------------------------------------------------------------

    def _notice(self, unit: Unit, notice: Notice) -> None:
        self.director.noticed(unit, notice)

    def _target_for(self, user: str, caller: str, caller_name: str) -> Target | None:
        return self.agent.target_for(user, from_user=caller or ANONYMOUS, from_name=caller_name)

    def _admit(self) -> int | None:
        """None: a new call may come. Else the seconds until it may try again (architecture.md section 2)."""
        limits = self._settings.limits
        lag_ms = self.journal.lag_s(self.clock.now()) * 1000
        if not self.journal.healthy or lag_ms > limits.journal_lag_ms or len(self.calls.contacts) >= limits.calls:
            return BUSY_RETRY_S
        return None if self._admission.admit(self._loop.time()) else BUSY_RETRY_S
