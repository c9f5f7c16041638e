"""Signing in and out."""

import pytest

from callcenter.kernel.errors import Overloaded
from tests.callcenter.app.api.conftest import Web
from tests.support.web import AGENT, PASSWORD


async def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(web: Web) -> None:
    answer = await web.browser().post("/api/session", json={"login": "ann", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("callcenter_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert answer.json() == {
        "user": "user-ann",
        "login": "ann",
        "name": "Ann",
        "role": "agent",
        "agent": "ann",
        "permissions": sorted(AGENT),
    }


async def test_over_https_the_cookie_is_secure_and_bound_to_the_host(web: Web) -> None:
    address = "https://calls.test"
    answer = await web.browser().post(
        address + "/api/session", json={"login": "ann", "password": PASSWORD}, headers={"Origin": address}
    )
    assert answer.headers["set-cookie"].startswith("__Host-callcenter_session=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("login", ["ann", "nobody"])
async def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(web: Web, login: str) -> None:
    answer = await web.browser().post("/api/session", json={"login": login, "password": "wrong"})
    assert answer.status_code == 401
    assert answer.json() == {"code": "not_authenticated", "message": "Login or password is wrong.", "data": {}}
    assert "set-cookie" not in answer.headers


async def test_a_throttled_sign_in_says_when_to_come_back(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def throttled(login: str, password: str, *, source: str) -> None:
        raise Overloaded("Too many attempts.", data={"retry_after_s": 30})

    monkeypatch.setattr(web.fakes.identity, "sign_in", throttled)
    answer = await web.browser().post("/api/session", json={"login": "ann", "password": "x"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


async def test_signing_out_ends_the_session(web: Web) -> None:
    browser = await web.signed_in("ann")
    assert (await browser.delete("/api/session")).status_code == 204
    assert web.fakes.identity.sessions == {}
    assert (await browser.get("/api/session")).status_code == 401


async def test_a_ticket_is_for_the_asking_session(web: Web) -> None:
    browser = await web.signed_in("ann")
    answer = (await browser.post("/api/session/ticket")).json()
    redeemed = await web.fakes.identity.redeem_ticket(answer["ticket"])
    assert redeemed is not None
    assert redeemed.login == "ann"
    assert answer["expires_in_s"] == 60


async def test_a_sign_in_that_takes_over_ends_the_other_sessions_of_that_user_only(web: Web) -> None:
    here, hers = await web.signed_in("ann"), await web.signed_in("bob")
    there = web.browser()
    answer = await there.post("/api/session", json={"login": "ann", "password": PASSWORD, "take_over": True})
    assert answer.status_code == 200
    asked = [await each.get("/api/session") for each in (here, there, hers)]
    assert [each.status_code for each in asked] == [401, 200, 200]
