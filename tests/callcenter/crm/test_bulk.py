"""Preview, import and export of customers, on both engines."""

from datetime import UTC, datetime

from callcenter.crm.bulk import Preview, Rows, export_customers, has_customers, import_customers, preview_customers
from callcenter.crm.importing import read_rows
from callcenter.crm.model import CustomerRecord
from callcenter.crm.records import Search, changes_of, search_customers
from callcenter.kernel.ids import counted_ids
from callcenter.kernel.site import Site

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ids = counted_ids()
FILE = """name,company,email,language,notes,external_id,numbers
Ann,ACME,ann@acme.example,en,,A,01 2345678
=cmd|'/c calc'!A0,@corp,-@x.example,,"two
lines, '=quoted",,+442079460018;0664/1234567
Ann again,,,,,A,
,no name,,,,,
'=already,,,,,,
"""


async def preview(site: Site, text: str) -> Preview:
    return await preview_customers(site, read_rows(text.splitlines(keepends=True), region="AT"))


async def bring_in(site: Site, text: str) -> None:
    rows = read_rows(text.splitlines(keepends=True), region="AT")
    await import_customers(site, rows, now=NOW, actor="user1", ids=ids)


async def everyone(site: Site) -> list[CustomerRecord]:
    return sorted((await search_customers(site, Search(limit=200))).customers, key=lambda record: record.name)


async def test_preview_tells_what_will_become_of_each_row_and_writes_nothing(site: Site) -> None:
    told = await preview(site, FILE)
    assert (told.rows, told.report.created, told.report.updated) == (5, 3, 0)
    assert [(row.line, row.flaw.text, row.duplicate_of) for row in told.report.bad] == [
        (5, "is the same customer as line 2", 2),
        (6, "has no name", None),
    ]
    assert [(shown.row.name, shown.customer) for shown in told.first] == [
        ("Ann", None),
        ("=cmd|'/c calc'!A0", None),
        ("=already", None),
    ]
    assert not await has_customers(site)


async def test_preview_of_known_customers_names_whom_it_will_change(site: Site) -> None:
    await bring_in(site, FILE)
    told = await preview(site, FILE)
    assert (told.report.created, told.report.updated) == (1, 2)
    assert told.first[0].customer == next(record.id for record in await everyone(site) if record.name == "Ann")


async def test_preview_shows_twenty_rows_and_counts_all(site: Site) -> None:
    told = await preview(site, "name\n" + "".join(f"C{number}\n" for number in range(600)))
    assert (told.rows, told.report.created, len(told.first)) == (600, 600, 20)


async def test_export_runs_no_formula_and_comes_back_as_it_was(site: Site) -> None:
    await bring_in(site, FILE)
    before = await everyone(site)
    text = "".join([piece async for piece in export_customers(site, region="AT")])
    assert "\n=" not in text
    assert ",=" not in text
    assert ",+" not in text
    assert "'=cmd|" in text
    await bring_in(site, text)
    after = await everyone(site)
    assert [(r.id, r.notes, r.numbers) for r in after if r.numbers] == [
        (r.id, r.notes, r.numbers) for r in before if r.numbers
    ]


async def test_export_for_a_site_that_moved_gives_numbers_in_full(site: Site) -> None:
    await bring_in(site, FILE)
    text = "".join([piece async for piece in export_customers(site, region="IT")])
    assert "'+4312345678" in text
    assert "01 2345678" not in text


async def test_import_writes_a_line_of_history_for_each_customer(site: Site) -> None:
    await bring_in(site, FILE)
    ann = next(record for record in await everyone(site) if record.name == "Ann")
    (change,) = await changes_of(site, ann.id)
    assert (change.actor, change.action) == ("user1", "imported")
    assert change.fields == ("name", "company", "email", "language", "external_id", "numbers")
    await bring_in(site, FILE.replace("ACME", "Other"))
    assert (await changes_of(site, ann.id))[0].fields == ("company",)


async def test_import_gives_owners_and_keeps_them_where_the_row_has_none(site: Site) -> None:
    def rows(text: str) -> Rows:
        return read_rows(text.splitlines(keepends=True), region="AT", agents={"anna", "bert"})

    owned = rows("name,external_id,owner\nAnn,A,anna\nBob,B,\n")
    await import_customers(site, owned, now=NOW, actor="user1", ids=ids)
    text = "".join([piece async for piece in export_customers(site, region="AT")])
    assert [line.split(",")[5:] for line in text.splitlines()] == [
        ["external_id", "owner", "numbers"],
        ["A", "anna", ""],
        ["B", "", ""],
    ]
    again = rows("name,external_id\nAnn,A\n")
    await import_customers(site, again, now=NOW, actor="user1", ids=ids)
    assert [(record.name, record.owner) for record in await everyone(site)] == [("Ann", "anna"), ("Bob", "")]
    await import_customers(site, rows(text.replace("anna", "bert")), now=NOW, actor="user1", ids=ids)
    ann, _ = await everyone(site)
    assert (ann.owner, (await changes_of(site, ann.id))[0].fields) == ("bert", ("owner",))
