"""SIP messages to test with: some written here, those of ../shared, and broken versions of all of them."""

import tarfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from tests.support.shared import SHARED

SDP = (
    b"v=0\r\no=- 42 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8 0 101\r\n"
    b"a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    b"a=ptime:20\r\na=sendrecv\r\n"
)


def message(start: str, *fields: str, body: bytes = b"") -> bytes:
    """The bytes of a message; Content-Length is added."""
    return "\r\n".join((start, *fields, f"Content-Length: {len(body)}", "", "")).encode() + body


def request(
    method: str = "OPTIONS", *fields: str, body: bytes = b"", without: str = "", uri: str = "sip:100@127.0.0.1"
) -> bytes:
    """A plain request with `fields` added and the fields named `without` left out."""
    plain = (
        "Via: SIP/2.0/UDP 127.0.0.2:5070;branch=z9hG4bK-1;rport",
        "Max-Forwards: 70",
        'From: "Ann" <sip:ann@127.0.0.2>;tag=a1',
        "To: <sip:100@127.0.0.1>",
        "Call-ID: 1@127.0.0.2",
        f"CSeq: 7 {method}",
    )
    kept = [field for field in plain if not without or not field.startswith(f"{without}:")]
    return message(f"{method} {uri} SIP/2.0", *kept, *fields, body=body)


def response(status: str = "200 OK", *fields: str, body: bytes = b"") -> bytes:
    """A plain response to an INVITE of ours."""
    return message(
        f"SIP/2.0 {status}",
        "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-2;received=127.0.0.1;rport=5060",
        "From: <sip:100@127.0.0.1>;tag=b1",
        "To: <sip:ann@127.0.0.2>;tag=c1",
        "Call-ID: 2@127.0.0.1",
        "CSeq: 1 INVITE",
        "Contact: <sip:ann@127.0.0.2:5070>",
        *fields,
        body=body,
    )


SEEDS = (
    request(),
    request("INVITE", "Contact: <sip:ann@127.0.0.2:5070;transport=udp>", "Content-Type: application/sdp", body=SDP),
    request(
        "REGISTER",
        'Contact: "Ann" <sip:ann@127.0.0.2>;expires=60, <sip:ann@[::1]:5070>;q=0.5',
        "Expires: 300",
        'Authorization: Digest username="ann", realm="here", nonce="n", uri="sip:here", response="0", qop=auth, nc=1',
    ),
    request("BYE", "Route: <sip:a@127.0.0.3;lr>, <sip:127.0.0.4;lr>", "Record-Route: <sip:127.0.0.5;lr>"),
    request("ACK"),
    request("CANCEL", "Reason: SIP;cause=200", "Require: 100rel"),
    response(),
    response("180 Ringing", "Record-Route: <sip:127.0.0.5;lr>"),
    response("401 Unauthorized", 'WWW-Authenticate: Digest realm="there", nonce="n", algorithm=MD5, qop="auth"'),
    response("503 Busy", "Retry-After: 5 (soon);duration=3"),
    response(body=SDP),
)

SDP_SEEDS = (
    SDP,
    SDP.replace(b"sendrecv", b"sendonly"),
    SDP + b"m=video 6002 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\nm=audio 0 RTP/SAVP 0\r\n",
    SDP.replace(b"IP4 127.0.0.2", b"IP6 ::1"),
    SDP.replace(b"c=IN IP4 127.0.0.2", b"c=IN IP4 0.0.0.0"),
)

_PLACEHOLDERS = {
    b"[Server_Uri]": b"127.0.0.1",
    b"[Call_Id]": b"protos@127.0.0.2",
    b"[IP]": b"127.0.0.2",
    b"[PORT]": b"5060",
    b"[CSeq]": b"1",
    b"[From_User]": b"ann",
    b"[Tag]": b"t1",
    b"[Branch]": b"z9hG4bKprotos",
}


def protos(archive: Path) -> dict[str, bytes]:
    """The messages of the PROTOS archive by name, placeholders filled, lines ended by CRLF."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            if file is None:
                continue
            data = file.read()
            for placeholder, value in _PLACEHOLDERS.items():
                data = data.replace(placeholder, value)
            found[member.name] = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return found


def loose(folder: Path) -> dict[str, bytes]:
    """The messages that lie loose below the corpus, by folder and name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".sdp", ".gz"))
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in files}


def bodies(folder: Path) -> dict[str, bytes]:
    """The session descriptions of the corpus."""
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.sdp"))}


def _corpus(read: Callable[[Path], dict[str, bytes]]) -> tuple[bytes, ...]:
    folder = SHARED / "corpus" / "sip"
    return tuple(read(folder).values()) if folder.is_dir() else ()


# Hypothesis needs its seeds before a test can be skipped: without the corpus it walks from our own alone.
ALL_SEEDS = SEEDS + _corpus(loose)
ALL_SDP_SEEDS = SDP_SEEDS + _corpus(bodies)

_NASTY: tuple[bytes, ...] = (
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\xff",
    b"\xc3\xa9",
    b'"',
    b"<",
    b">",
    b";",
    b",",
    b"=",
    b"%",
    b"\\",
)
_NASTY += (
    b"99999999999999999999",
    b"-1",
    b"%00",
    b"[",
    b"]",
    b":" * 40,
    b";a" * 50,
    b"\xd9\xa1",
    b"A" * 300,
    b" " * 300,
)


@st.composite
def broken(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A seed with bytes flipped, cut off, put in, spliced with another, or with a line doubled."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 5)):
            case 0:
                data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + draw(st.sampled_from(_NASTY)) + data[at:]
            case 3:
                other = draw(st.sampled_from(seeds))
                data = data[:at] + other[draw(st.integers(0, len(other))) :]
            case 4:
                lines = data.split(b"\r\n")
                line = draw(st.integers(0, len(lines) - 1))
                data = b"\r\n".join([*lines[:line], lines[line], *lines[line:]])
            case _:
                data = data[:at] + data[draw(st.integers(at, len(data))) :]
    return data
