"""Calls rung on the real server, and what the queue_log, the quarter hours and monitoring say of them."""

import csv
import io
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.e2e.house import OWN_RTP_PORTS, QUEUE, House, files
from tests.support.scenario import Sound, caller, pause, phone, play, ringing_phone
from tests.support.server import Document, Server, SiteFiles, eventually
from tests.support.sipp import write_digits_pcap

pytestmark = pytest.mark.e2e

# Who gives up early does so within T, and who is answered waits for longer; seconds lie between each and T.
RING_S, T_S, TALK_S = 6, 5, 1
TERMS = f"""\
defaults: {{threshold_s: {T_S}, target: 0.9, variant: sl_abandons_negative}}
queues:
  billing: {{short_abandon_s: 1, longest_wait_alarm_s: 1, waiting_alarm: 5}}
"""


EXITS = "450"  # leads to the queue billing, out of which 0 leads


def zone_at_noon() -> str:
    """A zone whose day neither began nor ends while these calls are counted, whenever that is."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}"


def counted_site() -> SiteFiles:
    site = files(OWN_RTP_PORTS)
    site.settings["site"]["zone"] = zone_at_noon()
    site.queues[0]["ring_s"] = RING_S
    site.queues.append({"name": "support", "skills": {"support": 1}, "music": "music", "ring_s": 5, "wrap_up_s": 0})
    queue = {"kind": "queue", "queue": "billing", "exits": {"0": "end"}}
    ways = dict.fromkeys(("next", "on_timeout", "on_full"), "end")
    site.flows["exits"] = {
        "language": "en",
        "start": "wait",
        "on_error": "end",
        "nodes": {"wait": {**queue, **ways}, "end": {"kind": "hangup"}},
    }
    site.trunks[0]["numbers"][EXITS] = "exits"
    return site


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site of its own, so that only these calls are counted."""
    folder = tmp_path_factory.mktemp("counted")
    server = Server(folder, counted_site())
    (server.config / "metrics.yaml").write_text(TERMS, encoding="utf-8")
    with server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()
        assert server.tracebacks() == []


class Follower:
    """`callcenter queue-log export --follow` into a file."""

    def __init__(self, house: House) -> None:
        self.path = house.folder / "queue_log"
        self._server = house.server
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Follower":
        server = self._server
        words = ("--data", str(server.data), "--config", str(server.config), "queue-log", "export")
        command = server.command(*words, "--follow", "--output", str(self.path))
        self._process = subprocess.Popen(command, env=server._environment)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.poll() is None
        self._process.terminate()
        self._process.wait(10)

    def lines(self) -> list[list[str]]:
        return fields(self.path.read_text()) if self.path.exists() else []

    def has(self, event: str, count: int = 1) -> None:
        eventually(
            f"{count} lines {event}", lambda: sum(line[4] == event for line in self.lines()) >= count, within_s=30
        )


def fields(text: str) -> list[list[str]]:
    return [line.split("|") for line in text.splitlines()]


def ends(lines: list[list[str]]) -> list[tuple[str, ...]]:
    """Queue, agent and event of the lines of calls."""
    return [tuple(line[2:5]) for line in lines if line[1] != "NONE"]


def live_queue(house: House) -> Document:
    queues: list[Document] = house.client("sue").get("/api/metrics/live").json()["queues"]
    return next(queue for queue in queues if queue["name"] == "billing")


def facts(house: House, kind: str, name: str) -> Document:
    """What the day's quarter hours of one queue, skill or agent add up to."""
    query = {"kind": kind, "name": name}
    told = house.client("sue").get("/api/metrics/intervals", params=query).json()["intervals"]
    names = [measure for measure, value in (told[0] if told else {}).items() if type(value) is int]
    return {measure: sum(row[measure] for row in told) for measure in names}


def abandon(house: House) -> float:
    """A caller who withholds his number waits for nobody until it is an alarm; how long his call took at most."""
    begun = time.monotonic()
    with house.customer("anonymous", QUEUE) as customer:
        eventually("the alarm of the longest wait", lambda: "longest_wait" in live_queue(house)["alarms"])
        assert live_queue(house)["waiting"] == 1
        customer.hang_up()
    return time.monotonic() - begun


def talk(house: House, number: str) -> float:
    """anna lets it ring, cleo answers; the caller hangs up a second later. How long his call took at most."""
    for agent in ("anna", "cleo"):
        house.register(agent)
    house.set_state("anna", "available")
    house.becomes("anna", "available")
    begun = time.monotonic()
    with (
        house.phone("anna", ringing_phone()) as anna,
        house.phone("cleo", phone(ring_ms=200)) as cleo,
        house.customer(number, QUEUE) as customer,
    ):
        house.becomes("anna", "reserved")
        house.set_state("cleo", "available")
        anna.wait()
        house.becomes("cleo", "on_contact")
        time.sleep(TALK_S)
        customer.hang_up()
        took = time.monotonic() - begun
        cleo.wait()
    house.becomes("cleo", "available")
    house.set_state("cleo", "not_ready")
    return took


def test_log_and_facts_tell_what_the_callers_met_also_over_a_restart(counted: House) -> None:
    house, number = counted, counted.number()
    with Follower(house) as follower:
        abandon(house)
        before = house.withheld_s()
        took = talk(house, number)
        late_ms = (house.withheld_s() - before) * 1000
        follower.has("COMPLETECALLER")
        # Stopped by SIGTERM; the file is followed meanwhile.
        house.server.stop()
        house.server.start()
        left_after = abandon(house)
        follower.has("ABANDON", 2)
        house.set_state("cleo", "logged_out")
        follower.has("REMOVEMEMBER")
        followed = follower.lines()
    exported = fields(house.server.callcenter("queue-log", "export"))
    assert followed == exported
    assert ends(followed) == [
        ("billing", "NONE", "ENTERQUEUE"),
        ("billing", "NONE", "ABANDON"),
        ("billing", "NONE", "ENTERQUEUE"),
        ("billing", "anna", "RINGNOANSWER"),
        ("billing", "cleo", "CONNECT"),
        ("billing", "cleo", "COMPLETECALLER"),
        ("billing", "NONE", "ENTERQUEUE"),
        ("billing", "NONE", "ABANDON"),
    ]
    by_event = {line[4]: line for line in followed}
    assert sum(line[4] == "QUEUESTART" for line in followed) == 2
    assert [line[6] for line in followed if line[4] == "ENTERQUEUE"] == ["", number, ""]
    assert by_event["ABANDON"][5:7] == ["1", "1"]
    assert 1 <= int(by_event["ABANDON"][7]) <= left_after
    hold, talked, position = by_event["COMPLETECALLER"][5:]
    assert (hold, position) == (by_event["CONNECT"][5], "1")
    assert int(hold) >= RING_S
    assert int(talked) >= TALK_S
    assert int(hold) + int(talked) <= took
    assert -100 < int(by_event["RINGNOANSWER"][5]) - RING_S * 1000 < 300 + late_ms

    queue = facts(house, "queue", "billing")
    assert {name: queue[name] for name in ("entered", "queued", "offered", "answered", "abandoned", "handled")} == {
        "entered": 3,
        "queued": 3,
        "offered": 3,
        "answered": 1,
        "abandoned": 2,
        "handled": 1,
    }
    assert (queue["answered_in_time"], queue["abandoned_in_time"], queue["abandoned_short"]) == (0, 2, 0)
    assert 1000 <= queue["wrap_ms"] < 1300 + late_ms
    assert facts(house, "skill", "billing")["answered"] == 1
    assert facts(house, "agent", "anna")["missed"] == 1
    cleo = facts(house, "agent", "cleo")
    assert (cleo["offers"], cleo["accepted"], cleo["answered"]) == (1, 1, 1)
    assert "add up to" in house.server.callcenter("metrics", "check")
    text = house.server.callcenter("metrics", "intervals", "--queue", "billing", "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    # Two, where a quarter of an hour ended meanwhile.
    assert sum(int(row["entered"]) for row in rows) == 3
    assert {"sl_queue", "occupancy"} < rows[0].keys()
    seen_live = live_queue(house)
    assert seen_live["variant"] == "sl_abandons_negative"
    assert (seen_live["today"]["offered"], seen_live["today"]["sl_abandons_negative"]) == (3, 0.0)
    assert seen_live["today"]["sl_queue"] == round(2 / 3, 4)
    assert seen_live["alarms"] == ["service_level"]
    assert f"sl_abandons_negative, {T_S} s" in house.server.callcenter("metrics", "live")


def lines_of(house: House, number: str) -> list[list[str]]:
    """The lines of the newest call from `number`, once it is over, without time and id."""
    contact = house.record(number)["contact"]
    return [line[2:] for line in fields(house.server.callcenter("queue-log", "export")) if line[1] == contact]


def test_a_transferred_call_counts_in_both_queues(counted: House) -> None:
    house, number = counted, counted.number()
    before = facts(house, "queue", "support").get("answered", 0)
    for agent in ("anna", "bert"):
        house.register(agent)
        house.set_state(agent, "available")
        house.becomes(agent, "available")
    with (
        house.phone("anna", phone()) as anna,
        house.phone("bert", phone()) as bert,
        house.customer(number, QUEUE) as customer,
    ):
        house.becomes("anna", "on_contact")
        wish = {"action": "transfer", "kind": "queue", "target": "support"}
        assert house.client("anna").post("/api/agents/me/call", json=wish).status_code in {200, 204}
        anna.wait()
        house.becomes("bert", "on_contact")
        customer.hang_up()
        bert.wait()
    lines = lines_of(house, number)
    assert [line[:3] for line in lines] == [
        ["billing", "NONE", "ENTERQUEUE"],
        ["billing", "anna", "CONNECT"],
        ["billing", "anna", "BLINDTRANSFER"],
        ["support", "NONE", "ENTERQUEUE"],
        ["support", "bert", "CONNECT"],
        ["support", "bert", "COMPLETECALLER"],
    ]
    assert lines[2][3:5] == ["support", "queue"]
    eventually("the fact", lambda: facts(house, "queue", "support").get("answered") == before + 1)
    assert facts(house, "agent", "anna")["answered"] == 1
    assert "add up to" in house.server.callcenter("metrics", "check")
    for agent in ("anna", "bert"):
        house.set_state(agent, "logged_out")


def test_a_key_that_leads_out_of_the_queue_is_no_abandon(counted: House) -> None:
    house, number = counted, counted.number()
    zero = write_digits_pcap(house.folder / "zero.pcap", "0")
    pressing = caller(Sound(), number=number, hangs_up=False)
    pressing = pressing.replace('<recv request="BYE"', pause(1200) + play(Sound(zero)) + '<recv request="BYE"', 1)
    abandoned = facts(house, "queue", "billing")["abandoned"]
    house.caller(pressing, EXITS, talk_ms=100).start().wait()
    entered, left = lines_of(house, number)
    assert entered[2] == "ENTERQUEUE"
    assert left[:6] == ["billing", "NONE", "EXITWITHKEY", "0", "1", "1"]
    assert facts(house, "queue", "billing")["abandoned"] == abandoned
    assert facts(house, "queue", "billing")["overflowed"] == 1


def test_monitoring_reads_the_counters_of_this_run(counted: House) -> None:
    abandon(counted)
    address = f"http://127.0.0.1:{counted.server.http}/metrics"

    def counts() -> dict[str, str]:
        answer = httpx.get(address, timeout=15)
        assert answer.status_code == 200
        return dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))

    gone = 'callcenter_queue_left_total{queue="billing",outcome="abandoned"}'
    found = eventually(
        "the abandoned caller, and nobody else",
        lambda: next((told for told in [counts()] if told.get(gone) and told["callcenter_calls"] == "0"), None),
    )
    assert found['callcenter_queue_waiting{queue="billing"}'] == "0"
    assert found["callcenter_site_database_up"] == "1"
    token = Path(counted.server.data / "monitor.token").read_text().strip()
    bearer = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "198.51.100.7"}
    assert httpx.get(address, headers=bearer, timeout=15).status_code == 200
    assert httpx.get(address, headers={"X-Forwarded-For": "198.51.100.7"}, timeout=15).status_code == 401
