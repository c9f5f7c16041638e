"""A ticket is good once and for a minute."""

from datetime import UTC, datetime, timedelta

from callcenter.identity.tickets import TicketOffice

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_ticket_is_redeemed_once() -> None:
    office: TicketOffice[str] = TicketOffice()
    ticket = office.issue("ann", now=NOW)
    assert office.redeem(ticket, now=NOW) == "ann"
    assert office.redeem(ticket, now=NOW) is None


def test_ticket_expires_after_a_minute() -> None:
    office: TicketOffice[str] = TicketOffice()
    early, late = office.issue("ann", now=NOW), office.issue("bob", now=NOW)
    assert office.redeem(early, now=NOW + timedelta(seconds=59)) == "ann"
    assert office.redeem(late, now=NOW + timedelta(seconds=60)) is None


def test_unknown_ticket_is_nobodys() -> None:
    office: TicketOffice[str] = TicketOffice()
    office.issue("ann", now=NOW)
    assert office.redeem("x", now=NOW) is None
    assert office.redeem("\ud800", now=NOW) is None


def test_oldest_ticket_goes_where_there_are_too_many() -> None:
    office: TicketOffice[int] = TicketOffice(most=3)
    tickets = [office.issue(n, now=NOW) for n in range(5)]
    assert [office.redeem(ticket, now=NOW) for ticket in tickets] == [None, None, 2, 3, 4]
