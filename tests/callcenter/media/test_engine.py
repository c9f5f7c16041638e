"""Which steps the engine lets the worker sleep through. The rest of it is tested through a real worker."""

import socket
from collections.abc import Iterator

import pytest

from callcenter.media.engine import QUIET_STEPS, STEP_S, STEPS_A_SECOND, Engine
from callcenter.media.event_log import EventLog
from callcenter.media.port_pool import PortPool
from callcenter.media.session import Session
from callcenter.media.sockets import Sockets


class Steps:
    """An engine on real sockets of the loopback, and its clock."""

    def __init__(self) -> None:
        self.engine = Engine(Sockets("127.0.0.1", PortPool(31000, 31999)), EventLog(), silence_s=60.0, cname=b"test")
        self.now_s = 1000.0

    def open(self) -> Session:
        session = self.engine.open(f"s{len(self.engine.sessions)}", None)
        assert session is not None
        return session

    def run(self, count: int = QUIET_STEPS) -> int:
        """Make `count` steps; how many may be left out after them."""
        for _ in range(count):
            self.now_s += STEP_S
            self.engine.step(self.now_s)
        return self.engine.idle_steps()


@pytest.fixture
def steps() -> Iterator[Steps]:
    steps = Steps()
    yield steps
    for session in list(steps.engine.sessions.values()):
        steps.engine.close(session)


def test_no_step_is_left_out_until_it_has_been_quiet_for_a_while(steps: Steps) -> None:
    steps.open()
    assert [steps.run(1) for _ in range(QUIET_STEPS - 1)] == [0] * (QUIET_STEPS - 1)
    assert steps.run(1) > 0


def test_the_step_that_visits_a_session_is_made(steps: Steps) -> None:
    session = steps.open()
    idle = steps.run()
    assert (steps.engine.steps + idle) % STEPS_A_SECOND == session.second
    visits = session.visits
    steps.engine.skip(idle)
    assert steps.run(1) == STEPS_A_SECOND - 1
    assert session.visits == visits + 1


def test_nobody_to_visit_leaves_out_a_second(steps: Steps) -> None:
    assert steps.run() == STEPS_A_SECOND


def test_a_packet_makes_every_step_count_again(steps: Steps) -> None:
    session = steps.open()
    assert steps.run() > 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.sendto(b"anything", ("127.0.0.1", session.port))
    assert steps.run(1) == 0
    assert steps.run() > 0


def test_what_plays_needs_every_step_and_says_when_it_begins(steps: Steps) -> None:
    begun: list[bool] = []
    steps.engine.play_begun = lambda: begun.append(True)
    session = steps.open()
    steps.engine.play(session)
    assert begun == [True]
    assert steps.engine.idle_steps() == 0
    steps.engine.stop_playing(session)
    assert steps.run() > 0


def test_of_few_ports_none_is_held_ready() -> None:
    sockets = Sockets("127.0.0.1", PortPool(31000, 31013))
    assert (sockets.ports.size, sockets.make_ready()) == (7, ())
