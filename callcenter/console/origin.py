"""Same-origin check of browsers' requests (RFC 6454; security.md section B).

A browser names the page that a request comes from and a page cannot forge that. It must be our own address, which is
the one that the request itself was sent to, or one of the site's configured origins (behind a proxy that renames).
"""

from collections.abc import Mapping, Sequence
from typing import Any

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_HTTP_SCHEME = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


def header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """The one value of `name` (lower case), None when it is missing or given twice with different values."""
    values = {value for key, value in scope["headers"] if key == name}
    return values.pop().decode("latin-1") if len(values) == 1 else None


def _normal(origin: str) -> str:
    origin = origin.strip().lower()
    for scheme, port in _DEFAULT_PORTS.items():
        if origin.startswith(scheme + "://") and origin.endswith(port):
            return origin.removesuffix(port)
    return origin


def is_same_origin(scope: Mapping[str, Any], allowed: Sequence[str] = ()) -> bool:
    """Whether the ASGI `scope` (http or websocket) has an Origin header that is ours or in `allowed`."""
    origin, host = header(scope, b"origin"), header(scope, b"host")
    if origin is None or host is None:
        return False
    own = f"{_HTTP_SCHEME.get(scope.get('scheme', 'http'), 'http')}://{host}"
    return _normal(origin) in {_normal(one) for one in (own, *allowed)}
