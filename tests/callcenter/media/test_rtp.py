"""RTP packets: what is accepted, what is refused and by which name."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.media.rtp import MAX_PAYLOAD, build, parse, signed


def test_a_built_packet_parses_to_what_was_given() -> None:
    assert parse(build(8, 65535, 0xFFFFFFFF, 7, b"abc", marker=True)) == (0x80, 8, 65535, 0xFFFFFFFF, 7, b"abc")


def test_csrcs_extension_and_padding_are_taken_off() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 0, 1, 2, 3)
    extension = struct.pack("!HHI", 0xBEDE, 1, 99)
    assert parse(head + bytes(8) + extension + b"sound" + b"\0\0\3")[5] == b"sound"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "rtp_short"),
        (build(0, 1, 1, 1, b"x")[:11], "rtp_short"),
        (b"\x40" + build(0, 1, 1, 1, b"x")[1:], "rtp_version"),
        (b"\x8f" + build(0, 1, 1, 1, b"x")[1:], "rtp_csrc"),
        (b"\x90" + build(0, 1, 1, 1, b"xyz")[1:], "rtp_extension"),
        (b"\x90" + build(0, 1, 1, 1, b"\0\0\xff\xff")[1:], "rtp_extension"),
        (b"\xa0" + build(0, 1, 1, 1, b"x\0")[1:], "rtp_padding"),
        (b"\xa0" + build(0, 1, 1, 1, b"x\x09")[1:], "rtp_padding"),
        (b"\xa0" + build(0, 1, 1, 1, b"x\x02")[1:], "rtp_empty"),
        (build(0, 1, 1, 1, b""), "rtp_empty"),
        (build(0, 1, 1, 1, bytes(MAX_PAYLOAD + 1)), "rtp_long"),
        (build(72, 1, 1, 1, b"x"), "rtp_is_rtcp"),
    ],
)
def test_each_malformed_packet_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        parse(data)
    assert refused.value.reason == reason


@given(
    st.binary(max_size=64),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8),
    st.integers(0, 200),
)
def test_a_mutated_packet_is_parsed_or_refused_and_nothing_else(
    noise: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(build(0, 1, 2, 3, bytes(160)) + noise)
    for position, value in changes:
        data[position % len(data)] = value
    for candidate in (bytes(data), bytes(data[:length]), noise):
        with contextlib.suppress(RemoteProtocolError):
            assert 0 < len(parse(candidate)[5]) <= MAX_PAYLOAD


def test_counters_that_wrap_have_a_signed_distance() -> None:
    assert [signed(value, 16) for value in (1, 0xFFFF, 0x8000, 0x10001)] == [1, -1, -0x8000, 1]
