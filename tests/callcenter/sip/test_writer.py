"""Messages as we write them."""

import pytest

from callcenter.kernel.errors import LocalProtocolError
from callcenter.sip.message import Malformed, Request, Response, parse_message
from callcenter.sip.writer import build_request, build_response, quote, reason_phrase
from tests.support.sip_material import request

SOURCE = ("192.0.2.7", 40000)


def received(data: bytes) -> Request:
    result = parse_message(data)
    assert isinstance(result, Request)
    return result


def answered(data: bytes) -> Response:
    result = parse_message(data)
    assert isinstance(result, Response)
    return result


def via_of(request_via: str) -> str | None:
    """The top Via of an answer to a request with `request_via`."""
    sent = request(without="Via").replace(b"\r\n", f"\r\nVia: {request_via}\r\n".encode(), 1)
    return answered(build_response(received(sent), 200, received=SOURCE)).headers.get("via")


def test_a_response_copies_what_identifies_the_request() -> None:
    invite = received(request("INVITE", "Via: SIP/2.0/UDP second", "Record-Route: <sip:r;lr>"))
    answer = answered(
        build_response(invite, 200, to_tag="z1", headers=[("Contact", "<sip:us>")], body=b"x", content_type="a/b")
    )
    assert (answer.status, answer.phrase, answer.to_tag, answer.from_tag) == (200, "OK", "z1", "a1")
    assert (answer.call_id, answer.cseq, answer.cseq_method) == ("1@127.0.0.2", 7, "INVITE")
    assert [via.host for via in answer.vias] == ["127.0.0.2", "second"]
    assert [route.uri.host for route in answer.record_route] == ["r"]
    assert (answer.content_type, answer.body) == ("a/b", b"x")


def test_no_product_is_named() -> None:
    names = answered(build_response(received(request()), 200)).headers.names()
    assert "server" not in names
    assert "user-agent" not in names


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("SIP/2.0/UDP a:5070;rport;branch=b", "SIP/2.0/UDP a:5070;branch=b;received=192.0.2.7;rport=40000"),
        ("SIP/2.0/UDP a;branch=b", "SIP/2.0/UDP a;branch=b;received=192.0.2.7"),
        ("SIP/2.0/UDP 192.0.2.7:99;branch=b", "SIP/2.0/UDP 192.0.2.7:99;branch=b"),
        ("SIP/2.0/UDP 192.0.2.7;rport=1;branch=b", "SIP/2.0/UDP 192.0.2.7;branch=b;received=192.0.2.7;rport=40000"),
        ('SIP/2.0/UDP a;received=9.9.9.9;x="q;r"', 'SIP/2.0/UDP a;x="q;r";received=192.0.2.7'),
        ("SIP/2.0/TCP a;branch=b , SIP/2.0/UDP c", "SIP/2.0/TCP a;branch=b;received=192.0.2.7"),
    ],
)
def test_the_top_via_tells_where_the_request_came_from(sent: str, expected: str) -> None:
    assert via_of(sent) == expected


def test_a_tag_that_is_there_stays() -> None:
    bye = received(request("BYE").replace(b"To: <sip:100@127.0.0.1>", b"To: <sip:100@127.0.0.1>;tag=old"))
    assert answered(build_response(bye, 200, to_tag="new")).to_tag == "old"


def test_trying_has_no_tag_and_no_route() -> None:
    trying = answered(build_response(received(request("INVITE", "Record-Route: <sip:r>")), 100, to_tag="t"))
    assert trying.to_tag is None
    assert trying.record_route == []


def test_a_refusal_needs_no_more_than_what_could_be_read() -> None:
    with pytest.raises(Malformed) as caught:
        parse_message(request(without="To").replace(b"\r\n\r\n", b'\r\nTo: "A <sip:b\xff>\r\n\r\n'))
    assert caught.value.answerable is not None
    answer = build_response(caught.value.answerable, caught.value.status, received=SOURCE, to_tag="t")
    assert b'\r\nTo: "A <sip:b\xff>;tag=t\r\n' in answer
    assert answer.startswith(b"SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP 127.0.0.2:5070;branch=z9hG4bK-1;received=")


@pytest.mark.parametrize("evil", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
def test_nothing_that_is_passed_in_can_begin_a_line(evil: str) -> None:
    options = received(request())
    for write in (
        lambda: build_response(options, 200, evil),
        lambda: build_response(options, 200, to_tag=evil),
        lambda: build_response(options, 200, headers=[("X", evil)]),
        lambda: build_response(options, 200, headers=[(evil, "x")]),
        lambda: build_response(options, 200, content_type=evil),
        lambda: build_response(options, 200, received=(evil, 1)),
        lambda: build_request(evil, "sip:a", headers=[]),
        lambda: build_request("BYE", evil, headers=[]),
        lambda: build_request("BYE", "sip:a", headers=[("X", evil)]),
        lambda: quote(evil),
    ):
        with pytest.raises(LocalProtocolError):
            write()


def test_an_impossible_status_is_our_own_fault() -> None:
    with pytest.raises(LocalProtocolError):
        build_response(received(request()), 99)


def test_the_length_is_ours_to_write() -> None:
    with pytest.raises(LocalProtocolError):
        build_request("BYE", "sip:a", headers=[("content-length", "5")])


def test_a_request_is_written_as_given() -> None:
    data = build_request("MESSAGE", "sip:a@b", headers=[("Subject", "caf\u00e9")], body=b"hi")
    assert data == "MESSAGE sip:a@b SIP/2.0\r\nSubject: caf\u00e9\r\nContent-Length: 2\r\n\r\nhi".encode()


def test_a_quoted_string_reads_back() -> None:
    assert quote('a "b" \\c') == '"a \\"b\\" \\\\c"'


@pytest.mark.parametrize(("status", "phrase"), [(487, "Request Terminated"), (199, "Progress"), (699, "Failure")])
def test_each_status_has_a_phrase(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase
