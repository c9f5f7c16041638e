"""SoundWatch: a prompt or message whose end nobody tells keeps no caller waiting."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.director.sound_watch import GRACE_S, SoundWatch

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Alarms:
    """The alarm that is set for the contact."""

    def __init__(self) -> None:
        self.at: datetime | None = None

    def set(self, kind: str, contact: str, at: datetime | None) -> None:
        assert (kind, contact) == ("sound", "call")
        self.at = at


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def watch(alarms: Alarms) -> SoundWatch:
    """A prompt of four seconds has begun."""
    watch = SoundWatch(alarms.set)
    watch.begun("call", "f1", 4, now=NOW)
    return watch


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_sound_is_lost_some_time_after_its_length_and_once(watch: SoundWatch, alarms: Alarms) -> None:
    assert alarms.at == after(4 + GRACE_S)
    assert watch.lost("call", now=after(13)) is None
    assert watch.lost("call", now=after(14)) == "f1"
    assert watch.lost("call", now=after(15)) is None
    assert alarms.at is None


def test_a_sound_whose_end_was_told_is_not_lost(watch: SoundWatch, alarms: Alarms) -> None:
    watch.over("call", "f0")
    assert alarms.at is not None
    watch.over("call", "f1")
    assert watch.lost("call", now=after(100)) is None
    assert alarms.at is None


def test_a_new_sound_takes_the_place_of_the_old(watch: SoundWatch, alarms: Alarms) -> None:
    watch.begun("call", "f2", 60, now=after(1))
    assert watch.lost("call", now=after(20)) is None
    assert alarms.at == after(61 + GRACE_S)


def test_a_stopped_prompt_is_waited_for_no_longer(watch: SoundWatch, alarms: Alarms) -> None:
    watch.stopped("call", now=after(1))
    assert alarms.at is None


def test_a_stopped_message_still_has_to_say_how_long_it_is(watch: SoundWatch, alarms: Alarms) -> None:
    watch.begun("call", "f2", 60, now=NOW, recording=True)
    watch.stopped("call", now=after(5))
    assert alarms.at == after(5 + GRACE_S)
    assert watch.lost("call", now=after(5 + GRACE_S)) == "f2"
