"""Voice messages: spoken to SIPp's tone, found as tickets with their recording."""

from collections.abc import Iterator

import pytest

from tests.e2e.house import OWN_RTP_PORTS, House, files
from tests.support.scenario import Sound, caller, pause, play
from tests.support.server import Document, Server, eventually
from tests.support.sipp import write_digits_pcap, write_tone_pcap
from tests.support.tone import above_neighbours_db

pytestmark = pytest.mark.e2e

VOICEMAIL = "903"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site that takes messages, the greeting shorter than the repository's."""
    folder = tmp_path_factory.mktemp("office")
    site = files(OWN_RTP_PORTS)
    message = {"kind": "voicemail", "prompts": [], "max_s": 20, "queue": "billing", "next": "end"}
    site.flows["voicemail"] = {
        "language": "en", "start": "message", "on_error": "end",
        "nodes": {"message": message, "end": {"kind": "hangup"}},
    }  # fmt: skip
    site.trunks[0]["numbers"][VOICEMAIL] = "voicemail"
    with Server(folder, site) as server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()
        assert server.tracebacks() == []


def tickets(house: House, contact: str) -> list[Document]:
    listed = house.client("sue").get("/api/tickets", params={"contact": contact}).json()
    found: list[Document] = listed["tickets"]
    return found


@pytest.mark.parametrize("ends_with", ["hang_up", "key"])
def test_a_message_becomes_one_ticket_with_its_recording(office: House, ends_with: str) -> None:
    number = office.number()
    tone = write_tone_pcap(office.folder / "message.pcap", 700, 4)
    key = write_digits_pcap(office.folder / "hash.pcap", "#")
    scenario = caller(Sound(), number=number)
    after = pause(2500) + (play(Sound(key)) + pause(1500) if ends_with == "key" else "")
    scenario = scenario.replace("<pause/>", pause(1000) + play(Sound(tone)) + after)
    office.caller(scenario, VOICEMAIL).start().finish()
    record = office.record(number)
    (ticket,) = eventually("the ticket", lambda: tickets(office, record["contact"]))
    assert (ticket["category"], ticket["queue"], ticket["status"]) == ("voicemail", "billing", "new")
    assert ticket["subject"].startswith("Voice message (")
    left, right = office.sound(record)
    assert above_neighbours_db(left[-8000:-4000], 700) >= 20
    assert max(right) == 0


def test_a_caller_who_hangs_up_at_the_tone_leaves_no_ticket(office: House) -> None:
    number, later = office.number(), office.number()
    office.caller(caller(number=number), VOICEMAIL, talk_ms=100).start().wait()
    tone = write_tone_pcap(office.folder / "later.pcap", 700, 3)
    office.caller(caller(Sound(tone), number=later), VOICEMAIL, talk_ms=2500).start().wait()
    assert eventually("the later one's ticket", lambda: tickets(office, office.record(later)["contact"]))
    assert tickets(office, office.record(number)["contact"]) == []
