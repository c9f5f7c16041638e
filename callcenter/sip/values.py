"""The structured values of SIP header fields: URI, name-addr, Via, parameters, credentials (RFC 3261 section 25).

Decides what one value means; which values a message must have is decided in `message`. The character classes are
those of the library `sipmessage`, and where the library accepts a value the results agree (tests compare them).
Splitting is ours, because the library's own lets a quoted string run over the next one, reads non-ASCII digits as
numbers, knows no URI headers and takes exponential time on some credentials. Every repetition here is possessive or
over disjoint classes, so the time is linear in the input.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import unquote

import msgspec
from sipmessage import grammar

from callcenter.kernel.errors import RemoteProtocolError

MAX_URI = 1024
MAX_PARAMETERS = 32
MAX_VALUES = 100

_TOKEN = grammar.TOKEN + "+"
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_LWS = r"[ \t]*+"
_ESCAPED = grammar.ESCAPED
_HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9_.\-]*+|\[[0-9A-Fa-f:.]++\])"
_USER = f"(?:{grammar.cset(grammar.C_USER_SAFE)}|{_ESCAPED})++"
_PASSWORD = f"(?:{grammar.cset(grammar.C_PASSWORD_SAFE)}|{_ESCAPED})*+"
_URI_PARAM_CHARS = f"(?:{grammar.cset(grammar.C_URI_PARAM_SAFE)}|{_ESCAPED})++"
_URI_PARAMS = f"(?:;{_URI_PARAM_CHARS}(?:={_URI_PARAM_CHARS})?+)*+"
_URI_HEADERS = rf"(?:\?(?:[A-Za-z0-9\[\]/?:+$\-_.!~*'()&=]|{_ESCAPED})++)?+"

TOKEN = re.compile(_TOKEN)
_SIP_URI = re.compile(
    rf"(?i:(sips?)):(?:({_USER})(?::({_PASSWORD}))?@)?({_HOST})(?::([0-9]{{1,5}}+))?({_URI_PARAMS})({_URI_HEADERS})"
)
_TEL_URI = re.compile(rf"(?i:tel):(\+?[0-9A-Fa-f*#.()\-]++)({_URI_PARAMS})")
_OTHER_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*+):[^\s<>\"\x00-\x1f\x7f-\U0010ffff]++")
_PARAMETER = re.compile(
    rf"{_LWS};{_LWS}({_TOKEN})(?:{_LWS}={_LWS}({_QUOTED}|[^\s;,\"=<>?\x00-\x1f\x7f]++))?+", re.DOTALL
)
_NAMED = re.compile(rf"(?:({_QUOTED})|((?:{grammar.TOKEN}|[ \t]|[^\x00-\x7f])*+)){_LWS}<([^<>\s]++)>", re.DOTALL)
_BARE = re.compile(r"([^\s;,?<>\"]++)")
_PLAIN_ADDRESS = re.compile(
    r"(?:\"([^\"\\\x00-\x1f\x7f]*+)\"[ ]?+)?<([^<>\s]++)>(?:;tag=([A-Za-z0-9\-.!%*_+`'~]++))?"
)
_VIA = re.compile(
    rf"(?i:SIP){_LWS}/{_LWS}2\.0{_LWS}/{_LWS}({_TOKEN})[ \t]++({_HOST})(?:{_LWS}:{_LWS}([0-9]{{1,5}}+))?"
)
_PLAIN_VIA = re.compile(
    r"SIP/2\.0/([A-Z]++) ([A-Za-z0-9.\-]++)(?::([0-9]{1,5}+))?;"
    r"(?:(rport);)?branch=([A-Za-z0-9\-.!%*_+`'~]++)(;rport)?"
)
_ELEMENT = re.compile(rf"(?:[^\",<]++|{_QUOTED}|<[^<>]*+>)++", re.DOTALL)
_CREDENTIAL = re.compile(rf"{_LWS}({_TOKEN}){_LWS}={_LWS}({_QUOTED}|[^\s\",]++){_LWS}(?:,|$)", re.DOTALL)
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def unquoted(value: str) -> str:
    """The content of a quoted-string, quoted pairs resolved; other text as it is."""
    if not value.startswith('"'):
        return value
    inner = value[1:-1]
    return _UNESCAPE.sub(r"\1", inner) if "\\" in inner else inner


def well_formed(text: str) -> str:
    """`text` with U+FFFD for each byte that was no UTF-8, so that it can be stored and sent on."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Uri(msgspec.Struct, frozen=True):
    """A SIP, SIPS or TEL URI; of any other scheme only `scheme` and `text` are set.

    `scheme` and the names in `parameters` are lower-case. `user` is decoded and so may hold any character, NUL and
    line ends included; `text` is the URI as it was written and safe to write again.
    """

    text: str
    scheme: str
    user: str | None = None
    host: str = ""
    port: int | None = None
    parameters: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    headers: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def transport(self) -> str:
        """The transport parameter in lower case; empty where there is none."""
        return (self.parameters.get("transport") or "").lower()


class NameAddr(msgspec.Struct, frozen=True):
    """A value of From, To, Contact, Route ...: `name` is decoded, well-formed and free of control characters."""

    uri: Uri
    name: str
    parameters: Mapping[str, str | None]
    text: str

    @property
    def tag(self) -> str | None:
        return self.parameters.get("tag")


class Via(msgspec.Struct, frozen=True):
    """One Via value. `transport` is upper-case; `rport` tells that the parameter is there, valued or not."""

    transport: str
    host: str
    port: int | None
    branch: str | None
    rport: bool
    parameters: Mapping[str, str | None]
    text: str

    @property
    def received(self) -> str | None:
        """The received parameter; of use in responses to ourselves only."""
        return self.parameters.get("received")


class Credentials(msgspec.Struct, frozen=True):
    """A value of (Proxy-)Authorization or (WWW-|Proxy-)Authenticate; `scheme` and names are lower-case."""

    scheme: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=1024)
def parse_uri(text: str) -> Uri:
    """The URI in `text`; RemoteProtocolError(uri) otherwise."""
    if len(text) > MAX_URI:
        raise RemoteProtocolError("uri_too_long")
    if m := _SIP_URI.fullmatch(text):
        scheme, user, _password, host, port, parameters, headers = m.groups()
        return Uri(
            text,
            scheme.lower(),
            unquote(user) if user is not None else None,
            _host(host),
            _port(port),
            _uri_parameters(parameters),
            headers,
        )
    if m := _TEL_URI.fullmatch(text):
        if not any(c.isdigit() for c in m[1]):
            raise RemoteProtocolError("uri")
        return Uri(text, "tel", m[1], "", None, _uri_parameters(m[2]))
    if (m := _OTHER_URI.fullmatch(text)) and m[1].lower() not in ("sip", "sips", "tel"):
        return Uri(text, m[1].lower())
    raise RemoteProtocolError("uri")


def _host(host: str) -> str:
    if host.startswith("["):
        try:
            IPv6Address(host[1:-1])
        except ValueError:
            raise RemoteProtocolError("host") from None
    return host


def _port(port: str | None) -> int | None:
    if port is None:
        return None
    number = int(port)
    if not 0 < number < 65536:
        raise RemoteProtocolError("port")
    return number


def _uri_parameters(text: str) -> dict[str, str | None]:
    if not text:
        return {}
    found: dict[str, str | None] = {}
    for part in text[1:].split(";"):
        name, equals, value = part.partition("=")
        _add(found, unquote(name).lower(), unquote(value) if equals else None)
    return found


def _add(found: dict[str, str | None], name: str, value: str | None) -> None:
    if name in found or len(found) >= MAX_PARAMETERS:
        raise RemoteProtocolError("parameters")
    found[name] = value


def parse_parameters(text: str) -> dict[str, str | None]:
    """The parameters in `text` (`;a=b;c`), names in lower case, quoted values unquoted; a doubled name is refused."""
    found: dict[str, str | None] = {}
    at, end = 0, len(text.rstrip(" \t"))
    while at < end:
        m = _PARAMETER.match(text, at)
        if m is None:
            raise RemoteProtocolError("parameters")
        value = m[2]
        _add(found, m[1].lower(), unquoted(value) if value is not None else None)
        at = m.end()
    return found


def parse_address(text: str) -> NameAddr:
    """A name-addr or addr-spec with its parameters (RFC 3261 section 20.10); RemoteProtocolError otherwise."""
    m = _PLAIN_ADDRESS.fullmatch(text)
    if m is not None:
        name, uri, tag = m.groups()
        return NameAddr(parse_uri(uri), well_formed(name or ""), {"tag": tag} if tag else {}, text)
    m = _NAMED.match(text)
    if m is not None:
        name = unquoted(m[1]) if m[1] is not None else m[2].strip(" \t")
        uri = m[3]
    else:
        m = _BARE.match(text)
        if m is None:
            raise RemoteProtocolError("address")
        name, uri = "", m[1]
    return NameAddr(parse_uri(uri), _CONTROL.sub("", well_formed(name)), parse_parameters(text[m.end() :]), text)


def parse_via(text: str) -> Via:
    """One Via value (RFC 3261 section 20.42, RFC 3581); RemoteProtocolError otherwise."""
    m = _PLAIN_VIA.fullmatch(text)
    if m is not None:
        transport, host, port, rport, branch, rport_after = m.groups()
        if not (rport and rport_after):
            parameters: dict[str, str | None] = {"branch": branch}
            if rport or rport_after:
                parameters["rport"] = None
            return Via(transport, host, _port(port), branch, len(parameters) == 2, parameters, text)
    m = _VIA.match(text)
    if m is None:
        raise RemoteProtocolError("via")
    parameters = parse_parameters(text[m.end() :])
    branch = parameters.get("branch")
    if branch is not None and not TOKEN.fullmatch(branch):
        raise RemoteProtocolError("branch")
    return Via(m[1].upper(), _host(m[2]), _port(m[3]), branch, "rport" in parameters, parameters, text)


def split_values(text: str) -> list[str]:
    """The elements of a comma-separated field; commas in quotes and angle brackets part nothing, none is empty.

    RemoteProtocolError(list) otherwise, and above MAX_VALUES of them.
    """
    if "," not in text:
        return [text]
    values = []
    at = 0
    while True:
        m = _ELEMENT.match(text, at)
        value = m[0].strip(" \t") if m is not None else ""
        if m is None or not value:
            raise RemoteProtocolError("list")
        values.append(value)
        at = m.end()
        if at == len(text):
            return values
        if text[at] != "," or len(values) == MAX_VALUES:
            raise RemoteProtocolError("list")
        at += 1


def parse_credentials(text: str) -> Credentials:
    """Credentials or a challenge (RFC 3261 section 20.7); a doubled parameter is refused."""
    scheme, _, rest = text.partition(" ")
    if not TOKEN.fullmatch(scheme):
        raise RemoteProtocolError("credentials")
    found: dict[str, str] = {}
    at, end = 0, len(rest)
    while at < end:
        m = _CREDENTIAL.match(rest, at)
        if m is None or m[1].lower() in found or len(found) >= MAX_PARAMETERS:
            raise RemoteProtocolError("credentials")
        found[m[1].lower()] = unquoted(m[2])
        at = m.end()
    return Credentials(scheme.lower(), found)
