"""The timer heap: stale entries, moved deadlines, one loop timer."""

from callcenter.sip.timers import NEVER, Timers
from tests.support.sip import FakeLoop


class Alarm:
    """Rings once at its deadline."""

    def __init__(self, deadline: float | None) -> None:
        self.next_deadline = deadline
        self.armed_at = NEVER
        self.rung: list[float] = []

    def wake(self, now: float) -> None:
        self.rung.append(now)
        self.next_deadline = None


def armed(loop: FakeLoop, *deadlines: float) -> tuple[Timers, list[Alarm]]:
    timers = Timers(loop.time, loop.call_at)
    alarms = [Alarm(deadline) for deadline in deadlines]
    for alarm in alarms:
        timers.arm(alarm)
    return timers, alarms


def test_each_is_woken_once_at_its_time() -> None:
    loop = FakeLoop()
    _, alarms = armed(loop, 1003.0, 1001.0, 1002.0)
    loop.advance(10)
    assert [alarm.rung for alarm in alarms] == [[1003.0], [1001.0], [1002.0]]
    assert loop.next_at() is None


def test_deadline_that_moved_later_is_kept_later() -> None:
    loop = FakeLoop()
    timers, (alarm,) = armed(loop, 1001.0)
    alarm.next_deadline = 1005.0
    timers.arm(alarm)
    loop.advance(2)
    assert alarm.rung == []
    loop.advance(5)
    assert alarm.rung == [1005.0]


def test_deadline_that_moved_earlier_is_kept_earlier_and_once() -> None:
    loop = FakeLoop()
    timers, (alarm,) = armed(loop, 1005.0)
    alarm.next_deadline = 1001.0
    timers.arm(alarm)
    loop.advance(10)
    assert alarm.rung == [1001.0]


def test_dropped_deadline_wakes_nobody() -> None:
    loop = FakeLoop()
    _, (alarm,) = armed(loop, 1001.0)
    alarm.next_deadline = None
    loop.advance(10)
    assert alarm.rung == []


def test_many_timers_need_one_of_the_loop() -> None:
    loop = FakeLoop()
    armed(loop, *(1001.0 + i for i in range(100)))
    assert sum(not handle.cancelled for handle in loop.handles) == 1


def test_loop_that_rounds_down_wakes_at_once_and_with_the_deadline() -> None:
    loop = FakeLoop()
    timers, (alarm,) = armed(loop, 1001.0)
    loop.now = 1000.9995
    timers.run()
    assert alarm.rung == [1001.0]


def test_closed_timers_wake_nobody() -> None:
    loop = FakeLoop()
    timers, (alarm,) = armed(loop, 1001.0)
    timers.close()
    loop.advance(10)
    assert alarm.rung == []
