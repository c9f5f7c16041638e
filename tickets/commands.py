"""What people ask of tickets."""

from dataclasses import dataclass, field
from typing import Literal

from tickets.model import Author, MessageKind, Priority, Status

Sort = Literal["newest", "due"]
Attribute = Literal["status", "priority", "category", "assignee", "queue", "subject", "tags"]


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A new ticket. Given twice, a `command_id` opens one. `text` becomes the first internal note."""

    subject: str
    command_id: str | None = None
    text: str = ""
    customer: str | None = None
    contact: str | None = None
    queue: str | None = None
    assignee: str | None = None
    priority: Priority = "normal"
    category: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteMessage:
    """Something said to the customer, by him, or about him. `connected`: a call that reached somebody."""

    kind: MessageKind
    text: str
    author: Author = "agent"
    contact: str | None = None
    connected: bool = False


@dataclass(frozen=True, slots=True)
class ChangeTicket:
    """What is to be different; `version` is the one that the asker has seen. `contact` is linked."""

    version: int
    values: dict[Attribute, str | tuple[str, ...] | None] = field(default_factory=dict)
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets to list; `after` is the number at which the page before ended. `due`: the next one first."""

    limit: int = 50
    after: int | None = None
    statuses: tuple[Status, ...] = ()
    assignee: str | None = None
    queue: str | None = None
    customer: str | None = None
    contact: str | None = None
    overdue: bool = False
    priorities: tuple[Priority, ...] = ()
    category: str | None = None
    sort: Sort = "newest"
