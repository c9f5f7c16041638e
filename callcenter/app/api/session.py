"""Signing in and out, who am I, and the ticket that opens a websocket.

The session's secret lives in a cookie that scripts cannot read; it is in no URL and no body.
"""

from fastapi import FastAPI, Request, Response

from callcenter.app.api.access import Asker, allow, cookie_name, session_token
from callcenter.app.api.models import Credentials, Ticket, Who
from callcenter.console.consoles import Consoles
from callcenter.console.ports import Identity

TICKET_S = 60


def add_session_routes(app: FastAPI, identity: Identity, consoles: Consoles) -> None:
    """`/api/session` and below."""

    @app.post("/api/session", dependencies=allow("public"), tags=["session"])
    async def sign_in(credentials: Credentials, request: Request, response: Response) -> Who:
        """Sign in. 401 for a wrong pair, 503 with Retry-After while too many were wrong."""
        source = request.client.host if request.client is not None else ""
        signed_in = await identity.sign_in(credentials.login, credentials.password, source=source)
        if credentials.take_over:
            await identity.end_others(signed_in.principal)
            consoles.end_user(signed_in.principal.user, but=signed_in.principal.session)
        response.set_cookie(
            cookie_name(request),
            signed_in.token,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            path="/",
        )
        return Who.of(signed_in.principal)

    @app.get("/api/session", dependencies=allow("signed_in"), tags=["session"])
    async def who_am_i(asker: Asker) -> Who:
        """The signed-in user and what it may do."""
        return Who.of(asker)

    @app.delete("/api/session", dependencies=allow("signed_in"), status_code=204, tags=["session"])
    async def sign_out(asker: Asker, request: Request) -> Response:
        """End the session and its consoles."""
        await identity.sign_out(session_token(request) or "")
        consoles.end_session(asker.session)
        answer = Response(status_code=204)
        answer.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict")
        return answer

    @app.post("/api/session/ticket", dependencies=allow("signed_in"), tags=["session"])
    async def ticket(asker: Asker) -> Ticket:
        """A ticket for the first frame of one websocket."""
        return Ticket(ticket=await identity.issue_ticket(asker), expires_in_s=TICKET_S)
