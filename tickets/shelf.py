"""Versions of policies and calendars, kept for as long as a ticket is held to them (tickets.md section 3)."""

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.calendars import Calendar
from callcenter.kernel.errors import ConfigError
from callcenter.kernel.site import Site
from callcenter.kernel.site_tables import ConfigVersion
from tickets.config import TicketRules
from tickets.model import Policy, Rulebook, Terms

POLICY, CALENDAR = "ticket_policy", "calendar"
T = TypeVar("T", Policy, Calendar)


class VersionMissing(ConfigError):
    """The database names a version of a policy or a calendar that it does not have."""

    code = "ticket_version_missing"


class Shelf:
    """What terms mean, in memory once they have been asked for. Versions never change, so nothing goes stale."""

    def __init__(self) -> None:
        self._book: dict[Terms, tuple[Policy, Calendar]] = {}

    async def put(self, site: Site, rules: TicketRules, *, now: datetime) -> None:
        """Keep the versions that are in force now. Raises SiteUnavailable."""
        book = rules.book()
        wanted: dict[tuple[str, str, str], Policy | Calendar] = {}
        for terms, (policy, calendar) in book.items():
            wanted[POLICY, policy.name, terms.policy_version] = policy
            wanted[CALENDAR, calendar.name, terms.calendar_version] = calendar
        rows = [
            {"kind": kind, "name": name, "version": version, "document": document, "at": now}
            for (kind, name, version), document in wanted.items()
        ]
        if rows:
            async with site.session() as session:
                connection = await session.connection()
                engine = postgresql if connection.dialect.name == "postgresql" else sqlite
                # Another process may keep the same versions at the same moment.
                await connection.execute(engine.insert(ConfigVersion).on_conflict_do_nothing(), rows)
        self._book.update(book)

    async def book(self, session: AsyncSession, terms: Collection[Terms]) -> Rulebook:
        """What `terms` mean; raises VersionMissing."""
        for one in terms:
            if one not in self._book:
                policy = await _take(session, POLICY, one.policy, one.policy_version, Policy)
                calendar = await _take(session, CALENDAR, policy.calendar, one.calendar_version, Calendar)
                self._book[one] = (policy, calendar)
        return self._book


async def _take(session: AsyncSession, kind: str, name: str, version: str, as_type: type[T]) -> T:
    row = await session.get(ConfigVersion, (kind, name, version))
    if row is None:
        raise VersionMissing(f"{kind} {name} {version} is not in the database", data={"version": version})
    return msgspec.convert(row.document, as_type)
