"""Supervision: what supervisors do to those who wait and to agents. Each wish is a unit of its own.

The journal has each wish with who asked (`console.supervision.requested`), and so has the audit trail as soon as the
site database answers; calls do not wait for it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import acd.commands as acd_in
import acd.events as acd_out
from acd.config import Roster
from acd.machines.entry import QueueEntry
from acd.policies.skills import canonical
from acd.service import AcdService
from callcenter.app.committing import committed
from callcenter.console.consoles import Consoles
from callcenter.console.supervision_ports import CallbackView, EntryView
from callcenter.director.service import Director
from callcenter.identity.service import IdentityService
from callcenter.identity.tables import AuditEntry
from callcenter.kernel.errors import Conflict, InvalidInput, NotFound, SiteUnavailable
from callcenter.kernel.site import Site
from callcenter.kernel.unit import Unit

log = logging.getLogger(__name__)

_MISSING = {"no_such_entry", "unknown_agent"}


class SupervisionDesk:
    """Implements `console.supervision_ports.Supervision`."""

    def __init__(
        self,
        director: Director,
        acd: AcdService,
        site: Site,
        *,
        identity: IdentityService,
        consoles: Consoles,
        roster: Callable[[], Roster],
        open_unit: Callable[[], Unit],
        submit: Callable[[Unit], None],
    ) -> None:
        self._director = director
        self._acd = acd
        self._site = site
        self._identity = identity
        self._consoles = consoles
        self._roster = roster
        self._open_unit = open_unit
        self._submit = submit

    # -- looking -------------------------------------------------------------------------------------------------

    def entries(self, queue: str | None) -> Sequence[EntryView]:
        found = [entry for entry in self._acd.core.entries.values() if queue in {None, entry.queue}]
        return [self._view(entry) for entry in sorted(found, key=lambda entry: (entry.queue, entry.place))]

    def _view(self, entry: QueueEntry) -> EntryView:
        core = self._acd.core
        position = core.position(entry.id) if entry.state == "waiting" else None
        estimate = core.estimates.get(entry.queue)
        raw = None if estimate is None or position is None else estimate.raw(position)
        return EntryView(
            entry.id,
            entry.contact,
            entry.queue,
            entry.state,
            entry.priority,
            entry.enqueued_at,
            position,
            None if estimate is None or raw is None else estimate.corrected(raw),
            entry.is_callback,
        )

    def callbacks(self) -> Sequence[CallbackView]:
        pending = sorted(self._director.callbacks.pending.values(), key=lambda each: (each.since, each.id))
        return [
            CallbackView(each.id, each.contact, each.queue, each.state.value, each.since, each.tries, each.retry_at)
            for each in pending
        ]

    # -- those who wait ------------------------------------------------------------------------------------------

    async def move_entry(self, entry: str, queue: str, *, by: str) -> None:
        await self._do(acd_in.EntryMoved(entry, queue), entry, "entry.moved", by, queue=queue)

    async def set_priority(self, entry: str, priority: int, *, by: str) -> None:
        wish = acd_in.EntryReprioritised(entry, priority)
        await self._do(wish, entry, "entry.reprioritised", by, priority=priority)

    async def cancel_entry(self, entry: str, *, by: str) -> None:
        await self._do(acd_in.EntryCancelled(entry), entry, "entry.cancelled", by)

    # -- agents --------------------------------------------------------------------------------------------------

    async def set_skills(self, agent: str, skills: Mapping[str, int] | None, *, by: str) -> None:
        levels = None if skills is None else canonical(skills)
        told = None if skills is None else dict(skills)
        await self._do(acd_in.AgentSkillsChanged(agent, levels), agent, "agent.skills_changed", by, skills=told)

    async def force_out(self, agent: str, *, by: str) -> None:
        await self._do(acd_in.AgentForcedOut(agent), agent, "agent.forced_out", by)
        config = self._roster().agent(agent)
        if config is not None:
            await self._end_sessions(config.user)

    async def _end_sessions(self, login: str) -> None:
        """Whoever sits at his desk has to sign in again. Without the site database nobody can, nor uses a session."""
        try:
            user = await self._identity.end_all(login)
        except SiteUnavailable:
            log.warning("sessions could not be ended: no site database")
            return
        if user is not None:
            self._consoles.end_user(user)

    # -- carrying out --------------------------------------------------------------------------------------------

    async def _do(self, wish: acd_in.Input, subject: str, action: str, by: str, **data: object) -> None:
        unit = self._open_unit()
        unit.event("console.supervision.requested", subject, action=action, by=by, **data)
        told = self._director.distribute(unit, wish)
        await committed(unit, self._submit)
        refused = next((event for event in told if isinstance(event, acd_out.InputRefused)), None)
        if refused is not None:
            _refuse(refused.reason)
        await self._audit(unit, by, action, subject, data)

    async def _audit(self, unit: Unit, by: str, action: str, subject: str, data: Mapping[str, object]) -> None:
        try:
            async with self._site.session() as session:
                session.add(AuditEntry(at=unit.now, actor=by, action=action, subject=subject, data=dict(data)))
        except SiteUnavailable:
            log.warning("not in the audit trail: no site database")


def _refuse(reason: str) -> None:
    """Raises what the distributor's refusal means to who asked."""
    if reason in _MISSING:
        raise NotFound("not there (any more)", data={"reason": reason})
    if reason == "unknown_queue":
        raise InvalidInput("no such queue", data={"field": "queue"})
    raise Conflict("the present state forbids this", data={"reason": reason})
