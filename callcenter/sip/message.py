"""What a datagram says: a request, a response, or a named refusal (RFC 3261 sections 7, 8.2 and 16.3, RFC 4475).

Decides whether a message may reach the transactions. All that routes or identifies one (start line, Via, From, To,
Call-ID, CSeq, Max-Forwards, Content-Length) is checked here once; Contact, Route and the like when asked for. Every
fault raises `Malformed`, whatever the bytes; one in a request that can be answered without state carries what the
answer copies.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.sip.values import (
    TOKEN,
    Credentials,
    NameAddr,
    Uri,
    Via,
    parse_address,
    parse_credentials,
    parse_uri,
    parse_via,
    split_values,
    well_formed,
)

MAX_HEAD = 65536
MAX_LINE = 8192
MAX_LINES = 256
MAX_IDENTIFIER = 512
MAX_LISTED = 20
MAX_SECONDS = 2**32 - 1
SUPPORTED = frozenset({"timer"})
"""Option tags that a Require may name."""

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
_COMMON = (
    "Via From To Call-ID CSeq Contact Max-Forwards Content-Type Content-Length Route Record-Route User-Agent Server "
    "Allow Supported Require Expires Authorization Proxy-Authorization WWW-Authenticate Accept Subject"
)
# Spellings met every day, so that most names cost one look-up.
_NAMES = {spelling: name.lower() for name in _COMMON.split() for spelling in (name, name.lower())} | COMPACT

Value = TypeVar("Value")

# Fields that a message has at most once (RFC 3261 section 7.3.1 and table 2).
SINGLE = (
    "from",
    "to",
    "call-id",
    "cseq",
    "max-forwards",
    "content-length",
    "content-type",
    "content-encoding",
    "expires",
)

_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n") + b"\x7f"
_STRAY_CONTROL = re.compile(r"\r|(?<!\\)[\x00-\x08\x0b-\x1f\x7f]")
_FOLD = re.compile(r"\n[ \t]+")
_REQUEST_LINE = re.compile(r"([^\s:]+) (\S+) ([A-Za-z]+/[0-9]+\.[0-9]+)")
_STATUS_LINE = re.compile(r"(?i:SIP)/2\.0 ([1-6][0-9][0-9])(?: (.*))?")
_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+(\S+)")
_NUMBER = re.compile(r"[0-9]{1,10}")
_MAX_FORWARDS = re.compile(r"0{0,6}[0-9]{1,3}")
_MEDIA_TYPE = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*(?:;.*)?", re.DOTALL)
_CALL_ID = re.compile(r"[!-~]+")
_HAS_TAG = re.compile(r";[ \t]*tag[ \t]*=", re.IGNORECASE)
_ANY_VERSION = re.compile(r"^SIP/[0-9]+\.[0-9]+/")
_DELTA_SECONDS = re.compile(r"([0-9]+)[ \t]*(?:;.*|\(.*)?", re.DOTALL)


class Headers:
    """Header fields by name, whatever its case; compact names are stored as the long ones, folds as one space.

    Values are as the peer wrote them; bytes that are no UTF-8 show as lone surrogates (`surrogateescape`).
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: dict[str, list[str]] | None = None) -> None:
        self._fields = fields or {}

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value as it was written."""
        values = self._fields.get(name.lower())
        return values[0] if values else default

    def getlist(self, name: str) -> list[str]:
        """All values, one for each line; a line may still hold several."""
        return self._fields.get(name.lower(), [])

    def names(self) -> list[str]:
        """The names that are there, lower-case."""
        return list(self._fields)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._fields


class Answerable:
    """What a stateless answer copies from a request; `via` is its top Via."""

    __slots__ = ("headers", "method", "via")

    def __init__(self, method: str, headers: Headers, via: Via) -> None:
        self.method = method
        self.headers = headers
        self.via = via

    @property
    def to_is_tagged(self) -> bool:
        return _HAS_TAG.search(self.headers.get("to") or "") is not None


class Malformed(RemoteProtocolError):
    """A message that is refused. `status` and `extra` make the answer where `answerable` is not None."""

    code: ClassVar[str] = "malformed"

    def __init__(
        self,
        reason: str,
        *,
        status: int = 400,
        answerable: Answerable | None = None,
        extra: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.answerable = answerable
        self.extra = extra


class Message:
    """What requests and responses share: identifying fields are checked attributes, the rest is read when asked."""

    __slots__ = (
        "body",
        "call_id",
        "content_type",
        "cseq",
        "cseq_method",
        "from_address",
        "from_tag",
        "headers",
        "to_address",
        "to_tag",
        "via",
    )

    headers: Headers
    body: bytes
    via: Via
    """The top Via."""
    call_id: str
    cseq: int
    cseq_method: str
    from_address: NameAddr
    from_tag: str | None
    """None from peers of before RFC 3261 only."""
    to_address: NameAddr
    to_tag: str | None
    content_type: str | None
    """Lower-case type/subtype without parameters; None where there is no field."""

    @property
    def answerable(self) -> Answerable | None:
        """What a refusal of this message answers to; None for what must not be answered."""
        return None

    @property
    def vias(self) -> list[Via]:
        """All Via values, the top one first."""
        return [self._checked(parse_via, value, "via") for value in self._elements("via")]

    @property
    def contacts(self) -> list[NameAddr]:
        """All Contact values; empty for `*` and where there is none."""
        return [] if self.contact_is_star else self._addresses("contact")

    @property
    def contact(self) -> NameAddr | None:
        """The Contact of a message that makes a dialog; None where there is none, refused where there are more."""
        contacts = self.contacts
        if len(contacts) > 1:
            raise self._malformed("contact")
        return contacts[0] if contacts else None

    @property
    def contact_is_star(self) -> bool:
        """Contact: * (RFC 3261 section 10.2.2)."""
        return self.headers.getlist("contact") == ["*"]

    @property
    def route(self) -> list[NameAddr]:
        return self._addresses("route")

    @property
    def asserted(self) -> list[NameAddr]:
        """P-Asserted-Identity (RFC 3325 section 9.1)."""
        return self._addresses("p-asserted-identity")

    @property
    def record_route(self) -> list[NameAddr]:
        return self._addresses("record-route")

    @property
    def expires(self) -> int | None:
        """Seconds of the Expires field, at most 2**32-1; None where there is none."""
        value = self.headers.get("expires")
        return None if value is None else self.seconds(value, "expires")

    @property
    def retry_after(self) -> int | None:
        """Seconds of the Retry-After field; None where there is none."""
        value = self.headers.get("retry-after")
        return None if value is None else self.seconds(value, "retry_after")

    @property
    def authorization(self) -> list[Credentials]:
        return self._credentials("authorization")

    @property
    def proxy_authorization(self) -> list[Credentials]:
        return self._credentials("proxy-authorization")

    @property
    def challenges(self) -> list[Credentials]:
        """WWW-Authenticate, then Proxy-Authenticate, in the peer's order of preference."""
        return self._credentials("www-authenticate") + self._credentials("proxy-authenticate")

    def tokens(self, name: str) -> list[str]:
        """The comma-separated words of a field such as Require, Supported, Allow; lower-case."""
        words = (word.strip(" \t") for line in self.headers.getlist(name) for word in line.split(","))
        return [word.lower() for word in words if word]

    def seconds(self, value: str, reason: str) -> int:
        """A delta-seconds value, such as a Contact's expires; clamped to 2**32-1, Malformed(reason) if it is none."""
        m = _DELTA_SECONDS.fullmatch(value)
        if m is None:
            raise self._malformed(reason)
        digits = m[1].lstrip("0") or "0"
        return min(int(digits), MAX_SECONDS) if len(digits) <= 10 else MAX_SECONDS

    def _malformed(self, reason: str, status: int = 400) -> Malformed:
        return Malformed(reason, status=status, answerable=self.answerable)

    def _elements(self, name: str) -> list[str]:
        try:
            return [value for line in self.headers.getlist(name) for value in split_values(line)]
        except RemoteProtocolError:
            raise self._malformed(name.replace("-", "_")) from None

    def _addresses(self, name: str) -> list[NameAddr]:
        return [self._checked(parse_address, value, name.replace("-", "_")) for value in self._elements(name)]

    def _credentials(self, name: str) -> list[Credentials]:
        reason = name.replace("-", "_")
        return [self._checked(parse_credentials, value, reason) for value in self.headers.getlist(name)]

    def _checked(self, parse: Callable[[str], Value], value: str, reason: str) -> Value:
        try:
            return parse(value)
        except RemoteProtocolError:
            raise self._malformed(reason) from None


class Request(Message):
    """A checked request."""

    __slots__ = ("max_forwards", "method", "uri")

    method: str
    """As written: methods are case-sensitive."""
    uri: Uri
    max_forwards: int | None

    @property
    def answerable(self) -> Answerable | None:
        return None if self.method == "ACK" else Answerable(self.method, self.headers, self.via)

    @property
    def to_is_tagged(self) -> bool:
        return self.to_tag is not None


class Response(Message):
    """A checked response; `cseq_method` tells what it answers."""

    __slots__ = ("phrase", "status")

    status: int
    phrase: str


def parse_message(data: bytes) -> Request | Response:
    """The one message in `data`: a datagram, or what `StreamFramer` cut from a stream.

    Bytes beyond Content-Length are dropped, without one the body is the rest (RFC 3261 section 18.3). Raises
    `Malformed` and nothing else; its reason is `keepalive` for a datagram of line ends and NULs only, which is to be
    ignored.
    """
    data = data.lstrip(b"\r\n")
    if not data.strip(b"\r\n\x00 "):
        raise Malformed("keepalive")
    end, after = find_head(data)
    head = read_head(data[:end] if after else data.rstrip(b"\r\n"))
    fault = head.fault or ("" if after else "incomplete")
    body = data[after:] if after else b""
    if head.start[:4].upper() == "SIP/":
        return _parse_response(head, body, fault)
    try:
        return _parse_request(head, body, fault)
    except Malformed as malformed:
        malformed.answerable = head.answerable
        raise


@dataclass(frozen=True, slots=True)
class Head:
    """Start line and fields of a message, split but not yet understood; `fault` names the first one or is empty."""

    start: str
    headers: Headers
    fault: str

    @property
    def answerable(self) -> Answerable | None:
        """What a refusal copies, if all that it copies is there and the top Via tells where to send it."""
        method = self.start.lstrip(" \t").partition(" ")[0]
        headers = self.headers
        if method == "ACK" or method[:4].upper() == "SIP/":
            return None
        if not all(name in headers for name in ("via", "from", "to", "call-id", "cseq")):
            return None
        try:
            top = split_values(headers.getlist("via")[0])[0]
            return Answerable(method, headers, parse_via(_ANY_VERSION.sub("SIP/2.0/", top)))
        except RemoteProtocolError:
            return None


def find_head(data: bytes | bytearray, start: int = 0) -> tuple[int, int]:
    """Where the head ends and the body begins, looking from `start`; (-1, 0) while the empty line is missing.

    A line may end in a bare line feed, as it does in what several gateways send.
    """
    end = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, end if end >= 0 else len(data))
    if bare >= 0:
        return bare, bare + 2
    if end >= 0:
        return end, end + 3
    return -1, 0


def read_head(raw: bytes) -> Head:
    """The head in `raw`, which is without its empty line. Raises Malformed(too_large); other faults are inside."""
    if len(raw) > MAX_HEAD:
        raise Malformed("too_large", status=513)
    raw = raw.removesuffix(b"\r").replace(b"\r\n", b"\n")
    text = raw.decode("utf-8", "surrogateescape")
    start, _, rest = text.partition("\n")
    headers, fault = _parse_headers(rest)
    if len(raw.translate(None, _CONTROLS)) != len(raw) and _STRAY_CONTROL.search(text):
        # Only a quoted pair may hold a control character (RFC 4475 section 3.1.1.2).
        fault = "control_character"
    return Head(start, headers, fault)


def _parse_headers(text: str) -> tuple[Headers, str]:
    """The fields, and the name of the first fault among them or an empty string."""
    fault = ""
    if text[:1] in (" ", "\t"):
        fault = "header_line"
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\n") if text else []
    if len(lines) > MAX_LINES:
        lines, fault = lines[:MAX_LINES], "too_many_headers"
    fields: dict[str, list[str]] = {}
    for line in lines:
        raw_name, colon, value = line.partition(":")
        name = _NAMES.get(raw_name)
        if name is None:
            name = _field_name(raw_name)
        if not (name and colon) or len(line) > MAX_LINE:
            fault = fault or ("header_too_long" if len(line) > MAX_LINE else "header_line")
            continue
        values = fields.get(name)
        if values is None:
            fields[name] = [value.strip(" \t")]
        else:
            values.append(value.strip(" \t"))
    if not fault:
        fault = next((f"repeated_{name.replace('-', '_')}" for name in SINGLE if len(fields.get(name, ())) > 1), "")
    return Headers(fields), fault


def _field_name(raw: str) -> str:
    """The stored name of a header field, empty if `raw` is none."""
    name = raw.rstrip(" \t").lower()
    return COMPACT.get(name, name) if TOKEN.fullmatch(name) else ""


def _parse_request(head: Head, body: bytes, fault: str) -> Request:
    if fault:
        raise Malformed(fault)
    m = _REQUEST_LINE.fullmatch(head.start)
    if m is None:
        raise Malformed("start_line")
    method, uri, version = m.groups()
    if version.upper() != "SIP/2.0":
        raise Malformed("version", status=505)
    if not TOKEN.fullmatch(method):
        raise Malformed("method")
    request = Request()
    request.method = method
    request.headers = headers = head.headers
    try:
        request.uri = parse_uri(uri)
    except RemoteProtocolError as error:
        raise Malformed("request_uri", status=414 if error.reason == "uri_too_long" else 400) from None
    if request.uri.headers:
        raise Malformed("request_uri")
    _identify(request, headers)
    request.body = _body(headers, body)
    if request.cseq_method != method:
        raise Malformed("cseq_method")
    request.max_forwards = None
    hops = headers.get("max-forwards")
    if hops is not None:
        if not _MAX_FORWARDS.fullmatch(hops) or int(hops) > 255:
            raise Malformed("max_forwards")
        request.max_forwards = int(hops)
    if request.uri.scheme not in ("sip", "sips", "tel"):
        raise Malformed("uri_scheme", status=416)
    _require_nothing_unknown(request)
    return request


def _parse_response(head: Head, body: bytes, fault: str) -> Response:
    if fault:
        raise Malformed(fault)
    m = _STATUS_LINE.fullmatch(head.start)
    if m is None:
        raise Malformed("status_line")
    response = Response()
    response.status = int(m[1])
    response.phrase = well_formed(m[2] or "")
    response.headers = headers = head.headers
    _identify(response, headers)
    response.body = _body(headers, body)
    return response


def _identify(message: Message, headers: Headers) -> None:
    """Check and set what routes and identifies a message."""
    via, sender, receiver = headers.get("via"), headers.get("from"), headers.get("to")
    call_id, cseq = headers.get("call-id"), headers.get("cseq")
    if via is None or sender is None or receiver is None or call_id is None or cseq is None:
        raise Malformed("missing_header")
    message.via = _part(parse_via, split_top(via), "via")
    message.from_address = _part(parse_address, sender, "from")
    message.to_address = _part(parse_address, receiver, "to")
    message.from_tag = _tag(message.from_address, "from_tag")
    message.to_tag = _tag(message.to_address, "to_tag")
    if not _CALL_ID.fullmatch(call_id) or len(call_id) > MAX_IDENTIFIER:
        raise Malformed("call_id")
    message.call_id = call_id
    if len(message.via.branch or "") > MAX_IDENTIFIER:
        raise Malformed("via")
    m = _CSEQ.fullmatch(cseq)
    if m is None or int(m[1]) >= 2**31:
        raise Malformed("cseq")
    message.cseq, message.cseq_method = int(m[1]), m[2]
    message.content_type = _content_type(headers)


def split_top(field: str) -> str:
    """The first element of a comma-separated field."""
    return _part(split_values, field, "via")[0]


def _part(parse: Callable[[str], Value], text: str, reason: str) -> Value:
    try:
        return parse(text)
    except RemoteProtocolError:
        raise Malformed(reason) from None


def _tag(address: NameAddr, reason: str) -> str | None:
    tag = address.parameters.get("tag")
    if tag is None:
        if "tag" in address.parameters:
            raise Malformed(reason)
        return None
    if len(tag) > MAX_IDENTIFIER or not TOKEN.fullmatch(tag):
        raise Malformed(reason)
    return tag


def _content_type(headers: Headers) -> str | None:
    value = headers.get("content-type")
    if value is None:
        return None
    m = _MEDIA_TYPE.fullmatch(value)
    if m is None:
        raise Malformed("content_type")
    return f"{m[1]}/{m[2]}".lower()


def _body(headers: Headers, body: bytes) -> bytes:
    value = headers.get("content-length")
    if value is None:
        return body
    if not _NUMBER.fullmatch(value):
        raise Malformed("content_length")
    length = int(value)
    if length > len(body):
        raise Malformed("body_too_short")
    return body[:length]


def _require_nothing_unknown(request: Request) -> None:
    """RFC 3261 section 8.2.2.3: 420 with Unsupported, but never for ACK and CANCEL."""
    if request.method in ("ACK", "CANCEL") or "require" not in request.headers:
        return
    unknown = [word for word in request.tokens("require") if word not in SUPPORTED]
    if unknown:
        listed = [word for word in dict.fromkeys(unknown[:MAX_LISTED]) if TOKEN.fullmatch(word)]
        raise Malformed("require", status=420, extra=(("Unsupported", ", ".join(listed)),))
