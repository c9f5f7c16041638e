"""Two figures that need more than the interval facts (acd.md section 5): adherence, and first contact resolution.

Customer satisfaction has no source: nobody is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from acd.laboratory.day_model import Stretch
from callcenter.kernel.site import Site
from callcenter.numbers import normalise
from callcenter.reporting.interval_tables import AgentSpan, QueueVisit
from callcenter.reporting.metrics import REPEAT_WITHIN, Answered, adherence, first_contact_resolution
from callcenter.reporting.metrics import Stretch as Span
from callcenter.reporting.tables import CdrRow, ContactPerson
from tickets.tables import TicketContact

AT_WORK = "at_work"
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Resolution:
    """`share` of the `judged` contacts that nobody repeated; None without any. `unknown`: nobody knows who called."""

    judged: int
    unknown: int
    share: float | None


async def resolution(site: Site, since: datetime, until: datetime, *, now: datetime, region: str) -> Resolution:
    """First contact resolution of the contacts answered from `since` on and before `until`. Raises SiteUnavailable.

    A contact's customer is the one of its record, else the caller's number, read as one of `region`; its matter the
    ticket, else the queue.
    """
    ticket = (
        select(func.min(TicketContact.ticket_id))
        .where(TicketContact.contact_id == QueueVisit.contact)
        .scalar_subquery()
    )
    statement = (
        select(
            QueueVisit.contact, QueueVisit.left_at, QueueVisit.queue, CdrRow.customer, ContactPerson.caller, ticket
        )
        .outerjoin(CdrRow, CdrRow.contact == QueueVisit.contact)
        .outerjoin(ContactPerson, ContactPerson.contact == QueueVisit.contact)
        .where(
            QueueVisit.outcome == "answered",
            # By its index; nobody waits longer than that.
            QueueVisit.queued_at.between(since - REPEAT_WITHIN, until + REPEAT_WITHIN),
            QueueVisit.left_at >= since,
            QueueVisit.left_at < until + REPEAT_WITHIN,
        )
        .order_by(QueueVisit.left_at)
    )
    contacts: dict[str, Answered | None] = {}
    unknown = 0
    async with site.reading() as session:
        for contact, at, queue, customer, caller, about in await session.execute(statement):
            if contact in contacts:
                continue  # a second agent is no second contact
            who = customer or _number(caller or "", region)
            contacts[contact] = Answered(who, about or queue, at) if who else None
            unknown += not who and at < until
    known = [each for each in contacts.values() if each is not None]
    over = min(now, until + REPEAT_WITHIN - _MS)
    judged = sum(each.at + REPEAT_WITHIN <= over for each in known)
    return Resolution(judged, unknown, first_contact_resolution(known, until=over))


def _number(caller: str, region: str) -> str | None:
    """The same for any spelling of a number; None for one that was withheld, which many callers have."""
    number = normalise(caller, region=region)
    return None if number.kind == "withheld" else number.e164 or number.raw


async def adherences(site: Site, shifts: Iterable[Stretch], *, now: datetime) -> Mapping[str, float | None]:
    """By agent, the part of his shifts so far in which he was signed in and not paused. Raises SiteUnavailable."""
    planned: dict[str, list[Span]] = {}
    for shift in shifts:
        if shift.start < now:
            planned.setdefault(shift.agent, []).append(Span(shift.start, min(shift.end, now), AT_WORK))
    statement = select(AgentSpan.agent, AgentSpan.since, AgentSpan.until).where(
        AgentSpan.agent.in_(planned), AgentSpan.state != "not_ready"
    )
    if planned:
        first = min(span.since for spans in planned.values() for span in spans)
        last = max(span.until for spans in planned.values() for span in spans)
        statement = statement.where(AgentSpan.since < last, AgentSpan.until.is_(None) | (AgentSpan.until > first))
    done: dict[str, list[Span]] = {}
    async with site.reading() as session:
        for agent, since, until in await session.execute(statement):
            done.setdefault(agent, []).append(Span(since, until or now, AT_WORK))
    return {agent: adherence(spans, done.get(agent, ())) for agent, spans in sorted(planned.items())}
