"""Who may see and hear a call's record, and what is never kept: the command, the API, payment-safe digits."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.house import HANGS_UP, PIN, RING_DESK, House
from tests.support.scenario import Sound, caller, pause, phone, play
from tests.support.server import Document
from tests.support.sipp import write_digits_pcap

pytestmark = pytest.mark.e2e

SECRET = "4929131"


@pytest.fixture(scope="module")
def recorded(house: House) -> Document:
    """The record of a recorded call."""
    number = house.number()
    with (
        house.phone("desk", phone()) as desk,
        house.caller(caller(number=number), RING_DESK, talk_ms=500) as customer,
    ):
        customer.wait()
        desk.wait()
    return house.record(number)


def test_the_command_lists_and_shows_what_the_api_says(house: House, recorded: Document) -> None:
    contact = recorded["contact"]
    table = house.server.callcenter("calls", "list")
    assert any(contact in line and recorded["caller"] in line for line in table.splitlines())
    listed = json.loads(house.server.callcenter("calls", "list", "--json", "--caller", recorded["caller"]))["calls"]
    assert [call["contact"] for call in listed] == [contact]
    shown = json.loads(house.server.callcenter("calls", "show", contact, "--json"))
    # The API knows more about a call than its record: its tickets.
    assert shown.items() <= house.record(recorded["caller"]).items()
    assert "result: answered" in house.server.callcenter("calls", "show", contact)


def test_only_who_may_listen_gets_the_recording(house: House, recorded: Document) -> None:
    path = f"/api/calls/{recorded['contact']}"
    assert house.client("anna").get(path).status_code == 403
    assert house.client("anna").get(f"{path}/recording").status_code == 403
    house.sound(recorded)
    answer = house.client("quinn").get(f"{path}/recording")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.content[:4] == b"RIFF"
    part = house.client("quinn").get(f"{path}/recording", headers={"Range": "bytes=0-43"})
    assert (part.status_code, len(part.content)) == (206, 44)
    assert house.client("sue").get("/api/calls/no-such-call").status_code == 404


def test_a_flow_that_hangs_up_is_recorded_as_the_systems_end(house: House) -> None:
    number = house.number()
    house.caller(caller(number=number, hangs_up=False), HANGS_UP).start().wait()
    record = house.record(number)
    assert (record["result"], record["hung_up_by"], record["reason"], record["sip_status"]) == (
        "answered",
        "system",
        "flow",
        None,
    )
    assert [(step["node"], step["branch"]) for step in record["path"]] == [("welcome", "next"), ("end", None)]


def test_masked_digits_are_counted_and_kept_nowhere(house: House) -> None:
    number = house.number()
    digits = write_digits_pcap(house.folder / "secret.pcap", f"{SECRET}#", gap_s=0.1)
    scenario = caller(Sound(), number=number).replace("<pause/>", pause(300) + play(Sound(digits)) + pause())
    house.caller(scenario, PIN, talk_ms=4000).start().wait()
    record = house.record(number)
    step = record["path"][0]
    assert (step["node"], step["branch"], step["digits"]) == ("pin", "next", "***")
    assert record["collected"] == {}
    assert [path for path in files_below(house.server.data) if SECRET.encode() in read(path)] == []


def read(path: Path) -> bytes:
    """Its content; the server may have put another file in its place or taken it away meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def files_below(folder: Path) -> list[Path]:
    return [
        Path(root) / name for root, _, names in os.walk(folder) for name in names if (Path(root) / name).is_file()
    ]
