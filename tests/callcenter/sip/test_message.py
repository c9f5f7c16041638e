"""What a message says, and what a refusal of it carries."""

import pytest

from callcenter.sip.message import Malformed, Request, Response, parse_message
from tests.support.sip_material import SDP, message, request, response


def parsed_request(data: bytes) -> Request:
    result = parse_message(data)
    assert isinstance(result, Request)
    return result


def refused(data: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse_message(data)
    return caught.value


def test_a_request_shows_what_routes_and_identifies_it() -> None:
    invite = parsed_request(request("INVITE", "Content-Type: Application/SDP ; a=b", body=SDP))
    assert (invite.method, str(invite.uri), invite.call_id) == ("INVITE", "sip:100@127.0.0.1", "1@127.0.0.2")
    assert (invite.cseq, invite.cseq_method, invite.max_forwards) == (7, "INVITE", 70)
    assert (invite.from_tag, invite.to_tag, invite.from_address.name) == ("a1", None, "Ann")
    assert (invite.via.host, invite.via.port, invite.via.branch, invite.via.rport) == (
        "127.0.0.2",
        5070,
        "z9hG4bK-1",
        True,
    )
    assert (invite.content_type, invite.body) == ("application/sdp", SDP)


def test_a_response_shows_its_status() -> None:
    ringing = parse_message(response("180 Ringing here"))
    assert isinstance(ringing, Response)
    assert (ringing.status, ringing.phrase, ringing.to_tag) == (180, "Ringing here", "c1")


def test_compact_names_folded_lines_and_any_case_are_understood() -> None:
    lines = (
        "OPTIONS sip:b@c SIP/2.0",
        "v: SIP/2.0/UDP a;branch=z9hG4bK1",
        "F :",
        "\t<sip:a@b>",
        " ;tag=1",
        "t: <sip:b@c>",
        "I: x",
        "cSEQ: 1",
        "  OPTIONS",
        "m: <sip:a@a>",
        "s: two",
        " words",
    )
    options = parsed_request("\r\n".join((*lines, "", "")).encode())
    assert options.from_tag == "1"
    assert options.headers.get("SUBJECT") == "two words"
    assert options.contact is not None


def test_lines_may_end_in_bare_line_feeds() -> None:
    assert parsed_request(request().replace(b"\r\n", b"\n")).call_id == "1@127.0.0.2"


def test_line_ends_before_a_message_are_skipped() -> None:
    assert parsed_request(b"\r\n\r\n" + request()).method == "OPTIONS"


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"])
def test_a_datagram_of_line_ends_is_a_keepalive(data: bytes) -> None:
    fault = refused(data)
    assert (fault.reason, fault.answerable) == ("keepalive", None)


def test_what_follows_the_body_is_dropped() -> None:
    assert parsed_request(request(body=b"abc") + b"def").body == b"abc"


def test_without_a_length_the_body_is_the_rest() -> None:
    assert parsed_request(request(body=b"abc").replace(b"Content-Length: 3\r\n", b"")).body == b"abc"


@pytest.mark.parametrize(
    ("data", "reason", "status"),
    [
        (request(body=b"abc")[:-1], "body_too_short", 400),
        (request().replace(b"Length: 0", b"Length: -1"), "content_length", 400),
        (request().replace(b"Length: 0", b"Length: 99999999999"), "content_length", 400),
        (request("OPTIONS", "Content-Length: 0"), "repeated_content_length", 400),
        (request("OPTIONS", "CSeq: 8 OPTIONS"), "repeated_cseq", 400),
        (request("OPTIONS", "f: <sip:a@b>"), "repeated_from", 400),
        (request().replace(b"CSeq: 7 OPTIONS", b"CSeq: 7 INVITE"), "cseq_method", 400),
        (request().replace(b"CSeq: 7", b"CSeq: 2147483648"), "cseq", 400),
        (request().replace(b"CSeq: 7", "CSeq: \u0667".encode()), "cseq", 400),
        (request().replace(b"Forwards: 70", b"Forwards: 256"), "max_forwards", 400),
        (request().replace(b"tag=a1", b"tag"), "from_tag", 400),
        (request().replace(b"tag=a1", b'tag="a b"'), "from_tag", 400),
        (request().replace(b"tag=a1", b"tag=a1;Tag=a2"), "from", 400),
        (request().replace(b"1@127.0.0.2", b"1 2"), "call_id", 400),
        (request().replace(b"1@127.0.0.2", b"1" * 600), "call_id", 400),
        (request().replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), "version", 505),
        (request(uri="http://x"), "uri_scheme", 416),
        (request(uri="sip:a@b?to=c"), "request_uri", 400),
        (request(uri="sip:" + "a" * 2000), "request_uri", 414),
        (request("OPTIONS", "Require: a, b"), "require", 420),
        (request("OPTIONS", "no colon"), "header_line", 400),
        (request("OPTIONS", "X: " + "a" * 9000), "header_too_long", 400),
        (request("OPTIONS", *["X: a"] * 300), "too_many_headers", 400),
        (request("OPTIONS", "X: a\0b"), "control_character", 400),
        (request("OPTIONS", "X: a\rb"), "control_character", 400),
        (request("OPTIONS", "X: a\\\rb"), "control_character", 400),
        (request().replace(b"\r\n\r\n", b"\r\n"), "incomplete", 400),
    ],
)
def test_a_fault_is_named_and_answerable(data: bytes, reason: str, status: int) -> None:
    fault = refused(data)
    assert (fault.reason, fault.status) == (reason, status)
    assert fault.answerable is not None
    assert fault.answerable.via.host == "127.0.0.2"


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_request_that_lacks_what_answers_copy_draws_none(name: str) -> None:
    fault = refused(request(without=name))
    assert (fault.reason, fault.answerable) == ("missing_header", None)


def test_a_broken_ack_draws_no_answer() -> None:
    assert refused(request("ACK", "no colon")).answerable is None


def test_a_broken_response_draws_no_answer() -> None:
    assert refused(response("200 OK", "no colon")).answerable is None


@pytest.mark.parametrize("status", ["99 x", "700 x", "2000 x", "4294967301 x", "2x0 y"])
def test_an_impossible_status_is_refused(status: str) -> None:
    assert refused(response(status)).reason == "status_line"


def test_what_is_required_of_a_cancel_is_not_looked_at() -> None:
    assert parsed_request(request("CANCEL", "Require: a")).method == "CANCEL"


def test_the_unknown_extensions_are_listed_in_the_refusal() -> None:
    assert refused(request("OPTIONS", "Require: foo, Bar")).extra == (("Unsupported", "foo, bar"),)


def test_the_list_in_the_refusal_is_short_however_long_the_requests() -> None:
    ((_, listed),) = refused(request("OPTIONS", f"Require: {'a,' * 1000}b")).extra
    assert listed == "a"


def test_a_head_of_more_than_64_kib_is_refused_without_an_answer() -> None:
    fault = refused(request("OPTIONS", *[f"X-{i}: {'a' * 4000}" for i in range(20)]))
    assert (fault.reason, fault.status, fault.answerable) == ("too_large", 513, None)


def test_contacts_and_routes_are_read_in_order() -> None:
    register = parsed_request(
        request(
            "REGISTER",
            'Contact: "A, B" <sip:a@b>;expires=60, <sip:c@d>',
            "Contact: <sip:e@f>",
            "Route: <sip:r1;lr>,<sip:r2;lr>",
        )
    )
    assert [contact.uri.user for contact in register.contacts] == ["a", "c", "e"]
    assert [route.uri.host for route in register.route] == ["r1", "r2"]
    with pytest.raises(Malformed, match="contact"):
        _ = register.contact


def test_a_star_is_no_contact() -> None:
    register = parsed_request(request("REGISTER", "Contact: *"))
    assert register.contact_is_star
    assert register.contacts == []


def test_a_fault_found_late_can_still_be_answered() -> None:
    invite = parsed_request(request("INVITE", "Contact: sip:"))
    with pytest.raises(Malformed) as caught:
        _ = invite.contact
    assert caught.value.answerable is not None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("300", 300), ("0", 0), ("007", 7), ("9" * 5000, 2**32 - 1), ("5 (soon)", 5), ("5;duration=3", 5)],
)
def test_seconds_are_read_and_bounded(value: str, seconds: int) -> None:
    assert parsed_request(request("REGISTER", f"Expires: {value}")).expires == seconds


@pytest.mark.parametrize("value", ["", "-1", "soon", "\u0661"])
def test_what_are_no_seconds_is_refused(value: str) -> None:
    register = parsed_request(request("REGISTER", f"Expires: {value}"))
    with pytest.raises(Malformed, match="expires"):
        _ = register.expires


def test_words_of_a_field_are_lower_case_and_never_empty() -> None:
    options = parsed_request(request("OPTIONS", "Supported: Timer, ,100rel", "k: replaces"))
    assert options.tokens("Supported") == ["timer", "100rel", "replaces"]


def test_all_vias_are_read_the_top_one_first() -> None:
    forwarded = message(
        "BYE sip:a@b SIP/2.0",
        "Via: SIP/2.0/UDP one;branch=z9hG4bK1, SIP/2.0/TCP two",
        "Via: SIP/2.0/UDP three",
        "From: <sip:a@b>;tag=1",
        "To: <sip:c@d>;tag=2",
        "Call-ID: x",
        "CSeq: 1 BYE",
    )
    assert [via.host for via in parsed_request(forwarded).vias] == ["one", "two", "three"]


def test_challenges_are_those_of_servers_then_of_proxies() -> None:
    answer = parse_message(
        response("401 x", 'Proxy-Authenticate: Digest realm="p"', 'WWW-Authenticate: Digest realm="w"')
    )
    assert [challenge.parameters["realm"] for challenge in answer.challenges] == ["w", "p"]
