"""A ticket room without tickets: everything that is asked for one is unknown."""

from collections.abc import Sequence

from tickets.commands import ChangeTicket, OpenTicket, TicketFilter, WriteMessage
from tickets.errors import TicketUnknown
from tickets.views import MessageView, TicketDetail, TicketOptions, TicketPage, TicketView


class FakeTickets:
    """Implements `tickets.ports.Tickets`; `asked` are the lists and the commands."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def open(self, command: OpenTicket, *, by: str) -> tuple[TicketView, bool]:
        self.asked.append(command)
        raise TicketUnknown("There is no such ticket.")

    def options(self) -> TicketOptions:
        return TicketOptions(["complaint"])

    async def list(self, query: TicketFilter) -> TicketPage:
        self.asked.append(query)
        return TicketPage([], None)

    async def show(self, ticket: str) -> TicketDetail:
        raise TicketUnknown("There is no such ticket.")

    async def write(self, ticket: str, message: WriteMessage, *, by: str) -> MessageView:
        raise TicketUnknown("There is no such ticket.")

    async def change(self, ticket: str, change: ChangeTicket, *, by: str) -> TicketView:
        raise TicketUnknown("There is no such ticket.")

    async def of_customer(self, customer: str, *, after: str | None, limit: int) -> Sequence[TicketView]:
        return []
