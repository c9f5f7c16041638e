"""What two talking parties may do: other codecs, other transports, hold and resume, OPTIONS."""

import pytest

from callcenter.media.g711 import PCMA, RATE
from tests.e2e.house import GREETING, RING_DESK, RING_TCP, TRUNK, House, instant, phone_address, sip_of
from tests.support.capture import Packet, RtpPacket, rtp_of, sound_of
from tests.support.scenario import (
    PORT,
    PROVISIONAL,
    Sound,
    caller,
    pause,
    phone,
    play,
    receive,
    request,
    scenario,
    send,
)
from tests.support.sipp import Sipp, write_tone_pcap
from tests.support.tone import above_neighbours_db, linear, power_db

pytestmark = pytest.mark.e2e

DESK = phone_address("desk")


def heard_by(party: Sipp, packets: list[Packet]) -> list[RtpPacket]:
    assert party.media is not None
    return rtp_of(packets, destination=party.media)


def test_an_a_law_caller_and_a_u_law_phone_hear_each_other(house: House) -> None:
    number = house.number()
    low = write_tone_pcap(house.folder / "a-law-400.pcap", 400, 3, PCMA)
    high = write_tone_pcap(house.folder / "u-law-1000.pcap", 1000, 3)
    with (
        house.wire("transcoded") as wire,
        house.phone("desk", phone(Sound(high), ring_ms=100)) as desk,
        house.caller(caller(Sound(low, payload_type=8), number=number), RING_DESK, talk_ms=1500) as customer,
    ):
        customer.wait()
        desk.wait()
    packets = wire.packets()
    to_customer, to_desk = heard_by(customer, packets), heard_by(desk, packets)
    assert {packet.payload_type for packet in to_customer} == {8}
    assert {packet.payload_type for packet in to_desk} == {0}
    assert above_neighbours_db(linear(sound_of(to_customer, 8), PCMA)[-RATE // 2 :], 1000) >= 20
    assert above_neighbours_db(linear(sound_of(to_desk))[-RATE // 2 :], 400) >= 20
    left, right = house.sound(house.record(number))
    assert power_db(right, 1000) - power_db(left, 1000) >= 40
    assert power_db(left, 400) - power_db(right, 400) >= 40


def reinvite(number: str, cseq: int, direction: str) -> list[str]:
    body = Sound(direction=direction).sdp
    return [
        send(request("INVITE", user=number, cseq=cseq, body=body), retransmit=True),
        PROVISIONAL,
        receive("200"),
        send(request("ACK", user=number, cseq=cseq)),
    ]


def holding_caller(number: str, sound: Sound, directions: list[str]) -> str:
    """Talks, then says each of `directions` for 700 ms."""
    steps = [
        send(request("INVITE", user=number, cseq=1, body=sound.sdp, in_dialog=False), retransmit=True),
        *(PROVISIONAL, receive("200", action=PORT), send(request("ACK", user=number, cseq=1))),
        *(play(sound), pause(700)),
    ]
    for cseq, direction in enumerate(directions, start=2):
        steps += [*reinvite(number, cseq, direction), pause(700)]
    bye = send(request("BYE", user=number, cseq=2 + len(directions)), retransmit=True)
    return scenario(*steps, bye, receive("200"))


def each_once(packets: list[Packet], summary: str) -> list[Packet]:
    """The messages of that kind at the trunk, without what a slow peer was sent again."""
    found = [p for p in sip_of(packets, host=TRUNK) if p.sip_summary == summary]
    return list({p.payload: p for p in reversed(found)}.values())[::-1]


@pytest.mark.parametrize(("hold", "answered"), [("sendonly", b"recvonly"), ("inactive", b"inactive")])
def test_a_held_call_is_silent_for_the_holder_and_comes_back(house: House, hold: str, answered: bytes) -> None:
    number = house.number()
    low, high = (write_tone_pcap(house.folder / f"hold-{hertz}.pcap", hertz, 10) for hertz in (400, 1000))
    with (
        house.wire(f"hold-{hold}") as wire,
        house.phone("desk", phone(Sound(high))) as desk,
        house.caller(holding_caller(number, Sound(low), [hold, "sendrecv"]), RING_DESK) as customer,
    ):
        customer.wait()
        desk.wait()
    packets = wire.packets()
    _, wish = each_once(packets, "INVITE")[1:]
    replies = each_once(packets, "200 INVITE")
    assert [b"a=" + answered in replies[1].payload, b"a=sendrecv" in replies[2].payload] == [True, True]
    held, resumed = replies[1].at, replies[2].at
    to_customer = heard_by(customer, packets)
    # What follows the wish to resume may be heard before its answer.
    assert [p for p in to_customer if held + 0.1 + wire.withheld_s < p.at < wish.at] == []
    after = [p for p in to_customer if p.at > resumed + 0.1]
    assert above_neighbours_db(linear(sound_of(after)), 1000) >= 20
    to_desk = [p for p in heard_by(desk, packets) if p.at > resumed + 0.1]
    assert above_neighbours_db(linear(sound_of(to_desk)), 400) >= 20
    record = house.record(number)
    assert (record["result"], record["hung_up_by"], record["reason"]) == ("answered", "caller", "hangup")
    assert wire.saw("BYE", host=TRUNK, at=record["ended_at"])


def test_a_call_over_tcp_reaches_a_phone_that_registered_over_tcp(house: House) -> None:
    number = house.number()
    low, high = (write_tone_pcap(house.folder / f"tcp-{hertz}.pcap", hertz, 3) for hertz in (400, 1000))
    with (
        house.wire("tcp") as wire,
        house.phone("walk", phone(Sound(high), ring_ms=200), transport="t1") as walk,
        house.caller(caller(Sound(low), number=number), RING_TCP, talk_ms=1500, transport="t1") as customer,
    ):
        customer.wait()
        walk.wait()
    record, packets = house.record(number), wire.packets()
    there = phone_address("walk")
    for host in (TRUNK, there):
        assert {packet.protocol for packet in sip_of(packets, host=host)} == {"tcp"}
    customer_leg, phone_leg = record["legs"]
    assert wire.saw("INVITE", host=there, at=phone_leg["invited_at"])
    assert wire.saw("200 INVITE", host=there, at=phone_leg["answered_at"])
    assert wire.saw("200 INVITE", host=TRUNK, at=customer_leg["answered_at"])
    assert wire.saw("BYE", host=TRUNK, at=record["ended_at"])
    assert above_neighbours_db(linear(sound_of(heard_by(customer, packets)))[-RATE // 2 :], 1000) >= 20
    assert above_neighbours_db(linear(sound_of(heard_by(walk, packets)))[-RATE // 2 :], 400) >= 20


def test_options_is_answered_outside_and_inside_of_a_call(house: House) -> None:
    number = house.number()
    outside = scenario(
        send(request("OPTIONS", user=number, cseq=1, in_dialog=False), retransmit=True),
        receive("200"),
    )
    house.caller(outside, GREETING).start().wait()
    steps = [
        send(request("INVITE", user=number, cseq=1, body=Sound().sdp, in_dialog=False), retransmit=True),
        *(PROVISIONAL, receive("200", action=PORT), send(request("ACK", user=number, cseq=1))),
        *(send(request("OPTIONS", user=number, cseq=2), retransmit=True), receive("200")),
        *(send(request("BYE", user=number, cseq=3), retransmit=True), receive("200")),
    ]
    with house.wire("options") as wire:
        house.caller(scenario(*steps), GREETING).start().wait()
    assert instant(wire.packets(), "200 OPTIONS", host=TRUNK)
    assert house.record(number)["reason"] == "hangup"
