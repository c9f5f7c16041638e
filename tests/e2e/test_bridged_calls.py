"""A caller and a phone talk: the way there, both voices in the recording, and what the record says."""

import pytest

from tests.e2e.house import RING_DESK, TRUNK, House, phone_address
from tests.support.scenario import Sound, caller, phone
from tests.support.sipp import write_tone_pcap
from tests.support.tone import above_neighbours_db, power_db

pytestmark = pytest.mark.e2e


def test_each_voice_of_a_dialled_call_is_in_its_own_channel_of_the_recording(house: House) -> None:
    number = house.number()
    low, high = (write_tone_pcap(house.folder / f"{hertz}.pcap", hertz, 3) for hertz in (400, 1000))
    with (
        house.wire("bridged") as wire,
        house.phone("desk", phone(Sound(high), ring_ms=300)) as desk,
        house.caller(caller(Sound(low), number=number), RING_DESK, talk_ms=2500) as customer,
    ):
        customer.wait()
        desk.wait()
    record = house.record(number)
    left, right = house.sound(record)

    assert above_neighbours_db(right, 1000) >= 20
    assert power_db(right, 1000) - power_db(left, 1000) >= 40
    assert above_neighbours_db(left, 400) >= 20
    assert power_db(left, 400) - power_db(right, 400) >= 40

    customer_leg, desk_leg = record["legs"]
    there, here = phone_address("desk"), TRUNK
    assert wire.saw("INVITE", host=here, at=record["started_at"])
    assert wire.saw("INVITE", host=there, at=desk_leg["invited_at"])
    assert wire.saw("180 INVITE", host=there, at=desk_leg["ringing_at"])
    assert wire.saw("200 INVITE", host=there, at=desk_leg["answered_at"])
    assert wire.saw("200 INVITE", host=here, at=customer_leg["answered_at"])
    assert wire.saw("BYE", host=here, at=record["ended_at"])
    assert wire.saw("BYE", host=there, at=desk_leg["ended_at"])
