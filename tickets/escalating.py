"""Escalations that fall due: each step once, whoever looks, however often (tickets.md section 5).

Due work is what `escalate_at` says in the database. A worker takes one ticket at a time, locks it (others pass over
it), computes its clocks anew and fires what is due by them; the key of `ticket_escalations` is why it is only once.
A step that lay due while nobody looked fires once when somebody does.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.kernel.errors import CallcenterError, SiteUnavailable
from callcenter.kernel.site import Site
from tickets.machines.ticket import PriorityChosen
from tickets.model import Priority
from tickets.policies.escalation import DueStep, pending_steps, raised
from tickets.record import TicketRecord
from tickets.shelf import Shelf
from tickets.tables import EscalationRow, TicketRow
from tickets.views import terms_of_row

log = logging.getLogger(__name__)

ACTOR = "escalation"
MOST = 500


@dataclass(frozen=True, slots=True)
class FiredStep:
    """What has just fired."""

    ticket: str
    step: DueStep


async def escalate_due(
    site: Site, now: datetime, *, shelf: Shelf | None = None, limit: int = MOST, since: timedelta = timedelta()
) -> Sequence[FiredStep]:
    """Fire what is due at `now`, of at most `limit` tickets, each in a transaction of its own.

    With `since` only tickets that have lain due for so long: whoever looks so leaves the others to somebody else.
    Safe to run anywhere at the same time. Raises SiteUnavailable.
    """
    shelf = shelf or Shelf()
    fired: list[FiredStep] = []
    passed: set[str] = set()
    for _ in range(limit):
        ticket: str | None = None
        try:
            async with site.session() as session:
                row = await _take(session, now - since, passed)
                if row is None:
                    break
                ticket = row.id
                fired += await _escalate(session, shelf, row, now)
        except SiteUnavailable:
            raise
        except CallcenterError as error:
            # One ticket that cannot be reckoned must not stop the others.
            log.error("a ticket cannot be escalated", extra={"ticket": ticket, "code": error.code})  # noqa: TRY400 (the code says it)
            passed.add(ticket or "")
    return fired


async def next_escalation(site: Site, *, after: datetime) -> datetime | None:
    """When the next step falls due, of those later than `after`; None when none does. Raises SiteUnavailable."""
    query = select(func.min(TicketRow.escalate_at)).where(TicketRow.escalate_at > after)
    async with site.reading() as session:
        return await session.scalar(query)


async def _take(session: AsyncSession, now: datetime, passed: set[str]) -> TicketRow | None:
    """The ticket whose step is due longest and which nobody else holds, locked."""
    query = (
        select(TicketRow)
        .where(TicketRow.escalate_at <= now, TicketRow.id.not_in(passed))
        .order_by(TicketRow.escalate_at, TicketRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return await session.scalar(query)


async def _escalate(session: AsyncSession, shelf: Shelf, row: TicketRow, now: datetime) -> list[FiredStep]:
    record = TicketRecord(session, shelf, row, now=now, actor=ACTOR)
    already = await record.fired()
    due = [step for step in pending_steps(await record.readings(), already) if step.at <= record.now]
    for step in due:
        session.add(
            EscalationRow(
                ticket_id=row.id,
                clock=step.clock,
                cycle=step.cycle,
                step=step.step,
                due_at=step.at,
                fired_at=record.now,
            )
        )
        record.note("escalation", {"clock": step.clock, "cycle": step.cycle, "step": step.step})
        await _raise(record, shelf, step)
        record.tell(
            "tickets.escalation.fired",
            clock=step.clock,
            cycle=step.cycle,
            step=step.step,
            due_at=step.at,
            number=row.number,
            assignee=row.assignee,
            queue=row.queue,
        )
    await record.finish()
    return [FiredStep(row.id, step) for step in due]


async def _raise(record: TicketRecord, shelf: Shelf, step: DueStep) -> None:
    terms = terms_of_row(record.row)
    if terms is None:
        return
    policy, _ = (await shelf.book(record.session, [terms]))[terms]
    rule = policy.clocks[step.clock]
    wanted = next((one.raise_to for one in rule.steps if one.name == step.step), None)
    priority: Priority = raised(record.priority, wanted)
    record.apply(PriorityChosen(priority))
