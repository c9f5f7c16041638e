"""Blind transfers on the wire: taken, and come to nothing."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.house import OWN_RTP_PORTS, PHONE_PORT, QUEUE, House, files, phone_address
from tests.support.racing_phone import RacingPhone
from tests.support.scenario import caller, phone, refusing_phone
from tests.support.server import Document, Server, eventually

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site whose agents need a second after a call."""
    folder = tmp_path_factory.mktemp("transfers")
    with Server(folder, files(OWN_RTP_PORTS)) as server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()
        assert server.tracebacks() == []


def hand_on(house: House, agent: str, target: str) -> None:
    wish = {"action": "transfer", "kind": "phone", "target": target}
    answer = house.client(agent).post("/api/agents/me/call", json=wish)
    assert answer.status_code == 204, answer.text


def offers(record: Document) -> list[tuple[str, str]]:
    return [(offer["agent"], offer["outcome"]) for offer in record["offers"]]


def test_a_transfer_to_a_busy_phone_returns_the_caller_to_the_agent_who_made_it(office: House) -> None:
    """Cleo is free too and idle for longer, but Anna knows the caller."""
    number = office.number()
    office.register("anna")
    office.register("cleo")
    for agent in ("anna", "cleo"):
        office.set_state(agent, "available")
    where = (phone_address("anna"), PHONE_PORT)
    with (
        RacingPhone(office.server.sip, where, answers_after_s=0.1) as anna,
        office.phone("desk", refusing_phone("486 Busy Here", ring_ms=200)) as desk,
        ExitStack() as stack,
    ):
        customer = stack.enter_context(office.caller(caller(number=number), QUEUE, talk_ms=6000))
        office.becomes("anna", "on_contact")
        hand_on(office, "anna", "desk")
        desk.wait()
        eventually("anna has him again", lambda: len(anna.dialogs) == 2, within_s=6)
        office.becomes("anna", "on_contact")
        customer.wait()
        eventually("anna's phone is done", lambda: anna.all_over)
    record = office.record(number)
    assert offers(record) == [("anna", "accepted"), ("anna", "accepted")]
    assert (record["result"], record["hung_up_by"]) == ("answered", "caller")
    first, second = record["queues"]
    assert first["agent"] == second["agent"] == "anna"
    assert second["wait_ms"] < 4000


def test_a_transfer_that_is_taken_stays_there(office: House) -> None:
    number = office.number()
    office.register("anna")
    office.set_state("cleo", "logged_out")
    office.set_state("anna", "available")
    where = (phone_address("anna"), PHONE_PORT)
    with (
        RacingPhone(office.server.sip, where, answers_after_s=0.1) as anna,
        office.phone("desk", phone(ring_ms=100)) as desk,
        office.caller(caller(number=number), QUEUE, talk_ms=2500) as customer,
    ):
        office.becomes("anna", "on_contact")
        hand_on(office, "anna", "desk")
        customer.wait()
        desk.wait()
        assert len(anna.dialogs) == 1
    record = office.record(number)
    assert offers(record) == [("anna", "accepted")]
    assert [leg["endpoint"] for leg in record["legs"]] == ["provider", "anna", "desk"]
