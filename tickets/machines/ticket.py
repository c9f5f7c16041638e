"""Ticket: its status, and what else people set on it (tickets.md sections 1 and 4)."""

# Theory. A ticket is new until somebody answers or takes it up. While it is worked on it is open, pending (the
# customer owes something) or on hold (somebody else does). Resolved is an offer of ours that a customer may refuse by
# writing again: the ticket reopens and its next cycle begins. Closed is the end: what was measured stays as it is.
#
#   new ------> open <---> pending <---> on_hold ...      any of these four --> resolved, closed
#   resolved -> open (a new cycle), closed                closed -> nothing
#   Answered: new -> open.   CustomerWrote: pending, resolved -> open.
#
# To set what is set already is no change. Nothing becomes new again.

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from tickets.errors import StatusForbidden, TicketClosed
from tickets.model import Priority, Status

Value = str | int | tuple[str, ...] | None
Attribute = Literal["assignee", "queue", "category", "subject", "tags"]

NEXT: dict[Status, frozenset[Status]] = {
    "new": frozenset({"open", "pending", "on_hold", "resolved", "closed"}),
    "open": frozenset({"pending", "on_hold", "resolved", "closed"}),
    "pending": frozenset({"open", "on_hold", "resolved", "closed"}),
    "on_hold": frozenset({"open", "pending", "resolved", "closed"}),
    "resolved": frozenset({"open", "closed"}),
    "closed": frozenset(),
}


@dataclass(frozen=True, slots=True)
class StatusChosen:
    status: Status


@dataclass(frozen=True, slots=True)
class PriorityChosen:
    priority: Priority


@dataclass(frozen=True, slots=True)
class Chosen:
    """Any other attribute; `value` None takes it away."""

    attribute: Attribute
    value: Value


@dataclass(frozen=True, slots=True)
class Answered:
    """A person of ours has answered the customer."""


@dataclass(frozen=True, slots=True)
class CustomerWrote:
    """The customer has."""


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """Something that only we read."""


TicketInput = StatusChosen | PriorityChosen | Chosen | Answered | CustomerWrote | NoteWritten


@dataclass(frozen=True, slots=True)
class Changed:
    """One attribute got another value."""

    attribute: str
    before: Value
    after: Value


Outcome = tuple["Ticket", list[Changed]]


@dataclass(frozen=True, slots=True)
class Ticket:
    """`cycle` counts from 1; `resolved_at` is the end of the present cycle, None before it."""

    status: Status = "new"
    priority: Priority = "normal"
    assignee: str | None = None
    queue: str | None = None
    category: str | None = None
    subject: str = ""
    tags: tuple[str, ...] = ()
    cycle: int = 1
    resolved_at: datetime | None = None

    def handle(self, event: TicketInput, *, now: datetime) -> Outcome:
        """The ticket after `event`, and each change. Raises StatusForbidden, TicketClosed."""
        match event:
            case NoteWritten():
                return self, []
            case StatusChosen(status) if status == self.status:
                return self, []
            case StatusChosen(status):
                if status not in NEXT[self.status]:
                    raise StatusForbidden(self.status, status, event)
                return _become(self, status, now)
            case _ if self.status == "closed":
                raise TicketClosed(event)
            case PriorityChosen(priority):
                return _set(self, "priority", priority)
            case Chosen(attribute, value):
                return _set(self, attribute, value)
            case Answered():
                return _become(self, "open", now) if self.status == "new" else (self, [])
            case CustomerWrote():
                return _become(self, "open", now) if self.status in {"pending", "resolved"} else (self, [])


def _set(ticket: Ticket, attribute: str, value: Value) -> Outcome:
    before: Value = getattr(ticket, attribute)
    if before == value:
        return ticket, []
    values: dict[str, Any] = {attribute: value}
    return replace(ticket, **values), [Changed(attribute, before, value)]


def _become(ticket: Ticket, status: Status, now: datetime) -> Outcome:
    changes = [Changed("status", ticket.status, status)]
    if ticket.status == "resolved" and status == "open":
        changes.append(Changed("cycle", ticket.cycle, ticket.cycle + 1))
        return replace(ticket, status=status, cycle=ticket.cycle + 1, resolved_at=None), changes
    resolved_at = ticket.resolved_at or (now if status in {"resolved", "closed"} else None)
    return replace(ticket, status=status, resolved_at=resolved_at), changes
