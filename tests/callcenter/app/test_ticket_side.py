"""Escalations in the application: woken by the next due time, and by every change that may move it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from callcenter.app.live import LiveSide
from callcenter.app.ticket_side import TicketSide
from callcenter.crm.model import CustomerRecord
from callcenter.kernel.alarms import Alarms
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.site import Site
from tests.tickets.conftest import START, rules
from tickets.commands import OpenTicket, TicketFilter

HOUR_S = 3600.0


class House:
    """The side over a live side that has nothing but a clock, alarms, a roster and one call in which people talk."""

    def __init__(self, site: Site, *, has_workers: bool = False) -> None:
        self.clock = FakeClock(START)
        self.woken = 0
        self.alarms = Alarms(self.clock, self._call_later)
        names = SimpleNamespace(agent={"ann": 1}.get, queue={"billing": 1}.get)
        talks = {"talking": SimpleNamespace(bridge=object()), "ringing": SimpleNamespace(bridge=None)}
        live = SimpleNamespace(
            clock=self.clock,
            alarms=self.alarms,
            site=SimpleNamespace(roster=names, tickets=rules()),
            calls=SimpleNamespace(contacts=talks),
        )
        self.side = TicketSide(site, cast("LiveSide", live), wake=self._wake, has_workers=has_workers)

    def _wake(self) -> None:
        self.woken += 1

    def _call_later(self, _seconds: float, _callback: Callable[[], None]) -> SimpleNamespace:
        return SimpleNamespace(cancel=lambda: None)

    async def status_of(self, contact: str) -> str:
        ticket, _ = await self.side.service.open(OpenTicket("Fire", contact=contact), by="user-ann")
        return ticket.status


@pytest.fixture
def house(site: Site) -> House:
    return House(site)


async def test_a_change_of_a_ticket_wakes_and_an_alarm_does_when_its_time_has_come(house: House) -> None:
    await house.side.service.open(OpenTicket("Fire", assignee="ann", queue="billing"), by="user-ann")
    assert house.woken == 1
    assert await house.side.escalate() is False
    house.clock.advance(4 * HOUR_S - 1)
    house.alarms.ring_due()
    assert house.woken == 1
    house.clock.advance(1)
    house.alarms.ring_due()
    assert house.woken == 2


async def test_an_alarm_is_set_for_what_comes_next_and_not_for_what_is_past(house: House) -> None:
    await house.side.service.open(OpenTicket("Fire"), by="user-ann")
    house.clock.advance(24 * 30 * HOUR_S)
    await house.side.escalate()
    house.alarms.ring_due()
    assert house.woken == 1


async def test_only_a_contact_whose_talk_goes_on_is_a_first_response(house: House) -> None:
    assert [await house.status_of(contact) for contact in ("talking", "ringing", "gone")] == ["open", "new", "new"]


async def test_a_call_finds_the_tickets_that_it_led_to(house: House) -> None:
    ticket, _ = await house.side.service.open(OpenTicket("Fire", contact="gone"), by="user-ann")
    assert await house.side.of_contact("gone") == [{"id": ticket.id, "number": 1}]
    assert await house.side.of_contact("ringing") == []


async def test_a_timeline_has_the_customers_tickets(house: House) -> None:
    ticket, _ = await house.side.service.open(OpenTicket("Fire", customer="c1"), by="user-ann")
    customer = CustomerRecord("c1", "Ann", "", "", "", "", None, (), 1, START, START)
    (item,) = await house.side.of_customer(customer, None, 5)
    assert (item["kind"], item["id"], item["at"]) == ("ticket", ticket.id, START)
    assert await house.side.of_customer(customer, ticket.id, 5) == []


async def test_what_workers_have_left_lying_is_done_here_and_nothing_before(site: Site) -> None:
    house = House(site, has_workers=True)
    await house.side.service.open(OpenTicket("Fire", assignee="ann"), by="user-ann")
    for wait_s, count in ((4 * HOUR_S + 119, 0), (1, 1), (600, 0)):
        house.clock.advance(wait_s)
        before = (await house.side.service.list(TicketFilter())).tickets[0].version
        await house.side.escalate()
        after = (await house.side.service.list(TicketFilter())).tickets[0].version
        assert after - before == count


async def test_the_alarm_is_for_the_time_at_which_workers_have_left_it(site: Site) -> None:
    house = House(site, has_workers=True)
    await house.side.service.open(OpenTicket("Fire"), by="user-ann")
    await house.side.escalate()
    woken = house.woken
    for wait_s, rings in ((4 * HOUR_S + 119, 0), (1, 1)):
        house.clock.advance(wait_s)
        house.alarms.ring_due()
        assert house.woken - woken == rings
