"""What a call is told of its caller."""

import asyncio

from callcenter.app.customer_query import answer, find_caller, find_customer
from callcenter.app.customers import CustomerLookUp
from callcenter.app.screens import ConsoleScreens
from callcenter.console.consoles import Consoles
from callcenter.console.protocol import Candidate
from callcenter.crm.model import CustomerCard, CustomerFields, Found, Match
from callcenter.crm.records import create_customer
from callcenter.director.ports import CallerFound, Pop
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.site import Site

NOW = FakeClock().now()


def match(number: int, confidence: int = 63) -> Match:
    return Match(CustomerCard(f"k{number}", f"C{number}", "ACME", "", "en", None), confidence, "exact_number")


def test_one_match_is_the_customer_and_leaves_nothing_to_choose() -> None:
    customer, matches, candidates = answer(Found((match(1),)))
    assert customer is not None
    assert (customer["id"], matches, candidates) == ("k1", 1, ())


def test_of_many_the_five_likeliest_can_be_chosen() -> None:
    customer, matches, candidates = answer(Found(tuple(match(number) for number in range(7))))
    assert (customer, matches) == (None, 7)
    assert [one["id"] for one in candidates] == ["k0", "k1", "k2", "k3", "k4"]
    assert candidates[0] == {
        "id": "k0",
        "name": "C0",
        "company": "ACME",
        "confidence": 63,
        "reason": "exact_number",
    }


async def test_chosen_customer_is_found_whatever_the_number_says(site: Site) -> None:
    fields = CustomerFields("Ann", numbers=("+442079460018",))
    made = await create_customer(site, fields, region="GB", actor="user1", now=NOW)
    chosen = await find_customer(site, "+442079460999", made.id, region="GB")
    assert (chosen[0] or {}).get("name") == "Ann"
    assert await find_customer(site, "+442079460018", "nobody", region="GB") == (None, 0, ())


async def test_owner_comes_with_the_customer_and_the_last_agent_only_where_he_is_wanted(site: Site) -> None:
    fields = CustomerFields("Ann", numbers=("+442079460018",), owner="anna")
    made = await create_customer(site, fields, region="GB", actor="user1", now=NOW, agents={"anna"})
    by_number = await find_caller(site, "+442079460018", None, region="GB")
    by_choice = await find_caller(site, "", made.id, region="GB", with_last_agent=True)
    assert by_number.customer is not None
    assert by_number.customer["owner"] == "anna"
    assert by_choice.customer == {**by_number.customer, "last_agent": None}


async def test_look_up_that_fails_tells_nothing() -> None:
    told: list[str] = []

    async def ask(number: str, chosen: str | None) -> CallerFound:
        if chosen is None:
            raise SiteUnavailable("away")
        return CallerFound()

    customers = CustomerLookUp(lambda contact, _: told.append(contact))
    customers.ask(ask)
    customers.start("c1", "+442079460018", None)
    customers.start("c2", "", "k1")
    customers.start("c3", "", None)
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    assert told == ["c2"]


async def test_callers_of_before_the_database_are_looked_up_when_it_is_there() -> None:
    told: list[str] = []

    async def ask(number: str, chosen: str | None) -> CallerFound:
        return CallerFound()

    customers = CustomerLookUp(lambda contact, _: told.append(contact))
    customers.start("c1", "+442079460018", None)
    assert not asyncio.all_tasks() - {asyncio.current_task()}
    customers.ask(ask)
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    assert told == ["c1"]


def test_screens_show_the_candidates_until_one_is_chosen() -> None:
    consoles = Consoles(FakeClock())
    screens = ConsoleScreens(consoles)
    _, matches, candidates = answer(Found((match(1), match(2, 31))))
    screens.pop(Pop("o1", "c1", "billing", "ann", "+44", "", None, matches, NOW, candidates))
    (pop,) = consoles.fanout.view.pops_of("ann")
    assert pop.candidates == (
        Candidate("k1", "C1", "ACME", 63, "exact_number"),
        Candidate("k2", "C2", "ACME", 31, "exact_number"),
    )
    screens.customer_known("c1", CallerFound(match(2).customer.as_mapping(), 1))
    (pop,) = consoles.fanout.view.pops_of("ann")
    assert (pop.customer and pop.customer.id, pop.matches, pop.candidates) == ("k2", 1, ())
