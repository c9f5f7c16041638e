"""Questions to the call records, for the API and the command line.

Lists are newest first and continue after a contact's id, which sorts by the time that its call began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import Site
from callcenter.numbers import lookup_candidates, spellings
from callcenter.reporting.cdr import Cdr, CdrDetail, Result
from callcenter.reporting.tables import CdrRow, ContactPerson

MOST = 1_000

_CDRS = CdrRow.metadata.tables[CdrRow.__tablename__].c
# Of plain columns and made once: a call that is being set up pays for it.
_LAST_AGENT = (
    select(_CDRS.agent)
    .where(_CDRS.customer == bindparam("customer"), _CDRS.agent.is_not(None), _CDRS.talk_ms > 0)
    .order_by(_CDRS.contact.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Person:
    """Who called whom, and what they typed by the name that the flow gave it; erasable."""

    caller: str | None = None
    caller_name: str | None = None
    called: str | None = None
    collected: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A record with its person, whose fields are None once erased."""

    cdr: Cdr
    person: Person


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Which calls: those that began from `since` on and before `until`, of these names; `after` is where to go on.

    `callers` are the forms in which the caller's number may have been sent; empty for any number.
    """

    since: datetime | None = None
    until: datetime | None = None
    callers: Sequence[str] = ()
    agent: str | None = None
    queue: str | None = None
    result: str | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CallsPage:
    """`after` continues the list; None at its end."""

    calls: tuple[Call, ...]
    after: str | None


def day_of(day: date, zone: str) -> tuple[datetime, datetime]:
    """The two ends of `day` in the IANA `zone`: 23 to 25 hours apart where the clock changes.

    Raises InvalidInput for the first and the last of all days.
    """
    try:
        ends = [datetime.combine(each, time.min, ZoneInfo(zone)) for each in (day, day + timedelta(days=1))]
        return ends[0].astimezone(UTC), ends[1].astimezone(UTC)
    except OverflowError:
        raise InvalidInput("day: is too early or too late to have calls", data={"field": "day"}) from None


def forms_of(number: str, region: str) -> tuple[str, ...]:
    """How a trunk may have sent the number that somebody in `region` writes so; first as it was written."""
    forms = lookup_candidates(number, region=region)
    return tuple(dict.fromkeys([number, *(one for form in forms for one in spellings(form, region=region))]))


async def calls_list(site: Site, query: CallQuery) -> CallsPage:
    """One page of calls, newest first. Raises InvalidInput, SiteUnavailable."""
    if not 1 <= query.limit <= MOST:
        raise InvalidInput(f"limit must be 1 to {MOST}", data={"field": "limit"})
    if query.after is not None and not query.after.isalnum():
        raise InvalidInput("after is not what a page gave", data={"field": "after"})
    async with site.reading() as session:
        rows = (await session.execute(_statement(query))).all()
    calls = tuple(_call(row[0], row[1]) for row in rows[: query.limit])
    return CallsPage(calls, calls[-1].cdr.contact if len(rows) > query.limit else None)


async def calls_of_customer(
    site: Site, customer: str, callers: Sequence[str], *, after: str | None, limit: int
) -> tuple[Call, ...]:
    """The calls of a customer below `after`, newest first: the customer's own, and those from one of the numbers
    `callers` (as they were sent) whose caller was not told from others. Raises SiteUnavailable.
    """
    of_him = select(CdrRow.contact).where(CdrRow.customer == customer)
    of_numbers = (
        select(CdrRow.contact)
        .join(ContactPerson, ContactPerson.contact == CdrRow.contact)
        .where(ContactPerson.caller.in_(callers), CdrRow.customer.is_(None))
    )
    contacts: set[str] = set()
    async with site.reading() as session:
        for query in (of_him, of_numbers) if callers else (of_him,):
            statement = query if after is None else query.where(CdrRow.contact < after)
            contacts.update(await session.scalars(statement.order_by(CdrRow.contact.desc()).limit(limit)))
        newest = sorted(contacts, reverse=True)[:limit]
        rows = await session.execute(_joined().where(CdrRow.contact.in_(newest)).order_by(CdrRow.contact.desc()))
        return tuple(_call(row[0], row[1]) for row in rows)


async def last_agent_of(site: Site, customer: str) -> str | None:
    """The agent whom the customer talked to last, None if there was none. Raises SiteUnavailable."""
    rows = await site.query(_LAST_AGENT, {"customer": customer})
    return str(rows[0][0]) if rows else None


async def calls_show(site: Site, contact: str) -> Call | None:
    """The call of `contact`, None where there is no record (yet). Raises SiteUnavailable."""
    async with site.reading() as session:
        return await _show(session, contact)


async def _show(session: AsyncSession, contact: str) -> Call | None:
    row = (await session.execute(_joined().where(CdrRow.contact == contact))).one_or_none()
    return None if row is None else _call(row[0], row[1])


def _joined() -> Select[CdrRow, ContactPerson]:
    return select(CdrRow, ContactPerson).outerjoin(ContactPerson, ContactPerson.contact == CdrRow.contact)


def _statement(query: CallQuery) -> Select[CdrRow, ContactPerson]:
    statement = _joined().order_by(CdrRow.contact.desc()).limit(query.limit + 1)
    if query.since is not None:
        statement = statement.where(CdrRow.started_at >= query.since)
    if query.until is not None:
        statement = statement.where(CdrRow.started_at < query.until)
    if query.callers:
        statement = statement.where(ContactPerson.caller.in_(query.callers))
    for column, wanted in (
        (CdrRow.agent, query.agent),
        (CdrRow.queue, query.queue),
        (CdrRow.result, query.result),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return statement if query.after is None else statement.where(CdrRow.contact < query.after)


def _call(row: CdrRow, person: ContactPerson | None) -> Call:
    cdr = Cdr(
        contact=row.contact,
        direction=row.direction,
        source_kind=row.source_kind,
        source=row.source,
        flow=row.flow,
        flow_version=row.flow_version,
        started_at=row.started_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        queue=row.queue,
        agent=row.agent,
        customer=row.customer,
        wait_ms=row.wait_ms,
        talk_ms=row.talk_ms,
        hung_up_by=row.hung_up_by,
        reason=row.reason,
        sip_status=row.sip_status,
        result=Result(row.result),
        detail=msgspec.convert(row.detail, CdrDetail),
    )
    if person is None:
        return Call(cdr, Person())
    return Call(cdr, Person(person.caller, person.caller_name, person.called, person.collected))
