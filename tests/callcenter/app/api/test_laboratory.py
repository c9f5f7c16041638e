"""Experiments over HTTP: asked, followed, stopped, and refused by their field."""

from typing import Any

import pytest

from callcenter.app.experiment_files import Alternative, Question
from tests.callcenter.app.api.conftest import Web

WISH = {"kind": "day", "subject": "1999-02-03", "alternatives": [{"name": "two more", "more": 2}], "replications": 4}


async def test_supervisor_sees_what_can_be_asked(web: Web) -> None:
    answer = await (await web.signed_in("sue")).get("/api/laboratory")
    assert answer.json()["days"] == [{"day": "1999-02-03", "calls": 1_949}]
    assert answer.json()["scenarios"][0]["groups"] == ["all_round"]


async def test_experiment_is_begun_followed_and_read(web: Web) -> None:
    browser = await web.signed_in("sue")
    begun = await browser.post("/api/laboratory/experiments", json=WISH)
    assert (begun.status_code, begun.json()["state"], begun.json()["wanted"]) == (201, "running", 4)
    laboratory = web.fakes.laboratory
    assert laboratory.found("e1").question == Question("day", "1999-02-03", (Alternative("two more", more=2),), 4)
    laboratory.finish("e1", {"policies": []})
    found = await browser.get("/api/laboratory/experiments/e1")
    assert (found.json()["state"], found.json()["result"]) == ("done", {"policies": []})
    listed = await browser.get("/api/laboratory/experiments")
    assert [each["result"] for each in listed.json()["experiments"]] == [None]


async def test_second_experiment_waits_for_the_first(web: Web) -> None:
    browser = await web.signed_in("sue")
    await browser.post("/api/laboratory/experiments", json=WISH)
    refused = await browser.post("/api/laboratory/experiments", json=WISH)
    assert (refused.status_code, refused.json()["data"]["reason"]) == (409, "running")
    stopped = await browser.delete("/api/laboratory/experiments/e1")
    assert stopped.json()["state"] == "cancelled"
    assert (await browser.post("/api/laboratory/experiments", json=WISH)).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "../../etc/passwd"},
        {"kind": "scenario", "subject": ".."},
        {"subject": "tomorrow"},
        {"alternatives": []},
        {"alternatives": [{"name": "x", "rule": "magic"}]},
        {"replications": 100_000},
        {"colour": 1},
    ],
)
async def test_what_makes_no_sense_is_refused(web: Web, change: dict[str, Any]) -> None:
    answer = await (await web.signed_in("sue")).post("/api/laboratory/experiments", json=WISH | change)
    assert answer.status_code == 422
    assert web.fakes.laboratory.listed() == []


async def test_unknown_experiment_is_not_found(web: Web) -> None:
    browser = await web.signed_in("sue")
    assert (await browser.get("/api/laboratory/experiments/e9")).status_code == 404
    assert (await browser.delete("/api/laboratory/experiments/e9")).status_code == 404
