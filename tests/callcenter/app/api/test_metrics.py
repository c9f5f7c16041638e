"""How the queues do, over HTTP, and who may scrape it."""

from datetime import date

import httpx
import pytest

from callcenter.app.asgi import create_app
from tests.callcenter.app.api.conftest import ORIGIN, Web
from tests.support.metrics import TOKEN


async def test_a_supervisor_gets_the_quarter_hours_of_a_queue_as_json_and_csv(web: Web) -> None:
    browser = await web.signed_in("sue")
    query = {"day": "2026-03-02", "kind": "queue", "name": "billing"}
    answer = await browser.get("/api/metrics/intervals", params=query)
    assert answer.json()["intervals"][0]["offered"] == 3
    answer = await browser.get("/api/metrics/intervals", params={**query, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="intervals-2026-03-02.csv"'
    assert answer.text.splitlines()[1].endswith("billing,3")
    assert web.fakes.metrics.asked == [(date(2026, 3, 2), "queue", "billing")] * 2


@pytest.mark.parametrize("query", [{"day": "yesterday"}, {"kind": "team"}, {"format": "xml"}, {"name": "a b"}])
async def test_what_makes_no_sense_is_refused_by_name(web: Web, query: dict[str, str]) -> None:
    answer = await (await web.signed_in("sue")).get("/api/metrics/intervals", params=query)
    assert answer.status_code == 422
    assert next(iter(query)) in answer.text


async def test_live_values_name_the_alarms(web: Web) -> None:
    answer = await (await web.signed_in("sue")).get("/api/metrics/live")
    assert answer.json()["queues"][0]["alarms"] == ["longest_wait"]


async def test_monitoring_shows_its_token(web: Web) -> None:
    browser = web.browser()
    assert (await browser.get("/metrics")).status_code == 401
    wrong = await browser.get("/metrics", headers={"Authorization": "Bearer nonsense"})
    assert wrong.status_code == 401
    answer = await browser.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.text) == (200, "callcenter_calls 2\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize(
    ("headers", "origins", "status"),
    [
        ({}, (), 200),
        ({"X-Forwarded-For": "198.51.100.7"}, (), 401),
        ({}, ("https://calls.example.org",), 401),
    ],
)
async def test_on_this_machine_no_token_is_needed_unless_a_proxy_speaks_for_others(
    web: Web, headers: dict[str, str], origins: tuple[str, ...], status: int
) -> None:
    fakes = web.fakes
    app = create_app(fakes.ports(), web.consoles, recordings=fakes.recordings, dist=fakes.dist, origins=origins)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("127.0.0.1", 40_000)), base_url=ORIGIN
    ) as here:
        assert (await here.get("/metrics", headers=headers)).status_code == status
