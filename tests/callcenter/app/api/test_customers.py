"""Customers over HTTP."""

import pytest

from callcenter.app.api.customer_models import ImportOut
from callcenter.app.api.customers import MAX_IMPORT
from callcenter.app.gate import MAX_BODY
from callcenter.crm.bulk import ImportReport
from callcenter.crm.importing import BadRow, read_rows
from callcenter.crm.model import CustomerFields
from tests.callcenter.app.api.conftest import Web
from tests.support.customers import record

CSV = {"Content-Type": "text/csv; charset=utf-8"}


@pytest.fixture
def known(web: Web) -> Web:
    """Customers k1 and k2, who share a number."""
    people = web.fakes.customers.records.records
    people["k1"] = record("k1", CustomerFields("Ada Byron", "Engines", numbers=("+442079460018",)))
    people["k2"] = record("k2", CustomerFields("Bob", numbers=("+442079460018",)))
    return web


async def test_a_customer_is_made_shown_and_edited(web: Web) -> None:
    browser = await web.signed_in("ann")
    made = await browser.post("/api/customers", json={"name": "Ada", "numbers": ["+442079460018"]})
    assert made.status_code == 201
    customer = made.json()
    assert customer["numbers"] == [{"e164": "+442079460018", "raw": "+442079460018"}]
    assert (await browser.get(f"/api/customers/{customer['id']}")).json() == customer
    edited = await browser.patch(f"/api/customers/{customer['id']}", json={"version": 1, "company": "Engines"})
    assert (edited.json()["company"], edited.json()["version"]) == ("Engines", 2)
    history = (await browser.get(f"/api/customers/{customer['id']}/history")).json()
    assert [change["action"] for change in history["changes"]] == ["created"]


async def test_a_customer_has_an_owner_for_whoever_shows_it_and_looks_it_up(web: Web) -> None:
    browser = await web.signed_in("ann")
    wish = {"name": "Ada", "owner": "bob", "numbers": ["+442079460018"]}
    made = (await browser.post("/api/customers", json=wish)).json()
    assert made["owner"] == "bob"
    found = (await browser.get("/api/customers/lookup", params={"number": "+442079460018"})).json()
    assert found["matches"][0]["customer"]["owner"] == "bob"
    emptied = await browser.patch(f"/api/customers/{made['id']}", json={"version": 1, "owner": ""})
    assert emptied.json()["owner"] == ""
    answer = await browser.patch(f"/api/customers/{made['id']}", json={"version": 2, "owner": 4})
    assert answer.status_code == 422


async def test_an_edit_of_an_older_version_is_a_conflict_that_tells_the_present_one(known: Web) -> None:
    browser = await known.signed_in("ann")
    answer = await browser.patch("/api/customers/k1", json={"version": 7, "name": "Eve"})
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (409, "conflict", {"version": 1})


@pytest.mark.parametrize("body", [{}, {"name": "x", "shoe_size": 4}, {"name": 3}, {"name": "x", "numbers": "1"}])
async def test_a_customer_that_breaks_its_schema_is_refused(web: Web, body: dict[str, object]) -> None:
    answer = await (await web.signed_in("ann")).post("/api/customers", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_an_unknown_customer_is_not_found(web: Web) -> None:
    browser = await web.signed_in("ann")
    assert (await browser.get("/api/customers/k9")).status_code == 404
    assert (await browser.patch("/api/customers/k9", json={"version": 1})).status_code == 404


async def test_search_takes_words_and_pages(known: Web) -> None:
    browser = await known.signed_in("quinn")
    page = (await browser.get("/api/customers", params={"q": "ada", "limit": 5})).json()
    assert [customer["id"] for customer in page["customers"]] == ["k1"]
    asked = known.fakes.customers.records.asked[-1]
    assert (asked.words, asked.after, asked.limit) == ("ada", None, 5)
    assert (await browser.get("/api/customers?limit=201")).status_code == 422


async def test_lookup_ranks_whom_a_number_belongs_to(known: Web) -> None:
    browser = await known.signed_in("ann")
    found = (await browser.get("/api/customers/lookup", params={"number": "+442079460018"})).json()
    assert found["match"] == "many"
    assert [(one["customer"]["name"], one["confidence"]) for one in found["matches"]] == [
        ("Ada Byron", 50),
        ("Bob", 50),
    ]


async def test_a_file_is_previewed_and_then_imported(web: Web) -> None:
    browser = await web.signed_in("sue")
    told = await browser.post("/api/customers/import?preview=true", content=b"name\nAnn\n", headers=CSV)
    assert told.status_code == 200
    assert (told.json()["preview"], told.json()["created"]) == (True, 1)
    assert web.fakes.customers.records.imported == []
    done = await browser.post("/api/customers/import", content=b"name\nAnn\n", headers=CSV)
    assert (done.json()["preview"], done.json()["rows"]) == (False, 1)
    assert web.fakes.customers.records.imported == [(b"name\nAnn\n", "user-sue")]


def test_a_row_that_is_not_taken_says_why_in_a_code_and_in_english() -> None:
    rows = ["name,numbers\n", "Ann,12x\n", "\udcff,\n", "Bob,+431234567\n", "Bob,+431234567\n"]
    bad = tuple(row for row in read_rows(rows, region="AT") if isinstance(row, BadRow))
    told = ImportOut.done(ImportReport(1, 0, bad)).model_dump(mode="json")["bad"]
    assert [(row["line"], row["code"], row["data"], row["duplicate_of"]) for row in told] == [
        (2, "no_number", {"field": "numbers", "value": "12x"}, None),
        (3, "no_text", {"field": "name"}, None),
        (5, "duplicate", {"line": 4}, 4),
    ]
    assert told[2]["reason"] == "is the same customer as line 4"


async def test_a_file_may_be_larger_than_other_bodies_but_not_without_end(web: Web) -> None:
    browser = await web.signed_in("sue")
    large = b"name\n" + b"A\n" * MAX_BODY
    assert (await browser.post("/api/customers/import", content=large, headers=CSV)).status_code == 200
    for headers in (CSV, {**CSV, "Content-Length": "1", "Transfer-Encoding": "chunked"}):
        answer = await browser.post("/api/customers/import", content=b"x" * (MAX_IMPORT + 1), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (await browser.post("/api/customers", content=large, headers=CSV)).status_code == 413


async def test_a_file_must_say_that_it_is_csv(web: Web) -> None:
    answer = await (await web.signed_in("sue")).post("/api/customers/import", json={})
    assert (answer.status_code, answer.json()["data"]["field"]) == (422, "body")


async def test_all_customers_come_as_one_file(known: Web) -> None:
    answer = await (await known.signed_in("sue")).get("/api/customers/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "customers.csv" in answer.headers["content-disposition"]
    assert answer.text.splitlines() == ["name", "Ada Byron", "Bob"]


async def test_timeline_is_told_newest_first(known: Web) -> None:
    page = (await (await known.signed_in("ann")).get("/api/customers/k1/timeline")).json()
    assert [(item["kind"], item["id"]) for item in page["items"]] == [("call", "c1")]


async def test_an_agent_says_who_the_caller_is(known: Web) -> None:
    answer = await (await known.signed_in("ann")).post("/api/contacts/c1/customer", json={"customer": "k2"})
    assert (answer.status_code, answer.json()["name"]) == (200, "Bob")
    assert known.fakes.customers.contacts.chosen == {"c1": "k2"}


@pytest.mark.parametrize(
    ("login", "contact", "customer", "status"),
    [("bob", "c1", "k1", 403), ("sue", "c1", "k1", 200), ("ann", "c9", "k1", 404), ("ann", "c1", "k9", 404)],
)
async def test_who_may_choose_for_which_contact(
    known: Web, login: str, contact: str, customer: str, status: int
) -> None:
    browser = await known.signed_in(login)
    answer = await browser.post(f"/api/contacts/{contact}/customer", json={"customer": customer})
    assert answer.status_code == status
