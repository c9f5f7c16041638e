"""Callers who have waited too long: sent to a number outside, to the voice mail, or called back."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.house import LANE, OWN_RTP_PORTS, PATIENCE_S, House, files, phone_address
from tests.support.capture import rtp_of, sound_of
from tests.support.scenario import Sound, caller, phone, refusing_phone
from tests.support.server import Document, Server, SiteFiles, eventually
from tests.support.sipp import Sipp, write_tone_pcap
from tests.support.tone import above_neighbours_db, linear

pytestmark = pytest.mark.e2e

CARRIER = (f"127.0.{LANE}.27", 5060)
OUTSIDE = "+41441112233"
TO_NUMBER, TO_VOICEMAIL, TO_CALLBACK = "941", "942", "943"
LIMIT_S = 1


def overflowing_site() -> SiteFiles:
    """Three queues that nobody serves at first, each with another way out after a second."""
    site = files(OWN_RTP_PORTS)
    rules = {"caller_id": "+390699999999", "pass_caller": True, "allow": ["+39", "+41"], "calls": 2, "per_minute": 60}
    site.trunks.append(
        {"name": "carrier", "addresses": [f"{CARRIER[0]}:{CARRIER[1]}"], "options_s": 0, "outbound": rules}
    )
    ways: dict[str, tuple[str, object]] = {
        TO_NUMBER: ("hurried", {"number": OUTSIDE}),
        TO_VOICEMAIL: ("recorded", "voicemail"),
        TO_CALLBACK: ("recalled", "callback"),
    }
    for number, (name, to) in ways.items():
        overflow = [{"when": "waited", "limit": LIMIT_S, "to": to}]
        site.queues.append({"name": name, "skills": {"billing": 1}, "music": "music", "overflow": overflow})
        site.flows[name] = _queues_in(name)
        site.trunks[0]["numbers"][number] = name
    message = {"kind": "voicemail", "prompts": [], "max_s": 20, "queue": "recorded", "next": "end"}
    site.flows["voicemail"] = _flow("message", message=message)
    return site


def _flow(start: str, **nodes: Document) -> Document:
    return {"language": "en", "start": start, "on_error": "end", "nodes": {**nodes, "end": {"kind": "hangup"}}}


def _queues_in(name: str) -> Document:
    wait = {"kind": "queue", "queue": name, "music": ["music"], "next": "end", "on_timeout": "end", "on_full": "end"}
    return _flow("wait", wait={**wait, "on_error": "end"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("overflow")
    with Server(folder, overflowing_site()) as server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()
        verdict = json.loads(server.callcenter("acd", "replay", "--json"))
        assert verdict["equal"], verdict["divergence"]
        assert server.tracebacks() == []


@pytest.fixture(autouse=True)
def nobody_left(site: House) -> Iterator[None]:
    """Each story begins without agents and ends without calls."""
    yield
    sue = site.client("sue")
    sue.post("/api/agents/anna/state", json={"state": "logged_out"})
    eventually("no call is up", lambda: sue.get("/api/status").json()["calls"] == 0)


def carrier(site: House, scenario: str, *, talk_ms: int = 1000) -> Sipp:
    return Sipp(
        scenario, site.server.sip, CARRIER, media=(CARRIER[0], site.media_port()), talk_ms=talk_ms,
        timeout_s=PATIENCE_S,
    )  # fmt: skip


def test_a_caller_who_waited_too_long_talks_to_a_number_outside(site: House) -> None:
    number = site.number()
    tone = write_tone_pcap(site.folder / "tone.pcap", 1000, 4)
    with (
        site.wire("outside") as wire,
        carrier(site, phone(Sound(tone), ring_ms=200, hangs_up=True), talk_ms=2000) as called,
        site.caller(caller(number=number, hangs_up=False), TO_NUMBER) as customer,
    ):
        called.wait()
        customer.wait()
    packets = wire.packets()
    invite = next(p for p in packets if p.is_sip and p.sip_summary == "INVITE" and p.destination == CARRIER)
    assert invite.payload.startswith(f"INVITE sip:{OUTSIDE}@".encode())
    answered = next(
        p.at for p in packets if p.is_sip and p.sip_summary == "200 INVITE" and p.source == site.server.sip
    )
    assert invite.at - answered >= LIMIT_S - 0.1, "first he waited"
    assert customer.media is not None
    heard = linear(sound_of(rtp_of(packets, destination=customer.media)))
    assert above_neighbours_db(heard[-4000:], 1000) >= 20
    record = site.record(number)
    assert (record["queue"], record["agent"], record["result"]) == ("hurried", None, "answered")
    assert (record["legs"][1]["role"], record["legs"][1]["endpoint"]) == ("outside", "carrier")


def test_a_caller_whom_the_number_outside_does_not_take_goes_on_in_his_flow(site: House) -> None:
    number = site.number()
    with (
        carrier(site, refusing_phone("486 Busy Here")) as called,
        site.caller(caller(number=number, hangs_up=False), TO_NUMBER) as customer,
    ):
        called.wait()
        customer.wait()
    record = site.record(number)
    assert record["result"] != "answered"
    assert record["path"][0]["node"] == "wait"


def test_a_caller_who_waited_too_long_leaves_a_message_that_becomes_a_ticket(site: House) -> None:
    number = site.number()
    tone = write_tone_pcap(site.folder / "words.pcap", 700, 7)
    site.caller(caller(Sound(tone), number=number), TO_VOICEMAIL, talk_ms=5000).start().wait()
    record = site.record(number)

    def tickets() -> list[Document]:
        listed = site.client("sue").get("/api/tickets", params={"contact": record["contact"]}).json()
        found: list[Document] = listed["tickets"]
        return found

    (ticket,) = eventually("the ticket", tickets)
    assert (ticket["category"], ticket["queue"], ticket["status"]) == ("voicemail", "recorded", "new")
    assert [step["node"] for step in record["path"]] == ["wait", "message"]
    left, _ = site.sound(record)
    assert above_neighbours_db(left[-4000:], 700) >= 20


def test_a_caller_who_waited_too_long_is_called_back_by_the_first_agent_who_is_free(site: House) -> None:
    number, sue = site.number(), site.client("sue")
    site.caller(caller(number=number, hangs_up=False), TO_CALLBACK).start().wait()
    (callback,) = sue.get("/api/callbacks").json()["callbacks"]
    assert (callback["queue"], callback["state"]) == ("recalled", "waiting")
    assert site.record(number)["result"] != "answered"
    site.register("anna")
    with (
        site.wire("callback") as wire,
        carrier(site, phone(ring_ms=200)) as customer,
        site.phone("anna", phone(hangs_up=True), talk_ms=700) as anna,
    ):
        site.set_state("anna", "available")
        customer.wait()
        anna.wait()
    rung = [p for p in wire.packets() if p.is_sip and p.sip_summary == "INVITE" and p.source == site.server.sip]
    assert list(dict.fromkeys(p.destination[0] for p in rung)) == [CARRIER[0], phone_address("anna")]
    assert rung[0].payload.startswith(f"INVITE sip:{number}@".encode())
    eventually(
        "the record of the call to him",
        lambda: any(
            (each["direction"], each["agent"], each["result"]) == ("outbound", "anna", "answered")
            for each in sue.get("/api/calls", params={"limit": 50, "caller": number}).json()["calls"]
        ),
    )
    assert sue.get("/api/callbacks").json() == {"callbacks": []}
