"""Whatever arrives is a message or a named refusal: broken versions of real messages, and the whole corpus."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.calls.negotiation import negotiate
from callcenter.kernel.errors import RemoteProtocolError
from callcenter.sip.message import Malformed, Request, Response, parse_message
from callcenter.sip.sdp import build_answer, parse_sdp
from callcenter.sip.writer import build_response
from tests.support.shared import shared_path
from tests.support.sip_material import ALL_SDP_SEEDS, ALL_SEEDS, bodies, broken, loose, protos

SOURCE = ("127.0.0.9", 9)
NAME = re.compile(r"[a-z0-9_]+")
LAZY = (
    "vias",
    "contacts",
    "contact",
    "contact_is_star",
    "route",
    "record_route",
    "expires",
    "retry_after",
    "authorization",
    "proxy_authorization",
    "challenges",
    "answerable",
)

# RFC 4475: what must parse (3.1.1, and 3.2 to 3.4 where only the meaning is at fault) ...
SOUND = (
    "wsinv",
    "intmeth",
    "esc01",
    "escnull",
    "esc02",
    "lwsdisp",
    "longreq",
    "dblreq",
    "semiuri",
    "transports",
    "mpart01",
    "unreason",
    "noreason",
    "badbranch",
    "invut",
    "regaut01",
    "bcast",
    "zeromf",
    "cparam01",
    "cparam02",
    "regescrt",
    "sdp01",
    "inv2543",
    "unksm2",
    "baddate",
    "regbadct",
)
# ... and what must not, with the status that the request is answered with; None draws no answer.
UNSOUND = {
    "badinv01": None,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "scalarlg": None,
    "quotbal": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "escruri": 400,
    "badaspec": 400,
    "baddn": 400,
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 400,
    "bigcode": None,
    "insuf": None,
    "unkscm": 416,
    "novelsc": 416,
    "bext01": 420,
    "multi01": 400,
    "mcl01": 400,
    "test": None,
}
# RFC 5118: an address without brackets is none, and of the doubled colon there may be but one.
UNSOUND_IPV6 = ("ipv6-bad", "ipv6-bug-abnf-3-colons")


def outcome(data: bytes) -> str:
    """What parsing came to, all lazy values read and an answer written: `sound`, or the name of the refusal."""
    try:
        message = parse_message(data)
    except Malformed as refused:
        if refused.answerable is not None:
            build_response(refused.answerable, refused.status, received=SOURCE, to_tag="t", headers=refused.extra)
        return refused.reason
    assert all(NAME.fullmatch(lazy_outcome(message, name)) for name in LAZY)
    if isinstance(message, Request):
        build_response(message, 200, received=SOURCE, to_tag="t")
    message.from_address.name.encode()
    message.to_address.name.encode()
    return "sound"


def lazy_outcome(message: Request | Response, name: str) -> str:
    try:
        getattr(message, name)
    except RemoteProtocolError as refused:
        return refused.reason
    return "sound"


@settings(max_examples=600, deadline=None)
@given(broken(ALL_SEEDS))
def test_a_broken_message_is_parsed_or_refused_by_name(data: bytes) -> None:
    assert NAME.fullmatch(outcome(data))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused_by_name(data: bytes) -> None:
    assert NAME.fullmatch(outcome(data))
    assert outcome(data) != "sound"


@settings(max_examples=400, deadline=None)
@given(broken(ALL_SDP_SEEDS))
def test_a_broken_session_description_is_read_or_refused_by_name(data: bytes) -> None:
    assert NAME.fullmatch(sdp_outcome(data))


def sdp_outcome(data: bytes) -> str:
    try:
        offer = parse_sdp(data)
    except RemoteProtocolError as refused:
        return refused.reason
    local = negotiate(offer.audio, address="127.0.0.1", port=20000) if offer.audio else None
    if local is None:
        return "nothing_in_common"
    answer = parse_sdp(build_answer(offer, local, session_id=1, version=1))
    assert [stream.kind for stream in answer.streams] == [stream.kind for stream in offer.streams]
    assert answer.ours == offer.ours
    return "answered"


def test_every_message_of_the_corpus_is_parsed_or_refused_by_name() -> None:
    messages = loose(shared_path("corpus/sip"))
    assert len(messages) == 163
    assert all(NAME.fullmatch(outcome(data)) for data in messages.values())


def test_every_message_of_the_protos_suite_is_refused_by_name() -> None:
    messages = protos(shared_path("corpus/sip/protos_register.tar.gz"))
    assert len(messages) == 560
    assert all(NAME.fullmatch(outcome(data)) for data in messages.values())
    assert sum(outcome(data) == "too_large" for data in messages.values()) == 39


def test_every_session_description_of_the_corpus_is_read_or_refused_by_name() -> None:
    descriptions = bodies(shared_path("corpus/sip"))
    assert len(descriptions) == 11
    outcomes = {name: sdp_outcome(data) for name, data in descriptions.items()}
    assert outcomes["message-4.sdp"] == outcomes["message-11.sdp"] == "answered"
    assert outcomes["message-1.sdp"] == "sdp_version"
    assert outcomes["message-9.sdp"] == "sdp_address"


@pytest.mark.parametrize("name", SOUND)
def test_what_rfc_4475_calls_sound_parses(name: str) -> None:
    assert outcome(shared_path(f"corpus/sip/rfc4475/{name}.dat").read_bytes()) == "sound"


@pytest.mark.parametrize(("name", "status"), UNSOUND.items())
def test_what_rfc_4475_calls_unsound_is_refused_with_its_status(name: str, status: int | None) -> None:
    with pytest.raises(Malformed) as caught:
        parse_message(shared_path(f"corpus/sip/rfc4475/{name}.dat").read_bytes())
    answered = caught.value.status if caught.value.answerable is not None else None
    assert answered == status


def test_every_message_of_rfc_4475_has_a_verdict() -> None:
    files = {path.stem for path in shared_path("corpus/sip/rfc4475").iterdir()}
    assert files == set(SOUND) | set(UNSOUND)


@pytest.mark.parametrize("name", UNSOUND_IPV6)
def test_an_ipv6_address_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="request_uri"):
        parse_message(rfc_5118(name))


def test_other_messages_of_rfc_5118_parse() -> None:
    names = {path.name for path in shared_path("corpus/sip/rfc5118").iterdir()} - set(UNSOUND_IPV6)
    assert {name: outcome(rfc_5118(name)) for name in names} == dict.fromkeys(names, "sound")


def rfc_5118(name: str) -> bytes:
    """The message as the RFC has it: the files lost their line ends, some their last lines, and so their lengths."""
    text = shared_path(f"corpus/sip/rfc5118/{name}").read_bytes().replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n\n"
    return re.sub(rb"Content-Length: \d+\n", b"", text)
