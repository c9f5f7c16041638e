"""The policy of queues and agents while calls run: its versions, and how one comes to hold.

The versions are in the site database; `policy_start` has a copy of the active one before that answers. The files of
config/ are the first version. Files that have changed since they were last looked at become a new version at the next
start and hold; the one before stays in the list.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

import acd.commands as acd_in
from acd import policy_versions as kept_versions
from acd.config import AGENTS, QUEUES, Roster
from acd.policy_text import PolicyInvalid, Problem, Texts, checked, difference
from acd.policy_versions import FILES, VersionView, WholeVersion
from callcenter.app.committing import committed
from callcenter.app.directory import directory_of, kept_secrets
from callcenter.app.live import LiveSide
from callcenter.app.policy_start import KeptPolicy, digest_of, keep_policy, texts_of
from callcenter.app.queue_terms import NO_QUEUE, load_queue_terms
from callcenter.app.site_config import phone_faults, waiting_faults
from callcenter.identity.tables import AuditEntry
from callcenter.kernel.errors import ConfigError, NotFound
from callcenter.kernel.site import Site
from ivr.model import Flow

log = logging.getLogger(__name__)

NOTES = {True: "first version, from config/", False: "config/ has changed"}


class PolicySide:
    """Implements `acd.policy_ports.PolicyDesk`. Belongs to the loop."""

    def __init__(self, site: Site, live: LiveSide, *, config: Path, data: Path) -> None:
        self._site = site
        self._live = live
        self._config = config
        self._data = data
        # One at a time: what holds in the database and what the distributor runs change in the same order.
        self._turn = asyncio.Lock()
        self._files = ""

    async def opened(self) -> None:
        """The database is there: take in changed files, and have the active version hold. Raises SiteUnavailable.

        A version that this release cannot read does not keep the rest from opening: what holds goes on.
        """
        try:
            await self._open()
        except (PolicyInvalid, NotFound):
            log.error("the active policy cannot be read by this version of the program, config/ holds")  # noqa: TRY400 - said whole

    async def _open(self) -> None:
        async with self._turn:
            try:
                files = await asyncio.to_thread(texts_of, self._config)
            except (OSError, UnicodeDecodeError):
                files = None
            async with self._site.session() as session:
                held = await kept_versions.in_force(session)
                if files is not None and (held is None or held.files != digest_of(files)):
                    found = await self._imported(session, files, None if held is None else held.number)
                else:
                    found = await kept_versions.version(session, None)
                    self._files = "" if held is None else held.files
            await self._hold(found)

    async def _imported(self, session: AsyncSession, files: Texts, before: int | None) -> WholeVersion:
        try:
            policy = (await asyncio.to_thread(checked, files)).policy.version
        except PolicyInvalid:
            # Edited into something wrong since the start, which would not have begun with it.
            log.error("the changed files of config/ have mistakes and are not taken in")  # noqa: TRY400 - `flows validate` names them
            return await kept_versions.version(session, None)
        now = self._live.clock.now()
        number = await kept_versions.save(
            session, files, policy, based_on=before, author=FILES, note=NOTES[before is None], now=now
        )
        self._files = digest_of(files)
        await kept_versions.put_in_force(session, number, by=FILES, now=now, files=self._files)
        session.add(_audit(now, FILES, "policy.activated", number, before))
        return await kept_versions.version(session, number)

    # -- what the routes ask --------------------------------------------------------------------------------------

    async def show(self, number: int | None) -> WholeVersion:
        """A version, the one that holds for None. Raises NotFound, SiteUnavailable."""
        async with self._site.reading() as session:
            return await kept_versions.version(session, number)

    async def list(self) -> Sequence[VersionView]:
        """The versions, newest first. Raises SiteUnavailable."""
        async with self._site.reading() as session:
            return await kept_versions.versions(session)

    async def check(self, texts: Texts) -> tuple[Sequence[Problem], str]:
        """Every mistake, and the difference from what holds. Raises SiteUnavailable."""
        held = await self.show(None)
        diff = await asyncio.to_thread(difference, held.texts, texts)
        try:
            await self._checked(texts)
        except PolicyInvalid as invalid:
            return invalid.problems, diff
        return (), diff

    async def save(self, texts: Texts, *, based_on: int, note: str, activate: bool, by: str) -> WholeVersion:
        """A new version. Raises PolicyInvalid, PolicyChanged, NotFound, SiteUnavailable."""
        policy = (await self._checked(texts)).policy.version
        async with self._turn:
            now = self._live.clock.now()
            async with self._site.session() as session:
                if activate:
                    await kept_versions.expect(session, based_on)
                number = await kept_versions.save(
                    session, texts, policy, based_on=based_on, author=by, note=note, now=now
                )
                session.add(_audit(now, by, "policy.saved", number, based_on))
                if activate:
                    await kept_versions.put_in_force(session, number, by=by, now=now)
                    session.add(_audit(now, by, "policy.activated", number, based_on))
                found = await kept_versions.version(session, number)
            if activate:
                await self._hold(found)
        return found

    async def activate(self, number: int, *, active: int, by: str) -> WholeVersion:
        """Have `number` hold. Raises NotFound, PolicyInvalid, PolicyChanged, SiteUnavailable."""
        await self._checked((await self.show(number)).texts)
        async with self._turn:
            now = self._live.clock.now()
            async with self._site.session() as session:
                await kept_versions.expect(session, active)
                await kept_versions.put_in_force(session, number, by=by, now=now)
                session.add(_audit(now, by, "policy.activated", number, active))
                found = await kept_versions.version(session, number)
            await self._hold(found)
        return found

    # -- what holds -----------------------------------------------------------------------------------------------

    async def _checked(self, texts: Texts) -> Roster:
        roster = await asyncio.to_thread(checked, texts)
        site = self._live.site
        problems = missing_queues(site.flows, roster)
        faults = await asyncio.to_thread(waiting_faults, roster, site.flows, site.prompts, site.language)
        problems += [Problem(QUEUES, where, what, None) for where, what in faults]
        problems += [Problem(AGENTS, where, what, None) for where, what in phone_faults(roster, site.endpoints)]
        problems += await asyncio.to_thread(measured_queues, self._config, roster)
        if problems:
            raise PolicyInvalid(problems)
        return roster

    async def _hold(self, found: WholeVersion) -> None:
        """The distributor runs this version from here on; callers keep their places, wrap-ups their ends."""
        roster = await asyncio.to_thread(checked, found.texts)
        if roster != self._live.site.roster:
            await self._run(roster)
        await asyncio.to_thread(keep_policy, self._data, KeptPolicy(found.view.number, self._files, found.texts))

    async def _run(self, roster: Roster) -> None:
        live = self._live
        live.site.roster = roster
        live.agent.directory = directory_of(live.site, kept_secrets(self._data), live.agent.directory.realm)
        unit = live.open_unit()
        live.director.distribute(unit, acd_in.PolicyLoaded(roster.policy))
        reachable = live.agent.registration.reachable_users()
        for agent in roster.agents:
            known, phone = live.acd.core.agents.get(agent.id), agent.phone in reachable
            if phone != (known is not None and known.phone):
                live.director.distribute(unit, acd_in.PresenceChanged(agent.id, phone=phone))
        await committed(unit, live.submit)


def missing_queues(flows: dict[str, Flow], roster: Roster) -> list[Problem]:
    """The queues that flows lead to and `roster` has not: a caller would find nobody there.

    A node that may leave its queue out (`callback`, `voicemail`) names none then.
    """
    nodes = [
        (flow, name, queue)
        for flow, document in sorted(flows.items())
        for name, node in document.nodes.items()
        if (queue := getattr(node, "queue", ""))
    ]
    return [
        Problem(QUEUES, "queues", f"lacks the queue {queue!r}, to which the flow {flow} leads (node {name})", None)
        for flow, name, queue in nodes
        if roster.queue(queue) is None
    ]


def measured_queues(config: Path, roster: Roster) -> list[Problem]:
    """The queues that metrics.yaml names and `roster` has not: the next start would find them missing."""
    try:
        load_queue_terms(config, [queue.name for queue in roster.queues])
    except ConfigError as error:
        lines = [line for line in error.message.splitlines() if NO_QUEUE in line]
        return [Problem(QUEUES, "queues", f"lacks what another file names ({line})", None) for line in lines]
    return []


def _audit(now: datetime, by: str, action: str, number: int, before: int | None) -> AuditEntry:
    return AuditEntry(at=now, actor=by, action=action, subject=f"policy {number}", data={"before": before})
