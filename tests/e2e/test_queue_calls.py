"""A customer through the trunk, the queue, an agent's phone and screen: seen on the wire, heard, and recorded."""

from collections.abc import Iterator

import pytest

from callcenter.media.g711 import RATE
from tests.e2e.house import AGENTS, MENU, QUEUE, TRUNK, House, instant, phone_address, sip_of
from tests.e2e.screen import Screen
from tests.support.capture import Packet, rtp_of, sound_of
from tests.support.scenario import Sound, caller, pause, phone, play, refusing_phone, ringing_phone
from tests.support.server import Document, eventually
from tests.support.sipp import write_digits_pcap, write_tone_pcap
from tests.support.tone import above_neighbours_db, linear, power_db

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def everyone_signed_out(house: House) -> Iterator[None]:
    """No agent takes part in a story that did not ask for him."""
    yield
    for agent in AGENTS:
        house.set_state(agent, "logged_out")
        house.becomes(agent, "logged_out")


def available(house: House, *agents: str) -> None:
    """Their phones are registered, and they take calls."""
    for agent in agents:
        house.register(agent)
        house.set_state(agent, "available")
        house.becomes(agent, "available")


def known_customer(house: House, number: str, name: str) -> None:
    """A customer out of a CSV file."""
    path = house.folder / "customers.csv"
    path.write_text(f"name,numbers\n{name},{number}\n", encoding="utf-8")
    house.server.callcenter("crm", "import", str(path))


def outcomes(record: Document) -> list[tuple[str, str, str | None]]:
    return [(offer["agent"], offer["outcome"], offer["reason"]) for offer in record["offers"]]


def pop_frames(packets: list[Packet], house: House, name: str) -> list[Packet]:
    """The TCP packets from the server's web side that hold a pop with the customer's name."""
    return [
        packet
        for packet in packets
        if packet.protocol == "tcp"
        and packet.source == ("127.0.0.1", house.server.http)
        and b'"type":"pop"' in packet.payload.replace(b" ", b"")
        and name.encode() in packet.payload
    ]


def test_digit_2_leads_to_the_skilled_agent_whose_screen_knows_the_customer_before_the_phone_rings(
    house: House,
) -> None:
    number = house.number()
    known_customer(house, number, "Greta Garbo")
    two = write_digits_pcap(house.folder / "two.pcap", "2")
    low, high = (write_tone_pcap(house.folder / f"queue-{hertz}.pcap", hertz, 3) for hertz in (400, 1000))
    available(house, "anna", "bert")
    # The key, and the voice when the agent has had time to answer.
    talk = pause(1000) + play(Sound(two)) + pause(1500) + play(Sound(low)) + pause()
    scenario = caller(Sound(), number=number).replace("<pause/>", talk)
    with (
        house.wire("queue") as wire,
        Screen(house, "anna") as screen,
        house.phone("anna", phone(Sound(high), ring_ms=300)) as anna,
        house.caller(scenario, MENU, talk_ms=2000) as customer,
    ):
        customer.wait()
        anna.wait()
    record, packets = house.record(number), wire.packets()

    (pop,) = screen.of("pop")
    assert pop["customer"]["name"] == "Greta Garbo"
    assert (pop["caller"], pop["queue"], pop["agent"]) == (number, "billing", "anna")
    shown = pop_frames(packets, house, "Greta Garbo")[0]
    rung = instant(packets, "INVITE", host=phone_address("anna"))
    assert packets.index(shown) < next(i for i, p in enumerate(packets) if p.at == rung)
    assert rung - shown.at < 0.1 + wire.withheld_s
    assert sip_of(packets, host=phone_address("bert")) == []

    assert (record["queue"], record["agent"], record["result"]) == ("billing", "anna", "answered")
    assert outcomes(record) == [("anna", "accepted", None)]
    assert (record["path"][0]["node"], record["path"][0]["branch"]) == ("menu", "2")
    customer_leg, agent_leg = record["legs"]
    assert agent_leg["role"] == "agent"
    queued = next(one["at"] for one in record["instants"] if one["name"] == "queued")
    answered = instant(packets, "200 INVITE", host=phone_address("anna"))
    assert wire.saw("INVITE", host=phone_address("anna"), at=agent_leg["invited_at"])
    assert wire.saw("200 INVITE", host=phone_address("anna"), at=agent_leg["answered_at"])
    assert wire.saw("BYE", host=TRUNK, at=record["ended_at"])
    assert queued
    assert abs(record["wait_ms"] - (answered - rung) * 1000) < 200 + wire.withheld_s * 1000
    assert customer_leg["by"] == "peer"

    assert customer.media is not None
    assert anna.media is not None
    to_customer = linear(sound_of(rtp_of(packets, destination=customer.media)))
    to_agent = linear(sound_of(rtp_of(packets, destination=anna.media)))
    assert above_neighbours_db(to_customer[-RATE // 2 :], 1000) >= 20
    assert above_neighbours_db(to_agent[-RATE // 2 :], 400) >= 20
    left, right = house.sound(record)
    assert power_db(right, 1000) - power_db(left, 1000) >= 40
    assert power_db(left, 400) - power_db(right, 400) >= 40
    house.becomes("anna", "available")


def test_a_caller_who_leaves_while_the_agent_rings_frees_the_agent_at_once(house: House) -> None:
    number = house.number()
    available(house, "anna")
    with (
        house.wire("abandon") as wire,
        house.phone("anna", ringing_phone()) as anna,
        house.customer(number, QUEUE) as customer,
    ):
        eventually("her phone rings", lambda: "180 Ringing" in anna.messages())
        customer.hang_up()
        anna.wait()
        agent = house.becomes("anna", "available")
    assert agent["reason"] is None
    assert wire.saw("BYE", host=TRUNK, at=agent["since"])
    record, packets = house.record(number), wire.packets()
    assert (record["result"], record["hung_up_by"], record["reason"]) == ("abandoned", "caller", "hangup")
    assert outcomes(record) == [("anna", "rescinded", "caller_left")]
    left = instant(packets, "BYE", host=TRUNK)
    cancelled = instant(packets, "CANCEL", host=phone_address("anna"))
    assert 0 <= cancelled - left < 0.1 + wire.withheld_s
    assert wire.saw("CANCEL", host=phone_address("anna"), at=record["legs"][1]["ended_at"])
    assert record["queues"][0]["outcome"] == "abandoned"


def test_an_agent_who_does_not_answer_is_not_ready_and_the_caller_goes_to_another(house: House) -> None:
    number = house.number()
    available(house, "anna", "cleo")
    with (
        house.wire("rona") as wire,
        house.phone("anna", ringing_phone()) as anna,
        house.phone("cleo", phone(ring_ms=200)) as cleo,
        house.customer(number, QUEUE) as customer,
    ):
        anna.wait()
        assert house.becomes("anna", "not_ready")["reason"] == "no_answer"
        house.becomes("cleo", "on_contact")
        customer.hang_up()
        cleo.wait()
    record, packets = house.record(number), wire.packets()
    assert outcomes(record) == [("anna", "timed_out", None), ("cleo", "accepted", None)]
    assert (record["agent"], record["result"], len(record["queues"])) == ("cleo", "answered", 1)
    rang = instant(packets, "CANCEL", host=phone_address("anna")) - instant(
        packets, "INVITE", host=phone_address("anna")
    )
    assert 2.9 < rang < 3.2 + wire.withheld_s
    assert instant(packets, "INVITE", host=phone_address("cleo")) > instant(
        packets, "CANCEL", host=phone_address("anna")
    )


def test_a_busy_agent_phone_sends_the_caller_to_another_agent(house: House) -> None:
    number = house.number()
    available(house, "anna", "cleo")
    with (
        house.phone("anna", refusing_phone("486 Busy Here")) as anna,
        house.phone("cleo", phone(hangs_up=True), talk_ms=300) as cleo,
        house.caller(caller(number=number, hangs_up=False), QUEUE) as customer,
    ):
        customer.wait()
        cleo.wait()
        anna.wait()
    record = house.record(number)
    assert outcomes(record) == [("anna", "failed", "busy"), ("cleo", "accepted", None)]
    assert (record["agent"], record["result"]) == ("cleo", "answered")


def test_baresip_is_an_agents_phone(house: House) -> None:
    number = house.number()
    low = write_tone_pcap(house.folder / "soft-400.pcap", 400, 20)
    with house.baresip("anna", hertz=1000) as anna:
        house.set_state("anna", "available")
        with (
            house.wire("soft") as wire,
            house.caller(caller(Sound(low), number=number, hangs_up=False), QUEUE) as customer,
        ):
            anna.wait_for("CALL_INCOMING")
            anna.accept()
            eventually("she hears the caller", lambda: above_neighbours_db(anna.heard()[-RATE // 2 :], 400) >= 20)
            eventually("her own sound is long enough", lambda: len(anna.heard()) > 2 * RATE)
            anna.hang_up()
            customer.wait()
            anna.wait_for("CALL_CLOSED")
    assert customer.media is not None
    to_customer = linear(sound_of(rtp_of(wire.packets(), destination=customer.media)))
    assert above_neighbours_db(to_customer[-RATE // 2 :], 1000) >= 20
    record = house.record(number)
    assert outcomes(record) == [("anna", "accepted", None)]
