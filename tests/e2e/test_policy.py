"""Queues, agents and skills changed while a caller waits: he is offered to whoever may serve him now, and stays."""

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import yaml

from tests.e2e.house import OWN_RTP_PORTS, QUEUE, House, files
from tests.support.scenario import phone
from tests.support.server import Document, Server, eventually

pytestmark = pytest.mark.e2e

POLICY = "/api/admin/policy"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site of its own: these stories change its rules."""
    folder = tmp_path_factory.mktemp("policy")
    with Server(folder, files(OWN_RTP_PORTS)) as server:
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()
        assert server.tracebacks() == []


def root(house: House) -> httpx.Client:
    return house.client("admin")


def held(house: House) -> Document:
    found: Document = root(house).get(POLICY).json()
    return found


def changed(house: House, agent: str, skills: dict[str, int]) -> Document:
    """The policy in force with other skills of one agent, as the page would save it."""
    policy = held(house)
    agents = yaml.safe_load(policy["agents"])
    next(one for one in agents["agents"] if one["id"] == agent)["skills"] = skills
    return {
        "queues": policy["queues"],
        "agents": yaml.safe_dump(agents, sort_keys=False),
        "based_on": policy["version"],
        "note": f"{agent} learns",
    }


def becomes_available(house: House, agent: str) -> None:
    house.register(agent)
    house.set_state(agent, "available")
    house.becomes(agent, "available")


def waiting(house: House) -> int:
    queues = house.client("sue").get("/api/queues").json()["queues"]
    return next(int(one["waiting"]) for one in queues if one["id"] == "billing")


def why(house: House, record: Document) -> list[Document]:
    answer = house.client("quinn").get(f"/api/calls/{record['contact']}/why")
    assert answer.status_code == 200, answer.text
    story = answer.json()
    assert story["replayed"]
    steps: list[Document] = story["steps"]
    return steps


def test_a_waiting_caller_is_offered_to_the_agent_who_gets_the_skill(house: House) -> None:
    number = house.number()
    becomes_available(house, "bert")
    with (
        house.phone("bert", phone(ring_ms=200)) as bert,
        house.customer(number, QUEUE) as customer,
    ):
        eventually("the caller waits", lambda: waiting(house) == 1)
        answer = root(house).put(POLICY, json=changed(house, "bert", {"support": 3, "billing": 2}))
        assert answer.status_code == 200, answer.text
        house.becomes("bert", "on_contact")
        customer.hang_up()
        bert.wait()
    assert answer.json()["active"]
    assert "+    billing: 2" in answer.json()["diff"]
    record = house.record(number)
    assert (record["result"], record["agent"]) == ("answered", "bert")
    steps = why(house, record)
    assert [step["kind"] for step in steps][:4] == ["entry.queued", "entry.waits", "policy.loaded", "offer.created"]
    assert steps[1]["reason"] == "nobody_staffed"
    reasons = {one["agent"]: one["reason"] for one in steps[3]["agents"]}
    assert reasons == {"bert": "chosen", "anna": "logged_out", "cleo": "logged_out"}


def test_a_mistake_is_named_at_its_key_and_changes_nothing(house: House) -> None:
    before = held(house)
    body = changed(house, "bert", {"billing": 99})
    refused = root(house).put(POLICY, json=body)
    assert refused.status_code == 422
    (error,) = refused.json()["data"]["errors"]
    assert (error["file"], error["key"].partition("]")[2]) == ("agents.yaml", ".skills.billing")
    assert "billing: 99" in body["agents"].splitlines()[error["line"] - 1]
    without = yaml.safe_dump({"queues": [{"name": "other"}]})
    refused = root(house).put(POLICY, json={**body, "queues": without, "agents": before["agents"]})
    assert "billing" in refused.json()["data"]["errors"][0]["message"]
    assert held(house) == before


def test_two_administrators_do_not_overwrite_each_other(house: House) -> None:
    first, second = changed(house, "cleo", {"billing": 4}), changed(house, "cleo", {"billing": 5})
    assert root(house).put(POLICY, json=first).status_code == 200
    refused = root(house).put(POLICY, json=second)
    assert (refused.status_code, refused.json()["code"]) == (409, "policy_changed")
    assert refused.json()["data"]["active"] == first["based_on"] + 1


@pytest.mark.parametrize("login", ["anna", "sue", "quinn"])
def test_only_administrators_may(house: House, login: str) -> None:
    assert house.client(login).get(POLICY).status_code == 403
    assert house.client(login).put(POLICY, json={}).status_code == 403


def test_an_earlier_version_comes_back_while_a_caller_waits_and_holds_over_a_restart(house: House) -> None:
    number = house.number()
    house.set_state("bert", "logged_out")
    house.becomes("bert", "logged_out")
    active = held(house)["version"]
    epoch = house.server.application()[1]
    with house.customer(number, QUEUE) as customer:
        eventually("the caller waits", lambda: waiting(house) == 1)
        back = root(house).post(f"{POLICY}/versions/1/activate", json={"active": active})
        assert (back.status_code, back.json()["active"]) == (200, True)
        assert waiting(house) == 1
        os.kill(house.server.application()[0], signal.SIGKILL)
        house.server.wait_ready(after_epoch=epoch)
        eventually("the site database is open", lambda: root(house).get(POLICY).status_code == 200)
        assert held(house)["version"] == 1
        assert waiting(house) == 1
        customer.hang_up()
    record = house.record(number)
    assert record["result"] == "abandoned"
    kinds = [step["kind"] for step in why(house, record)]
    assert kinds[0] == "entry.queued"
    assert "policy.loaded" in kinds
    assert "restarted" in kinds
    assert kinds[-1] == "entry.abandoned"
    listed = root(house).get(f"{POLICY}/versions").json()["versions"]
    assert [one["version"] for one in listed if one["active"]] == [1]


def test_the_journal_of_these_calls_replays_to_the_same_decisions(house: House) -> None:
    verdict = json.loads(house.server.callcenter("acd", "replay", "--json"))
    assert verdict["equal"], verdict["divergence"]
    assert verdict["inputs"] > 20
    assert verdict["facts"] > 15
    assert len(verdict["logged_cores"]) == 2
    assert verdict["snapshots"] >= 1


def test_a_changed_line_of_the_journal_is_named(house: House, tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(house.server.data / "live.db")) as live,
        closing(sqlite3.connect(tmp_path / "live.db")) as copy,
    ):
        live.backup(copy)
        row = copy.execute("SELECT seq FROM journal WHERE type = 'acd.offer.created' LIMIT 1").fetchone()
        copy.execute("UPDATE journal SET data = replace(data, '\"bert\"', '\"anna\"') WHERE seq = ?", row)
        copy.commit()
    done = subprocess.run(
        house.server.command("--data", str(tmp_path), "acd", "replay"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"journal number {row[0]} " in done.stdout
    assert '"agent":"anna"' in done.stdout
    assert '"agent":"bert"' in done.stdout
