"""Adherence and first contact resolution, from the rows that the projector writes."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from acd.laboratory.day_model import Stretch
from callcenter.app.command_metrics import register
from callcenter.app.derived_metrics import Resolution, adherences, resolution
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from callcenter.reporting.cdr import Cdr
from callcenter.reporting.interval_projection import span_row, visit_row
from callcenter.reporting.interval_tables import AgentSpan, QueueVisit
from callcenter.reporting.projection import cdr_row
from callcenter.reporting.tables import CdrRow, ContactPerson
from callcenter.reporting.visits import Span, Visit
from tests.callcenter.reporting.stories import START
from tests.support.settings import FakeSettings, run_command
from tests.tickets.conftest import Desk
from tickets.commands import OpenTicket

DAY = timedelta(days=1)
LATER = START + 30 * DAY


async def answered(
    site: Site,
    contact: str,
    day: float,
    *,
    queue: str = "billing",
    caller: str | None = None,
    customer: str | None = None,
) -> None:
    """A call that an agent took `day` days after the start."""
    at = START + day * DAY
    visit = Visit(f"{contact}-1", contact, queue, at, left_at=at, outcome="answered", agent="ann", logged=True)
    async with site.session() as session:
        await session.execute(insert(QueueVisit), [visit_row(visit)])
        await session.execute(insert(CdrRow), [cdr_row(Cdr(contact, started_at=at, customer=customer))])
        await session.execute(insert(ContactPerson), [{"contact": contact, "caller": caller, "collected": {}}])


async def first_day(site: Site, now: datetime = LATER) -> Resolution:
    return await resolution(site, START, START + DAY, now=now, region="IT")


async def test_a_call_is_resolved_if_nobody_calls_again_within_seven_days(site: Site) -> None:
    await answered(site, "c1", 0, caller="+391")
    await answered(site, "c2", 6.9, caller="+391")
    await answered(site, "c3", 0, caller="+392")
    await answered(site, "c4", 7.1, caller="+392")
    assert await first_day(site) == Resolution(2, 0, 0.5)


async def test_a_customer_is_known_by_his_record_before_his_number(site: Site) -> None:
    await answered(site, "c1", 0, caller="+391", customer="ada")
    await answered(site, "c2", 1, caller="+399", customer="ada")
    await answered(site, "c3", 0.5, caller="+392", customer="bob")
    await answered(site, "c4", 2, caller="+392", customer="eve")
    assert await first_day(site) == Resolution(2, 0, 0.5)


async def test_another_queue_is_another_matter(site: Site) -> None:
    await answered(site, "c1", 0, caller="+391")
    await answered(site, "c2", 1, caller="+391", queue="sales")
    assert await first_day(site) == Resolution(1, 0, 1.0)


async def test_the_ticket_is_the_matter_where_there_is_one(site: Site) -> None:
    await answered(site, "c1", 0, caller="+391")
    await answered(site, "c2", 1, caller="+391")
    await Desk(site).service.open(OpenTicket("Fire", contact="c1"), by="user-ann")
    assert await first_day(site) == Resolution(1, 0, 1.0)


async def test_withheld_callers_are_left_out_and_counted(site: Site) -> None:
    await answered(site, "c1", 0)
    await answered(site, "c2", 0.1, caller="anonymous")
    await answered(site, "c3", 0.2, caller="anonymous")
    assert await first_day(site) == Resolution(0, 3, None)


async def test_a_number_is_the_same_in_any_spelling(site: Site) -> None:
    await answered(site, "c1", 0, caller="+390612345678")
    await answered(site, "c2", 1, caller="0612345678")
    assert await first_day(site) == Resolution(1, 0, 0.0)


async def test_nobody_is_judged_before_his_seven_days_are_over(site: Site) -> None:
    await answered(site, "c1", 0, caller="+391")
    assert await first_day(site, START + 6.9 * DAY) == Resolution(0, 0, None)
    assert await first_day(site, START + 7 * DAY) == Resolution(1, 0, 1.0)


def hour(hours: float) -> datetime:
    return START + timedelta(hours=hours)


async def spans(site: Site, *told: tuple[str, float, str, float | None]) -> None:
    """(agent, from, state, until)."""
    rows = [
        span_row(Span(agent, hour(since), state, until=None if until is None else hour(until)))
        for agent, since, state, until in told
    ]
    async with site.session() as session:
        await session.execute(insert(AgentSpan), rows)


async def test_adherence_is_the_shift_without_pauses_and_absence(site: Site) -> None:
    await spans(
        site,
        ("ann", -1, "available", 1),
        ("ann", 1, "on_contact", 2),
        ("ann", 2, "not_ready", 3),
        ("ann", 3, "available", None),
    )
    shifts = [Stretch("ann", hour(0), hour(2)), Stretch("ann", hour(2.5), hour(8)), Stretch("bob", hour(0), hour(4))]
    # Four hours have passed, half of one was a planned break, half a pause.
    assert await adherences(site, shifts, now=hour(4)) == {"ann": 3 / 3.5, "bob": 0.0}
    assert await adherences(site, [], now=hour(4)) == {}


def test_both_are_asked_for_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def fill() -> None:
        url = FakeSettings(tmp_path).site_database_url
        await migrate(url, tmp_path)
        site = Site(url)
        await answered(site, "c1", 0, caller="+391")
        await spans(site, ("ann", 0, "available", 2))
        await site.close()

    asyncio.run(fill())
    words = ["metrics", "resolution", "--from", "2026-03-02"]
    assert run_command(register, words, tmp_path) == 0
    assert capsys.readouterr().out == "100.0% of 1 contacts whose 7 days are over were not repeated\n"
    assert run_command(register, ["metrics", "resolution", "--from", "2026-03-03"], tmp_path) == 0
    assert capsys.readouterr().out == "there is no contact whose 7 days are over\n"
    assert run_command(register, [*words, "--json"], tmp_path) == 0
    assert json.loads(capsys.readouterr().out)["first_contact_resolution"] == 1
    with pytest.raises(InvalidInput, match="to: must not be before from"):
        run_command(register, [*words, "--to", "2026-03-01"], tmp_path)
    shifts = tmp_path / "shifts.csv"
    shifts.write_text("agent,from,until\nann,10:00,14:00\n")
    words = ["metrics", "adherence", "--day", "2026-03-02", "--shifts", str(shifts)]
    assert run_command(register, [*words, "--json"], tmp_path) == 0
    assert json.loads(capsys.readouterr().out)["adherence"] == {"ann": 0.5}
    assert run_command(register, words, tmp_path) == 0
    assert "ann" in capsys.readouterr().out
