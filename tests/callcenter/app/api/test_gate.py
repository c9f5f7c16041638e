"""What holds for every request: origins, sizes, headers, pages."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.callcenter.app.api.conftest import ORIGIN, Web


@pytest.mark.parametrize(
    "origin", ["http://evil.test", "https://calls.test", "http://calls.test:81", "null", "", "http://calls.test.evil"]
)
async def test_an_unsafe_method_from_another_origin_is_refused(web: Web, origin: str) -> None:
    browser = await web.signed_in("ann")
    answer = await browser.post("/api/session/ticket", headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")


async def test_an_unsafe_method_without_an_origin_is_refused(web: Web) -> None:
    browser = await web.signed_in("ann")
    del browser.headers["Origin"]
    assert (await browser.delete("/api/session")).status_code == 403
    assert (await browser.get("/api/session")).status_code == 200


async def test_the_default_port_may_be_left_out_of_the_origin(web: Web) -> None:
    browser = await web.signed_in("ann")
    answer = await browser.post("/api/session/ticket", headers={"Origin": ORIGIN, "Host": "calls.test:80"})
    assert answer.status_code == 200


async def test_a_body_over_the_limit_is_refused_before_it_is_read(web: Web) -> None:
    answer = await web.browser().post("/api/session", content=b" " * 70_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_body_that_hides_its_length_is_cut_off_at_the_limit(web: Web) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    answer = await web.browser().post("/api/session", content=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/agents", "/nothing"])
async def test_every_answer_has_the_security_headers_and_no_banner(web: Web, path: str) -> None:
    answer = await web.browser().get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


async def test_unknown_addresses_and_methods_are_told_in_the_same_form(web: Web) -> None:
    browser = web.browser()
    assert (await browser.get("/api/nothing")).json()["code"] == "not_found"
    wrong = await browser.put("/api/health")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


async def test_the_websocket_address_answers_no_plain_request(web: Web) -> None:
    assert (await web.browser().get("/ws")).status_code == 404


async def test_a_bug_of_ours_is_a_500_that_tells_nothing(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr(web.fakes.status, "status", broken)
    browser = await web.signed_in("sue")
    with pytest.raises(KeyError):
        await browser.get("/api/status")


async def test_missing_pages_are_said_clearly(web: Web) -> None:
    answer = await web.browser().get("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text


async def test_pages_are_served_with_the_caching_that_their_names_allow(web: Web) -> None:
    assets = web.fakes.dist / "assets"
    assets.mkdir(parents=True)
    (assets / "app-1a2b.js").write_text("console.log(1)")
    (web.fakes.dist / "index.html").write_text("<!doctype html>")
    browser: httpx.AsyncClient = web.browser()
    page = await browser.get("/")
    assert (page.text, page.headers["cache-control"]) == ("<!doctype html>", "no-cache")
    again = await browser.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    script = await browser.get("/assets/app-1a2b.js")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (script.headers["content-encoding"], script.text) == ("gzip", "console.log(1)")


@pytest.mark.parametrize("path", ["/../secret", "/assets/../../secret", "/%2e%2e/secret", "/assets/%2e%2e%2fsecret"])
async def test_no_address_leaves_the_folder_of_the_pages(web: Web, path: str) -> None:
    web.fakes.dist.mkdir()
    (web.fakes.folder / "secret").write_text("secret")
    assert (await web.browser().get(path)).status_code == 404
