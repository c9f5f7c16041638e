"""What may become of a ticket, and what may not."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.errors import StatusForbidden, TicketClosed
from tickets.machines.ticket import (
    NEXT,
    Answered,
    Changed,
    Chosen,
    CustomerWrote,
    NoteWritten,
    PriorityChosen,
    StatusChosen,
    Ticket,
    TicketInput,
)
from tickets.model import DONE, Priority, Status

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STATUSES: tuple[Status, ...] = get_args(Status)
ALLOWED = [(before, after) for before in STATUSES for after in NEXT[before]]
FORBIDDEN = [(a, b) for a in STATUSES for b in STATUSES if a != b and (a, b) not in ALLOWED]


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_a_status_follows_another(before: Status, after: Status) -> None:
    ticket, changes = Ticket(before).handle(StatusChosen(after), now=NOW)
    assert ticket.status == after
    assert changes[0] == Changed("status", before, after)


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_a_status_that_cannot_follow_is_refused_by_name(before: Status, after: Status) -> None:
    with pytest.raises(StatusForbidden, match=f"{before} cannot become {after}") as refusal:
        Ticket(before).handle(StatusChosen(after), now=NOW)
    assert (refusal.value.code, refusal.value.http_status) == ("ticket_status_forbidden", 409)
    assert refusal.value.data == {"from": before, "to": after}


@pytest.mark.parametrize("status", STATUSES)
def test_the_status_that_it_has_is_no_change(status: Status) -> None:
    assert Ticket(status).handle(StatusChosen(status), now=NOW) == (Ticket(status), [])


def test_nothing_becomes_new_again() -> None:
    assert not any("new" in following for following in NEXT.values())


def test_reopening_begins_the_next_cycle() -> None:
    resolved, _ = Ticket("open").handle(StatusChosen("resolved"), now=NOW)
    reopened, changes = resolved.handle(StatusChosen("open"), now=NOW)
    assert (resolved.resolved_at, reopened.resolved_at) == (NOW, None)
    assert changes == [Changed("status", "resolved", "open"), Changed("cycle", 1, 2)]
    assert reopened.cycle == 2


def test_closing_what_is_resolved_keeps_when_that_was() -> None:
    resolved, _ = Ticket("open").handle(StatusChosen("resolved"), now=NOW)
    closed, _ = resolved.handle(StatusChosen("closed"), now=NOW.replace(hour=12))
    assert closed.resolved_at == NOW


def test_the_first_answer_opens_a_new_ticket() -> None:
    ticket, changes = Ticket("new").handle(Answered(), now=NOW)
    assert (ticket.status, changes) == ("open", [Changed("status", "new", "open")])
    assert Ticket("pending").handle(Answered(), now=NOW) == (Ticket("pending"), [])


@pytest.mark.parametrize(
    ("before", "after"), [("pending", "open"), ("resolved", "open"), ("on_hold", "on_hold"), ("new", "new")]
)
def test_a_customer_who_writes_brings_back_what_waited_for_him(before: Status, after: Status) -> None:
    assert Ticket(before).handle(CustomerWrote(), now=NOW)[0].status == after


@pytest.mark.parametrize(
    "event", [Answered(), CustomerWrote(), PriorityChosen("high"), Chosen("assignee", "ann"), Chosen("tags", ("a",))]
)
def test_a_closed_ticket_changes_no_more(event: TicketInput) -> None:
    with pytest.raises(TicketClosed):
        Ticket("closed").handle(event, now=NOW)


def test_a_note_changes_nothing_and_is_welcome_always() -> None:
    assert all(Ticket(status).handle(NoteWritten(), now=NOW) == (Ticket(status), []) for status in STATUSES)


def test_what_is_set_is_told_with_what_it_was() -> None:
    ticket, changes = Ticket(assignee="ann").handle(Chosen("assignee", None), now=NOW)
    assert (ticket.assignee, changes) == (None, [Changed("assignee", "ann", None)])
    assert ticket.handle(Chosen("assignee", None), now=NOW)[1] == []


INPUTS = st.one_of(
    st.builds(StatusChosen, st.sampled_from(STATUSES)),
    st.builds(PriorityChosen, st.sampled_from(get_args(Priority))),
    st.builds(Chosen, st.just("queue"), st.sampled_from(["billing", "sales", None])),
    st.sampled_from([Answered(), CustomerWrote(), NoteWritten()]),
)


@given(st.lists(INPUTS, min_size=30, max_size=60))
def test_changes_are_all_there_is_between_two_states(events: list[TicketInput]) -> None:
    ticket = Ticket()
    for event in events:
        ticket = stepped(ticket, event)
        assert (ticket.resolved_at is not None) is (ticket.status in DONE)


def stepped(ticket: Ticket, event: TicketInput) -> Ticket:
    """The next state, after checking that the changes tell it whole; a refusal changes nothing."""
    try:
        after, changes = ticket.handle(event, now=NOW)
    except (StatusForbidden, TicketClosed):
        return ticket
    assert all(getattr(ticket, one.attribute) == one.before for one in changes)
    told: dict[str, object] = {one.attribute: one.after for one in changes}
    assert replace(ticket, resolved_at=after.resolved_at, **told) == after  # type: ignore[arg-type]  # names from the machine
    return after
