"""A step fires once: whoever looks, however many look, and whatever happened in between."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from callcenter.kernel.site import Site
from callcenter.kernel.site_tables import SiteOutbox
from tests.tickets.conftest import START, Desk, rules
from tests.tickets.lives import HOUR, policy
from tickets.model import Step
from tickets.record import TicketRecord
from tickets.service import FiredStep, escalate_due, next_escalation
from tickets.tables import EscalationRow, HistoryRow, TicketRow

BOTH = [("first_response", 1, "overdue"), ("resolution", 1, "overdue")]
WEEK = 24 * 7


def keys(fired: Sequence[FiredStep]) -> list[tuple[str, int, str]]:
    return [one.step.key for one in fired]


async def rows(site: Site) -> Counter[tuple[str, str, int, str]]:
    async with site.reading() as session:
        found = await session.scalars(select(EscalationRow))
        return Counter((row.ticket_id, row.clock, row.cycle, row.step) for row in found)


async def told(desk: Desk) -> list[SiteOutbox]:
    return [event for event in await desk.told() if event.type == "tickets.escalation.fired"]


async def test_a_step_fires_when_it_is_due_and_never_again(desk: Desk) -> None:
    ticket = await desk.open()
    due = START + 4 * HOUR
    assert await next_escalation(desk.site, after=START) == due
    assert keys(await escalate_due(desk.site, due - HOUR / 3600)) == []
    assert keys(await escalate_due(desk.site, due)) == BOTH[:1]
    assert keys(await escalate_due(desk.site, due + HOUR)) == []
    assert await next_escalation(desk.site, after=START) == (await desk.show(ticket)).ticket.resolution_due_at


async def test_firing_tells_and_raises_the_priority(desk: Desk) -> None:
    ticket = await desk.open(assignee="ann", queue="support")
    await escalate_due(desk.site, START + 4 * HOUR)
    detail = await desk.show(ticket)
    assert (detail.ticket.priority, detail.ticket.version) == ("high", 2)
    assert [(line.actor, line.attribute) for line in detail.history][-2:] == [
        ("escalation", "escalation"),
        ("escalation", "priority"),
    ]
    (event,) = await told(desk)
    assert event.subject == ticket.id
    assert {name: event.data[name] for name in ("clock", "cycle", "step", "assignee", "queue")} == {
        "clock": "first_response",
        "cycle": 1,
        "step": "overdue",
        "assignee": "ann",
        "queue": "support",
    }


async def test_an_escalation_leaves_a_higher_priority_alone(desk: Desk) -> None:
    ticket = await desk.open(priority="urgent")
    await escalate_due(desk.site, START + HOUR)
    assert (await desk.show(ticket)).ticket.priority == "urgent"


async def test_a_step_before_the_due_time_warns(desk: Desk) -> None:
    desk.again(rules(policy(steps=(Step("warning", -60),))))
    await desk.open()
    assert keys(await escalate_due(desk.site, START + 3 * HOUR)) == [("first_response", 1, "warning")]


async def test_an_answer_cancels_a_step_that_has_not_fired(desk: Desk) -> None:
    ticket = await desk.open()
    desk.wait(5)
    await desk.reply(ticket)
    assert keys(await escalate_due(desk.site, desk.clock.now())) == []


async def test_a_pause_puts_a_step_off_and_resolving_cancels_it(desk: Desk) -> None:
    ticket = await desk.open()
    await desk.reply(ticket)
    await desk.change(ticket, status="pending")
    desk.wait(WEEK)
    assert (await next_escalation(desk.site, after=START), keys(await escalate_due(desk.site, desk.clock.now()))) == (
        None,
        [],
    )
    await desk.change(ticket, status="open")
    assert await next_escalation(desk.site, after=START) == START + 7 * 24 * HOUR + 4 * 24 * HOUR + 4 * HOUR
    await desk.change(ticket, status="resolved")
    assert await next_escalation(desk.site, after=START) is None


async def test_a_new_cycle_escalates_anew(desk: Desk) -> None:
    ticket = await desk.open()
    await desk.reply(ticket)
    await escalate_due(desk.site, START + WEEK * HOUR)
    desk.wait(WEEK)
    await desk.change(ticket, status="resolved")
    await desk.change(ticket, status="open")
    fired = await escalate_due(desk.site, START + 2 * WEEK * HOUR)
    assert keys(fired) == [("resolution", 2, "overdue")]


async def test_two_workers_at_once_fire_each_step_once(desk: Desk) -> None:
    tickets = [await desk.open(f"Ticket {n}") for n in range(6)]
    other = Site(desk.site.url)
    late = START + WEEK * HOUR
    fired = await asyncio.gather(*(escalate_due(site, late) for site in (desk.site, other, desk.site, other)))
    # Whoever found every ticket held by another has gone home; nothing is left for a later look.
    fired.append(await escalate_due(other, late))
    await other.close()
    count = Counter((one.ticket, one.step.key) for some in fired for one in some)
    assert count == Counter((ticket.id, key) for ticket in tickets for key in BOTH)
    assert await rows(desk.site) == Counter((ticket.id, *key) for ticket in tickets for key in BOTH)
    assert len(await told(desk)) == len(tickets) * 2


async def test_after_downtime_each_step_catches_up_once(desk: Desk) -> None:
    await desk.open()
    desk.wait(WEEK * 8)
    desk.again()
    assert keys(await desk.service.escalate()) == BOTH
    assert keys(await desk.service.escalate()) == []


async def test_a_crash_in_the_middle_fires_nothing_and_the_restart_fires_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.open()

    async def power_cut(_self: TicketRecord, **_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(TicketRecord, "finish", power_cut)
    with pytest.raises(RuntimeError):
        await escalate_due(desk.site, START + 4 * HOUR)
    assert (await rows(desk.site), await told(desk)) == (Counter(), [])
    monkeypatch.undo()
    again = Site(desk.site.url)
    assert keys(await escalate_due(again, START + 4 * HOUR)) == BOTH[:1]
    await again.close()


async def test_a_clock_that_jumps_back_and_forth_fires_nothing_twice(desk: Desk) -> None:
    ticket = await desk.open()
    jumps = (400, 0, 30, 400, -30, 4000, 4)
    fired = [keys(await escalate_due(desk.site, START + hours * HOUR)) for hours in jumps]
    assert fired == [BOTH, [], [], [], [], [], []]
    assert sum((await rows(desk.site)).values()) == 2
    assert (await desk.show(ticket)).ticket.version == 2


async def test_a_change_of_the_due_time_after_firing_does_not_fire_again(desk: Desk) -> None:
    ticket = await desk.open(priority="urgent")
    await escalate_due(desk.site, START + HOUR)
    desk.wait(1)
    await desk.change(ticket, priority="normal")
    assert keys(await escalate_due(desk.site, START + 4 * HOUR)) == []


async def test_the_database_refuses_a_step_twice_even_if_the_program_does_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.open()
    await escalate_due(desk.site, START + 4 * HOUR)

    async def forgetful(_self: TicketRecord) -> set[object]:
        return set()

    monkeypatch.setattr(TicketRecord, "fired", forgetful)
    async with desk.site.session() as session:
        await session.execute(update(TicketRow).values(escalate_at=START))
    with pytest.raises(IntegrityError):
        await escalate_due(desk.site, START + 4 * HOUR)
    assert len(await told(desk)) == 1


async def test_a_ticket_that_cannot_be_reckoned_does_not_stop_the_others(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await desk.open("Broken")
    healthy = await desk.open("Healthy")
    lost = {"policy": "gone", "policy_version": "0" * 12, "calendar_version": "0" * 12}
    async with desk.site.session() as session:
        terms = HistoryRow(ticket_id=broken.id, at=START, actor="x", attribute="terms", before=None, after=lost)
        session.add(terms)
    with caplog.at_level(logging.ERROR):
        fired = await escalate_due(desk.site, START + 4 * HOUR)
    assert [one.ticket for one in fired] == [healthy.id]
    assert [record.message for record in caplog.records] == ["a ticket cannot be escalated"]


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.integration)], indirect=True)
async def test_a_ticket_that_another_holds_is_passed_over(desk: Desk) -> None:
    """On PostgreSQL: SQLite has one writer at a time."""
    held, free = await desk.open("Held"), await desk.open("Free")
    other = Site(desk.site.url)
    async with other.session() as session:
        await session.scalar(select(TicketRow).where(TicketRow.id == held.id).with_for_update())
        fired = await asyncio.wait_for(escalate_due(desk.site, START + 4 * HOUR), 60)
        assert [one.ticket for one in fired] == [free.id]
    await other.close()
    assert [one.ticket for one in await escalate_due(desk.site, START + 4 * HOUR)] == [held.id]
