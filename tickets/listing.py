"""Lists of tickets: which ones, in which order, and where a page begins.

Newest first goes by number. By due time the one that is due next comes first (overdue ones before it) and those that
nothing is promised of, or whose clocks are closed or paused, come last.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, or_, select

from callcenter.kernel.site import Site
from tickets.commands import TicketFilter
from tickets.tables import TicketContact, TicketRow

# The earlier of two that may both be missing; neither engine's own function says that of the other.
next_due: ColumnElement[Any] = case(
    (TicketRow.first_response_due_at.is_(None), TicketRow.resolution_due_at),
    (TicketRow.resolution_due_at.is_(None), TicketRow.first_response_due_at),
    (TicketRow.first_response_due_at < TicketRow.resolution_due_at, TicketRow.first_response_due_at),
    else_=TicketRow.resolution_due_at,
)


def listed(query: TicketFilter, now: datetime) -> Select[TicketRow]:
    """One row more than the page has, to tell whether another page follows."""
    found = _ordered(_narrowed(select(TicketRow), query), query).limit(query.limit + 1)
    if query.contact is not None:
        linked = select(TicketContact.ticket_id).where(TicketContact.contact_id == query.contact)
        found = found.where(TicketRow.id.in_(linked))
    if query.overdue:
        found = found.where(or_(TicketRow.first_response_due_at < now, TicketRow.resolution_due_at < now))
    return found


def of_customer(customer: str, *, after: str | None, limit: int) -> Select[TicketRow]:
    """The customer's newest tickets with ids below `after`."""
    found = select(TicketRow).where(TicketRow.customer_id == customer).order_by(TicketRow.id.desc()).limit(limit)
    return found if after is None else found.where(TicketRow.id < after)


async def of_contact(site: Site, contact: str) -> Sequence[Mapping[str, object]]:
    """Id and number of the tickets that a call's record names, newest first. Raises SiteUnavailable."""
    linked = select(TicketContact.ticket_id).where(TicketContact.contact_id == contact)
    found = select(TicketRow.id, TicketRow.number).where(TicketRow.id.in_(linked)).order_by(TicketRow.number.desc())
    async with site.reading() as session:
        return [{"id": row[0], "number": row[1]} for row in await session.execute(found)]


def _narrowed(found: Select[TicketRow], query: TicketFilter) -> Select[TicketRow]:
    for column, values in ((TicketRow.status, query.statuses), (TicketRow.priority, query.priorities)):
        if values:
            found = found.where(column.in_(values))
    for name, value in (
        (TicketRow.assignee, query.assignee),
        (TicketRow.queue, query.queue),
        (TicketRow.customer_id, query.customer),
        (TicketRow.category, query.category),
    ):
        if value is not None:
            found = found.where(name == value)
    return found


def _ordered(found: Select[TicketRow], query: TicketFilter) -> Select[TicketRow]:
    if query.sort == "newest":
        found = found.order_by(TicketRow.number.desc())
        return found if query.after is None else found.where(TicketRow.number < query.after)
    found = found.order_by(next_due.is_(None), next_due, TicketRow.number)
    if query.after is None:
        return found
    # Where that ticket stands now: one that has moved meanwhile takes the place with it.
    due = select(next_due).where(TicketRow.number == query.after).scalar_subquery()
    later = and_(next_due == due, TicketRow.number > query.after)
    last = and_(next_due.is_(None), or_(due.is_not(None), TicketRow.number > query.after))
    return found.where(or_(next_due > due, later, last))
