"""How queues choose, as callers and agents notice it: who is rung, when, and who is left in peace."""

from collections.abc import Iterator

import pytest

from tests.e2e.house import LANE, House, files
from tests.support.scenario import caller, phone, ringing_phone
from tests.support.server import Document, Server, SiteFiles, eventually

pytestmark = pytest.mark.e2e

RTP_PORTS = f"{22960 + 4 * LANE}-{22979 + 4 * LANE}"
ALL, EXPERTS, TURNS, FAITHFUL, OWNED = "921", "922", "923", "924", "925"
CSV = {"Content-Type": "text/csv"}
WINDOW_S = 3


def _flow(queue: str) -> Document:
    node = {"kind": "queue", "queue": queue, "music": ["music"], "next": "end", "on_timeout": "end", "on_full": "end"}
    return {"language": "en", "start": "wait", "on_error": "end", "nodes": {"wait": node, "end": {"kind": "hangup"}}}


def routing_site() -> SiteFiles:
    """Queues that ring everybody, that begin with experts, that go by turns, and that know whom one talked to."""
    site = files(RTP_PORTS)
    plain: Document = {"skills": {"billing": 1}, "music": "music", "ring_s": 10, "wrap_up_s": 0}
    site.queues += [
        {**plain, "name": "all", "strategy": "ring_all"},
        {**plain, "name": "experts", "skills": {"billing": 5}, "rings": [{"seconds": 2}, {"lower": 4}]},
        {**plain, "name": "turns", "strategy": "round_robin", "wrap_up": "optional"},
        {**plain, "name": "faithful", "preferred": "last_agent"},
        {**plain, "name": "owned", "preferred": ["account_owner", "last_agent"], "preferred_s": WINDOW_S},
    ]
    for agent in site.agents:
        if agent["id"] == "cleo":
            agent["skills"] = {"billing": 5}
    for number, queue in ((ALL, "all"), (EXPERTS, "experts"), (TURNS, "turns"), (FAITHFUL, "faithful")):
        site.flows[f"to_{queue}"] = _flow(queue)
        site.trunks[0]["numbers"][number] = f"to_{queue}"
    # Who he is is known by the end of his first words, however slow the database is.
    greeted = _flow("owned")
    greeted["nodes"]["welcome"] = {"kind": "play", "prompts": ["welcome"], "next": "wait"}
    site.flows["to_owned"] = {**greeted, "start": "welcome"}
    site.trunks[0]["numbers"][OWNED] = "to_owned"
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("routing")
    with Server(folder, routing_site()) as server:
        house = House(server, folder, RTP_PORTS)
        yield house
        house.close()
        assert server.tracebacks() == []


@pytest.fixture(autouse=True)
def nobody_left(site: House) -> Iterator[None]:
    yield
    for agent in ("anna", "cleo"):
        site.client("sue").post(f"/api/agents/{agent}/state", json={"state": "logged_out"})


def becomes_free(site: House, *agents: str) -> None:
    for agent in agents:
        site.register(agent)
        site.set_state(agent, "available")


def test_all_phones_ring_and_the_first_who_answers_has_the_caller(site: House) -> None:
    number = site.number()
    becomes_free(site, "anna", "cleo")
    with (
        site.phone("anna", ringing_phone()) as anna,
        site.phone("cleo", phone(ring_ms=3000)) as cleo,
        site.customer(number, ALL) as customer,
    ):
        eventually("both are rung", lambda: {site.agent(who)["state"] for who in ("anna", "cleo")} == {"reserved"})
        site.becomes("cleo", "on_contact")
        assert site.agent("anna")["state"] == "available"
        customer.hang_up()
        cleo.wait()
        anna.wait()  # her phone was told to stop: CANCEL, 487, ACK
    record = site.record(number)
    assert (record["agent"], record["result"]) == ("cleo", "answered")
    site.becomes("anna", "available")


def test_caller_who_waits_long_enough_is_served_by_one_who_knows_less(site: House) -> None:
    number = site.number()
    becomes_free(site, "anna", "cleo")
    site.client("cleo").post("/api/agents/me/state", json={"state": "not_ready", "reason": "lunch"})
    withheld = site.withheld_s()
    with (
        site.phone("anna", phone(hangs_up=True), talk_ms=500) as anna,
        site.caller(caller(number=number, hangs_up=False), EXPERTS) as customer,
    ):
        customer.wait()
        anna.wait()
    withheld = site.withheld_s() - withheld
    record = site.record(number)
    assert (record["agent"], record["result"]) == ("anna", "answered")
    assert 2_000 <= record["wait_ms"] < 4_000 + withheld * 1000


def test_turns_go_round(site: House) -> None:
    becomes_free(site, "anna", "cleo")
    served = []
    for _ in range(3):
        number = site.number()
        phones = [site.phone(who, phone(hangs_up=True), talk_ms=300) for who in ("anna", "cleo")]
        with phones[0], phones[1], site.caller(caller(number=number, hangs_up=False), TURNS) as customer:
            customer.wait()
            served.append(site.record(number)["agent"])
            for each in phones:
                each.stop()
    assert served in (["anna", "cleo", "anna"], ["cleo", "anna", "cleo"])


def serves(site: House, number: str) -> str:
    """The agent who takes the call from `number` to the faithful queue, both phones being at hand."""
    phones = [site.phone(who, phone(hangs_up=True), talk_ms=300) for who in ("anna", "cleo")]
    with phones[0], phones[1], site.caller(caller(number=number, hangs_up=False), FAITHFUL) as customer:
        customer.wait()
        for each in phones:
            each.stop()
    agent: str = site.record(number)["agent"]
    return agent


def test_customer_who_calls_again_has_the_agent_whom_he_talked_to_last(site: House) -> None:
    number, stranger = site.number(), site.number()
    row = f"name,numbers\nTeodora Riva,{number}\n"
    assert site.client("sue").post("/api/customers/import", content=row, headers=CSV).status_code == 200
    becomes_free(site, "cleo")
    assert serves(site, number) == "cleo"
    first = site.record(number)["contact"]
    # Anna is idle longer than cleo now: others are hers.
    becomes_free(site, "anna")
    site.set_state("cleo", "not_ready")
    site.becomes("cleo", "not_ready")
    becomes_free(site, "cleo")
    with site.phone("cleo", phone(hangs_up=True), talk_ms=300) as cleo:
        with site.caller(caller(number=number, hangs_up=False), FAITHFUL) as customer:
            customer.wait()
        cleo.wait()
    again = eventually(
        "the second record",
        lambda: next((each for each in [site.record(number)] if each["contact"] != first), None),
    )
    assert (again["agent"], [offer["agent"] for offer in again["offers"]]) == ("cleo", ["cleo"])
    site.becomes("cleo", "available")
    assert serves(site, stranger) == "anna"


def owned_by(site: House, owner: str) -> str:
    """The number of a new customer whom `owner` looks after."""
    number = site.number()
    row = f"name,numbers,owner\nCustomer {number},{number},{owner}\n"
    told = site.client("sue").post("/api/customers/import", content=row, headers=CSV).json()
    assert (told["created"], told["bad"]) == (1, [])
    return number


def test_customer_has_the_owner_of_his_account_though_another_agent_is_idle_longer(site: House) -> None:
    number, stranger = owned_by(site, "cleo"), site.number()
    becomes_free(site, "anna")
    becomes_free(site, "cleo")
    with site.phone("cleo", phone()) as cleo, site.customer(number, OWNED) as customer:
        site.becomes("cleo", "on_contact")
        customer.hang_up()
        cleo.wait()
    record = site.record(number)
    assert (record["agent"], [offer["agent"] for offer in record["offers"]]) == ("cleo", ["cleo"])
    with site.phone("anna", phone()) as anna, site.customer(stranger, OWNED) as customer:
        site.becomes("anna", "on_contact")
        customer.hang_up()
        anna.wait()


def test_customer_whose_owner_is_busy_waits_for_her_and_then_for_everybody(site: House) -> None:
    number = owned_by(site, "cleo")
    becomes_free(site, "cleo")
    with site.phone("cleo", phone()) as cleo, site.customer(site.number(), EXPERTS) as other:
        site.becomes("cleo", "on_contact")
        becomes_free(site, "anna")
        with site.phone("anna", phone()) as anna, site.customer(number, OWNED) as customer:
            site.becomes("anna", "on_contact")
            customer.hang_up()
            anna.wait()
        other.hang_up()
        cleo.wait()
    record = site.record(number)
    assert [offer["agent"] for offer in record["offers"]] == ["anna"]
    assert record["wait_ms"] >= WINDOW_S * 1000
    story = site.client("sue").get(f"/api/calls/{record['contact']}/why").json()
    (queued,) = [step for step in story["steps"] if step["kind"] == "entry.queued"]
    (waited,) = [step for step in story["steps"] if step["kind"] == "entry.waits"]
    assert (story["replayed"], queued["preferred"], waited["reason"]) == (True, "cleo", "preferred")


def test_agent_asks_for_time_after_the_call_and_ends_it(site: House) -> None:
    becomes_free(site, "anna")
    mine = site.client("anna")
    with (
        site.phone("anna", phone()) as anna,
        site.customer(site.number(), TURNS) as customer,
    ):
        site.becomes("anna", "on_contact")
        assert mine.post("/api/agents/me/wrap-up", json={"ask": True}).status_code == 200
        customer.hang_up()
        anna.wait()
    assert site.becomes("anna", "wrap_up")["until"] is None
    assert mine.post("/api/agents/me/wrap-up", json={"extend_s": 30}).status_code == 409
    assert mine.post("/api/agents/me/wrap-up", json={"finish": True}).json()["state"] == "available"
