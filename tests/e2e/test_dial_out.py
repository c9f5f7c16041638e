"""Numbers outside: rung through a trunk with SIPp as the carrier, within the trunk's rules."""

from collections.abc import Iterator

import pytest

from callcenter.media.g711 import RATE
from tests.e2e.house import LANE, OWN_RTP_PORTS, PATIENCE_S, TRUNK, House, files
from tests.support.capture import rtp_of, sound_of
from tests.support.scenario import Sound, caller, phone, refused_caller, refusing_phone, ringing_phone
from tests.support.server import Document, Server, SiteFiles, eventually
from tests.support.sipp import Sipp, write_tone_pcap
from tests.support.tone import above_neighbours_db, linear, power_db

pytestmark = pytest.mark.e2e

CARRIER = (f"127.0.{LANE}.24", 5060)
OUTSIDE = "+41441112233"
OUR_NUMBER = "+390699999999"
OVERFLOW, FORBIDDEN = "901", "902"


def outside_site() -> SiteFiles:
    """The house with a second trunk, through which two numbers are rung, and phones that may dial out."""
    site = files(OWN_RTP_PORTS)
    site.trunks.append(
        {
            "name": "carrier",
            "addresses": [f"{CARRIER[0]}:{CARRIER[1]}"],
            "options_s": 0,
            "outbound": {
                "caller_id": OUR_NUMBER, "pass_caller": True, "allow": ["+41"], "deny": ["+4190"], "calls": 1,
                "per_minute": 60,
            },
        }
    )  # fmt: skip
    site.flows["overflow"] = _dials(OUTSIDE)
    site.flows["forbidden"] = _dials("+41900123456")
    site.flows["outside"] = _dials("${called}")
    site.outside = "outside"
    site.trunks[0]["numbers"] |= {OVERFLOW: "overflow", FORBIDDEN: "forbidden"}
    return site


def _dials(target: str) -> Document:
    refusals = {f"on_{why}": "busy" for why in ("busy", "no_answer", "declined", "unreachable")}
    return {
        "language": "en", "start": "ring", "on_error": "busy",
        "nodes": {
            "ring": {"kind": "dial", "target": target, "ring_s": 5, "record": True, "next": "end", **refusals},
            "busy": {"kind": "hangup", "reason": "busy", "status": 486}, "end": {"kind": "hangup"},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site of its own."""
    folder = tmp_path_factory.mktemp("outside")
    site = outside_site()
    with Server(folder, site) as server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()
        assert server.tracebacks() == []


def carrier(house: House, scenario: str, *, talk_ms: int = 1000) -> Sipp:
    """The provider, playing `scenario`."""
    return Sipp(
        scenario, house.server.sip, CARRIER, media=(CARRIER[0], house.media_port()), talk_ms=talk_ms,
        timeout_s=PATIENCE_S,
    )  # fmt: skip


def idle(house: House) -> None:
    """No call is left."""
    client = house.server.client("sue")
    eventually("no call is up", lambda: client.get("/api/status").json().get("calls") == 0)
    client.close()


def test_a_call_goes_on_to_a_number_outside_with_the_callers_own_number_shown(outside: House) -> None:
    number = outside.number()
    low, high = (write_tone_pcap(outside.folder / f"out-{hertz}.pcap", hertz, 3) for hertz in (400, 1000))
    with (
        outside.wire("outside") as wire,
        carrier(outside, phone(Sound(high), ring_ms=300)) as called,
        outside.caller(caller(Sound(low), number=number), OVERFLOW, talk_ms=1500) as customer,
    ):
        customer.wait()
        called.wait()
    packets = wire.packets()
    invite = next(p for p in packets if p.sip_summary == "INVITE" and p.destination == CARRIER)
    head = invite.payload.decode()
    assert head.startswith(f"INVITE sip:{OUTSIDE}@{CARRIER[0]}:{CARRIER[1]} SIP/2.0\r\n")
    assert f"<sip:{number}@" in head.split("\r\nFrom:")[1].split("\r\n")[0]
    assert called.media is not None
    assert customer.media is not None
    assert above_neighbours_db(linear(sound_of(rtp_of(packets, destination=called.media)))[-RATE // 2 :], 400) >= 20
    to_customer = linear(sound_of(rtp_of(packets, destination=customer.media)))
    assert above_neighbours_db(to_customer[-RATE // 2 :], 1000) >= 20
    record = outside.record(number)
    assert (record["result"], record["hung_up_by"], record["direction"]) == ("answered", "caller", "inbound")
    leg = record["legs"][1]
    assert (leg["role"], leg["endpoint"]) == ("outside", "carrier")
    assert wire.saw("INVITE", host=CARRIER[0], at=leg["invited_at"])
    assert wire.saw("200 INVITE", host=CARRIER[0], at=leg["answered_at"])
    assert wire.saw("BYE", host=TRUNK, at=record["ended_at"])
    left, right = outside.sound(record)
    assert power_db(right, 1000) - power_db(left, 1000) >= 40


def test_a_forbidden_number_is_not_rung(outside: House) -> None:
    number = outside.number()
    with (
        outside.wire("forbidden") as wire,
        outside.caller(refused_caller("486", number=number), FORBIDDEN) as customer,
    ):
        customer.wait()
    assert [p for p in wire.packets() if p.destination == CARRIER and p.sip_summary == "INVITE"] == []
    record = outside.record(number)
    assert (record["result"], record["path"][0]["branch"]) == ("unanswered", "unreachable")


def test_a_second_call_at_a_time_is_not_rung_where_one_is_allowed(outside: House) -> None:
    first, second = outside.number(), outside.number()
    with (
        carrier(outside, phone(), talk_ms=3000) as called,
        outside.caller(caller(number=first), OVERFLOW, talk_ms=2000) as customer,
    ):
        eventually("the first is up", lambda: "ACK sip" in called.messages())
        with outside.caller(refused_caller("486", number=second), OVERFLOW) as late:
            late.wait()
        customer.wait()
        called.wait()
    assert outside.record(second)["path"][0]["branch"] == "unreachable"
    assert outside.record(first)["result"] == "answered"


def test_a_busy_number_outside_is_told_to_the_flow_and_makes_room_again(outside: House) -> None:
    number = outside.number()
    with (
        carrier(outside, refusing_phone("486 Busy Here")) as called,
        outside.caller(refused_caller("486", number=number), OVERFLOW) as customer,
    ):
        customer.wait()
        called.wait()
    assert outside.record(number)["path"][0]["branch"] == "busy"
    with (
        carrier(outside, ringing_phone()) as called,
        outside.caller(refused_caller("486", number=outside.number()), OVERFLOW) as customer,
    ):
        customer.wait()
        called.wait()


def test_a_phone_with_a_password_dials_out_and_shows_the_sites_number(outside: House) -> None:
    with (
        outside.wire("phone-out") as wire,
        carrier(outside, phone(ring_ms=100)) as called,
        outside.phone("desk", caller(number="desk", authenticate=True), service="0041441112299", talk_ms=500) as desk,
    ):
        desk.wait()
        called.wait()
    invite = next(p for p in wire.packets() if p.sip_summary == "INVITE" and p.destination == CARRIER)
    head = invite.payload.decode()
    # Dialled as people dial, written as the provider has it.
    assert head.startswith("INVITE sip:+41441112299@")
    assert f"<sip:{OUR_NUMBER}@" in head.split("\r\nFrom:")[1].split("\r\n")[0]
    record = outside.record("desk")
    assert (record["result"], record["direction"]) == ("answered", "internal")


def test_a_phone_does_not_reach_what_is_forbidden(outside: House) -> None:
    with outside.phone(
        "desk", refused_caller("486", number="desk", authenticate=True), service="+15550100999"
    ) as desk:
        desk.wait()


def test_a_trunk_reaches_no_number_outside_by_dialling_it(outside: House) -> None:
    with (
        outside.wire("toll") as wire,
        outside.caller(refused_caller("404", number=outside.number()), OUTSIDE) as stranger,
    ):
        stranger.wait()
    assert [p for p in wire.packets() if p.destination == CARRIER and p.sip_summary == "INVITE"] == []
