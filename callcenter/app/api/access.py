"""Who may call a route: declared beside each route, checked before its handler, and for all routes at start.

Default deny: `check_routes` raises when any route of the application has no `Access`, so an application with an
undeclared route does not exist (security.md section B).
"""

from collections.abc import Iterator
from typing import Annotated, Literal, cast, get_args

from fastapi import Depends, FastAPI, Request
from fastapi.params import Depends as DependsParam
from fastapi.routing import APIRoute

from callcenter.console.ports import Identity, Permission, Principal
from callcenter.kernel.errors import ConfigError, NotAuthenticated, PermissionDenied

Rule = Permission | Literal["public", "signed_in"]

COOKIE = "callcenter_session"
SECURE_COOKIE = "__Host-callcenter_session"


class Access:
    """A dependency that lets a request through only if its session has `rule`, or if it is the site's monitor's."""

    def __init__(self, rule: Rule, *, monitors: bool = False) -> None:
        self.rule = rule
        self._monitors = monitors

    async def __call__(self, request: Request) -> None:
        if self.rule == "public" or (self._monitors and request.app.state.is_monitor(request)):
            return
        principal = await _principal(request)
        if principal is None:
            raise NotAuthenticated("Sign in first.")
        if self.rule != "signed_in" and self.rule not in principal.permissions:
            raise PermissionDenied("You may not do this.", data={"permission": self.rule})
        request.state.principal = principal


def allow(rule: Rule, *, monitors: bool = False) -> list[DependsParam]:
    """The `dependencies` of a route for `rule`; with `monitors` also for what watches the server, without session."""
    known = (*get_args(Permission), "public", "signed_in")
    if rule not in known:
        raise ConfigError(f"permission {rule!r} is not known")
    return [cast("DependsParam", Depends(Access(rule, monitors=monitors)))]


def cookie_name(request: Request) -> str:
    """Over https the name itself makes the browser insist on Secure, Path=/ and no Domain."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def session_token(request: Request) -> str | None:
    """The secret in the request's session cookie."""
    return request.cookies.get(cookie_name(request))


async def _principal(request: Request) -> Principal | None:
    token = session_token(request)
    if not token:
        return None
    identity = cast("Identity", request.app.state.identity)
    return await identity.principal(token)


def _asker(request: Request) -> Principal:
    return cast("Principal", request.state.principal)


Asker = Annotated[Principal, Depends(_asker)]


def declared_rules(app: FastAPI) -> Iterator[tuple[str, str, Rule]]:
    """(method, path, rule) of every route; raises ConfigError at the first route that declares none."""
    for route in app.routes:
        if not isinstance(route, APIRoute):
            raise ConfigError(f"route {getattr(route, 'path', route)!r} cannot declare a permission")
        rules = [one.dependency.rule for one in route.dependencies if isinstance(one.dependency, Access)]
        if len(rules) != 1:
            raise ConfigError(f"route {route.path!r} must declare one permission")
        for method in sorted(route.methods or ()):
            yield method, route.path, rules[0]


def check_routes(app: FastAPI) -> None:
    """Raises ConfigError unless every route declares exactly one permission."""
    for _ in declared_rules(app):
        pass
