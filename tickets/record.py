"""One ticket inside one transaction: its row, its history, and the clocks that follow from both.

Whoever changes a ticket locks its row first, so two of them come one after the other on both engines, and whatever
they change is followed by `settle`, which computes due times, verdicts and the next escalation anew.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.kernel.outbox import record
from tickets.facts import Fact, MessageWritten, Opened, PriorityChanged, StatusChanged, TermsChanged
from tickets.machines.ticket import Changed, Ticket, TicketInput
from tickets.model import Author, ClockName, MessageKind, Priority, Status, Terms
from tickets.policies.clocks import Reading, open_readings, read_clocks
from tickets.policies.escalation import StepKey, pending_steps
from tickets.shelf import Shelf
from tickets.tables import EscalationRow, HistoryRow, MessageRow, TicketRow
from tickets.views import terms_of_row

TERMS = "terms"
ORIGINAL: tuple[str, ...] = ("status", "priority", "assignee", "queue", "category", "subject", "tags")


class TicketRecord:
    """A ticket that a transaction holds. `now` is the time of everything that the transaction does."""

    def __init__(self, session: AsyncSession, shelf: Shelf, row: TicketRow, *, now: datetime, actor: str) -> None:
        self.session = session
        self.row = row
        # No clock that stands behind makes a history run backwards.
        self.now = max(now, row.updated_at)
        self._shelf = shelf
        self._actor = actor
        self._version = row.version
        self._before = self.summary()
        self._told: list[tuple[str, dict[str, object]]] = []

    @property
    def priority(self) -> Priority:
        """The ticket's present one."""
        return cast("Priority", self.row.priority)

    def begin(self, terms: Terms | None) -> None:
        """Write the first values of a new ticket."""
        for attribute in ORIGINAL:
            self._note(attribute, None, getattr(self.row, attribute))
        self.hold_to(terms, first=True)

    def apply(self, event: TicketInput) -> list[Changed]:
        """Take `event`; what changed. Raises StatusForbidden, TicketClosed."""
        after, changes = _machine(self.row).handle(event, now=self.now)
        for change in changes:
            self._note(change.attribute, change.before, change.after)
            value = list(change.after) if isinstance(change.after, tuple) else change.after
            setattr(self.row, change.attribute, value)
        self.row.resolved_at = after.resolved_at
        if changes:
            self.row.version += 1
        return changes

    def hold_to(self, terms: Terms | None, *, first: bool = False) -> None:
        """Give the ticket other terms."""
        before = None if first else terms_of_row(self.row)
        self.row.policy = None if terms is None else terms.policy
        self.row.policy_version = None if terms is None else terms.policy_version
        self.row.calendar_version = None if terms is None else terms.calendar_version
        self._note(TERMS, _builtins(before), _builtins(terms))

    def tell(self, type_: str, **data: object) -> None:
        """Have a site event about the ticket recorded at the end. Ids and plain words only."""
        self._told.append((type_, data))

    async def finish(self, *, opened: bool = False) -> None:
        """Settle, count the whole transaction as one version, and record what is to be told: the ticket first."""
        await self.settle()
        self.row.version = self._version + (self.row.version > self._version and not opened)
        if opened:
            self._record("tickets.ticket.opened", {"contact": self.row.contact_id, **self.summary()})
        elif self.summary() != self._before:
            self._record("tickets.ticket.changed", self.summary())
        for type_, data in self._told:
            self._record(type_, data)

    def _record(self, type_: str, data: Mapping[str, object]) -> None:
        record(self.session, type_, self.row.id, now=self.now, **data)

    async def fired(self) -> set[StepKey]:
        """The steps that have fired."""
        query = select(EscalationRow).where(EscalationRow.ticket_id == self.row.id)
        rows = await self.session.scalars(query)
        return {(cast("ClockName", row.clock), row.cycle, row.step) for row in rows}

    async def readings(self) -> tuple[Reading, ...]:
        """Every clock of the ticket at `now`."""
        facts = await self.facts()
        terms = {fact.terms for fact in facts if isinstance(fact, Opened | TermsChanged) and fact.terms is not None}
        return read_clocks(facts, await self._shelf.book(self.session, terms), now=self.now)

    async def facts(self) -> list[Fact]:
        """The history as clocks want it."""
        changes = await self.session.scalars(
            select(HistoryRow)
            .where(HistoryRow.ticket_id == self.row.id, HistoryRow.attribute.in_(("status", "priority", TERMS)))
            .order_by(HistoryRow.position)
        )
        messages = await self.session.scalars(
            select(MessageRow).where(MessageRow.ticket_id == self.row.id).order_by(MessageRow.at, MessageRow.id)
        )
        return facts_of(self.row.created_at, list(changes), list(messages))

    async def settle(self) -> None:
        """Bring due times, verdicts and the next escalation up to what the history says."""
        readings, fired = await self.readings(), await self.fired()
        row, latest = self.row, {reading.clock: reading for reading in readings}
        due = {clock: reading.due_at for clock, reading in open_readings(readings).items() if _is_due(reading)}
        row.first_response_due_at, row.resolution_due_at = due.get("first_response"), due.get("resolution")
        row.first_response_verdict = _verdict(latest.get("first_response"))
        row.resolution_verdict = _verdict(latest.get("resolution"))
        pending = pending_steps(readings, fired)
        row.escalate_at = pending[0].at if pending else None
        row.updated_at = self.now

    def _note(self, attribute: str, before: object, after: object) -> None:
        self.session.add(
            HistoryRow(
                ticket_id=self.row.id,
                at=self.now,
                actor=self._actor,
                attribute=attribute,
                before=before,
                after=after,
            )
        )

    def note(self, attribute: str, after: object) -> None:
        """A line of history about something that is no attribute: a message, a contact, an escalation."""
        self._note(attribute, None, after)

    def summary(self) -> Mapping[str, object]:
        """What events say of the ticket."""
        row = self.row
        return {
            "number": row.number,
            "version": row.version,
            "status": row.status,
            "priority": row.priority,
            "category": row.category,
            "queue": row.queue,
            "assignee": row.assignee,
            "customer": row.customer_id,
            "cycle": row.cycle,
            "first_response_due_at": row.first_response_due_at,
            "first_response_verdict": row.first_response_verdict,
            "resolution_due_at": row.resolution_due_at,
            "resolution_verdict": row.resolution_verdict,
        }


def facts_of(created_at: datetime, changes: Sequence[HistoryRow], messages: Sequence[MessageRow]) -> list[Fact]:
    """Facts in order; of those at the same instant messages come first, as an answer comes before what it changes."""
    first: dict[str, Any] = {}
    facts: list[Fact] = [
        MessageWritten(row.at, cast("MessageKind", row.kind), cast("Author", row.author), row.connected)
        for row in messages
    ]
    for row in changes:
        if row.attribute in first:
            facts.append(_changed(row))
        else:
            first[row.attribute] = row.after
    opened = Opened(created_at, first["status"], first["priority"], _terms(first[TERMS]))
    return [opened, *sorted(facts, key=lambda fact: fact.at)]


def _changed(row: HistoryRow) -> Fact:
    if row.attribute == "status":
        return StatusChanged(row.at, cast("Status", row.after))
    if row.attribute == "priority":
        return PriorityChanged(row.at, cast("Priority", row.after))
    return TermsChanged(row.at, _terms(row.after))


def _terms(value: object) -> Terms | None:
    return None if value is None else msgspec.convert(value, Terms)


def _builtins(terms: Terms | None) -> object:
    return None if terms is None else msgspec.to_builtins(terms)


def _machine(row: TicketRow) -> Ticket:
    return Ticket(
        cast("Status", row.status),
        cast("Priority", row.priority),
        row.assignee,
        row.queue,
        row.category,
        row.subject,
        tuple(row.tags),
        row.cycle,
        row.resolved_at,
    )


def _is_due(reading: Reading) -> bool:
    """A due time is worth looking for while the clock runs, and once it is breached."""
    return reading.state in {"running", "breached"} and reading.standing != "gap"


def _verdict(reading: Reading | None) -> str | None:
    return reading.state if reading is not None and reading.is_closed else None
