"""RTCP: our reports by RFC 3550 section 6.4, and the peer's whatever he sends."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.media.reception import ReportBlock
from callcenter.media.rtcp import SenderInfo, build, middle, ntp_time, parse

BLOCK = ReportBlock(0xAABBCCDD, 64, -3, 0x00012345, 17, 0x11112222, 0x00010000)
SENDER = SenderInfo(0x0102030405060708, 8000, 50, 8000)


def test_a_sender_report_carries_its_fields_where_the_rfc_puts_them() -> None:
    data = build(0x01020304, SENDER, BLOCK, b"w1@callcenter")
    assert struct.unpack_from("!BBHI", data) == (0x81, 200, 12, 0x01020304)
    assert struct.unpack_from("!IIIII", data, 8) == (0x01020304, 0x05060708, 8000, 50, 8000)
    assert struct.unpack_from("!IIIIII", data, 28) == (
        0xAABBCCDD, 64 << 24 | 0xFFFFFD, 0x00012345, 17, 0x11112222, 0x00010000,
    )  # fmt: skip
    assert struct.unpack_from("!BBHIBB", data, 52) == (0x81, 202, 5, 0x01020304, 1, 13)
    assert len(data) % 4 == 0


def test_a_report_reads_back_as_it_was_built() -> None:
    compound = parse(build(9, SENDER, BLOCK, b"x"))
    (report,) = compound.reports
    assert (report.ssrc, report.sender, report.blocks) == (9, SENDER, (BLOCK,))


def test_who_has_sent_nothing_sends_a_receiver_report() -> None:
    data = build(9, None, BLOCK, b"x")
    assert data[1] == 201
    assert parse(data).reports[0].sender is None


def test_ntp_time_counts_from_1900_in_64_bits() -> None:
    assert ntp_time(0.5) == (2_208_988_800 << 32) + (1 << 31)
    assert middle(0x0102030405060708) == 0x03040506


def test_a_bye_is_counted_and_nothing_else() -> None:
    bye = struct.pack("!BBHI", 0x81, 203, 1, 9)
    assert parse(build(9, None, None, b"x") + bye).byes == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "rtcp_short"),
        (b"\x80\xc9\0", "rtcp_short"),
        (b"\x40\xc9\0\0", "rtcp_version"),
        (b"\x80\x00\0\0", "rtcp_type"),
        (b"\x80\xc9\0\x09", "rtcp_length"),
        (b"\x81\xc9\0\x01\0\0\0\1", "rtcp_length"),
        (b"\x80\xc8\0\x01\0\0\0\1", "rtcp_length"),
        (b"\xa0\xc9\0\x01\0\0\0\x00", "rtcp_padding"),
        (b"\x81\xca\0\x01\0\0\0\1" + b"\x80\xc9\0\x01\0\0\0\1", "rtcp_order"),
    ],
)
def test_each_malformed_compound_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        parse(data)
    assert refused.value.reason == reason


@given(
    st.binary(max_size=48),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8),
    st.integers(0, 120),
)
def test_a_mutated_compound_is_parsed_or_refused_and_nothing_else(
    noise: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(build(1, SENDER, BLOCK, b"name") + noise)
    for position, value in changes:
        data[position % len(data)] = value
    for candidate in (bytes(data), bytes(data[:length]), noise):
        with contextlib.suppress(RemoteProtocolError):
            assert parse(candidate).byes >= 0
