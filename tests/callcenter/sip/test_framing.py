"""Messages cut from a stream."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.sip.framing import Frame, Keepalive, StreamFramer
from callcenter.sip.message import Malformed, Request, parse_message
from tests.support.sip_material import SDP, request

FIRST = request("INVITE", "Content-Type: application/sdp", body=SDP)
SECOND = request("BYE")


def last_fault(frames: list[Frame]) -> Malformed:
    fault = frames[-1]
    assert isinstance(fault, Malformed)
    return fault


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(FIRST + SECOND) + 8), max_size=6))
def test_messages_come_whole_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream = b"\r\n" + FIRST + b"\r\n\r\n" + SECOND
    framer = StreamFramer()
    edges = [0, *sorted(cuts), len(stream)]
    frames = [frame for start, end in pairwise(edges) for frame in framer.feed(stream[start:end])]
    assert frames == [FIRST, Keepalive.PING, SECOND]
    assert framer.is_idle


def test_a_message_comes_byte_by_byte() -> None:
    framer = StreamFramer()
    assert [frame for byte in FIRST for frame in framer.feed(bytes([byte]))] == [FIRST]


def test_what_was_cut_parses() -> None:
    (frame,) = StreamFramer().feed(FIRST)
    assert isinstance(frame, bytes)
    parsed = parse_message(frame)
    assert isinstance(parsed, Request)
    assert parsed.body == SDP


def test_the_compact_length_counts_too() -> None:
    sent = FIRST.replace(b"Content-Length", b"l ")
    assert StreamFramer().feed(sent + SECOND) == [sent, SECOND]


def test_pings_in_a_row_are_answered_once() -> None:
    assert StreamFramer().feed(b"\r\n" * 400) == [Keepalive.PING]


def test_one_line_end_is_no_ping() -> None:
    framer = StreamFramer()
    assert framer.feed(b"\r\n") == []
    assert framer.is_idle
    assert framer.feed(b"\r\n") == [Keepalive.PING]


@pytest.mark.parametrize(
    ("data", "reason", "status"),
    [
        (FIRST.replace(b"Content-Length", b"X"), "no_content_length", 400),
        (FIRST.replace(b"Content-Length: ", b"Content-Length: -"), "content_length", 400),
        (request("BYE", "Content-Length: 0"), "content_length", 400),
        (SECOND.replace(b"Length: 0", b"Length: 65537"), "body_too_large", 413),
        (SECOND.replace(b"Length: 0", b"Length: 9999999999"), "body_too_large", 413),
    ],
)
def test_a_length_that_cannot_be_used_ends_the_stream_with_an_answer(data: bytes, reason: str, status: int) -> None:
    framer = StreamFramer()
    frames = framer.feed(SECOND + data + SECOND)
    fault = last_fault(frames)
    assert frames[0] == SECOND
    assert (fault.reason, fault.status) == (reason, status)
    assert fault.answerable is not None
    assert framer.failed
    assert framer.feed(SECOND) == []


def test_a_head_without_end_ends_the_stream() -> None:
    framer = StreamFramer()
    frames = [frame for _ in range(70) for frame in framer.feed(b"X: " + b"a" * 1000 + b"\r\n")]
    assert [last_fault(frames).reason] == ["too_large"]
    assert framer.failed


def test_a_fault_inside_a_message_does_not_end_the_stream() -> None:
    broken = request("BYE", "no colon")
    assert StreamFramer().feed(broken + SECOND) == [broken, SECOND]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_noise_never_surprises(chunks: list[bytes]) -> None:
    framer = StreamFramer(max_head=300, max_body=300)
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
    assert all(isinstance(frame, Malformed | Keepalive) for frame in frames)
