"""Customers on the real server: brought in by file, several of one number on the agent's screen, one chosen."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.house import QUEUE, House
from tests.e2e.screen import Screen
from tests.support.scenario import Sound, phone
from tests.support.server import Document, eventually

pytestmark = pytest.mark.e2e

CSV = {"Content-Type": "text/csv"}


@pytest.fixture(autouse=True)
def anna_signed_out(house: House) -> Iterator[None]:
    yield
    house.set_state("anna", "logged_out")
    house.becomes("anna", "logged_out")


def bring_in(house: House, rows: str, *, preview: bool = False) -> Document:
    """Import a file as a supervisor does in the browser."""
    answer = house.client("sue").post(
        "/api/customers/import", params={"preview": preview}, content=("name,company,numbers\n" + rows), headers=CSV
    )
    assert answer.status_code == 200, answer.text
    told: Document = answer.json()
    return told


def timeline(house: House, customer: str) -> list[Document]:
    items: list[Document] = house.client("anna").get(f"/api/customers/{customer}/timeline").json()["items"]
    return items


def with_candidates(screen: Screen) -> Document:
    """The frame that told them: the pop, or what followed it where the offer was faster than the look-up."""
    found: list[Document] = eventually(
        "the candidates",
        lambda: [frame for kind in ("pop", "pop_updated") for frame in screen.of(kind) if "candidates" in frame],
    )
    return found[0]


def test_an_agent_picks_one_of_the_several_whose_number_it_is_and_the_record_follows(house: House) -> None:
    number = house.number()
    bring_in(house, f"Vera Vogel,ACME,{number}\nWim Vogel,ACME,+390610099999;{number}\n")
    house.register("anna")
    house.set_state("anna", "available")
    house.becomes("anna", "available")
    with (
        Screen(house, "anna") as screen,
        house.phone("anna", phone(Sound(), ring_ms=300)) as anna,
        house.customer(number, QUEUE) as customer,
    ):
        pop = screen.wait_for("pop")
        shown = with_candidates(screen)
        assert (shown["offer"], shown["customer"], shown["matches"]) == (pop["offer"], None, 2)
        vera, wim = (one["id"] for one in shown["candidates"])
        assert [one["name"] for one in shown["candidates"]] == ["Vera Vogel", "Wim Vogel"]
        house.becomes("anna", "on_contact")
        address = f"/api/contacts/{pop['contact']}/customer"
        assert house.client("anna").post(address, json={"customer": "nobody"}).status_code == 404
        assert house.client("bert").post(address, json={"customer": wim}).status_code == 403
        chosen = house.client("anna").post(address, json={"customer": wim})
        assert (chosen.status_code, chosen.json()["name"]) == (200, "Wim Vogel")
        told = eventually("the choice", lambda: [one for one in screen.of("pop_updated") if one["customer"]])[0]
        assert (told["offer"], told["customer"]["name"], told["matches"]) == (pop["offer"], "Wim Vogel", 1)
        assert "candidates" not in told
        customer.hang_up()
        anna.wait()
    record = house.record(number)
    assert record["customer"] == wim
    assert [item["id"] for item in timeline(house, wim)] == [record["contact"]]
    assert timeline(house, vera) == []
    house.becomes("anna", "available")
    assert house.client("sue").post(address, json={"customer": vera}).status_code == 404


def test_what_an_agent_chose_is_on_the_screen_again_when_the_application_was_killed_in_the_talk(house: House) -> None:
    number = house.number()
    bring_in(house, f"Xenia Xu,ACME,{number}\nZoe Zorn,ACME,+390610077777;{number}\n")
    house.register("anna")
    house.set_state("anna", "available")
    house.becomes("anna", "available")
    with house.phone("anna", phone(Sound(), ring_ms=300)) as anna, ExitStack() as stack:
        with Screen(house, "anna") as screen:
            customer = stack.enter_context(house.customer(number, QUEUE))
            zoe = with_candidates(screen)["candidates"][1]["id"]
            contact = screen.wait_for("pop")["contact"]
            house.becomes("anna", "on_contact")
            chosen = house.client("anna").post(f"/api/contacts/{contact}/customer", json={"customer": zoe})
            assert chosen.status_code == 200
            pid, epoch = house.server.application()
            os.kill(pid, signal.SIGKILL)
        house.server.wait_ready(after_epoch=epoch)
        house.becomes("anna", "on_contact")
        with Screen(house, "anna") as screen:
            eventually("the customer", lambda: [frame for frame in list(screen.frames) if "Zoe Zorn" in str(frame)])
        customer.hang_up()
        anna.wait()
    assert house.record(number)["customer"] == zoe


def test_customer_is_found_edited_and_exported_without_a_formula(house: House) -> None:
    rows = '=1+1,Formula & Sons,+390610088881\n,,\n"Yara Ypsilon",,06 100 88882\n'
    told = bring_in(house, rows, preview=True)
    assert (told["created"], told["not_taken"], told["bad"][0]["line"]) == (2, 1, 3)
    assert bring_in(house, rows)["created"] == 2
    anna = house.client("anna")
    (yara,) = anna.get("/api/customers", params={"q": "ypsi"}).json()["customers"]
    assert yara["numbers"] == [{"e164": "+390610088882", "raw": "06 100 88882"}]
    address = f"/api/customers/{yara['id']}"
    edited = anna.patch(address, json={"version": 1, "notes": "likes tea"})
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    assert anna.patch(address, json={"version": 1, "notes": "coffee"}).status_code == 409
    history = anna.get(f"{address}/history").json()["changes"]
    assert [(change["action"], change["fields"]) for change in history] == [
        ("edited", ["notes"]),
        ("imported", ["name", "numbers"]),
    ]
    assert anna.get("/api/customers/export").status_code == 403
    text = house.client("sue").get("/api/customers/export").text
    assert "\r\n'=1+1,Formula & Sons," in text
    found = eventually(
        "the look-up", lambda: anna.get("/api/customers/lookup", params={"number": "0610088882"}).json()
    )
    assert (found["match"], found["matches"][0]["reason"]) == ("one", "national_form")
