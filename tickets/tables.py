"""Tickets and what happened to them. Customers, contacts, agents and queues belong to other rooms: ids, no keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.kernel.site import Base, Document, SerialNumber, UtcTime


class TicketRow(Base):
    """A ticket as it stands. Due times are of clocks that are open and not paused; verdicts of those that are closed.

    Both, and `escalate_at` (when the next step falls due), are computed from the history at each change.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        Index(None, "status", "number"),
        Index(None, "assignee", "number"),
        Index(None, "queue", "number"),
        Index(None, "customer_id", "number"),
        Index(None, "escalate_at"),
        Index(None, "first_response_due_at"),
        Index(None, "resolution_due_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    command_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    subject: Mapped[str] = mapped_column(String(200))
    customer_id: Mapped[str | None] = mapped_column(String(32))
    contact_id: Mapped[str | None] = mapped_column(String(32))
    queue: Mapped[str | None] = mapped_column(String(64))
    assignee: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    priority: Mapped[str] = mapped_column(String(16))
    category: Mapped[str | None] = mapped_column(String(64))
    tags: Mapped[list[str]] = mapped_column(Document)
    cycle: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcTime)
    policy: Mapped[str | None] = mapped_column(String(64))
    policy_version: Mapped[str | None] = mapped_column(String(12))
    calendar_version: Mapped[str | None] = mapped_column(String(12))
    first_response_due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    first_response_verdict: Mapped[str | None] = mapped_column(String(8))
    resolution_due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    resolution_verdict: Mapped[str | None] = mapped_column(String(8))
    escalate_at: Mapped[datetime | None] = mapped_column(UtcTime)


class TicketNumber(Base):
    """One row: the last number given. Whoever opens a ticket locks it, so numbers have no gaps."""

    __tablename__ = "ticket_numbers"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class MessageRow(Base):
    """What was written, said or noted. `author_id` is the user's; customers and automata have none."""

    __tablename__ = "ticket_messages"
    __table_args__ = (Index(None, "ticket_id", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(String(16))
    author_id: Mapped[str | None] = mapped_column(String(64))
    contact_id: Mapped[str | None] = mapped_column(String(32))
    connected: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(Text)


class HistoryRow(Base):
    """One change of one attribute: who, when, from, to. A ticket's first row of an attribute is its first value."""

    __tablename__ = "ticket_history"
    __table_args__ = (Index(None, "ticket_id", "position"),)

    position: Mapped[int] = mapped_column(SerialNumber, primary_key=True, autoincrement=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    actor: Mapped[str] = mapped_column(String(64))
    attribute: Mapped[str] = mapped_column(String(32))
    before: Mapped[Any] = mapped_column(Document, nullable=True)
    after: Mapped[Any] = mapped_column(Document, nullable=True)


class TicketContact(Base):
    """A contact that the ticket is about; the one it came from is the first."""

    __tablename__ = "ticket_contacts"
    __table_args__ = (Index(None, "contact_id"),)

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    linked_at: Mapped[datetime] = mapped_column(UtcTime)


class EscalationRow(Base):
    """A step that has fired. Its key is why none fires twice."""

    __tablename__ = "ticket_escalations"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    clock: Mapped[str] = mapped_column(String(16), primary_key=True)
    cycle: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    fired_at: Mapped[datetime] = mapped_column(UtcTime)
