"""Session descriptions: what phones send, what we write."""

import pytest

from callcenter.calls.negotiation import default_offer, negotiate
from callcenter.calls.ports import Codec, MediaDescription
from callcenter.kernel.errors import LocalProtocolError, RemoteProtocolError
from callcenter.sip.sdp import build_answer, build_offer, parse_sdp
from tests.support.sip_material import SDP

HEAD = b"v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nt=0 0\r\n"
HERE = b"c=IN IP4 127.0.0.2\r\n"


def audio(body: bytes) -> MediaDescription:
    described = parse_sdp(body).audio
    assert described is not None
    return described


def test_an_ordinary_offer_is_read() -> None:
    assert audio(SDP) == MediaDescription(
        "127.0.0.2", 6000, ((8, Codec.PCMA), (0, Codec.PCMU)), telephone_event=101, direction="sendrecv", ptime_ms=20
    )


def test_static_payload_types_need_no_map() -> None:
    assert audio(HEAD + HERE + b"m=audio 6000 RTP/AVP 0 8 18\r\n").codecs == ((0, Codec.PCMU), (8, Codec.PCMA))


def test_a_dynamic_payload_type_may_carry_our_codec() -> None:
    body = HEAD + HERE + b"m=audio 6000 RTP/AVP 97 98 99\r\na=rtpmap:97 pcma/8000/1\r\na=rtpmap:98 PCMU/16000\r\n"
    assert audio(body + b"a=rtpmap:99 PCMU/8000/2\r\n").codecs == ((97, Codec.PCMA),)


def test_the_streams_own_connection_goes_before_the_sessions() -> None:
    body = (
        HEAD
        + HERE
        + b"m=audio 6000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\nm=video 1 RTP/AVP 31\r\nc=IN IP4 1.2.3.4\r\n"
    )
    assert audio(body).address == "2001:db8::1"


@pytest.mark.parametrize(
    ("session", "media", "direction"),
    [
        (b"", b"", "sendrecv"),
        (b"a=sendonly\r\n", b"", "sendonly"),
        (b"a=sendonly\r\n", b"a=inactive\r\n", "inactive"),
        (b"", b"a=recvonly\r\n", "recvonly"),
    ],
)
def test_the_streams_own_direction_goes_before_the_sessions(session: bytes, media: bytes, direction: str) -> None:
    assert audio(HEAD + HERE + session + b"m=audio 6000 RTP/AVP 0\r\n" + media).direction == direction


@pytest.mark.parametrize(
    ("said", "meant"), [(b"", "sendonly"), (b"a=recvonly\r\n", "inactive"), (b"a=inactive\r\n", "inactive")]
)
def test_the_empty_address_is_a_hold(said: bytes, meant: str) -> None:
    held = audio(HEAD + b"c=IN IP4 0.0.0.0\r\nm=audio 6000 RTP/AVP 0\r\n" + said)
    assert (held.address, held.direction) == ("0.0.0.0", meant)


@pytest.mark.parametrize(("wish", "taken"), [(b"30", 30), (b"60", 60), (b"25", 20), (b"120", 20), (b"x", 20)])
def test_a_packet_time_is_taken_in_tens(wish: bytes, taken: int) -> None:
    assert audio(HEAD + HERE + b"m=audio 6000 RTP/AVP 0\r\na=ptime:" + wish + b"\r\n").ptime_ms == taken


def test_the_first_plain_audio_stream_that_is_on_is_ours() -> None:
    body = (
        HEAD
        + HERE
        + b"m=audio 6 RTP/SAVP 0\r\nm=audio 0 RTP/AVP 0\r\nm=video 8 RTP/AVP 31\r\nm=audio 10 RTP/AVP 8\r\n"
    )
    assert parse_sdp(body).ours == 3


def test_a_stream_that_is_off_needs_no_address() -> None:
    assert audio(HEAD + b"m=audio 0 RTP/AVP 0\r\n").port == 0


def test_without_audio_there_is_nothing_of_ours() -> None:
    described = parse_sdp(HEAD + HERE + b"m=video 8 RTP/AVP 31\r\n")
    assert (described.ours, described.audio) == (None, None)


def test_bare_line_feeds_and_missing_lines_are_let_pass() -> None:
    assert audio(b"v=0\nc=IN IP4 127.0.0.2\nm=audio 6000 RTP/AVP 0 \n\n").port == 6000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "sdp_line"),
        (b"v=1\r\n", "sdp_version"),
        (b"o=- 1 1 IN IP4 a\r\nv=0\r\n", "sdp_version"),
        (HEAD + b"\r\nx", "sdp_line"),
        (HEAD + b"a=a\0b\r\n", "sdp_line"),
        (HEAD + b"c=IN IP4\r\n", "sdp_connection"),
        (HEAD + b"m=audio 6000 RTP/AVP 0\r\n", "sdp_no_connection"),
        (HEAD + HERE + b"m=audio 65536 RTP/AVP 0\r\n", "sdp_media"),
        (HEAD + HERE + b"m=audio 6000 RTP/AVP\r\n", "sdp_media"),
        (HEAD + HERE + b"m=audio 6000 RTP/AVP 128\r\n", "sdp_format"),
        (HEAD + HERE + b"m=audio 6000 RTP/AVP x\r\n", "sdp_format"),
        (HEAD + HERE + b"m=audio 6000 RTP/AVP 0\r\na=rtpmap:999 PCMU/8000\r\n", "sdp_rtpmap"),
        (HEAD + b"c=IN IP4 phone.example.org\r\nm=audio 6000 RTP/AVP 0\r\n", "sdp_address"),
        (HEAD + b"c=IN IP4 224.2.1.1/127\r\nm=audio 6000 RTP/AVP 0\r\n", "sdp_address"),
        (HEAD + b"c=IN IP4 255.255.255.255\r\nm=audio 6000 RTP/AVP 0\r\n", "sdp_address"),
        (HEAD + HERE + b"m=audio 6000 RTP/AVP 0\r\n" * 17, "sdp_media"),
        (HEAD + b"a=x\r\n" * 2000, "sdp_too_large"),
        (b"v=0\r\na=" + b"x" * 70000, "sdp_too_large"),
        (HEAD + b"a=" + b"x" * 5000, "sdp_line"),
        (HEAD + HERE + b"m=audio 6000 RTP/AVP 0\r\na=fmtp:\r\n", "sdp_fmtp"),
        (HEAD + HERE + b"m=audio 6000 RTP/AVP 0\r\na=fmtp:128 0-15\r\n", "sdp_fmtp"),
        (HEAD + HERE + b"m=audio 6000 RTP/AVP 0\r\na=fmtp:99999999999 0-15\r\n", "sdp_fmtp"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(body: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_sdp(body)
    assert caught.value.reason == reason


def test_our_offer_reads_back() -> None:
    ours = default_offer("192.0.2.1", 20000)
    assert audio(build_offer(ours, session_id=7, version=1)) == ours


def test_our_offer_says_what_phones_look_for() -> None:
    lines = build_offer(default_offer("192.0.2.1", 20000), session_id=7, version=2).decode().split("\r\n")
    assert lines == [
        "v=0",
        "o=- 7 2 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 20000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]


def test_an_answer_has_the_offers_lines_in_their_order() -> None:
    body = (
        HEAD + HERE + b"m=video 8 RTP/AVP 31 34\r\nm=audio 6000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"
    )
    offer = parse_sdp(body + b"m=application 9 TCP/BFCP *\r\n")
    assert offer.audio is not None
    local = negotiate(offer.audio, address="2001:db8::2", port=20000)
    assert local is not None
    answer = build_answer(offer, local, session_id=7, version=1)
    assert [line for line in answer.split(b"\r\n") if line[:2] in (b"m=", b"c=")] == [
        b"c=IN IP6 2001:db8::2",
        b"m=video 0 RTP/AVP 31 34",
        b"m=audio 20000 RTP/AVP 8 96",
        b"m=application 0 TCP/BFCP *",
    ]
    assert audio(answer) == local


@pytest.mark.parametrize(
    "local",
    [
        MediaDescription("here", 1, ((0, Codec.PCMU),)),
        MediaDescription("192.0.2.1", 1, ()),
        MediaDescription("192.0.2.1", 1, ((0, Codec.PCMU),), direction="both"),
    ],
)
def test_what_we_could_not_read_ourselves_is_not_written(local: MediaDescription) -> None:
    with pytest.raises(LocalProtocolError):
        build_offer(local, session_id=7, version=1)


def test_an_offer_without_audio_is_not_answered() -> None:
    with pytest.raises(LocalProtocolError):
        build_answer(parse_sdp(HEAD), default_offer("192.0.2.1", 20000), session_id=7, version=1)
