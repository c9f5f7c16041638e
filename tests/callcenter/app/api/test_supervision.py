"""Supervisors over HTTP: who waits, and what is done with him."""

import pytest

from tests.callcenter.app.api.conftest import Web


async def test_who_waits_is_listed_with_his_place_and_the_wait_to_expect(web: Web) -> None:
    answer = await (await web.signed_in("sue")).get("/api/entries")
    (entry,) = answer.json()["entries"]
    assert (entry["id"], entry["position"], entry["expected_wait_ms"]) == ("call1-q1", 1, 60_000)
    assert (await (await web.signed_in("sue")).get("/api/entries?queue=sales")).json() == {"entries": []}


async def test_callbacks_are_listed_without_a_number(web: Web) -> None:
    (callback,) = (await (await web.signed_in("sue")).get("/api/callbacks")).json()["callbacks"]
    assert callback["state"] == "resting"
    assert "number" not in callback


async def test_a_supervisor_moves_prioritises_and_cancels_who_waits(web: Web) -> None:
    browser = await web.signed_in("sue")
    answers = [
        await browser.post("/api/entries/call1-q1/move", json={"queue": "sales"}),
        await browser.post("/api/entries/call1-q1/priority", json={"priority": 90}),
        await browser.post("/api/entries/call1-q1/cancel"),
    ]
    assert [answer.status_code for answer in answers] == [204] * 3
    assert web.fakes.supervision.asked == [
        ("call1-q1", "move", "sales", "user-sue"),
        ("call1-q1", "priority", 90, "user-sue"),
        ("call1-q1", "cancel", "user-sue"),
    ]


async def test_who_is_gone_is_not_found(web: Web) -> None:
    answer = await (await web.signed_in("sue")).post("/api/entries/call9-q1/cancel")
    assert answer.status_code == 404


async def test_skills_are_given_and_given_back(web: Web) -> None:
    browser = await web.signed_in("sue")
    await browser.post("/api/agents/ann/skills", json={"skills": {"billing": 3}})
    await browser.post("/api/agents/ann/skills", json={"skills": None})
    assert web.fakes.supervision.asked == [
        ("ann", "skills", {"billing": 3}, "user-sue"),
        ("ann", "skills", None, "user-sue"),
    ]


async def test_an_agent_is_signed_out_by_force(web: Web) -> None:
    answer = await (await web.signed_in("sue")).post("/api/agents/ann/sign-out")
    assert answer.status_code == 204
    assert web.fakes.supervision.asked == [("ann", "out", "user-sue")]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/entries/call1-q1/priority", {"priority": 100}, "priority"),
        ("/api/entries/call1-q1/move", {}, "queue"),
        ("/api/agents/ann/skills", {"skills": {"billing": 11}}, "skills.billing"),
    ],
)
async def test_a_body_that_breaks_its_schema_names_the_field(
    web: Web, path: str, body: dict[str, object], field: str
) -> None:
    answer = await (await web.signed_in("sue")).post(path, json=body)
    assert (answer.status_code, answer.json()["data"]["field"]) == (422, field)
    assert web.fakes.supervision.asked == []
