"""Where packets land in a recording."""

import random
import tracemalloc

import pytest

from callcenter.media.g711 import PCMA, PCMU, SILENCE, convert
from callcenter.media.timeline import HORIZON, Side

QUIET = SILENCE[PCMU]


def frame(number: int) -> bytes:
    """A frame that is recognised: never silence."""
    return bytes((number % 200 + 1,)) * 160


@pytest.fixture
def side() -> Side:
    return Side(PCMU)


def place(side: Side, number: int, *, delay: int = 0, ssrc: int = 1, origin: int = 4_294_967_000) -> None:
    """Frame `number` of a source that began at position 0: it ends, and arrives, at 160 * (number + 1)."""
    side.place(ssrc, (origin + 160 * number) & 0xFFFFFFFF, frame(number), PCMU, 160 * (number + 1) + delay)


def test_frames_lie_end_to_end(side: Side) -> None:
    for number in range(50):
        place(side, number)
    assert side.take(8000) == b"".join(frame(number) for number in range(50))


def test_a_lost_frame_is_silence_and_moves_nothing(side: Side) -> None:
    for number in (0, 1, 3):
        place(side, number)
    assert side.take(800) == frame(0) + frame(1) + QUIET * 160 + frame(3) + QUIET * 160


def test_jitter_and_reordering_within_the_horizon_change_nothing(side: Side) -> None:
    chance = random.Random(7)
    arrivals = sorted((160 * (n + 1) + (chance.randrange(320) if n else 0), n) for n in range(200))
    for arrival, number in arrivals:
        side.place(1, 160 * number, frame(number), PCMU, arrival)
    assert side.take(32000) == b"".join(frame(number) for number in range(200))


def test_a_frame_later_than_what_was_taken_is_dropped(side: Side) -> None:
    place(side, 0)
    place(side, 2)
    taken = side.take(480)
    place(side, 1, delay=1600)
    assert (taken, side.dropped) == (frame(0) + QUIET * 160 + frame(2), 1)


def test_a_new_source_is_placed_where_it_arrives(side: Side) -> None:
    place(side, 0)
    place(side, 1, ssrc=2, origin=99)
    assert side.take(320) == frame(0) + frame(1)


def test_a_source_whose_clock_jumps_is_placed_where_it_arrives(side: Side) -> None:
    place(side, 0)
    place(side, 1, origin=500_000)
    assert side.take(320) == frame(0) + frame(1)


def test_a_clock_that_fell_back_is_followed_after_half_a_second(side: Side) -> None:
    place(side, 0)
    for number in range(1, 60):
        place(side, number, origin=4_294_967_000 - 80_000)
    assert side.take(160 * 60)[-160:] == frame(59)


def test_a_clock_that_runs_fast_stays_within_60_ms(side: Side) -> None:
    for number in range(10_000):
        side.place(1, 161 * number & 0xFFFFFFFF, frame(number), PCMU, 160 * (number + 1))
        if number % 50 == 49:
            side.take(160 * (number + 1) - HORIZON)
    rest = side.take(160 * 10_000 + 1600)
    assert 0 <= rest.rindex(frame(9999)[:1]) - (HORIZON + 0) < 900


def test_a_key_press_is_silent_even_where_sound_comes_along(side: Side) -> None:
    place(side, 0)
    timestamp = (4_294_967_000 + 160) & 0xFFFFFFFF
    place(side, 1)
    for number in (1, 2, 3):
        side.press(1, timestamp, 160 * number, 160 * (number + 1))
        place(side, number)
    place(side, 4)
    assert side.take(800) == frame(0) + QUIET * 480 + frame(4)


@pytest.mark.parametrize("jump", [1 << 26, (1 << 31) - 1000, -(1 << 30), 100_000])
def test_a_key_press_whose_timestamp_jumped_takes_no_room(side: Side, jump: int) -> None:
    place(side, 0)
    place(side, 1)
    tracemalloc.start()
    side.press(1, (4_294_967_000 + 320 + jump) & 0xFFFFFFFF, 160, 480)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000  # another thread may take some meanwhile; the jump is of 100,000 at least
    assert side.take(640) == frame(0) + frame(1) + QUIET * 320


def test_a_change_of_codec_keeps_the_sound(side: Side) -> None:
    place(side, 0)
    side.place(1, (4_294_967_000 + 160) & 0xFFFFFFFF, convert(frame(1), PCMU, PCMA), PCMA, 320)
    assert side.take(320)[160:] == convert(convert(frame(1), PCMU, PCMA), PCMA, PCMU)


def test_the_length_is_that_of_the_clock_and_not_of_the_packets(side: Side) -> None:
    assert side.take(12345) == QUIET * 12345
    assert side.take(100) == b""


def test_what_was_spoken_before_the_recording_began_is_not_in_it(side: Side) -> None:
    side.place(1, 0, frame(1), PCMU, 60)
    assert side.take(160) == frame(1)[:60] + QUIET * 100
