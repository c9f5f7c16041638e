"""Session descriptions: reading what phones send, writing offers and answers (RFC 4566, 8866, 3264, 3551, 4733).

Decides which line of media is ours (the first audio over plain RTP/AVP) and what it says; the others are refused with
port 0 in the answer. Sound in form means: version 0, `x=value` lines, readable connection and media lines; absent
origin, name and time lines are let pass, as phones leave them out. A fault raises RemoteProtocolError(sdp_...).
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

import msgspec

from callcenter.calls.ports import Codec, MediaDescription
from callcenter.kernel.errors import LocalProtocolError, RemoteProtocolError

MAX_BODY = 65536
MAX_LINE = 4096
MAX_LINES = 1024
MAX_STREAMS = 16

_MEDIA = re.compile(r"([!-~]{1,32}) ([0-9]{1,5})(?:/[0-9]{1,5})? ([!-~]{1,64})((?: [!-~]{1,32}){1,128}) ?")
_CONNECTION = re.compile(r"IN (IP4|IP6) ([!-.0-~]{1,255})((?:/[0-9]{1,10}){0,2}) ?")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([!-.0-~]{1,64})/([0-9]{1,6})(?:/([0-9]{1,3}))? ?")
_FMTP = re.compile(r"([!-~]{1,32})(?: .*)?")
_PTIME = re.compile(r"[0-9]{1,3}")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_STATIC = {0: Codec.PCMU, 8: Codec.PCMA}
_PLAIN_RTP = "RTP/AVP"


class Stream(msgspec.Struct, frozen=True):
    """One media line as it was written. `address` is the connection's, the session's where it has none of its own."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str
    direction: str = "sendrecv"
    encodings: tuple[tuple[int, str], ...] = ()
    """(payload type, upper-case `NAME/clock`) of the rtpmap lines; a second channel is part of the name."""
    ptime_ms: int = 20


class SessionDescription(msgspec.Struct, frozen=True):
    """A session description; `ours` is the index of the stream that we would speak, None where there is none."""

    streams: tuple[Stream, ...]
    ours: int | None
    audio: MediaDescription | None
    """What stream `ours` says, its codecs narrowed to those of `Codec`: none of them is left at times (488)."""


@dataclass(slots=True)
class _Level:
    """What a session or a media section has said so far."""

    address: str | None = None
    direction: str | None = None
    encodings: list[tuple[int, str]] = field(default_factory=list)
    ptime_ms: int = 20


def parse_sdp(body: bytes) -> SessionDescription:
    """The session description in `body`; RemoteProtocolError(sdp_...) if it is none."""
    lines = _lines(body)
    if not lines or lines[0] != ("v", "0"):
        raise RemoteProtocolError("sdp_version")
    session = _Level()
    sections: list[tuple[re.Match[str], _Level]] = []
    level = session
    for kind, value in lines[1:]:
        if kind == "m":
            media = _MEDIA.fullmatch(value)
            if media is None or int(media[2]) > 65535 or len(sections) >= MAX_STREAMS:
                raise RemoteProtocolError("sdp_media")
            level = _Level()
            sections.append((media, level))
        elif kind == "c":
            level.address = _address(value)
        elif kind == "a":
            _attribute(level, value)
    streams = tuple(_stream(media, said, session) for media, said in sections)
    ours = _choose(streams)
    return SessionDescription(streams, ours, None if ours is None else _describe(streams[ours]))


def _lines(body: bytes) -> list[tuple[str, str]]:
    if len(body) > MAX_BODY:
        raise RemoteProtocolError("sdp_too_large")
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\r\n")
    raw = text.split("\n")
    if len(raw) > MAX_LINES:
        raise RemoteProtocolError("sdp_too_large")
    lines = []
    for line in raw:
        if len(line) > MAX_LINE or line[1:2] != "=" or not "a" <= line[0] <= "z" or "\0" in line or "\r" in line:
            raise RemoteProtocolError("sdp_line")
        lines.append((line[0], line[2:]))
    return lines


def _address(value: str) -> str:
    m = _CONNECTION.fullmatch(value)
    if m is None:
        raise RemoteProtocolError("sdp_connection")
    return m[2]


def _attribute(level: _Level, value: str) -> None:
    name, colon, rest = value.partition(":")
    if name in _DIRECTIONS and not colon:
        level.direction = name
    elif name == "rtpmap":
        m = _RTPMAP.fullmatch(rest)
        if m is None or int(m[1]) > 127:
            raise RemoteProtocolError("sdp_rtpmap")
        channels = "" if m[4] in (None, "1") else f"/{m[4]}"
        level.encodings.append((int(m[1]), f"{m[2].upper()}/{m[3]}{channels}"))
    elif name == "fmtp":
        # Its content is not needed; one that names no format is broken all the same (security.md S10).
        f = _FMTP.fullmatch(rest)
        if f is None or (f[1].isdigit() and (len(f[1]) > 3 or int(f[1]) > 127)):
            raise RemoteProtocolError("sdp_fmtp")
    elif name == "ptime" and _PTIME.fullmatch(rest):
        # A wish, not a promise: what is no multiple of 10 from 10 to 60 counts as not said.
        wish = int(rest)
        level.ptime_ms = wish if wish in (10, 20, 30, 40, 50, 60) else 20


def _stream(media: re.Match[str], said: _Level, session: _Level) -> Stream:
    address = said.address or session.address
    port = int(media[2])
    if address is None:
        if port:
            raise RemoteProtocolError("sdp_no_connection")
        address = ""
    return Stream(
        kind=media[1],
        port=port,
        protocol=media[3],
        formats=tuple(media[4].split()),
        address=address,
        direction=said.direction or session.direction or "sendrecv",
        encodings=tuple(said.encodings),
        ptime_ms=said.ptime_ms,
    )


def _choose(streams: tuple[Stream, ...]) -> int | None:
    """The first audio over plain RTP, one that is switched off only where there is no other."""
    audio = [i for i, stream in enumerate(streams) if stream.kind == "audio" and stream.protocol == _PLAIN_RTP]
    return next((i for i in audio if streams[i].port), audio[0] if audio else None)


def _describe(stream: Stream) -> MediaDescription:
    encodings = dict(stream.encodings)
    codecs: list[tuple[int, Codec]] = []
    telephone_event: int | None = None
    for text in stream.formats:
        if not text.isascii() or not text.isdigit() or int(text) > 127:
            raise RemoteProtocolError("sdp_format")
        payload = int(text)
        encoding = encodings.get(payload, f"{_STATIC[payload]}/8000" if payload in _STATIC else "")
        name, _, rest = encoding.partition("/")
        if rest != "8000":
            continue
        if name in Codec.__members__ and (payload, Codec(name)) not in codecs:
            codecs.append((payload, Codec(name)))
        elif name == "TELEPHONE-EVENT" and telephone_event is None:
            telephone_event = payload
    address, held = _unicast(stream)
    direction = stream.direction
    if held:
        # Hold of RFC 2543: an address that takes nothing (RFC 3264 section 8.4).
        direction = {"sendrecv": "sendonly", "recvonly": "inactive"}.get(direction, direction)
    return MediaDescription(address, stream.port, tuple(codecs), telephone_event, direction, stream.ptime_ms)


def _unicast(stream: Stream) -> tuple[str, bool]:
    """The address to send to, and whether it is the one that means hold. Names are not looked up."""
    if not stream.port:
        return stream.address, False
    try:
        address = ip_address(stream.address)
    except ValueError:
        raise RemoteProtocolError("sdp_address") from None
    if "%" in stream.address or address.is_multicast or address == IPv4Address("255.255.255.255"):
        raise RemoteProtocolError("sdp_address")
    return str(address), address.is_unspecified


def build_offer(local: MediaDescription, *, session_id: int, version: int) -> bytes:
    """An offer of `local` as its one stream. `version` grows by one with each change (RFC 3264 section 8)."""
    return _written([*_session(local, session_id, version), *_media(local)])


def build_answer(offer: SessionDescription, local: MediaDescription, *, session_id: int, version: int) -> bytes:
    """The answer to `offer`: as many media lines in the same order, ours as `local`, the others refused."""
    if offer.ours is None:
        raise LocalProtocolError("sdp_nothing_to_answer")
    lines = _session(local, session_id, version)
    for i, stream in enumerate(offer.streams):
        if i == offer.ours:
            lines += _media(local)
        else:
            lines.append(f"m={stream.kind} 0 {stream.protocol} {' '.join(stream.formats)}")
    return _written(lines)


def _session(local: MediaDescription, session_id: int, version: int) -> list[str]:
    try:
        family = ip_address(local.address).version
    except ValueError:
        raise LocalProtocolError("sdp_address") from None
    where = f"IN IP{family} {local.address}"
    return ["v=0", f"o=- {session_id} {version} {where}", "s=-", f"c={where}", "t=0 0"]


def _media(local: MediaDescription) -> list[str]:
    if not local.codecs or local.direction not in _DIRECTIONS:
        raise LocalProtocolError("sdp_media")
    payloads = [payload for payload, _ in local.codecs]
    maps = [f"a=rtpmap:{payload} {codec}/8000" for payload, codec in local.codecs]
    if local.telephone_event is not None:
        payloads.append(local.telephone_event)
        maps.append(f"a=rtpmap:{local.telephone_event} telephone-event/8000")
        maps.append(f"a=fmtp:{local.telephone_event} 0-15")
    listed = " ".join(map(str, payloads))
    ends = [f"a=ptime:{local.ptime_ms}", f"a={local.direction}"]
    return [f"m=audio {local.port} {_PLAIN_RTP} {listed}", *maps, *ends]


def _written(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()
