"""A ticket desk over a site database, once on each engine."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from callcenter.kernel.clock import FakeClock
from callcenter.kernel.site import Site
from callcenter.kernel.site_tables import SiteOutbox
from tests.tickets.lives import HOUR, office, policy
from tickets.commands import Attribute, ChangeTicket, OpenTicket, TicketFilter, WriteMessage
from tickets.config import TicketRules
from tickets.model import Policy, Step
from tickets.service import Surroundings, TicketService
from tickets.views import TicketDetail, TicketView

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # Monday, 09:00 in Rome


def rules(standard: Policy | None = None) -> TicketRules:
    """A standard policy whose resolution step raises to high, and a strict one for complaints."""
    default = standard or policy(steps=(Step("overdue", raise_to="high"),))
    complaint = policy("complaint", response=60, resolution=240)
    return TicketRules(
        {default.name: default, "complaint": complaint},
        {"office": office()},
        default.name,
        {"complaint": "complaint"},
    )


class Desk:
    """The room in use: `by` is always user-ann."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.clock = FakeClock(START)
        self.talking: set[str] = set()
        self.changes = 0
        self.service = self.again()

    def again(self, present: TicketRules | None = None) -> TicketService:
        """The room after a restart, perhaps with other rules."""
        surroundings = Surroundings(
            self.talking.__contains__,
            lambda agent: agent != "nobody",
            lambda queue: queue != "nowhere",
            self._changed,
        )
        self.service = TicketService(self.site, self.clock, present or rules(), surroundings)
        return self.service

    def _changed(self) -> None:
        self.changes += 1

    def wait(self, hours: float) -> None:
        self.clock.advance((hours * HOUR).total_seconds())

    async def open(self, subject: str = "Printer is on fire", **command: Any) -> TicketView:
        return (await self.service.open(OpenTicket(subject, **command), by="user-ann"))[0]

    async def change(self, ticket: TicketView, **values: Any) -> TicketView:
        """Change the ticket as it is now, whatever the version."""
        version = (await self.show(ticket)).ticket.version
        contact = values.pop("contact", None)
        wanted: dict[Attribute, str | tuple[str, ...] | None] = values  # type: ignore[assignment]  # names of attributes
        return await self.service.change(ticket.id, ChangeTicket(version, wanted, contact), by="user-ann")

    async def reply(self, ticket: TicketView, **message: Any) -> None:
        written = WriteMessage(**{"kind": "public_reply", "text": "We are on our way.", **message})
        await self.service.write(ticket.id, written, by="user-ann")

    async def show(self, ticket: TicketView) -> TicketDetail:
        return await self.service.show(ticket.id)

    async def numbers(self, **query: Any) -> list[int]:
        page = await self.service.list(TicketFilter(**query))
        return [ticket.number for ticket in page.tickets]

    async def told(self) -> Sequence[SiteOutbox]:
        """The site events recorded so far."""
        async with self.site.reading() as session:
            return list(await session.scalars(select(SiteOutbox).order_by(SiteOutbox.position)))


@pytest.fixture
def desk(site: Site) -> Desk:
    return Desk(site)
