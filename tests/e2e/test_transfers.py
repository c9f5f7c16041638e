"""What agents do in their calls on the wire: blind transfers that are taken or not, and their phones' own hold."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest

from tests.e2e.house import OWN_RTP_PORTS, PHONE_PORT, QUEUE, House, files, phone_address
from tests.e2e.screen import Screen
from tests.support.capture import rtp_of
from tests.support.racing_phone import RacingPhone
from tests.support.scenario import CALLER, Sound, caller, pause, phone, receive, refusing_phone, reply, scenario, send
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
        customer = stack.enter_context(office.customer(number, QUEUE))
        office.becomes("anna", "on_contact")
        withheld = office.withheld_s()
        hand_on(office, "anna", "desk")
        desk.wait()
        eventually("anna has him again", lambda: len(anna.dialogs) == 2)
        office.becomes("anna", "on_contact")
        withheld = office.withheld_s() - withheld
        customer.hang_up()
        eventually("anna's phone is done", lambda: anna.all_over)
    record = office.record(number)
    assert offers(record) == [("anna", "accepted"), ("anna", "accepted")]
    assert (record["result"], record["hung_up_by"]) == ("answered", "caller")
    first, second = record["queues"]
    assert first["agent"] == second["agent"] == "anna"
    assert second["wait_ms"] < 4000 + withheld * 1000


def test_a_transfer_that_is_taken_stays_there(office: House) -> None:
    number = office.number()
    office.register("anna")
    office.set_state("cleo", "logged_out")
    office.set_state("anna", "available")
    where = (phone_address("anna"), PHONE_PORT)
    with (
        RacingPhone(office.server.sip, where, answers_after_s=0.1) as anna,
        office.phone("desk", phone(ring_ms=100, hangs_up=True), talk_ms=300) as desk,
        office.caller(caller(number=number, hangs_up=False), QUEUE) as customer,
    ):
        office.becomes("anna", "on_contact")
        hand_on(office, "anna", "desk")
        customer.wait()
        desk.wait()
        assert len(anna.dialogs) == 1
    record = office.record(number)
    assert offers(record) == [("anna", "accepted")]
    assert [leg["endpoint"] for leg in record["legs"]] == ["provider", "anna", "desk"]


_REINVITE = """
      INVITE [$3] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From:[$5];tag=[pid]t[call_number]
      To:[$4]
      Call-ID: [call_id]
      CSeq: {cseq} INVITE
      Contact: <sip:[local_ip]:[local_port];transport=[transport]>
      Max-Forwards: 70{body}"""
_ACK = """
      ACK [$3] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From:[$5];tag=[pid]t[call_number]
      To:[$4]
      Call-ID: [call_id]
      CSeq: {cseq} ACK
      Max-Forwards: 70
      Content-Length: 0

"""


def holding_phone(first: str) -> str:
    """Answers, says `first` ("sendonly"), and after 1.2 s takes the other side back."""
    steps = [receive("INVITE", action=CALLER), send(reply("180 Ringing"))]
    steps += [send(reply("200 OK", Sound().sdp), retransmit=True), receive("ACK")]
    for cseq, direction, after_ms in ((2, first, 600), (3, "sendrecv", 1200)):
        steps.append(pause(after_ms))
        again = _REINVITE.format(cseq=cseq, body=Sound(direction=direction).sdp)
        steps += [send(again, retransmit=True), receive("100", optional=True), receive("200")]
        steps.append(send(_ACK.format(cseq=cseq)))
    return scenario(*steps, receive("BYE"), send(reply("200 OK", tag=False)))


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_an_agent_phones_own_hold_gives_the_caller_music_and_is_on_the_screen(office: House, direction: str) -> None:
    number = office.number()
    office.register("anna")
    office.set_state("anna", "available")
    with (
        office.wire(f"own-hold-{direction}") as wire,
        Screen(office, "anna") as screen,
        office.phone("anna", holding_phone(direction)) as anna,
        office.caller(caller(number=number), QUEUE, talk_ms=4500) as customer,
    ):
        eventually("held", lambda: screen.events("calls.bridge.held"))
        eventually("taken back", lambda: screen.events("calls.bridge.resumed"))
        customer.wait()
        anna.wait()
    (held,), (resumed,) = (screen.events(f"calls.bridge.{what}") for what in ("held", "resumed"))
    assert held["data"]["by"] == "agent"
    assert customer.media is not None
    heard = rtp_of(wire.packets(), destination=customer.media)
    begin, end = (datetime.fromisoformat(event["at"]).timestamp() for event in (held, resumed))
    music = [packet for packet in heard if begin + 0.1 < packet.at < end]
    # 50 packets a second of music; nobody else sends anything here.
    assert len(music) >= 0.8 * 50 * (end - begin - 0.1 - wire.withheld_s)
    assert len({packet.payload for packet in music}) > 10
    record = office.record(number)
    assert (record["result"], record["hung_up_by"]) == ("answered", "caller")
