"""How calls end, or never begin: what each side sees, and the record with every instant as on the wire."""

import pytest

from tests.e2e.house import GREETING, RING_DESK, SHORT_RING, TRUNK, House, instant, phone_address, sip_of
from tests.support.capture import Packet
from tests.support.scenario import (
    Sound,
    caller,
    cancelling_caller,
    phone,
    refused_caller,
    refusing_phone,
    ringing_phone,
)
from tests.support.server import Document

pytestmark = pytest.mark.e2e

DESK = phone_address("desk")


def summary(record: Document) -> tuple[str, str, str, int | None]:
    return record["result"], record["hung_up_by"], record["reason"], record["sip_status"]


def ending(leg: Document) -> tuple[str, str, int | None]:
    return leg["by"], leg["reason"], leg["status"]


def answers(packets: list[Packet], host: str) -> list[str]:
    """The final answers of INVITEs at `host`."""
    found = [packet.sip_summary for packet in sip_of(packets, host=host)]
    return [one for one in dict.fromkeys(found) if one.endswith(" INVITE") and one[0] in "23456"]


def test_the_called_phone_hangs_up(house: House) -> None:
    number = house.number()
    with (
        house.wire("callee") as wire,
        house.phone("desk", phone(hangs_up=True), talk_ms=500) as desk,
        house.caller(caller(number=number, hangs_up=False), RING_DESK) as customer,
    ):
        desk.wait()
        customer.wait()
    record = house.record(number)
    assert summary(record) == ("answered", "callee", "hangup", None)
    customer_leg, desk_leg = record["legs"]
    assert ending(desk_leg) == ("peer", "hangup", None)
    assert customer_leg["by"] == "us"
    assert wire.saw("BYE", host=DESK, at=desk_leg["ended_at"])
    assert wire.saw("BYE", host=TRUNK, at=record["ended_at"])


def test_the_caller_gives_up_while_the_phone_rings(house: House) -> None:
    number = house.number()
    with (
        house.wire("cancel") as wire,
        house.phone("desk", ringing_phone()) as desk,
        house.caller(cancelling_caller(number=number, after_ms=400), RING_DESK) as customer,
    ):
        customer.wait()
        desk.wait()
    record, packets = house.record(number), wire.packets()
    assert summary(record) == ("abandoned", "caller", "cancelled", 487)
    customer_leg, desk_leg = record["legs"]
    assert ending(customer_leg) == ("peer", "cancelled", 487)
    assert ending(desk_leg)[:2] == ("us", "cancelled")
    assert record["answered_at"] is None
    # The caller heard it ring because the phone did.
    assert instant(packets, "180 INVITE", host=DESK) <= instant(packets, "180 INVITE", host=TRUNK)
    assert wire.saw("180 INVITE", host=DESK, at=desk_leg["ringing_at"])
    assert wire.saw("180 INVITE", host=TRUNK, at=customer_leg["ringing_at"])
    assert wire.saw("CANCEL", host=TRUNK, at=record["ended_at"])
    assert wire.saw("CANCEL", host=DESK, at=desk_leg["ended_at"])


@pytest.mark.parametrize(
    ("refusal", "reason", "status"),
    [("486 Busy Here", "busy", 486), ("603 Decline", "declined", 603), ("480 Away", "unreachable", 404)],
)
def test_a_phone_that_refuses_is_told_apart(house: House, refusal: str, reason: str, status: int) -> None:
    number = house.number()
    with (
        house.wire(reason) as wire,
        house.phone("desk", refusing_phone(refusal, ring_ms=100)) as desk,
        house.caller(refused_caller(str(status), number=number), RING_DESK) as customer,
    ):
        customer.wait()
        desk.wait()
    record = house.record(number)
    assert summary(record) == ("unanswered", "system", reason, status)
    assert (record["path"][0]["node"], record["path"][0]["branch"]) == ("ring", reason)
    customer_leg, desk_leg = record["legs"]
    assert ending(desk_leg) == ("peer", reason, int(refusal[:3]))
    assert customer_leg["status"] == status
    assert wire.saw(f"{refusal[:3]} INVITE", host=DESK, at=desk_leg["ended_at"])
    assert wire.saw(f"{status} INVITE", host=TRUNK, at=record["ended_at"])


def test_nobody_answers_for_as_long_as_the_flow_lets_it_ring(house: House) -> None:
    number = house.number()
    with (
        house.wire("no_answer") as wire,
        house.phone("desk", ringing_phone()) as desk,
        house.caller(refused_caller("480", number=number), SHORT_RING) as customer,
    ):
        customer.wait()
        desk.wait()
    record, packets = house.record(number), wire.packets()
    assert summary(record) == ("unanswered", "system", "no_answer", 480)
    desk_leg = record["legs"][1]
    assert ending(desk_leg)[:2] == ("us", "no_answer")
    invited, cancelled = instant(packets, "INVITE", host=DESK), instant(packets, "CANCEL", host=DESK)
    assert 0.9 < cancelled - invited < 1.3 + wire.withheld_s
    assert wire.saw("CANCEL", host=DESK, at=desk_leg["ended_at"])


def test_a_late_offer_is_answered_with_the_acknowledgement(house: House) -> None:
    number = house.number()
    with (
        house.wire("late") as wire,
        house.phone("desk", phone(ring_ms=100)) as desk,
        house.caller(caller(number=number, late_offer=True), RING_DESK, talk_ms=500) as customer,
    ):
        customer.wait()
        desk.wait()
    record, packets = house.record(number), wire.packets()
    assert summary(record) == ("answered", "caller", "hangup", None)
    offers = [p for p in sip_of(packets, host=TRUNK) if p.sip_summary == "200 INVITE"]
    assert b"m=audio" in offers[0].payload
    assert b"m=audio" not in next(p for p in sip_of(packets, host=TRUNK) if p.sip_summary == "INVITE").payload
    assert wire.saw("ACK", host=TRUNK, at=record["legs"][0]["answered_at"])
    assert record["talk_ms"] > 300


def test_no_common_codec_is_488_and_rings_nobody_longer(house: House) -> None:
    number = house.number()
    speex = Sound(payload_type=97)
    with house.wire("codec") as wire:
        house.caller(refused_caller("488", number=number, sound=speex), GREETING).start().wait()
    record = house.record(number)
    assert summary(record) == ("refused", "system", "no_common_codec", 488)
    assert wire.saw("488 INVITE", host=TRUNK, at=record["ended_at"])


def test_a_phone_that_never_registered_is_unreachable(house: House) -> None:
    refused = refused_caller("404", number="anna", authenticate=True)
    with house.wire("never") as wire:
        house.phone("anna", refused, service="never").start().wait()
    record = house.record("anna", "never")
    assert summary(record) == ("unanswered", "system", "unreachable", 404)
    assert answers(wire.packets(), phone_address("anna")) == ["401 INVITE", "404 INVITE"]


def test_a_phone_that_is_gone_without_a_word_is_unreachable(house: House) -> None:
    house.register("gone")  # nobody listens at its address any more
    refused = refused_caller("404", number="cleo", authenticate=True)
    with house.wire("gone") as wire:
        house.phone("cleo", refused, service="gone").start().wait()
    record, packets = house.record("cleo"), wire.packets()
    assert summary(record) == ("unanswered", "system", "unreachable", 404)
    # It gave no sign of life for 3 s.
    tried = instant(packets, "INVITE", host=phone_address("gone"))
    assert instant(packets, "404 INVITE", host=phone_address("cleo")) - tried < 3.3 + wire.withheld_s


def test_an_unknown_number_is_404(house: House) -> None:
    number = house.number()
    with house.wire("unknown") as wire:
        house.caller(refused_caller("404", number=number), "999").start().wait()
    record = house.record(number)
    assert summary(record) == ("refused", "system", "refused", 404)
    assert wire.saw("404 INVITE", host=TRUNK, at=record["ended_at"])
