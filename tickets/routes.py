"""Tickets over HTTP. The application hands in how a route declares its permission (`allow`)."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response

from tickets.bodies import (
    DetailOut,
    Id,
    MessageOut,
    NewMessage,
    NewTicket,
    OptionsOut,
    TicketListOut,
    TicketOut,
    TicketWish,
    Word,
)
from tickets.commands import Sort, TicketFilter
from tickets.model import Priority, Status
from tickets.ports import Allow, Tickets


def _asking_user(request: Request) -> str:
    """The id of the session's user, as the permission's check has left it."""
    principal: Any = request.state.principal
    return str(principal.user)


User = Annotated[str, Depends(_asking_user)]


def add_ticket_routes(app: FastAPI, tickets: Tickets, allow: Allow) -> None:
    """`/api/tickets` and below."""

    @app.post("/api/tickets", dependencies=allow("tickets.write"), status_code=201, tags=["tickets"])
    async def open_ticket(ticket: NewTicket, user: User, response: Response) -> TicketOut:
        """Open a ticket; 200 with what it opened when the command was carried out before."""
        opened, is_new = await tickets.open(ticket.command(), by=user)
        if not is_new:
            response.status_code = 200
        return TicketOut.of(opened)

    @app.get("/api/tickets", dependencies=allow("tickets.read"), tags=["tickets"])
    async def list_tickets(  # noqa: PLR0917 (the parameters of a route are its query)
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[int | None, Query(ge=1)] = None,
        status: Annotated[list[Status] | None, Query()] = None,
        assignee: Word | None = None,
        queue: Word | None = None,
        customer: Id | None = None,
        contact: Id | None = None,
        overdue: bool = False,
        priority: Annotated[list[Priority] | None, Query()] = None,
        category: Word | None = None,
        sort: Sort = "newest",
    ) -> TicketListOut:
        """Tickets, newest or due first; `after` takes the `next` of the page before.

        `status` and `priority` may be given several times.
        """
        wanted = TicketFilter(limit, after, tuple(status or ()), assignee, queue, customer, contact, overdue)
        order = replace(wanted, priorities=tuple(priority or ()), category=category, sort=sort)
        return TicketListOut.of(await tickets.list(order))

    @app.get("/api/tickets/options", dependencies=allow("tickets.read"), tags=["tickets"])
    async def options() -> OptionsOut:
        """What forms offer: the site's categories, and which status may follow which."""
        return OptionsOut.of(tickets.options())

    @app.get("/api/tickets/{ticket}", dependencies=allow("tickets.read"), tags=["tickets"])
    async def show_ticket(ticket: Id) -> DetailOut:
        """The ticket with its messages, its history, and its clocks with what explains them."""
        return DetailOut.of(await tickets.show(ticket))

    @app.post(
        "/api/tickets/{ticket}/messages", dependencies=allow("tickets.write"), status_code=201, tags=["tickets"]
    )
    async def write_message(ticket: Id, message: NewMessage, user: User) -> MessageOut:
        """Add a message. 409 for a closed ticket, which takes internal notes only."""
        return MessageOut.of(await tickets.write(ticket, message.command(), by=user))

    @app.patch("/api/tickets/{ticket}", dependencies=allow("tickets.write"), tags=["tickets"])
    async def change_ticket(ticket: Id, wish: TicketWish, user: User) -> TicketOut:
        """Change what is named, all or none. 409 when the status cannot follow, or somebody else was faster."""
        return TicketOut.of(await tickets.change(ticket, wish.command(), by=user))
