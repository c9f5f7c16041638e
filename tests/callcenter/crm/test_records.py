"""Customers as people work with them, on both engines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.crm.model import CustomerFields, CustomerRecord, Number
from callcenter.crm.records import Search, changes_of, create_customer, edit_customer, search_customers, show_customer
from callcenter.crm.service import find_by_number
from callcenter.kernel.errors import Conflict, InvalidInput, NotFound
from callcenter.kernel.ids import counted_ids
from callcenter.kernel.site import Site

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ids = counted_ids()

ANN = CustomerFields(
    "Ann Berger", "ACME", "ann@acme.example", "de", "likes tea", "X1", ("01 2345678", "0664/1234567")
)


AGENTS = ("anna", "bert")


async def create(site: Site, fields: CustomerFields) -> CustomerRecord:
    return await create_customer(site, fields, region="AT", actor="user1", now=NOW, agents=AGENTS, ids=ids)


async def edit(
    site: Site, id_: str, version: int, agents: tuple[str, ...] = AGENTS, **changes: object
) -> CustomerRecord:
    return await edit_customer(
        site, id_, changes, version=version, region="AT", actor="user2", now=LATER, agents=agents, ids=ids
    )


async def names(site: Site, words: str) -> list[str]:
    return [record.name for record in (await search_customers(site, Search(words))).customers]


async def test_customer_is_kept_as_it_was_written_and_found_by_its_numbers(site: Site) -> None:
    made = await create(site, ANN)
    assert await show_customer(site, made.id) == made
    assert made.numbers == (Number("+4312345678", "01 2345678"), Number("+436641234567", "0664/1234567"))
    assert (made.version, made.created_at, made.updated_at) == (1, NOW, NOW)
    only = (await find_by_number(site, "+436641234567", region="AT")).only
    assert only is not None
    assert only.id == made.id


async def test_unknown_customer_is_none(site: Site) -> None:
    assert await show_customer(site, "nobody") is None
    with pytest.raises(NotFound):
        await edit(site, "nobody", 1, name="Bob")


@pytest.mark.parametrize(
    ("wrong", "data"),
    [
        (replace(ANN, name="  "), {"field": "name", "reason": "no_name"}),
        (replace(ANN, email="nowhere"), {"field": "email", "reason": "no_at"}),
        (replace(ANN, language="klingon!"), {"field": "language", "reason": "no_language"}),
        (replace(ANN, numbers=("x",)), {"field": "numbers", "reason": "no_number", "value": "x"}),
        (
            replace(ANN, numbers=tuple(f"+43123456{n:02}" for n in range(51))),
            {"field": "numbers", "reason": "too_many_numbers", "limit": 50},
        ),
        (replace(ANN, notes="x" * 10_001), {"field": "notes", "reason": "too_long", "limit": 10_000}),
        (replace(ANN, company="a\x00b"), {"field": "company", "reason": "no_text"}),
        (replace(ANN, owner="zoe"), {"field": "owner", "reason": "no_agent", "value": "zoe"}),
    ],
)
async def test_field_that_cannot_be_kept_is_named_with_the_reason(
    site: Site, wrong: CustomerFields, data: dict[str, object]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await create(site, wrong)
    assert caught.value.data == data


async def test_an_agent_owns_a_customer_until_another_or_nobody_does(site: Site) -> None:
    made = await create(site, replace(ANN, owner=" anna "))
    assert made.owner == "anna"
    assert await show_customer(site, made.id) == made
    assert (await edit(site, made.id, 1, owner="bert")).owner == "bert"
    with pytest.raises(InvalidInput) as caught:
        await edit(site, made.id, 2, owner="zoe")
    assert caught.value.data == {"field": "owner", "reason": "no_agent", "value": "zoe"}
    assert (await edit(site, made.id, 2, owner=None)).owner == ""
    history = [(change.actor, change.fields) for change in await changes_of(site, made.id)]
    assert history[:2] == [("user2", ("owner",)), ("user2", ("owner",))]
    assert "owner" in history[2][1]


async def test_an_owner_who_has_left_the_site_stays_in_the_record_until_it_names_another(site: Site) -> None:
    made = await create(site, replace(ANN, owner="anna"))
    edited = await edit(site, made.id, 1, agents=("bert",), company="Other")
    assert (edited.company, edited.owner) == ("Other", "anna")
    assert (await edit(site, made.id, 2, agents=("bert",), owner="bert")).owner == "bert"
    with pytest.raises(InvalidInput):
        await edit(site, made.id, 3, agents=("bert",), owner="anna")


async def test_external_id_belongs_to_one_customer(site: Site) -> None:
    await create(site, ANN)
    with pytest.raises(Conflict):
        await create(site, replace(ANN, name="Bob"))
    bob = await create(site, replace(ANN, name="Bob", external_id=None))
    with pytest.raises(Conflict):
        await edit(site, bob.id, 1, external_id="X1")
    assert await show_customer(site, bob.id) == bob


async def test_edit_changes_what_it_names_and_counts_the_version(site: Site) -> None:
    made = await create(site, ANN)
    edited = await edit(site, made.id, 1, name="Ann Maier", numbers=("0664/1234567", "01 999 99 99"))
    assert edited == await show_customer(site, made.id)
    assert edited == replace(
        made,
        name="Ann Maier",
        numbers=(Number("+436641234567", "0664/1234567"), Number("+4319999999", "01 999 99 99")),
        version=2,
        updated_at=LATER,
    )
    assert (await names(site, "maier"), await names(site, "berger")) == (["Ann Maier"], [])
    assert (await find_by_number(site, "+4312345678", region="AT")).match == "none"


async def test_edit_of_an_older_version_is_a_conflict_and_changes_nothing(site: Site) -> None:
    made = await create(site, ANN)
    edited = await edit(site, made.id, 1, company="Other")
    with pytest.raises(Conflict) as caught:
        await edit(site, made.id, 1, company="Third")
    assert caught.value.data == {"version": 2}
    assert await show_customer(site, made.id) == edited


async def test_edit_that_changes_nothing_leaves_the_version(site: Site) -> None:
    made = await create(site, ANN)
    assert await edit(site, made.id, 1, company="ACME") == made
    assert len(await changes_of(site, made.id)) == 1


async def test_history_names_who_changed_which_fields(site: Site) -> None:
    made = await create(site, CustomerFields("Ann", numbers=("01 2345678",)))
    await edit(site, made.id, 1, name="Ann B.", notes="tea")
    found = [(change.at, change.actor, change.action, change.fields) for change in await changes_of(site, made.id)]
    assert found == [
        (LATER, "user2", "edited", ("name", "notes")),
        (NOW, "user1", "created", ("name", "numbers")),
    ]


async def test_search_finds_by_name_company_email_and_number(site: Site) -> None:
    await create(site, ANN)
    await create(site, CustomerFields("王小明", "上海电力", "", "zh-CN", "", None, ("+862162345678",)))
    for words in ("ann", "BERG", "acme ann", "ann@acme", "+43 1 234", "0664", "x1"):
        assert await names(site, words) == ["Ann Berger"]
    for words in ("王", "小明", "电力", "8621"):
        assert await names(site, words) == ["王小明"]
    for words in ("berg acme nobody", "nn", "!"):
        assert await names(site, words) == []


async def test_search_shows_each_customer_once_page_by_page(site: Site) -> None:
    for number in range(5):
        await create(site, CustomerFields(f"Ann{number} Anders", "Annex"))
    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        page = await search_customers(site, Search("an", after, 2))
        seen += [record.name for record in page.customers]
        after = page.next
    assert after is None
    assert sorted(seen) == [f"Ann{number} Anders" for number in range(5)]


async def test_list_without_words_is_newest_first(site: Site) -> None:
    made = [await create(site, CustomerFields(f"C{number}")) for number in range(3)]
    newest = sorted((record.id for record in made), reverse=True)
    first = await search_customers(site, Search(limit=2))
    second = await search_customers(site, Search(after=first.next, limit=2))
    assert [record.id for record in (*first.customers, *second.customers)] == newest
    assert second.next is None


@pytest.mark.parametrize("query", [Search(limit=0), Search(limit=201), Search("ann", after="x")])
async def test_wrong_page_is_refused(site: Site, query: Search) -> None:
    with pytest.raises(InvalidInput):
        await search_customers(site, query)
