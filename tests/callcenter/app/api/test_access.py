"""Every route against every role, generated from the application's own routes."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from callcenter.app.api.access import Rule, allow, check_routes, declared_rules
from callcenter.app.asgi import create_api
from callcenter.console.consoles import Consoles
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import ConfigError
from tests.callcenter.app.api.conftest import Web
from tests.support.web import ROLES, FakePorts

LOGINS = {"agent": "ann", "supervisor": "sue", "quality": "quinn", "administrator": "root"}

# The promise to readers of the documentation; a new route must be added here as well.
EXPECTED: dict[tuple[str, str], Rule] = {
    ("POST", "/api/session"): "public",
    ("GET", "/api/session"): "signed_in",
    ("DELETE", "/api/session"): "signed_in",
    ("POST", "/api/session/ticket"): "signed_in",
    ("GET", "/api/calls"): "calls.read",
    ("GET", "/api/calls/{contact}"): "calls.read",
    ("GET", "/api/calls/{contact}/recording"): "calls.listen",
    ("GET", "/api/calls/{contact}/why"): "calls.read",
    ("GET", "/api/agents"): "agents.read",
    ("POST", "/api/agents/me/state"): "desk.use",
    ("POST", "/api/agents/me/call"): "desk.use",
    ("POST", "/api/agents/me/offer"): "desk.use",
    ("POST", "/api/agents/me/wrap-up"): "desk.use",
    ("POST", "/api/agents/{agent}/state"): "agents.control",
    ("POST", "/api/agents/{agent}/skills"): "agents.control",
    ("POST", "/api/agents/{agent}/sign-out"): "agents.control",
    ("GET", "/api/entries"): "live.read",
    ("POST", "/api/entries/{entry}/move"): "queues.control",
    ("POST", "/api/entries/{entry}/priority"): "queues.control",
    ("POST", "/api/entries/{entry}/cancel"): "queues.control",
    ("GET", "/api/callbacks"): "live.read",
    ("GET", "/api/desk/options"): "desk.use",
    ("GET", "/api/queues"): "queues.read",
    ("GET", "/api/customers"): "customers.read",
    ("POST", "/api/customers"): "customers.write",
    ("POST", "/api/customers/import"): "customers.import",
    ("GET", "/api/customers/export"): "customers.import",
    ("GET", "/api/customers/lookup"): "customers.read",
    ("GET", "/api/customers/{customer}"): "customers.read",
    ("PATCH", "/api/customers/{customer}"): "customers.write",
    ("GET", "/api/customers/{customer}/history"): "customers.read",
    ("GET", "/api/customers/{customer}/timeline"): "customers.read",
    ("POST", "/api/contacts/{contact}/customer"): "customers.write",
    ("GET", "/api/tickets"): "tickets.read",
    ("POST", "/api/tickets"): "tickets.write",
    ("GET", "/api/tickets/options"): "tickets.read",
    ("GET", "/api/tickets/{ticket}"): "tickets.read",
    ("PATCH", "/api/tickets/{ticket}"): "tickets.write",
    ("POST", "/api/tickets/{ticket}/messages"): "tickets.write",
    ("GET", "/api/admin/policy"): "policy.manage",
    ("PUT", "/api/admin/policy"): "policy.manage",
    ("POST", "/api/admin/policy/check"): "policy.manage",
    ("GET", "/api/admin/policy/versions"): "policy.manage",
    ("GET", "/api/admin/policy/versions/{number}"): "policy.manage",
    ("POST", "/api/admin/policy/versions/{number}/activate"): "policy.manage",
    ("GET", "/api/names"): "agents.read",
    ("GET", "/api/metrics/intervals"): "live.read",
    ("GET", "/api/metrics/live"): "live.read",
    ("GET", "/metrics"): "status.read",
    ("GET", "/api/laboratory"): "live.read",
    ("GET", "/api/laboratory/experiments"): "live.read",
    ("POST", "/api/laboratory/experiments"): "live.read",
    ("GET", "/api/laboratory/experiments/{experiment}"): "live.read",
    ("DELETE", "/api/laboratory/experiments/{experiment}"): "live.read",
    ("GET", "/api/health"): "public",
    ("GET", "/api/status"): "status.read",
    ("GET", "/api/config/flows"): "config.read",
    ("GET", "/api/openapi.json"): "api.read",
    ("GET", "/{path:path}"): "public",
}


def api(folder: Path) -> FastAPI:
    """The application's routes over fakes."""
    fakes = FakePorts(folder)
    return create_api(fakes.ports(), Consoles(FakeClock()), recordings=fakes.recordings, dist=fakes.dist)


def test_routes_and_their_permissions_are_those_that_are_promised(tmp_path: Path) -> None:
    found = {(method, path): rule for method, path, rule in declared_rules(api(tmp_path))}
    assert found == EXPECTED


def test_an_application_with_an_undeclared_route_is_not_built(tmp_path: Path) -> None:
    app = api(tmp_path)
    app.add_api_route("/api/forgotten", lambda: {})
    with pytest.raises(ConfigError, match="/api/forgotten"):
        check_routes(app)


def test_a_mounted_application_is_refused_because_it_can_declare_nothing(tmp_path: Path) -> None:
    app = api(tmp_path)
    app.mount("/files", FastAPI())
    with pytest.raises(ConfigError, match="cannot declare"):
        check_routes(app)


def test_a_permission_that_nobody_knows_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ConfigError, match="not known"):
        allow("calls.raed")  # type: ignore[arg-type]  # the mistake under test


def address(path: str) -> str:
    """An address of the route."""
    return (
        path.replace("{contact}", "c1")
        .replace("{agent}", "bob")
        .replace("{customer}", "k1")
        .replace("{ticket}", "t1")
        .replace("{number}", "1")
        .replace("{experiment}", "e1")
        .replace("{path:path}", "")
    )


@pytest.mark.parametrize(("method", "path"), EXPECTED)
async def test_a_stranger_gets_only_what_is_public(web: Web, method: str, path: str) -> None:
    answer = await web.browser().request(method, address(path))
    public = EXPECTED[method, path] == "public"
    assert (answer.status_code == 401) is not public or path == "/api/session"
    assert public or answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("role", LOGINS)
@pytest.mark.parametrize(("method", "path"), EXPECTED)
async def test_a_role_gets_what_its_permissions_say(web: Web, method: str, path: str, role: str) -> None:
    browser = await web.signed_in(LOGINS[role])
    answer = await browser.request(method, address(path), json={})
    rule = EXPECTED[method, path]
    allowed = rule in {"public", "signed_in"} or rule in ROLES[role]
    assert (answer.status_code == 403) is not allowed
    assert allowed or answer.json() == {
        "code": "permission_denied",
        "message": "You may not do this.",
        "data": {"permission": rule},
    }


async def test_a_permission_taken_away_is_missed_at_the_next_request(web: Web) -> None:
    browser = await web.signed_in("sue")
    web.fakes.identity.sessions.clear()
    assert (await browser.get("/api/agents")).status_code == 401
