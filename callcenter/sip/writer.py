"""How requests and responses are written (RFC 3261 sections 8.1.1, 8.2.6 and 18.2.1, RFC 3581).

Decides what a response copies from its request, and that no value can end its own line: a line end or NUL in anything
that is passed in raises `LocalProtocolError`. No Server or User-Agent field is written.
"""

from collections.abc import Iterable, Sequence

from callcenter.kernel.errors import LocalProtocolError
from callcenter.sip.message import Answerable, Request
from callcenter.sip.values import TOKEN, Via, split_values

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}
# Requests whose 1xx and 2xx make a dialog and so give back the route that the request recorded.
_MAKES_DIALOG = ("INVITE", "SUBSCRIBE", "REFER")


def reason_phrase(status: int) -> str:
    """The phrase of RFC 3261 section 21; a general one for other codes of the class."""
    return (
        REASONS.get(status)
        or ("Progress", "OK", "Redirection", "Failure", "Server Failure", "Failure")[
            min(max(status // 100, 1), 6) - 1
        ]
    )


def build_response(
    request: Request | Answerable,
    status: int,
    phrase: str | None = None,
    *,
    received: tuple[str, int] | None = None,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str | None = None,
) -> bytes:
    """The bytes of a response.

    `received` is the address and port that the request came from: it completes the top Via. `to_tag` is added above
    100 where the request's To has none. Via, From, To, Call-ID, CSeq and, in what makes a dialog, Record-Route are
    copied. Raises LocalProtocolError for a bad argument.
    """
    fields = request.headers
    if not 100 <= status <= 699:
        raise LocalProtocolError("status")
    lines = [f"SIP/2.0 {status} {_clean(phrase) if phrase is not None else reason_phrase(status)}"]
    vias = fields.getlist("via")
    top, *others = split_values(vias[0])
    lines.append(f"Via: {_completed(request.via, top, received)}")
    lines += [f"Via: {value}" for value in (*others, *vias[1:])]
    lines.append(f"From: {fields.get('from')}")
    to = fields.get("to")
    if to_tag is not None and status > 100 and not request.to_is_tagged:
        to = f"{to};tag={_token(to_tag)}"
    lines.append(f"To: {to}")
    lines.append(f"Call-ID: {fields.get('call-id')}")
    lines.append(f"CSeq: {fields.get('cseq')}")
    if 100 < status < 300 and request.method in _MAKES_DIALOG:
        lines += [f"Record-Route: {value}" for value in fields.getlist("record-route")]
    if content_type is not None:
        headers = (*headers, ("Content-Type", content_type))
    return _joined(lines, headers, body)


def build_request(method: str, uri: str, *, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bytes:
    """The bytes of a request; Content-Length is added. Raises LocalProtocolError for a bad argument."""
    if not uri or any(c <= " " or c == "\x7f" for c in uri):
        raise LocalProtocolError("uri")
    return _joined([f"{_token(method)} {uri} SIP/2.0"], headers, body)


def _joined(lines: list[str], headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    for name, value in headers:
        if name.lower() in ("content-length", "l"):
            raise LocalProtocolError("content_length")
        lines.append(f"{_token(name)}: {_clean(value)}")
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    # What a peer wrote goes back to it byte for byte, valid UTF-8 or not.
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


def _clean(value: str) -> str:
    if "\r" in value or "\n" in value or "\0" in value:
        raise LocalProtocolError("line_end_in_value")
    return value


def _token(value: str) -> str:
    if not TOKEN.fullmatch(value):
        raise LocalProtocolError("token")
    return value


def _completed(via: Via, text: str, received: tuple[str, int] | None) -> str:
    """The top Via with received and rport as RFC 3261 section 18.2.1 and RFC 3581 section 4 have them."""
    if received is None:
        return text
    address, port = received
    if not via.rport:
        if via.host.strip("[]") == address and "received" not in via.parameters:
            return text
        return f"{_without(via, text, 'received')};received={_clean(address)}"
    return f"{_without(via, text, 'received', 'rport')};received={_clean(address)};rport={port}"


def _without(via: Via, text: str, *names: str) -> str:
    """`text` less some parameters; written anew where that takes more than cutting a bare rport."""
    if not any(name in via.parameters for name in names):
        return text
    where = via.host if via.port is None else f"{via.host}:{via.port}"
    kept = "".join(
        f";{name}" if value is None else f";{name}={value if TOKEN.fullmatch(value) else quote(value)}"
        for name, value in via.parameters.items()
        if name not in names
    )
    return f"SIP/2.0/{via.transport} {where}{kept}"


def quote(value: str) -> str:
    """`value` as a quoted-string (RFC 3261 section 25.1), escaped; LocalProtocolError for line ends and NUL."""
    escaped = _clean(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
