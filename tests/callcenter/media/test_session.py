"""One endpoint: whose packets count (security.md S1, S2, S17, S18), and what it sends."""

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.media import rtcp, telephone_event
from callcenter.media.g711 import PCMA, PCMU, convert
from callcenter.media.prompts import Player
from callcenter.media.protocol import Remote
from callcenter.media.reception import ReportBlock
from callcenter.media.rtp import Packet, build, parse
from callcenter.media.session import Session, Source

PEER = ("192.0.2.1", 4000)
STRANGER = ("192.0.2.9", 4000)
VOICE = bytes((0x42,)) * 160


class Endpoint:
    """A session whose sockets are lists."""

    def __init__(self, codec: str = PCMU, **about: object) -> None:
        self.sent: list[tuple[bytes, Source]] = []
        self.controls: list[tuple[bytes, Source]] = []
        self.drops: Counter[str] = Counter()
        self.digits: list[str] = []
        self.clock = 8000
        self.sequence = 1
        self.session = Session(
            "a", "127.0.0.1", 20000,
            lambda data, to: self.sent.append((data, to)),
            lambda data, to: self.controls.append((data, to)),
            clock=0, drops=self.drops, digit=lambda _, key: self.digits.append(key),
        )  # fmt: skip
        self.connect(codec, **about)

    def connect(self, codec: str = PCMU, **about: object) -> None:
        remote = Remote(*PEER, ((0, "PCMU"),) if codec == PCMU else ((8, "PCMA"),), 101)
        self.session.connect(msgspec.structs.replace(remote, **about), self.clock)

    def hear(self, source: Source = PEER, payload: bytes = VOICE, *, payload_type: int = 0) -> None:
        data = build(payload_type, self.sequence, self.sequence * 160, 7, payload)
        self.session.receive(data, source, self.clock)
        self.sequence += 1
        self.clock += 160

    def said(self) -> list[Packet]:
        return [parse(data) for data, _ in self.sent]


def bridged(one: Endpoint, two: Endpoint) -> None:
    one.session.sink, two.session.sink = two.session, one.session


@pytest.fixture
def a() -> Endpoint:
    return Endpoint()


@pytest.fixture
def b() -> Endpoint:
    return Endpoint()


def test_the_source_is_learned_from_the_address_of_the_sdp_and_locked(a: Endpoint) -> None:
    a.hear((PEER[0], 5555))
    a.hear((PEER[0], 6666))
    a.hear(STRANGER)
    assert a.session.destination == (PEER[0], 5555)
    assert (a.session.reception.received, a.drops) == (1, {"foreign_source": 2})


def test_the_very_address_and_port_of_the_sdp_take_over_from_a_guess(a: Endpoint) -> None:
    a.hear((PEER[0], 5555))
    a.hear(PEER)
    a.hear((PEER[0], 5555))
    assert a.session.destination == PEER
    assert (a.session.reception.received, a.drops) == (2, {"foreign_source": 1})


def test_a_stranger_who_comes_first_learns_nothing_and_gets_nothing(a: Endpoint, b: Endpoint) -> None:
    bridged(a, b)
    for _ in range(200):
        a.hear(STRANGER)
    b.hear()
    assert b.sent == []
    assert {to for _, to in a.sent} == {PEER}


def test_a_malformed_packet_locks_nothing(a: Endpoint) -> None:
    a.session.receive(b"\x80\0", (PEER[0], 5555), 0)
    a.session.receive(build(72, 1, 1, 1, VOICE), (PEER[0], 5555), 0)
    assert a.session.locked is None
    assert set(a.drops) == {"rtp_short", "rtp_is_rtcp"}


def test_a_changed_address_unlocks_and_the_same_does_not(a: Endpoint) -> None:
    a.hear((PEER[0], 5555))
    a.connect()
    assert a.session.destination == (PEER[0], 5555)
    a.connect(address=STRANGER[0])
    a.hear(STRANGER)
    assert a.session.destination == STRANGER


def test_before_the_peer_is_known_everything_is_dropped(a: Endpoint) -> None:
    a.session.remote = None
    a.hear()
    assert a.drops == {"not_connected": 1}


def test_a_law_is_heard_as_u_law_and_the_other_way_round(a: Endpoint) -> None:
    other = Endpoint(PCMA)
    bridged(a, other)
    a.hear()
    other.hear(payload_type=8)
    assert [(packet[1], packet[5]) for packet in other.said()] == [(8, convert(VOICE, PCMU, PCMA))]
    assert [(packet[1], packet[5]) for packet in a.said()] == [(0, convert(VOICE, PCMA, PCMU))]


def test_key_presses_are_told_once_and_passed_on_under_the_peers_payload_type(a: Endpoint) -> None:
    other = Endpoint(telephone_event=96)
    bridged(a, other)
    for number, end in ((1, False), (2, False), (3, True), (3, True), (3, True)):
        data = build(101, a.sequence, 5000, 7, telephone_event.build("5", 160 * number, end=end))
        a.session.receive(data, PEER, a.clock)
        a.sequence += 1
        a.clock += 160
    assert a.digits == ["5"]
    assert [packet[1] for packet in other.said()] == [96] * 5
    assert len({packet[3] for packet in other.said()}) == 1


def test_a_stranger_presses_no_keys(a: Endpoint) -> None:
    a.hear()
    a.hear(STRANGER, telephone_event.build("5", 160), payload_type=101)
    assert a.digits == []


@pytest.mark.parametrize(
    ("direction", "sent", "heard"), [("sendrecv", 1, 1), ("recvonly", 1, 0), ("sendonly", 0, 1), ("inactive", 0, 0)]
)
def test_who_does_not_listen_is_not_sent_to_and_who_does_not_speak_is_not_heard(
    a: Endpoint, direction: str, sent: int, heard: int
) -> None:
    other = Endpoint(direction=direction)
    bridged(a, other)
    a.hear()
    other.hear()
    assert (len(other.sent), len(a.sent)) == (sent, heard)


def test_what_plays_has_precedence_over_the_other_leg(a: Endpoint, b: Endpoint) -> None:
    bridged(a, b)
    b.session.player = Player("p", [{PCMU: bytes(160), PCMA: bytes(160)}], loop=False)
    a.hear()
    assert b.session.play(0)
    assert [packet[5] for packet in b.said()] == [bytes(160)]
    assert not b.session.play(160)


def test_silence_counts_from_the_first_packet_and_not_on_hold(a: Endpoint) -> None:
    a.clock = 10_000_000
    assert not a.session.is_silent(a.clock, 8000)
    a.hear()
    assert not a.session.is_silent(a.clock + 7000, 8000)
    assert a.session.is_silent(a.clock + 9000, 8000)
    a.connect(direction="sendonly")
    assert not a.session.is_silent(a.clock + 9000, 8000)


def test_reports_go_to_the_next_port_with_what_was_received(a: Endpoint, b: Endpoint) -> None:
    bridged(a, b)
    for _ in range(10):
        a.hear((PEER[0], 5556))
        b.hear()
    a.session.report(a.clock, rtcp.ntp_time(1), b"w1")
    ((data, to),) = a.controls
    (report,) = rtcp.parse(data).reports
    assert to == (PEER[0], 5557)
    assert report.sender is not None
    assert (report.sender.packets, report.sender.octets) == (10, 1600)
    assert (report.blocks[0].ssrc, report.blocks[0].highest_sequence, report.blocks[0].cumulative_lost) == (7, 10, 0)


def test_the_peers_report_gives_loss_jitter_and_round_trip(a: Endpoint) -> None:
    a.hear()
    ssrc = a.session.outgoing.ssrc
    heard = rtcp.build(7, rtcp.SenderInfo(rtcp.ntp_time(100), 1, 1, 1), None, b"x")
    a.session.receive_control(heard, (PEER[0], 4001), a.clock, rtcp.ntp_time(100))
    a.session.report(a.clock + 4000, rtcp.ntp_time(100.5), b"w1")
    block = rtcp.parse(a.controls[0][0]).reports[0].blocks[0]
    assert (block.last_sr, block.delay_since_last_sr) == (rtcp.middle(rtcp.ntp_time(100)), 32768)
    answer = ReportBlock(ssrc, 0, 12, 99, 40, rtcp.middle(rtcp.ntp_time(100)), 65536)
    a.session.receive_control(rtcp.build(7, None, answer, b"x"), (PEER[0], 4001), a.clock, rtcp.ntp_time(101.25))
    assert (a.session.remote_lost, a.session.remote_jitter, a.session.round_trip_us) == (12, 40, 250_000)


def test_rtcp_of_a_stranger_a_bye_and_nonsense_are_counted_and_change_nothing(a: Endpoint) -> None:
    bye = rtcp.build(7, None, None, b"x") + b"\x81\xcb\0\1\0\0\0\7"
    a.session.receive_control(bye, STRANGER, 0, 0)
    a.session.receive_control(bye, PEER, 0, 0)
    a.session.receive_control(b"\x80" * 40, PEER, 0, 0)
    a.hear()
    assert a.drops == {"rtcp_foreign_source": 1, "rtcp_bye": 1, "rtcp_type": 1}
    assert a.session.reception.received == 1


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.binary(max_size=40))
def test_no_datagram_of_the_peer_makes_a_session_raise(seed: int, noise: bytes) -> None:
    chance = random.Random(seed)
    a, b = Endpoint(), Endpoint(PCMA)
    bridged(a, b)
    whole = (
        build(0, 5, 800, 7, VOICE),
        build(101, 6, 960, 7, telephone_event.build("1", 160)),
        rtcp.build(7, rtcp.SenderInfo(1, 2, 3, 4), ReportBlock(a.session.outgoing.ssrc, 1, 2, 3, 4, 5, 6), b"x"),
    )
    for data in (noise, *whole):
        mutated = bytearray(data + noise)
        for _ in range(chance.randrange(6)):
            if mutated:
                mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        a.session.receive(bytes(mutated), PEER, a.clock)
        a.session.receive_control(bytes(mutated), PEER, a.clock, 99)
        a.clock += 160
    a.session.report(a.clock, 100, b"w1")
    a.hear()
    assert a.session.reception.received >= 1
