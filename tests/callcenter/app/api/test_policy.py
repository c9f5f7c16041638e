"""The policy over HTTP: read, checked, changed, rolled back."""

import pytest

from tests.callcenter.app.api.conftest import Web
from tests.support.policy import AGENTS, QUEUES

PATH = "/api/admin/policy"
BETTER = AGENTS.replace("billing: 3", "billing: 9")


async def test_the_policy_in_force_has_its_texts(web: Web) -> None:
    root = await web.signed_in("root")
    found = (await root.get(PATH)).json()
    assert (found["version"], found["active"], found["author"]) == (1, True, "files")
    assert (found["queues"], found["agents"]) == (QUEUES, AGENTS)


async def test_a_new_version_is_in_force_with_its_author_note_and_difference(web: Web) -> None:
    root = await web.signed_in("root")
    body = {"queues": QUEUES, "agents": BETTER, "based_on": 1, "note": " more billing "}
    saved = (await root.put(PATH, json=body)).json()
    assert (saved["version"], saved["based_on"], saved["author"], saved["note"], saved["active"]) == (
        2, 1, "user-root", "more billing", True,
    )  # fmt: skip
    assert "+    skills: {billing: 9}" in saved["diff"]
    listed = (await root.get(f"{PATH}/versions")).json()["versions"]
    assert [(one["version"], one["active"]) for one in listed] == [(2, True), (1, False)]


async def test_a_version_may_wait_and_an_earlier_one_come_back(web: Web) -> None:
    root = await web.signed_in("root")
    body = {"queues": QUEUES, "agents": BETTER, "based_on": 1, "activate": False}
    assert (await root.put(PATH, json=body)).json()["active"] is False
    assert (await root.post(f"{PATH}/versions/2/activate", json={"active": 1})).json()["active"] is True
    assert (await root.post(f"{PATH}/versions/1/activate", json={"active": 2})).json()["version"] == 1
    assert (await root.get(PATH)).json()["version"] == 1
    assert (await root.get(f"{PATH}/versions/2")).json()["agents"] == BETTER


async def test_mistakes_are_named_at_their_keys(web: Web) -> None:
    root = await web.signed_in("root")
    body = {"queues": "queues:\n  - name: 7\n", "agents": AGENTS}
    told = (await root.post(f"{PATH}/check", json=body)).json()
    assert told["errors"] == [
        {"file": "queues.yaml", "key": "queues[0].name", "message": "must be a text (quote numbers)", "line": 2}
    ]
    assert "+  - name: 7" in told["diff"]
    refused = await root.put(PATH, json={**body, "based_on": 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "policy_invalid")
    assert refused.json()["data"]["errors"] == told["errors"]


async def test_who_edited_an_old_version_is_told_so(web: Web) -> None:
    root = await web.signed_in("root")
    body = {"queues": QUEUES, "agents": BETTER, "based_on": 1}
    await root.put(PATH, json=body)
    late = await root.put(PATH, json=body)
    assert (late.status_code, late.json()["code"], late.json()["data"]) == (409, "policy_changed", {"active": 2})


@pytest.mark.parametrize("number", ["0", "x", "99"])
async def test_a_version_that_is_none_is_refused(web: Web, number: str) -> None:
    root = await web.signed_in("root")
    assert (await root.get(f"{PATH}/versions/{number}")).status_code in {404, 422}


async def test_a_large_policy_is_taken_and_a_huge_one_refused(web: Web) -> None:
    root = await web.signed_in("root")
    comment = "# " + "x" * 200_000 + "\n"
    body = {"queues": comment + QUEUES, "agents": AGENTS, "based_on": 1}
    assert (await root.put(PATH, json=body)).status_code == 200
    body["queues"] = comment * 20
    assert (await root.put(PATH, json=body)).status_code in {413, 422}
