"""What the HTTP routes need of the room, so that they can be tested without a database."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from fastapi.params import Depends

from tickets.commands import ChangeTicket, OpenTicket, TicketFilter, WriteMessage
from tickets.views import MessageView, TicketDetail, TicketOptions, TicketPage, TicketView

TicketPermission = Literal["tickets.read", "tickets.write"]
Allow = Callable[[TicketPermission], list[Depends]]
"""Makes the `dependencies` of a route that asks for the permission."""


class Tickets(Protocol):
    """`tickets.service.TicketService`."""

    async def open(self, command: OpenTicket, *, by: str) -> tuple[TicketView, bool]:
        """The ticket, and whether it is new. Raises InvalidInput."""
        ...

    def options(self) -> TicketOptions:
        """What the forms offer."""
        ...

    async def list(self, query: TicketFilter) -> TicketPage:
        """One page."""
        ...

    async def show(self, ticket: str) -> TicketDetail:
        """Everything about one ticket. Raises TicketUnknown."""
        ...

    async def write(self, ticket: str, message: WriteMessage, *, by: str) -> MessageView:
        """Add a message. Raises TicketUnknown, TicketClosed."""
        ...

    async def change(self, ticket: str, change: ChangeTicket, *, by: str) -> TicketView:
        """Set what is to be different. Raises TicketUnknown, TicketChanged, StatusForbidden, TicketClosed."""
        ...

    async def of_customer(self, customer: str, *, after: str | None, limit: int) -> Sequence[TicketView]:
        """The customer's newest tickets with ids below `after`."""
        ...
