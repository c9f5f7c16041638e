"""URI, name-addr, Via, parameters, credentials: what they mean, and that the library's grammar agrees."""

from collections.abc import Callable
from typing import TypeVar

import pytest
import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st
from sipmessage import grammar

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.sip.values import (
    NameAddr,
    Uri,
    parse_address,
    parse_credentials,
    parse_parameters,
    parse_uri,
    parse_via,
    split_values,
)

Value = TypeVar("Value")


def matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


# Bounded pieces of the library's grammar. Left out is where it departs from the RFC: quoted strings that run on, and
# %xx in header parameters. Its patterns as a whole are no strategy: they make kilobytes, slowly.
USER = matching(f"(?:{grammar.cset(grammar.C_USER_SAFE)}|{grammar.ESCAPED}){{1,8}}")
PASSWORD = matching(f"(?:{grammar.cset(grammar.C_PASSWORD_SAFE)}|{grammar.ESCAPED}){{1,8}}")
HOST = st.one_of(
    matching(r"([A-Za-z0-9]{1,4}-{0,2}[A-Za-z0-9]{1,3}\.){0,3}[A-Za-z]{1,4}(-[A-Za-z0-9]{1,3})?\.?"),
    matching(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"),
    st.sampled_from(["[::1]", "[2001:db8::9:1]", "[1:2:3:4:5:6:7:8]", "[fe80::]"]),
)
PORT = st.integers(1, 65535).map(":{}".format) | st.just("")
URI_WORD = f"(?:{grammar.cset(grammar.C_URI_PARAM_SAFE)}|{grammar.ESCAPED}){{1,6}}"
URI_PARAMETERS = st.lists(matching(f"{URI_WORD}(?:={URI_WORD})?"), max_size=3).map(
    lambda some: "".join(";" + one for one in some)
)
SCHEME = st.sampled_from(["sip:", "sips:"])
USER_INFO = st.one_of(st.just(""), USER.map("{}@".format), st.builds("{}:{}@".format, USER, PASSWORD))
SIP_URI = st.builds("{}{}{}{}{}".format, SCHEME, USER_INFO, HOST, PORT, URI_PARAMETERS)
TEL_URI = st.builds("tel:{}{}".format, matching(r"\+?[0-9.()-]{0,5}[0-9][0-9.()-]{0,5}"), URI_PARAMETERS)
PARAMETER = matching(r"[ ]?;[ ]?[A-Za-z!*_+'~.-]{1,9}([ ]?=[ ]?([A-Za-z0-9!*_+'~.-]{1,9}|\[::1\]))?")
PARAMETERS = st.lists(PARAMETER, max_size=3).map("".join)
VIA = st.builds(
    "SIP{}/{}2.0/{}{} {}{}{}".format,
    st.sampled_from(["", " "]),
    st.sampled_from(["", " "]),
    st.sampled_from(["", " "]),
    st.sampled_from(["UDP", "tcp", "TLS-SCTP"]),
    HOST,
    PORT,
    PARAMETERS,
)
NAME = matching(r'("[a-z]{1,4}( [a-z]{1,4}){0,2}" ?|([a-z]{1,4}( [a-z]{1,4}){0,2})? ?)')
TAG = matching(r"[A-Za-z0-9.!%*_+`'~-]{1,20}")
# The one leeway: a name that is there twice is refused, where the library lets the last one win.
STRICTER = {"parameters"}


def lower_names(parameters: sipmessage.Parameters) -> dict[str, str | None]:
    return {name.lower(): value for name, value in parameters.items()}


def same_uri(ours: Uri, theirs: sipmessage.URI) -> bool:
    mine = (ours.scheme, ours.user, ours.host, ours.port, dict(ours.parameters))
    return mine == (theirs.scheme, theirs.user, theirs.host, theirs.port, lower_names(theirs.parameters))


def parsed(parse: Callable[[str], Value], text: str) -> Value | str:
    """The value, or the name of the refusal."""
    try:
        return parse(text)
    except RemoteProtocolError as refused:
        return refused.reason


def agrees(ours: Value | str, same: Callable[[Value], bool]) -> bool:
    return ours in STRICTER if isinstance(ours, str) else same(ours)


@settings(max_examples=120, deadline=None)
@given(SIP_URI | TEL_URI)
def test_a_uri_of_the_library_means_the_same_here(text: str) -> None:
    theirs = sipmessage.URI.parse(text)
    assert agrees(parsed(parse_uri, text), lambda ours: same_uri(ours, theirs))


@settings(max_examples=80, deadline=None)
@given(VIA)
def test_a_via_of_the_library_means_the_same_here(text: str) -> None:
    theirs = sipmessage.Via.parse(text)
    expected = (theirs.transport.upper(), theirs.host, theirs.port, lower_names(theirs.parameters))
    assert agrees(
        parsed(parse_via, text),
        lambda ours: (ours.transport, ours.host, ours.port, dict(ours.parameters)) == expected,
    )


@settings(max_examples=100, deadline=None)
@given(NAME, SIP_URI, PARAMETERS)
def test_an_address_of_the_library_means_the_same_here(name: str, uri: str, parameters: str) -> None:
    text = f"{name}<{uri}>{parameters}"
    theirs = sipmessage.Address.parse(text)
    expected = (theirs.name, lower_names(theirs.parameters))
    assert agrees(
        parsed(parse_address, text),
        lambda ours: same_uri(ours.uri, theirs.uri) and (ours.name, dict(ours.parameters)) == expected,
    )


def meaning(address: NameAddr | str) -> tuple[object, ...]:
    assert isinstance(address, NameAddr)
    return (address.uri, address.name, dict(address.parameters))


@settings(max_examples=100, deadline=None)
@given(SIP_URI, TAG)
def test_the_short_way_through_an_address_gives_what_the_long_way_gives(uri: str, tag: str) -> None:
    short = parsed(parse_address, f'"Ann B." <{uri}>;tag={tag}')
    long = parsed(parse_address, f'"Ann B."  <{uri}> ;tag={tag}')
    assert short == long or meaning(short) == meaning(long)


@settings(max_examples=100, deadline=None)
@given(TAG, st.sampled_from(["", ";rport"]), st.sampled_from(["", ":5062"]))
def test_the_short_way_through_a_via_gives_what_the_long_way_gives(branch: str, rport: str, port: str) -> None:
    short = parse_via(f"SIP/2.0/UDP pbx-1.example.org{port}{rport};branch={branch}")
    long = parse_via(f"SIP/2.0/UDP  pbx-1.example.org{port}{rport};branch={branch}")
    assert (short.host, short.port, short.branch, short.rport) == (long.host, long.port, long.branch, long.rport)
    assert short.parameters == long.parameters


def test_a_uri_is_read_whatever_the_case_of_its_names() -> None:
    uri = parse_uri("SIP:%61nn@Example.org:5070;Transport=TCP;lr")
    assert (uri.scheme, uri.user, uri.host, uri.port, uri.transport) == ("sip", "ann", "Example.org", 5070, "tcp")
    assert str(uri) == "SIP:%61nn@Example.org:5070;Transport=TCP;lr"


def test_a_host_may_be_a_single_label_with_digits() -> None:
    assert parse_uri("sip:100@pbx1").host == "pbx1"


def test_a_uri_of_another_scheme_keeps_its_text_only() -> None:
    assert parse_uri("isbn:2983792873") == Uri("isbn:2983792873", "isbn")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sip:", "uri"),
        ("sip:a b@c", "uri"),
        ("sip:a@b:0", "port"),
        ("sip:a@b:65536", "port"),
        ("sip:a@[::g]", "uri"),
        ("sip:a@[1::2::3]", "host"),
        ("sip:2001:db8::10", "uri"),
        ("sip:a@b;x=1;X=2", "parameters"),
        ("sip:a@b:\u0661", "uri"),
        ("tel:abc", "uri"),
        ("a" * 2000, "uri_too_long"),
    ],
)
def test_what_is_no_uri_is_refused(text: str, reason: str) -> None:
    assert parsed(parse_uri, text) == reason


def test_a_display_name_loses_its_quotes_and_control_characters() -> None:
    address = parse_address('"J \\"R\\" \\\x07\\\x00x" <sip:j@example.org> ; TAG = a1')
    assert (address.name, address.tag) == ('J "R" x', "a1")


def test_bytes_that_are_no_utf_8_do_not_leave_a_display_name_unprintable() -> None:
    broken = b'"Ren\xe9" <sip:r@example.org>'.decode("utf-8", "surrogateescape")
    assert parse_address(broken).name == "Ren\ufffd"


def test_parameters_after_a_bare_address_are_the_fields_own() -> None:
    address = parse_address("sip:j@example.org;tag=a1")
    assert (dict(address.uri.parameters), address.tag) == ({}, "a1")


@pytest.mark.parametrize(
    "text", ["", "<>", '"A <sip:a@b>', "A, B <sip:a@b>", '"A" < sip:a@b>', "<sip:a@b", "<sip:a@b>x", "<sip:a@b>;;"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert isinstance(parsed(parse_address, text), str)


def test_a_via_is_read_through_its_blanks() -> None:
    via = parse_via("sip / 2.0 / udp  [::1] : 5070 ; RPORT ; Branch = z9hG4bK1")
    assert (via.transport, via.host, via.port, via.branch, via.rport) == ("UDP", "[::1]", 5070, "z9hG4bK1", True)


def test_a_received_parameter_may_be_an_ipv6_address_without_brackets() -> None:
    assert parse_via("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255").received == "2001:db8::9:255"


@pytest.mark.parametrize("text", ["SIP/2.0/UDP", "SIP/3.0/UDP a", "SIP/2.0/UDP a:99999", 'SIP/2.0/UDP a;branch="x"y'])
def test_what_is_no_via_is_refused(text: str) -> None:
    assert isinstance(parsed(parse_via, text), str)


def test_quoted_values_of_parameters_may_hold_what_parts_others() -> None:
    assert parse_parameters(';a="x;y=\\"z\\"" ;B;c=[::1]') == {"a": 'x;y="z"', "b": None, "c": "[::1]"}


def test_a_list_parts_at_the_commas_outside_quotes_and_brackets() -> None:
    listed = '"A, B" <sip:a@b;x=1,2>, <sip:c@d> ;q=1,sip:e@f'
    assert split_values(listed) == ['"A, B" <sip:a@b;x=1,2>', "<sip:c@d> ;q=1", "sip:e@f"]


@pytest.mark.parametrize("text", ["a,", ",a", "a,,b", 'a,"b', "a,<b"])
def test_a_list_has_no_empty_or_open_element(text: str) -> None:
    assert parsed(split_values, text) == "list"


def test_a_list_has_a_hundred_elements_at_most() -> None:
    assert len(split_values(",".join("a" * 100))) == 100
    assert parsed(split_values, ",".join("a" * 101)) == "list"


def test_credentials_are_read_whatever_the_case_of_their_names() -> None:
    credentials = parse_credentials('DIGEST UserName="a\\"b" , realm = "x, y",qop=auth')
    assert (credentials.scheme, credentials.parameters) == (
        "digest",
        {"username": 'a"b', "realm": "x, y", "qop": "auth"},
    )


@pytest.mark.parametrize("text", ["", "Digest a", "Digest a=1,a=2", 'Digest a="x', "Digest a=1 b=2", "Di gest, a"])
def test_what_are_no_credentials_is_refused(text: str) -> None:
    assert parsed(parse_credentials, text) == "credentials"


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_credentials, "Digest " + 'a="x",' * 1300 + "!"),
        (parse_address, ";" * 8000 + "!"),
        (parse_address, "a " * 4000 + "!"),
        (parse_address, '"' + "\\" * 8001 + '" <'),
        (parse_address, "<sip:a@b>" + ';a="b"' * 1300 + "!"),
        (parse_via, "SIP/2.0/UDP " + "a-" * 4000 + "!"),
        (parse_via, "SIP/2.0/UDP" + " " * 8000 + "!"),
        (parse_uri, "sip:" + "a-" * 500 + "@"),
        (parse_uri, "sip:" + "%41" * 300 + "!"),
        (parse_uri, "tel:" + "-" * 1000),
        (parse_uri, "sip:[" + "1:" * 500 + "]"),
        (split_values, '"a",<b>,' * 1000 + '"'),
    ],
)
def test_the_longest_line_of_the_worst_kind_is_refused(parse: Callable[[str], object], text: str) -> None:
    """Exponential time would not end here, quadratic time would show in the suite's slowest tests."""
    assert isinstance(parsed(parse, text), str)
