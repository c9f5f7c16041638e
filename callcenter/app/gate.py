"""What holds for every request before any route is looked at (security.md section B).

Outermost ASGI application: websockets to the consoles, unsafe methods only from our own pages (Origin; SameSite
cookies are the second lock), bodies no larger than `MAX_BODY`, security headers on every answer.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from callcenter.app.api.errors import TooLarge, WrongOrigin, problem
from callcenter.console.connection import Message, Send
from callcenter.console.origin import header, is_same_origin
from callcenter.kernel.errors import CallcenterError, NotFound

Receive = Callable[[], Awaitable[Message]]
App = Callable[[Any, Any, Any], Awaitable[None]]

MAX_BODY = 64 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(self)"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_NO_STORE = (b"cache-control", b"no-store")


class Gate:
    """`api` answers HTTP, `consoles` the websocket at `/ws`."""

    def __init__(
        self,
        api: App,
        consoles: App,
        *,
        origins: Sequence[str] = (),
        max_body: int = MAX_BODY,
        larger: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """`larger` bodies are taken by the addresses of these paths."""
        self._larger = larger
        self._api = api
        self._consoles = consoles
        self._origins = origins
        self._max_body = max_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, _with_headers(scope, send))

    async def _websocket(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["path"] == "/ws":
            await self._consoles(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close"})

    async def _http(self, scope: Any, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is None:
            await self._api(scope, receive, send)
        else:
            await problem(refusal)(scope, receive, send)

    def _refusal(self, scope: Mapping[str, Any]) -> CallcenterError | None:
        if scope["method"] not in SAFE_METHODS and not is_same_origin(scope, self._origins):
            return WrongOrigin("The Origin header must be this server's own address.")
        length = header(scope, b"content-length")
        most = self._larger.get(scope["path"], self._max_body)
        if length is not None and length.isdecimal() and int(length) > most:
            return TooLarge("The body is too large.", data={"max_bytes": most})
        if scope["path"] == "/ws":
            return NotFound("This address speaks websocket only.")
        return None


def _with_headers(scope: Mapping[str, Any], send: Send) -> Send:
    extra = [*_HEADERS]
    if scope.get("scheme") == "https":
        extra.append(_HSTS)

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            names = {name for name, _ in headers}
            headers += extra
            if _NO_STORE[0] not in names:
                headers.append(_NO_STORE)
            message = {**message, "headers": headers}
        await send(message)

    return sender
