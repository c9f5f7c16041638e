"""One key press is one digit (RFC 4733, security.md S18)."""

import pytest

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.media.rtp import parse
from callcenter.media.telephone_event import KeyPresses, build, duration_of
from tests.support.capture import read_capture
from tests.support.shared import shared_path

FRAME = 160


class Finger:
    """Presses keys the way a phone does: an update each 20 ms, the end three times."""

    def __init__(self) -> None:
        self.keys = KeyPresses()
        self.heard = ""
        self.now = 8000
        self.sent = 0

    def packet(self, key: str, timestamp: int, duration: int, *, end: bool = False, marker: bool = False) -> None:
        self.heard += self.keys.packet(1, timestamp, build(key, duration, end=end), self.now, marker=marker) or ""
        self.now += FRAME

    def press(
        self, key: str, *, updates: int = 5, ends: int = 3, first: int = 1, drift: int = 0, marker: bool = True
    ) -> None:
        """A press of `updates` x 20 ms, of which packets before `first` are lost; `drift` moves each timestamp."""
        start = self.now
        self.now += FRAME * (first - 1)
        for index in range(first, updates + 1):
            self.packet(key, start + drift * index, FRAME * index, marker=marker and index == 1)
        for index in range(ends):
            self.packet(key, start + drift * (updates + index), FRAME * updates, end=True)
            self.now -= FRAME
        self.now += FRAME * 4


@pytest.fixture
def finger() -> Finger:
    return Finger()


@pytest.mark.parametrize("number", range(5))
def test_the_captured_presses_are_one_digit_each(number: int) -> None:
    keys, heard = KeyPresses(), []
    for packet in read_capture(shared_path(f"corpus/rtp/dtmf_2833_{number}.pcap")):
        marker, _, _, timestamp, ssrc, payload = parse(packet.payload)
        heard.append(keys.packet(ssrc, timestamp, payload, int(packet.at * 8000), marker=bool(marker)))
    assert [key for key in heard if key] == [str(number)]


def test_sixteen_keys_are_sixteen_digits(finger: Finger) -> None:
    for key in "0123456789*#ABCD":
        finger.press(key)
    assert finger.heard == "0123456789*#ABCD"


def test_the_same_key_twice_is_two_digits(finger: Finger) -> None:
    finger.press("7")
    finger.press("7")
    assert finger.heard == "77"


def test_lost_end_packets_do_not_swallow_the_next_press(finger: Finger) -> None:
    finger.press("7", ends=0)
    finger.press("7", ends=0)
    finger.press("8", ends=0)
    assert finger.heard == "778"


def test_a_press_of_which_only_the_end_arrives_counts(finger: Finger) -> None:
    finger.press("7")
    finger.press("7", first=6, ends=1, marker=False)
    assert finger.heard == "77"


def test_a_timestamp_that_moves_within_a_press_makes_no_second_digit(finger: Finger) -> None:
    finger.press("5", updates=20, drift=FRAME)
    finger.press("5", updates=20, drift=FRAME)
    assert finger.heard == "55"


def test_a_timestamp_that_jumps_within_a_press_makes_no_second_digit(finger: Finger) -> None:
    finger.packet("5", 8000, 160, marker=True)
    finger.packet("5", 900_000, 320)
    finger.packet("5", 900_000, 480, end=True)
    finger.packet("5", 40, 480, end=True)
    assert finger.heard == "5"


def test_packets_of_an_earlier_press_that_come_late_change_nothing(finger: Finger) -> None:
    finger.packet("1", 8000, 160, marker=True)
    finger.packet("2", 9000, 160, marker=True)
    finger.packet("1", 8000, 320, end=True)
    finger.packet("2", 9000, 320, end=True)
    assert finger.heard == "12"


def test_a_long_press_in_segments_is_one_digit(finger: Finger) -> None:
    finger.packet("9", 1000, 0xFFFF, marker=True)
    finger.packet("9", 1000 + 0xFFFF, 160)
    finger.packet("9", 1000 + 0xFFFF, 320, end=True)
    assert finger.heard == "9"


def test_an_event_that_is_no_key_is_no_digit() -> None:
    assert KeyPresses().packet(1, 1, bytes((16, 0x0A, 0, 160)), 0, marker=True) is None


def test_a_payload_too_short_is_refused_by_name() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        KeyPresses().packet(1, 1, b"\1\0\0", 0, marker=True)
    assert refused.value.reason == "telephone_event_short"
    assert duration_of(b"\1\0\0") == 0
