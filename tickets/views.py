"""Tickets as others see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tickets.model import Terms
from tickets.policies.clocks import Reading
from tickets.tables import TicketRow


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket as lists show it. `overdue`: a clock that can still be closed has passed its due time."""

    id: str
    number: int
    version: int
    subject: str
    status: str
    priority: str
    category: str | None
    tags: tuple[str, ...]
    queue: str | None
    assignee: str | None
    customer: str | None
    contact: str | None
    cycle: int
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    policy: str | None
    first_response_due_at: datetime | None
    first_response_verdict: str | None
    resolution_due_at: datetime | None
    resolution_verdict: str | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message; `author_id` is a user's."""

    id: str
    at: datetime
    kind: str
    author: str
    author_id: str | None
    contact: str | None
    connected: bool
    text: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One line of the history; `actor` is a user's id, or who acts without one."""

    at: datetime
    actor: str
    attribute: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class TicketDetail:
    """Everything about a ticket; `clocks` explain themselves."""

    ticket: TicketView
    messages: Sequence[MessageView]
    history: Sequence[ChangeView]
    contacts: Sequence[str]
    clocks: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class TicketOptions:
    """What forms offer: the categories that the site has."""

    categories: Sequence[str]


@dataclass(frozen=True, slots=True)
class TicketPage:
    """A page of tickets; `next` continues the list, None at its end."""

    tickets: Sequence[TicketView]
    next: int | None


def view_of(row: TicketRow, *, now: datetime) -> TicketView:
    """The row as others see it."""
    dues = (row.first_response_due_at, row.resolution_due_at)
    return TicketView(
        row.id,
        row.number,
        row.version,
        row.subject,
        row.status,
        row.priority,
        row.category,
        tuple(row.tags),
        row.queue,
        row.assignee,
        row.customer_id,
        row.contact_id,
        row.cycle,
        row.created_at,
        row.updated_at,
        row.resolved_at,
        row.policy,
        row.first_response_due_at,
        row.first_response_verdict,
        row.resolution_due_at,
        row.resolution_verdict,
        any(due is not None and due < now for due in dues),
    )


def terms_of_row(row: TicketRow) -> Terms | None:
    """The terms that the ticket is held to."""
    if row.policy is None or row.policy_version is None or row.calendar_version is None:
        return None
    return Terms(row.policy, row.policy_version, row.calendar_version)
