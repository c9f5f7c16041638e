"""What a leg hears from us is one stream, whoever speaks."""

from itertools import pairwise

from callcenter.media.outgoing import Outgoing
from callcenter.media.rtp import Packet, parse, signed

FRAME = bytes(160)


def relayed(sequence: int, timestamp: int, *, ssrc: int = 5, marker: int = 0) -> Packet:
    return marker, 0, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, FRAME


def relay(out: Outgoing, packet: Packet, clock: int) -> Packet:
    sent = out.relay(packet, 0, packet[5], clock)
    assert sent is not None
    return parse(sent)


def test_prompt_then_bridge_then_prompt_is_continuous() -> None:
    out = Outgoing(0)
    sent = [parse(out.first(0, FRAME, 0)), parse(out.next(0, FRAME)), parse(out.next(0, FRAME))]
    sent += [relay(out, relayed(60000 + n, 4_000_000_000 + 160 * n), 800 + 160 * n) for n in range(3)]
    sent += [relay(out, relayed(5 + n, 77 + 160 * n, ssrc=6), 1600 + 160 * n) for n in range(3)]
    sent += [parse(out.first(0, FRAME, 2400)), parse(out.next(0, FRAME))]
    assert len({packet[4] for packet in sent}) == 1
    assert all((after[2] - before[2]) & 0xFFFF == 1 for before, after in pairwise(sent))
    assert [bool(packet[0]) for packet in sent] == [True, False, False] * 3 + [True, False]
    steps = [signed(after[3] - before[3], 32) for before, after in pairwise(sent)]
    assert steps == [160, 160, 480, 160, 160, 480, 160, 160, 480, 160]


def test_loss_and_order_of_a_relayed_source_are_passed_on() -> None:
    out = Outgoing(0)
    first = relay(out, relayed(10, 1600), 0)
    after = [relay(out, relayed(n, 160 * n), 0) for n in (11, 14, 13, 15)]
    assert [(packet[2] - first[2]) & 0xFFFF for packet in after] == [1, 4, 3, 5]
    assert [signed(packet[3] - first[3], 32) for packet in after] == [160, 640, 480, 800]


def test_a_packet_older_than_the_bridge_is_not_sent() -> None:
    out = Outgoing(0)
    out.first(0, FRAME, 0)
    relay(out, relayed(10, 1600), 160)
    assert out.relay(relayed(9, 1440), 0, FRAME, 160) is None


def test_a_source_that_jumps_does_not_make_us_jump() -> None:
    out = Outgoing(0)
    before = relay(out, relayed(10, 1600), 0)
    after = relay(out, relayed(40000, 3_000_000_000), 160)
    assert (after[2] - before[2]) & 0xFFFF == 1
    assert signed(after[3] - before[3], 32) == 160
    assert after[0]


def test_our_clock_never_runs_back_behind_a_fast_source() -> None:
    out = Outgoing(0)
    last = [relay(out, relayed(n, 200 * n), 160 * n) for n in range(50)][-1]
    mine = parse(out.first(0, FRAME, 160 * 50))
    assert signed(mine[3] - last[3], 32) == 160


def test_packets_and_octets_are_counted_for_the_sender_report() -> None:
    out = Outgoing(0)
    out.first(0, FRAME, 0)
    relay(out, relayed(1, 1), 160)
    assert (out.packets, out.octets) == (2, 320)
