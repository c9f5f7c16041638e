"""Callers who wait, as they notice it: what they hear, where keys and rules lead, callbacks, and a place kept."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.media.g711 import RATE
from tests.e2e.house import LANE, OWN_RTP_PORTS, PATIENCE_S, House, files, phone_address
from tests.support.capture import Packet, rtp_of, sound_of
from tests.support.scenario import Sound, caller, pause, phone, play, refusing_phone
from tests.support.server import ROOT, Document, Server, SiteFiles, eventually
from tests.support.sipp import Sipp, write_digits_pcap, write_tone_pcap
from tests.support.tone import above_neighbours_db, linear, power_db, samples, write_wave

pytestmark = pytest.mark.e2e

CARRIER = (f"127.0.{LANE}.26", 5060)
WAIT, EXITS, SHORT, NOBODY, PATIENT = "911", "912", "913", "914", "915"
# The words of the waiting callers, as tones that can be told from the music.
TONES = {
    "position-next": 2100, "position-is": 1300, "numbers/2": 1700, "position-in-line": 1500, "please-hold": 2500,
    "callback-agreed": 2900, "closed": 3100,
}  # fmt: skip
PIECE_S = 0.6


def waiting_site() -> SiteFiles:
    """A site whose queues talk to their callers, with a carrier through which callers are rung."""
    site = files(OWN_RTP_PORTS)
    site.settings["media"] = {"ports": OWN_RTP_PORTS, "workers": 1}
    site.trunks.append(
        {"name": "carrier", "addresses": [f"{CARRIER[0]}:{CARRIER[1]}"],
         "options_s": 0, "outbound": {"caller_id": "+390699999999", "allow": ["+39"], "calls": 2, "per_minute": 60}}
    )  # fmt: skip
    site.queues[0] |= {
        "announce": {"position": True, "first_s": 1, "every_s": 10},
        "callback": {"tries": 2, "retry_s": 10, "ring_s": 5},
        "resume_s": 60,
        "ring_s": 5,
    }
    site.queues += [
        {"name": "support", "skills": {"support": 1}, "music": "music", "ring_s": 5, "wrap_up_s": 0},
        {"name": "patient", "skills": {"billing": 1}, "music": "music", "ring_s": 5, "wrap_up_s": 0,
         "callback": {"ring_s": 60}},
        {"name": "short", "skills": {"billing": 9}, "music": "music",
         "overflow": [{"when": "waited", "limit": 2, "to": {"queue": "support"}}]},
        {"name": "nobody", "skills": {"flying": 1},
         "overflow": [{"when": "no_agents", "to": {"announcement": "closed"}}]},
    ]  # fmt: skip
    flows = {
        WAIT: _queue("billing"),
        EXITS: _exits("billing"),
        PATIENT: _exits("patient"),
        SHORT: _queue("short"),
        NOBODY: _queue("nobody"),
    }
    for number, flow in flows.items():
        site.flows[f"to_{number}"] = flow
        site.trunks[0]["numbers"][number] = f"to_{number}"
    return site


def _queue(name: str, **keys: object) -> Document:
    node = {"kind": "queue", "queue": name, "music": ["music"], "next": "end", "on_timeout": "end", "on_full": "end"}
    return {
        "language": "en", "start": "wait", "on_error": "end",
        "nodes": {"wait": {**node, **keys}, "end": {"kind": "hangup"}},
    }  # fmt: skip


def _exits(queue: str) -> Document:
    flow = _queue(queue, exits={"1": "call_me", "0": "closed"})
    flow["nodes"] |= {
        "call_me": {"kind": "callback", "next": "agreed", "on_refused": "closed"},
        "agreed": {"kind": "play", "prompts": ["callback-agreed"], "next": "end"},
        "closed": {"kind": "play", "prompts": ["closed"], "next": "end"},
    }
    return flow


def own_words(config: Path) -> None:
    """Prompts of the site's own: tones in place of the recorded words."""
    (config / "prompts").unlink()
    shutil.copytree(ROOT / "config" / "prompts", config / "prompts")
    for prompt, hertz in TONES.items():
        write_wave(config / "prompts" / "en" / f"{prompt}.wav", samples(hertz, PIECE_S))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("waiting")
    server = Server(folder, waiting_site())
    own_words(server.config)
    with server:
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
    for agent in ("anna", "bert", "cleo"):
        site.client("sue").post(f"/api/agents/{agent}/state", json={"state": "logged_out"})
    eventually("nobody waits", lambda: waiting(site) == 0 and calls(site) == 0)


def calls(site: House) -> int:
    count: int = site.client("sue").get("/api/status").json()["calls"]
    return count


def waiting(site: House, queue: str | None = None) -> int:
    """Callers and callbacks in `queue`, or in all."""
    queues = site.client("sue").get("/api/queues").json()["queues"]
    return sum(each["waiting"] + each["callbacks"] for each in queues if queue in {None, each["id"]})


def becomes_free(site: House, agent: str) -> None:
    site.register(agent)
    site.set_state(agent, "available")


def heard(packets: list[Packet], party: Sipp) -> list[int]:
    assert party.media is not None
    return linear(sound_of(rtp_of(packets, destination=party.media)))


def when_heard(sound: list[int], hertz: float) -> float | None:
    """The second at which `hertz` stands out first."""
    for start in range(0, len(sound) - RATE // 5, RATE // 10):
        window = sound[start : start + RATE // 5]
        if power_db(window, hertz) > -30 and above_neighbours_db(window, hertz) >= 15:
            return start / RATE
    return None


def carrier(site: House, scenario: str, *, talk_ms: int = 1000) -> Sipp:
    return Sipp(
        scenario, site.server.sip, CARRIER, media=(CARRIER[0], site.media_port()), talk_ms=talk_ms,
        timeout_s=PATIENCE_S,
    )  # fmt: skip


def presses(site: House, digit: str, *, number: str, after_ms: int = 1000) -> str:
    """A caller who presses `digit` and waits for the server to hang up."""
    key = write_digits_pcap(site.folder / f"key-{digit}.pcap", digit)
    scenario = caller(Sound(), number=number, hangs_up=False)
    return scenario.replace('<recv request="BYE"', pause(after_ms) + play(Sound(key)) + '<recv request="BYE"', 1)


def test_each_caller_hears_his_own_place_over_the_music(site: House) -> None:
    first, second = site.number(), site.number()
    with (
        site.wire("places") as wire,
        site.caller(caller(number=first), WAIT, talk_ms=5500) as one,
    ):
        eventually("the first waits", lambda: waiting(site, "billing") == 1)
        with site.caller(caller(number=second), WAIT, talk_ms=4500) as two:
            two.wait()
        one.wait()
    packets = wire.packets()
    for_one, for_two = heard(packets, one), heard(packets, two)
    told = when_heard(for_one, TONES["position-next"])
    assert told is not None
    assert 0.7 <= told <= 2.0 + wire.withheld_s
    assert when_heard(for_one, TONES["position-is"]) is None
    pieces = [when_heard(for_two, TONES[piece]) for piece in ("position-is", "numbers/2", "position-in-line")]
    assert None not in pieces
    assert pieces == sorted(piece for piece in pieces if piece is not None)
    music = for_two[-RATE:]
    assert sum(abs(value) for value in music) / len(music) > 100, "the music goes on"


def test_a_key_leads_out_of_the_queue(site: House) -> None:
    number = site.number()
    with site.wire("exit") as wire, site.caller(presses(site, "0", number=number), EXITS) as customer:
        customer.wait()
    assert when_heard(heard(wire.packets(), customer), TONES["closed"]) is not None
    record = site.record(number)
    assert (record["path"][0]["node"], record["path"][0]["branch"]) == ("wait", "0")


def test_who_has_waited_too_long_is_answered_by_another_queue(site: House) -> None:
    number = site.number()
    becomes_free(site, "bert")
    with (
        site.phone("bert", phone(hangs_up=True), talk_ms=300) as bert,
        site.caller(caller(number=number, hangs_up=False), SHORT) as customer,
    ):
        customer.wait()
        bert.wait()
    record = site.record(number)
    assert (record["agent"], record["result"]) == ("bert", "answered")
    assert record["wait_ms"] >= 2000


def test_where_nobody_works_the_caller_is_told_so_and_let_go(site: House) -> None:
    number = site.number()
    with (
        site.wire("closed") as wire,
        site.caller(caller(number=number, hangs_up=False), NOBODY) as customer,
    ):
        customer.wait()
    assert when_heard(heard(wire.packets(), customer), TONES["closed"]) is not None
    assert site.record(number)["result"] != "answered"


def asks_for_a_callback(site: House, number: str, *, service: str = EXITS) -> None:
    """Rings, presses 1, hears that he will be called, and is let go."""
    with site.wire(f"asks-{number}") as wire, site.caller(presses(site, "1", number=number), service) as customer:
        customer.wait()
    assert when_heard(heard(wire.packets(), customer), TONES["callback-agreed"]) is not None
    assert len(site.client("sue").get("/api/callbacks").json()["callbacks"]) == 1


def test_a_callback_rings_the_caller_when_an_agent_is_there_and_joins_them(site: House) -> None:
    number = site.number()
    asks_for_a_callback(site, number)
    low, high = (write_tone_pcap(site.folder / f"back-{hertz}.pcap", hertz, 10) for hertz in (400, 1000))
    with (
        site.wire("callback") as wire,
        carrier(site, phone(Sound(low), ring_ms=800)) as customer,
        site.phone("anna", phone(Sound(high), ring_ms=300, hangs_up=True), talk_ms=2500) as anna,
    ):
        becomes_free(site, "anna")
        customer.wait()
        anna.wait()
    packets = wire.packets()
    sent = [p for p in packets if p.is_sip and p.sip_summary == "INVITE" and p.source == site.server.sip]
    rung = list({p.payload: p for p in reversed(sent)}.values())[::-1]  # without what was sent again
    assert [p.destination[0] for p in rung] == [CARRIER[0], phone_address("anna")]
    assert rung[0].payload.startswith(f"INVITE sip:{number}@".encode())
    answered = next(p.at for p in packets if p.sip_summary == "200 INVITE" and p.source == CARRIER)
    assert rung[1].at >= answered, "the agent's phone rings once the customer is there"
    assert above_neighbours_db(heard(packets, customer)[-RATE // 2 :], 1000) >= 20
    assert above_neighbours_db(heard(packets, anna)[-RATE // 2 :], 400) >= 20
    site.becomes("anna", "available")


def test_who_is_not_reached_is_called_again_and_at_last_given_up(site: House) -> None:
    number = site.number()
    asks_for_a_callback(site, number)
    for attempt in range(2):
        with carrier(site, refusing_phone("486 Busy Here")) as customer:
            if attempt == 0:
                becomes_free(site, "anna")
            customer.wait()
        # It was not her fault: she keeps her place.
        site.becomes("anna", "available")
    eventually("he is called no more", lambda: waiting(site) == 0 and calls(site) == 0)

    def tries() -> bool:
        listed = site.client("sue").get("/api/calls", params={"limit": 50, "caller": number}).json()["calls"]
        return [each["direction"] for each in listed].count("outbound") == 2

    eventually("two records of calls to him", tries)


def test_who_was_cut_off_finds_his_place_again(site: House) -> None:
    lost, other = site.number(), site.number()
    with site.caller(caller(number=lost), WAIT, talk_ms=700) as cut_off:
        cut_off.wait()
    with site.customer(other, WAIT) as late:
        eventually("the other waits", lambda: waiting(site, "billing") == 1)
        with site.customer(lost, WAIT) as again:
            eventually("both wait", lambda: waiting(site, "billing") == 2)
            with site.phone("anna", phone()) as anna:
                becomes_free(site, "anna")
                site.becomes("anna", "on_contact")
                site.client("sue").post("/api/agents/anna/state", json={"state": "logged_out"})
                again.hang_up()
                anna.wait()
        late.hang_up()
    assert answered(site, lost)["agent"] == "anna"


def answered(site: House, number: str) -> Document:
    """The record of the newest call of `number` when it is that of the one that was answered."""
    found: Document = eventually(
        f"a record of an answered call of {number}",
        lambda: next((each for each in [site.record(number)] if each["result"] == "answered"), None),
    )
    return found


def entry_of(site: House, queue: str) -> str:
    """The entry that waits in `queue`."""
    (entry,) = site.client("sue").get("/api/entries", params={"queue": queue}).json()["entries"]
    found: str = entry["id"]
    return found


def test_a_supervisor_sends_a_caller_to_another_queue_and_teaches_its_agent(site: House) -> None:
    number, sue = site.number(), site.client("sue")
    becomes_free(site, "cleo")
    sue.post("/api/agents/cleo/skills", json={"skills": {}})
    with site.caller(caller(number=number, hangs_up=False), WAIT) as customer:
        eventually("he waits", lambda: waiting(site, "billing") == 1)
        moved = sue.post(f"/api/entries/{entry_of(site, 'billing')}/move", json={"queue": "support"})
        assert moved.status_code == 204, moved.text
        eventually("he waits there", lambda: waiting(site, "support") == 1)
        with site.phone("cleo", phone(hangs_up=True), talk_ms=500) as cleo:
            sue.post("/api/agents/cleo/skills", json={"skills": {"support": 1}})
            cleo.wait()
        customer.wait()
    sue.post("/api/agents/cleo/skills", json={"skills": None})
    record = site.record(number)
    assert (record["agent"], record["queue"], record["result"]) == ("cleo", "support", "answered")
    query = {"kind": "queue", "name": "support"}

    def counted() -> list[Document]:
        told: list[Document] = sue.get("/api/metrics/intervals", params=query).json()["intervals"]
        return [row for row in told if row["answered"] and row["longest_wait_ms"] >= record["wait_ms"]]

    # Others may have been answered there before; nobody after more than the longest wait.
    assert all(row["asa_ms"] <= row["longest_wait_ms"] for row in eventually("his whole wait is counted", counted))


def test_a_cancelled_callback_rings_nobody(site: House) -> None:
    number, sue = site.number(), site.client("sue")
    asks_for_a_callback(site, number)
    (callback,) = sue.get("/api/callbacks").json()["callbacks"]
    assert (callback["queue"], callback["state"]) == ("billing", "waiting")
    now = next(row for row in sue.get("/api/metrics/live").json()["queues"] if row["name"] == "billing")
    assert (now["waiting"], now["longest_wait_ms"], now["callbacks"]) == (0, None, 1)
    assert 'callcenter_queue_callbacks{queue="billing"} 1' in sue.get("/metrics").text
    assert sue.post(f"/api/entries/{entry_of(site, 'billing')}/cancel").status_code == 204
    assert sue.get("/api/callbacks").json() == {"callbacks": []}
    becomes_free(site, "anna")
    site.becomes("anna", "available")


def test_order_callback_and_pause_survive_the_application(site: House) -> None:
    callback, first, second = site.number(), site.number(), site.number()
    asks_for_a_callback(site, callback)
    site.register("cleo")
    site.client("cleo").post("/api/agents/me/state", json={"state": "not_ready", "reason": "lunch"})
    one, two = (site.caller(caller(number=each, hangs_up=False), WAIT) for each in (first, second))
    with one:
        eventually("one waits", lambda: waiting(site, "billing") == 2)
        with two:
            eventually("two wait", lambda: waiting(site, "billing") == 3)
            paused = site.agent("cleo")
            pid, epoch = site.server.application()
            os.kill(pid, signal.SIGKILL)
            site.server.wait_ready(after_epoch=epoch)
            eventually("they still wait", lambda: waiting(site, "billing") == 3, within_s=15)
            assert site.agent("cleo") == paused
            anna = site.phone("anna", phone(hangs_up=True), talk_ms=500)
            anna.calls = 3
            with carrier(site, phone()) as customer, anna:
                becomes_free(site, "anna")
                customer.wait()
                one.wait()
                two.wait()
                anna.wait()
    records = [answered(site, number) for number in (callback, first, second)]
    rung = [next(leg["invited_at"] for leg in record["legs"] if leg["role"] == "agent") for record in records]
    assert rung == sorted(rung), "each in his place"


def test_a_customer_whose_phone_rings_is_joined_also_when_the_application_dies_meanwhile(site: House) -> None:
    number = site.number()
    asks_for_a_callback(site, number, service=PATIENT)
    rung = phone(ring_ms=3000, asked_again=True)
    customer, anna = carrier(site, rung), site.phone("anna", phone(hangs_up=True), talk_ms=500)
    with customer, anna:
        becomes_free(site, "anna")
        eventually("the customer's phone rings", lambda: "180 Ringing" in customer.messages())
        pid, epoch = site.server.application()
        os.kill(pid, signal.SIGKILL)
        site.server.wait_ready(after_epoch=epoch)
        customer.wait()
        anna.wait()
    record = eventually(
        "a record of the call to him",
        lambda: next((each for each in [site.record(number)] if each["direction"] == "outbound"), None),
        within_s=20,
    )
    assert (record["agent"], record["result"]) == ("anna", "answered")
    assert site.client("sue").get("/api/callbacks").json() == {"callbacks": []}
