"""Tickets for people: open, write, change, list, show; and the escalations that fall due by themselves.

Each call is one transaction. Site events (docs/events.md) are recorded in it, with ids and plain words only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.ids import IdSource, new_id
from callcenter.kernel.site import Site
from tickets.commands import Attribute, ChangeTicket, OpenTicket, TicketFilter, WriteMessage
from tickets.config import TicketRules
from tickets.errors import TicketChanged, TicketUnknown
from tickets.escalating import MOST, FiredStep, escalate_due, next_escalation
from tickets.facts import MessageWritten
from tickets.listing import listed, of_customer
from tickets.machines.ticket import (
    Answered,
    Chosen,
    CustomerWrote,
    NoteWritten,
    PriorityChosen,
    StatusChosen,
    TicketInput,
)
from tickets.model import ORDER, Status
from tickets.record import TicketRecord
from tickets.shelf import Shelf
from tickets.tables import HistoryRow, MessageRow, TicketContact, TicketNumber, TicketRow
from tickets.views import (
    ChangeView,
    MessageView,
    TicketDetail,
    TicketOptions,
    TicketPage,
    TicketView,
    terms_of_row,
    view_of,
)

__all__ = ["MOST", "FiredStep", "Surroundings", "TicketService", "escalate_due", "next_escalation"]

# Status last: what ends a ticket must not keep the rest of the same request from it.
SEQUENCE: tuple[Attribute, ...] = ("subject", "category", "queue", "assignee", "tags", "priority", "status")


def _anything(_name: str) -> bool:
    return True


def _nothing(_contact: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the room asks of others. `in_talk`: an agent and the customer of the contact are connected now."""

    in_talk: Callable[[str], bool] = _nothing
    is_agent: Callable[[str], bool] = _anything
    is_queue: Callable[[str], bool] = _anything
    changed: Callable[[], None] = lambda: None


class TicketService:
    """One for the application; owned by its loop. `start` before anything else."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        rules: TicketRules,
        surroundings: Surroundings | None = None,
        *,
        ids: IdSource = new_id,
    ) -> None:
        self._site = site
        self._clock = clock
        self._rules = rules
        self._around = surroundings or Surroundings()
        self._ids = ids
        self._shelf = Shelf()
        self._kept = False

    async def open(self, command: OpenTicket, *, by: str) -> tuple[TicketView, bool]:
        """The ticket, and whether it is new: a command that was carried out before finds what it opened.

        Raises InvalidInput for an agent or queue that is none. `by` is the user's id.
        """
        self._check(command.assignee, command.queue)
        now = await self._prepared()
        async with self._site.session() as session:
            known = await _by_command(session, command.command_id)
            if known is None:
                number = await _next_number(session)
                # Whoever had the lock on the numbers may have been the same command.
                known = await _by_command(session, command.command_id)
                if known is None:
                    number.last += 1
                    row = await self._open(session, command, number.last, now=now, by=by)
            view = view_of(known or row, now=now)
        self._around.changed()
        return view, known is None

    async def write(self, ticket: str, message: WriteMessage, *, by: str) -> MessageView:
        """Add a message; the ticket's status follows from who wrote. Raises TicketUnknown, TicketClosed."""
        now = await self._prepared()
        async with self._site.session() as session:
            record = await self._record(session, ticket, now=now, by=by)
            row = self._message(record, message, by)
            if message.contact is not None:
                await _link(record, message.contact)
            await record.finish()
        self._around.changed()
        return _message_view(row)

    async def change(self, ticket: str, change: ChangeTicket, *, by: str) -> TicketView:
        """Set what is to be different, all or nothing.

        Raises TicketUnknown, TicketChanged (another version by now), StatusForbidden, TicketClosed, InvalidInput.
        """
        values = change.values
        self._check(values.get("assignee"), values.get("queue"))
        now = await self._prepared()
        async with self._site.session() as session:
            record = await self._record(session, ticket, now=now, by=by)
            row = record.row
            if row.version != change.version:
                raise TicketChanged("Somebody has changed the ticket.", data={"version": row.version})
            for attribute in SEQUENCE:
                if attribute in values:
                    changes = record.apply(_input(attribute, values[attribute]))
                    if changes and attribute == "category":
                        self._follow_category(record)
            if change.contact is not None:
                await self._link_call(record, change.contact, by)
            await record.finish()
            view = view_of(row, now=record.now)
        self._around.changed()
        return view

    def options(self) -> TicketOptions:
        """What the forms offer."""
        return TicketOptions(sorted(self._rules.categories))

    async def list(self, query: TicketFilter) -> TicketPage:
        """One page in the order that the query asks for. Raises SiteUnavailable."""
        now = self._clock.now()
        async with self._site.reading() as session:
            rows = list(await session.scalars(listed(query, now)))
        page = [view_of(row, now=now) for row in rows[: query.limit]]
        return TicketPage(page, page[-1].number if len(rows) > query.limit else None)

    async def of_customer(self, customer: str, *, after: str | None, limit: int) -> Sequence[TicketView]:
        """The customer's newest tickets with ids below `after`. Raises SiteUnavailable."""
        now = self._clock.now()
        query = of_customer(customer, after=after, limit=limit)
        async with self._site.reading() as session:
            return [view_of(row, now=now) for row in await session.scalars(query)]

    async def show(self, ticket: str) -> TicketDetail:
        """The ticket with its messages, its history and its clocks as they stand. Raises TicketUnknown."""
        now = await self._prepared()
        async with self._site.reading() as session:
            row = await session.get(TicketRow, ticket)
            if row is None:
                raise _unknown(ticket)
            record = TicketRecord(session, self._shelf, row, now=now, actor="")
            messages = select(MessageRow).where(MessageRow.ticket_id == ticket).order_by(MessageRow.at, MessageRow.id)
            changes = select(HistoryRow).where(HistoryRow.ticket_id == ticket).order_by(HistoryRow.position)
            contacts = select(TicketContact).where(TicketContact.ticket_id == ticket)
            return TicketDetail(
                view_of(row, now=now),
                [_message_view(each) for each in await session.scalars(messages)],
                [
                    ChangeView(each.at, each.actor, each.attribute, each.before, each.after)
                    for each in await session.scalars(changes)
                ],
                [each.contact_id for each in await session.scalars(contacts.order_by(TicketContact.linked_at))],
                await record.readings(),
            )

    async def escalate(self, now: datetime | None = None, *, since: timedelta = timedelta()) -> Sequence[FiredStep]:
        """Fire what is due; `escalate_due` with this service's versions."""
        present = await self._prepared()
        return await escalate_due(self._site, now or present, shelf=self._shelf, since=since)

    async def _prepared(self) -> datetime:
        """Keep the present versions once; the time of the call, in whole milliseconds as they are stored."""
        now = self._clock.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        if not self._kept:
            await self._shelf.put(self._site, self._rules, now=now)
            self._kept = True
        return now

    async def _open(
        self, session: AsyncSession, command: OpenTicket, number: int, *, now: datetime, by: str
    ) -> TicketRow:
        row = TicketRow(
            id=self._ids(),
            number=number,
            command_id=command.command_id,
            version=1,
            subject=command.subject,
            customer_id=command.customer,
            contact_id=command.contact,
            queue=command.queue,
            assignee=command.assignee,
            status="new",
            priority=command.priority,
            category=command.category,
            tags=list(command.tags),
            cycle=1,
            created_at=now,
            updated_at=now,
        )
        session.add(row)
        await session.flush()
        record = TicketRecord(session, self._shelf, row, now=now, actor=by)
        record.begin(self._rules.terms_for(command.category))
        if command.text:
            self._message(record, WriteMessage("internal_note", command.text), by)
        if command.contact is not None:
            await self._link_call(record, command.contact, by)
        await record.finish(opened=True)
        return row

    def _message(self, record: TicketRecord, message: WriteMessage, by: str) -> MessageRow:
        record.apply(_told(MessageWritten(record.now, message.kind, message.author, message.connected)))
        row = MessageRow(
            id=self._ids(),
            ticket_id=record.row.id,
            at=record.now,
            kind=message.kind,
            author=message.author,
            author_id=by if message.author == "agent" else None,
            contact_id=message.contact,
            connected=message.connected,
            text=message.text,
        )
        record.session.add(row)
        record.note("message", {"id": row.id, "kind": row.kind, "author": row.author})
        record.tell("tickets.message.written", message=row.id, kind=row.kind, author=row.author)
        return row

    async def _link_call(self, record: TicketRecord, contact: str, by: str) -> None:
        """Link the contact; a talk that goes on is the answer that its customer gets."""
        if await _link(record, contact) and self._around.in_talk(contact):
            self._message(record, WriteMessage("call", "", contact=contact, connected=True), by)

    def _follow_category(self, record: TicketRecord) -> None:
        terms, held = self._rules.terms_for(record.row.category), terms_of_row(record.row)
        if (terms and terms.policy) != (held and held.policy):
            record.hold_to(terms)

    async def _record(self, session: AsyncSession, ticket: str, *, now: datetime, by: str) -> TicketRecord:
        row = await session.scalar(select(TicketRow).where(TicketRow.id == ticket).with_for_update())
        if row is None:
            raise _unknown(ticket)
        return TicketRecord(session, self._shelf, row, now=now, actor=by)

    def _check(self, assignee: object, queue: object) -> None:
        if isinstance(assignee, str) and not self._around.is_agent(assignee):
            raise InvalidInput("There is no such agent.", data={"field": "assignee"})
        if isinstance(queue, str) and not self._around.is_queue(queue):
            raise InvalidInput("There is no such queue.", data={"field": "queue"})


def _unknown(ticket: str) -> TicketUnknown:
    return TicketUnknown("There is no such ticket.", data={"ticket": ticket})


def _input(attribute: Attribute, value: str | tuple[str, ...] | None) -> TicketInput:
    if attribute == "status":
        status: Status = value  # type: ignore[assignment]  # whoever asks has checked the word
        return StatusChosen(status)
    if attribute == "priority":
        return PriorityChosen(next(priority for priority in ORDER if priority == value))
    return Chosen(attribute, value)


def _told(message: MessageWritten) -> TicketInput:
    if message.is_human_answer:
        return Answered()
    return CustomerWrote() if message.author == "customer" else NoteWritten()


async def _link(record: TicketRecord, contact: str) -> bool:
    """Whether the contact was not linked yet."""
    key = (record.row.id, contact)
    if await record.session.get(TicketContact, key) is not None:
        return False
    record.session.add(TicketContact(ticket_id=record.row.id, contact_id=contact, linked_at=record.now))
    record.note("contact", contact)
    record.tell("tickets.contact.linked", contact=contact)
    return True


async def _by_command(session: AsyncSession, command_id: str | None) -> TicketRow | None:
    if command_id is None:
        return None
    return await session.scalar(select(TicketRow).where(TicketRow.command_id == command_id))


async def _next_number(session: AsyncSession) -> TicketNumber:
    """The row of the last number, locked."""
    return (await session.scalars(select(TicketNumber).with_for_update())).one()


def _message_view(row: MessageRow) -> MessageView:
    return MessageView(row.id, row.at, row.kind, row.author, row.author_id, row.contact_id, row.connected, row.text)
