"""Looking customers up by number, and bringing them in, on both engines."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.orm import selectinload

from callcenter.crm.bulk import ImportReport, import_customers
from callcenter.crm.importing import BadRow, read_rows
from callcenter.crm.service import CustomerCard, find_by_id, find_by_number
from callcenter.crm.tables import Customer
from callcenter.kernel.ids import counted_ids
from callcenter.kernel.site import Site

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HEAD = "name,company,numbers,external_id,notes\n"
ids = counted_ids()


async def bring_in(site: Site, rows: str, now: datetime = NOW) -> ImportReport:
    lines = (HEAD + rows).splitlines(keepends=True)
    return await import_customers(site, read_rows(lines, region="AT"), now=now, ids=ids)


async def customers(site: Site) -> list[Customer]:
    async with site.reading() as session:
        query = select(Customer).order_by(Customer.name).options(selectinload(Customer.numbers))
        return list(await session.scalars(query))


async def found(site: Site, number: str) -> list[str]:
    return [card.name for card in (await find_by_number(site, number, region="AT")).customers]


async def test_customer_is_found_however_the_number_is_written(site: Site) -> None:
    await bring_in(site, "Ann,ACME,01 2345678,X1,\n")
    for number in ("+4312345678", "004312345678", "012345678", "+43 (1) 234-56-78", "sip:+4312345678@example.com"):
        assert await found(site, number) == ["Ann"]


async def test_lookup_tells_none_one_and_many_apart(site: Site) -> None:
    await bring_in(site, "Ann,,+4312345678,A,\nBob,,+4312345678;+4312345679,B,\n")
    many = await find_by_number(site, "+4312345678", region="AT")
    one = await find_by_number(site, "+4312345679", region="AT")
    none = await find_by_number(site, "+4312345670", region="AT")
    assert (many.match, one.match, none.match) == ("many", "one", "none")
    assert (many.only, none.only) == (None, None)
    assert one.only is not None
    assert dict(one.only.as_mapping()) | {"id": ""} == {
        "id": "",
        "name": "Bob",
        "company": "",
        "email": "",
        "language": "",
        "external_id": "B",
        "owner": "",
    }


async def test_matches_are_ranked_and_say_why(site: Site) -> None:
    await bring_in(site, "Ann,,+4312345678,A,\nBob,,+4311111111;+4312345678,B,\n")
    many = await find_by_number(site, "01 2345678", region="AT")
    assert [(match.customer.name, match.confidence, match.reason) for match in many.matches] == [
        ("Ann", 63, "national_form"),
        ("Bob", 31, "national_form"),
    ]
    one = await find_by_number(site, "4311111111", region="IT")
    assert [(match.confidence, match.reason) for match in one.matches] == [(85, "plus_missing")]


async def test_extension_leads_to_the_main_number_but_never_for_sure(site: Site) -> None:
    await bring_in(site, "Firm,,+4312345678,A,\n")
    assert [match.reason for match in (await find_by_number(site, "+4312345678 ext. 12", region="AT")).matches] == [
        "extension_cut"
    ]
    behind = await find_by_number(site, "+431234567812", region="AT")
    assert (behind.match, behind.only) == ("maybe", None)
    assert [(match.customer.name, match.confidence) for match in behind.matches] == [("Firm", 40)]


async def test_card_is_found_by_id(site: Site) -> None:
    await bring_in(site, "Ann,ACME,,A,\n")
    (ann,) = await customers(site)
    assert await find_by_id(site, ann.id) == CustomerCard(ann.id, "Ann", "ACME", "", "", "A")
    assert await find_by_id(site, "nobody") is None


@pytest.mark.parametrize("number", ["anonymous", "", "unknown"])
async def test_withheld_number_is_nobody_and_asks_no_database(site: Site, number: str) -> None:
    await site.close()
    assert (await find_by_number(site, number, region="AT")).match == "none"


async def test_lookup_is_one_query(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await bring_in(site, "Ann,,+4312345678,A,\n")
    asked: list[object] = []
    query = Site.query

    async def counted(self: Site, statement: Select[Any], values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        asked.append(values)
        return await query(self, statement, values)

    monkeypatch.setattr(Site, "query", counted)
    monkeypatch.setattr(Site, "session", None)
    monkeypatch.setattr(Site, "reading", None)
    assert await found(site, "+4312345678") == ["Ann"]
    assert len(asked) == 1


async def test_lookup_among_many_uses_the_index_of_numbers(site: Site) -> None:
    explain = "EXPLAIN QUERY PLAN " if "sqlite" in site.url else "EXPLAIN "
    async with site.reading() as session:
        if "sqlite" not in site.url:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = (
            await session.execute(text(explain + "SELECT id FROM customer_numbers WHERE e164 IN ('a', 'b')"))
        ).all()
    assert "ix_customer_numbers_e164" in str(plan)


async def test_import_reports_what_became_of_each_row(site: Site) -> None:
    report = await bring_in(site, "Ann,,,A,\n,,,B,\nBob,,1x2,,\n")
    assert report == ImportReport(
        1,
        0,
        (
            BadRow(3, report.bad[0].flaw, ("", "", "", "B", "")),
            BadRow(4, report.bad[1].flaw, ("Bob", "", "1x2", "", "")),
        ),
    )
    assert [row.flaw.code for row in report.bad] == ["no_name", "no_number"]


async def test_import_of_many_rows_loses_none(site: Site) -> None:
    rows = "".join(f"Customer {n},,+43123{n:05},{n if n % 2 else ''},\n" for n in range(1_201))
    assert await bring_in(site, rows) == ImportReport(1_201, 0, ())
    assert await bring_in(site, rows) == ImportReport(0, 1_201, ())
    assert len(await customers(site)) == 1_201
    assert await found(site, "+4312300700") == ["Customer 700"]


async def test_row_with_a_known_external_id_updates_that_customer(site: Site) -> None:
    await bring_in(site, "Ann,ACME,+4311111111;+4312222222,A,likes tea\n")
    (before,) = await customers(site)
    report = await bring_in(site, "Ann Berger,,+4313333333,A,\n", NOW + timedelta(days=1))
    (after,) = await customers(site)
    assert report == ImportReport(0, 1, ())
    assert (after.id, after.name, after.company, after.notes) == (before.id, "Ann Berger", "", "likes tea")
    assert (after.created_at, after.updated_at) == (NOW, NOW + timedelta(days=1))
    assert [number.e164 for number in after.numbers] == ["+4313333333"]


async def test_row_without_external_id_updates_who_has_that_name_and_number(site: Site) -> None:
    await bring_in(site, "Ann,,+4311111111,,\nAnn,,+4312222222,,\n")
    report = await bring_in(site, "Ann,ACME,+4312222222;+4313333333,,\nBob,,+4311111111,,\n")
    assert report == ImportReport(1, 1, ())
    names = [(c.name, c.company, sorted(n.e164 for n in c.numbers)) for c in await customers(site)]
    assert sorted(names) == [
        ("Ann", "", ["+4311111111"]),
        ("Ann", "ACME", ["+4312222222", "+4313333333"]),
        ("Bob", "", ["+4311111111"]),
    ]


async def test_number_is_kept_as_it_was_written_too(site: Site) -> None:
    await bring_in(site, "Ann,,0664 / 123 45 67,,\n")
    assert [(n.e164, n.raw) for c in await customers(site) for n in c.numbers] == [
        ("+436641234567", "0664 / 123 45 67")
    ]


def test_card_has_plain_values_only() -> None:
    card = CustomerCard("1", "Ann", "", "", "", None)
    assert set(map(type, card.as_mapping().values())) == {str, type(None)}
