"""Three strangers' telephones ring and are heard: SIPp through the trunk, baresip and pyVoIP as registered phones."""

import subprocess
import sys
import wave
from pathlib import Path

import pytest

from callcenter.media.g711 import RATE
from tests.e2e.house import GREETING, MENU, House, phone_address
from tests.support.capture import rtp_of, sound_of
from tests.support.scenario import Sound, caller, pause, phone, play
from tests.support.server import ROOT, Document, eventually
from tests.support.sipp import write_digits_pcap, write_tone_pcap
from tests.support.tone import above_neighbours_db, linear, power_db, samples

pytestmark = pytest.mark.e2e

MARKER_HZ = 1400  # config/prompts/texts.yaml: the tone that `welcome` begins with
WINDOW = RATE // 10


def has_marker(heard: list[int]) -> bool:
    """Whether the prompt's own tone stands out somewhere in what was heard."""
    windows = [heard[start : start + WINDOW] for start in range(0, len(heard) - WINDOW + 1, WINDOW // 2)]
    return any(power_db(w, MARKER_HZ) > -30 and above_neighbours_db(w, MARKER_HZ) >= 20 for w in windows)


def nodes(record: Document) -> list[tuple[str, str | None]]:
    return [(step["node"], step["branch"]) for step in record["path"]]


def test_marker_is_not_heard_in_speech_alone() -> None:
    with wave.open(str(ROOT / "config/prompts/en/goodbye.wav")) as file:
        assert not has_marker(memoryview(file.readframes(file.getnframes())).cast("h").tolist())
    assert has_marker(samples(MARKER_HZ, 0.25))


def test_sipp_through_the_trunk_hears_the_greeting_and_its_digit_leads_to_the_desk(house: House) -> None:
    number = house.number()
    digit = write_digits_pcap(house.folder / "one.pcap", "1")
    voice = write_tone_pcap(house.folder / "desk-1000.pcap", 1000, 5)
    # The key comes 1 s into the menu, so that its prompt has been heard.
    scenario = caller(Sound(), number=number).replace("<pause/>", pause(1000) + play(Sound(digit)) + pause())
    with (
        house.wire("sipp") as wire,
        house.phone("desk", phone(Sound(voice))) as desk,
        house.caller(scenario, MENU, talk_ms=3500) as customer,
    ):
        customer.wait()
        desk.wait()
    record = house.record(number)
    assert nodes(record)[:2] == [("menu", "1"), ("desk", None)]
    assert [leg["role"] for leg in record["legs"]] == ["customer", "phone"]
    assert customer.media is not None
    heard = linear(sound_of(rtp_of(wire.packets(), destination=customer.media)))
    assert has_marker(heard[: 2 * RATE])
    assert above_neighbours_db(heard[-RATE // 2 :], 1000) >= 20


def test_baresip_hears_the_greeting_and_itself_after_its_digit(house: House) -> None:
    with house.baresip("talk", hertz=600) as talk:
        talk.dial(MENU)
        talk.wait_for("CALL_ESTABLISHED")
        eventually("the greeting's beginning", lambda: len(talk.heard()) > RATE // 2)
        talk.press("3")
        before = len(talk.heard())
        eventually("a second of echo", lambda: len(talk.heard()) > before + 2 * RATE)
        talk.hang_up()
        talk.wait_for("CALL_CLOSED")
        heard = talk.heard()
    assert has_marker(heard[:RATE])
    assert above_neighbours_db(heard[-RATE // 2 :], 600) >= 20
    record = house.record("talk")
    assert nodes(record) == [("menu", "3"), ("echo", None)]
    assert (record["direction"], record["result"], record["hung_up_by"]) == ("internal", "answered", "caller")


def test_pyvoip_hears_the_greeting(house: House, tmp_path: Path) -> None:
    heard_file, rtp = tmp_path / "heard.wav", house.media_port()
    address = phone_address("walk")
    command = [
        *(sys.executable, "-W", "ignore", "-m", "tests.support.pyvoip_phone", "--user", "walk"),
        *("--password", house.password("walk"), "--server", house.server.sip[0]),
        *("--server-port", str(house.server.sip[1]), "--address", address, "--port", "5391", "--rtp", str(rtp)),
        *("--number", GREETING, "--heard", str(heard_file), "--seconds", "3.5"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    with wave.open(str(heard_file)) as file:
        heard = [(value - 128) * 256 for value in file.readframes(file.getnframes())]
    assert has_marker(heard)
    record = house.record("walk")
    assert (record["hung_up_by"], record["reason"]) == ("caller", "hangup")
    assert nodes(record) == [("welcome", None)]


def test_baresip_is_called_by_a_registered_sipp_phone_and_both_hear_the_other(house: House) -> None:
    voice = write_tone_pcap(house.folder / "anna-400.pcap", 400, 20)
    scenario = caller(Sound(voice), number="anna", authenticate=True, hangs_up=False)
    with house.wire("internal") as wire, house.baresip("desk", hertz=1000, answers=True) as desk:
        with house.phone("anna", scenario, service="desk") as anna:
            eventually("he hears her", lambda: above_neighbours_db(desk.heard()[-RATE // 2 :], 400) >= 20)
            eventually("his own sound is long enough", lambda: len(desk.heard()) > 2 * RATE)
            desk.hang_up()
            anna.wait()
        desk.wait_for("CALL_CLOSED")
    assert anna.media is not None
    back = linear(sound_of(rtp_of(wire.packets(), destination=anna.media)))
    assert above_neighbours_db(back[-RATE:], 1000) >= 20
    left, right = house.sound(house.record("anna", "desk"))
    assert power_db(right, 1000) - power_db(left, 1000) >= 40
    assert power_db(left, 400) - power_db(right, 400) >= 40
