"""What the room of calls may count on from `Signalling`: the same tests for the user agent and for its fake."""

from collections.abc import Callable
from typing import Protocol

import pytest

from callcenter.calls import events as ev
from callcenter.calls.ports import Signalling, Target
from callcenter.kernel.unit import Unit
from callcenter.sip.message import Request, Response
from tests.support.signalling import FakeSignalling
from tests.support.sip import EPOCH, OUR_MEDIA, PEER_MEDIA, PHONE, Peer, SipWorld, respond, sdp

TARGET = Target("sip:m1@10.0.0.3:5070", "10.0.0.3", 5070, "udp", "900")


class Line(Protocol):
    """A gateway with peers that do as told. `sent` is what left for `leg`, ACKs and 100 excepted."""

    inputs: list[ev.SignallingInput]

    @property
    def signalling(self) -> Signalling: ...
    def do(self, act: Callable[[Unit], None]) -> None: ...
    def sent(self) -> list[str]: ...
    def arrive(self) -> str: ...
    def acknowledge(self, leg: str) -> None: ...
    def caller_cancels(self, leg: str) -> None: ...
    def hangs_up(self, leg: str) -> None: ...
    def rings(self, leg: str) -> None: ...
    def accepts(self, leg: str) -> None: ...
    def refuses(self, leg: str, status: int) -> None: ...


class FakeLine:
    """The fake."""

    def __init__(self) -> None:
        self.inputs: list[ev.SignallingInput] = []
        self.fake = FakeSignalling(lambda: Unit(EPOCH), lambda unit, event: self.inputs.append(event), self._submit)
        self.arrive = self.fake.arrive
        self.acknowledge = self.fake.acknowledge
        self.caller_cancels = self.fake.caller_cancels
        self.hangs_up = self.fake.hangs_up
        self.rings = self.fake.rings
        self.accepts = self.fake.accepts
        self.refuses = self.fake.refuses

    @property
    def signalling(self) -> Signalling:
        return self.fake

    def _submit(self, unit: Unit) -> None:
        for action in unit.actions:
            action()

    def do(self, act: Callable[[Unit], None]) -> None:
        unit = Unit(EPOCH)
        act(unit)
        self._submit(unit)

    def sent(self) -> list[str]:
        return [what for what, _ in self.fake.sent]


class SipLine:
    """The user agent, with peers on a wire of memory."""

    def __init__(self) -> None:
        self.world = SipWorld()
        self.inputs = self.world.inputs
        self.do = self.world.do
        self.peer = Peer()
        self.invite: Request | None = None
        self.first = b""
        self._sent: list[str] = []

    @property
    def signalling(self) -> Signalling:
        return self.world.agent

    def sent(self) -> list[str]:
        for message in self.world.take():
            if isinstance(message, Request):
                self._sent.append(message.method)
                self.invite = message if message.method == "INVITE" else self.invite
            elif message.cseq_method == "INVITE":
                self._sent.append(str(message.status))
            assert isinstance(message, Request | Response)
        return [what for what in self._sent if what not in ("ACK", "100")]

    def arrive(self) -> str:
        self.first = self.peer.request("INVITE", body=sdp())
        self.world.receive(self.first)
        return self.inputs[-1].leg

    def acknowledge(self, leg: str) -> None:
        self.peer.to_tag = leg
        self.world.receive(self.peer.request("ACK"))

    def caller_cancels(self, leg: str) -> None:
        self.world.receive(self.peer.beside(self.first, "CANCEL"))

    def hangs_up(self, leg: str) -> None:
        self.peer.to_tag, self.peer.cseq = leg, 2
        self.world.receive(self.peer.request("BYE"))

    def _respond(self, status: int, body: bytes = b"") -> None:
        self.sent()
        assert self.invite is not None, "an INVITE was sent"
        self.world.receive(respond(self.invite, status, body=body), PHONE)

    def rings(self, leg: str) -> None:
        self._respond(180)

    def accepts(self, leg: str) -> None:
        self._respond(200, sdp())

    def refuses(self, leg: str, status: int) -> None:
        self._respond(status)


@pytest.fixture(params=[FakeLine, SipLine])
def line(request: pytest.FixtureRequest) -> Line:
    made: Line = request.param()
    return made


def kinds(line: Line) -> list[type]:
    return [type(event) for event in line.inputs]


def dial(line: Line) -> None:
    line.do(lambda unit: line.signalling.invite(unit, "out", TARGET, OUR_MEDIA))


def test_nothing_leaves_before_the_commit(line: Line) -> None:
    leg = line.arrive()
    unit = Unit(EPOCH)
    line.signalling.ring(unit, leg)
    line.signalling.answer(unit, leg, OUR_MEDIA)
    line.signalling.invite(unit, "out", TARGET, OUR_MEDIA)
    assert line.sent() == []
    for action in unit.actions:
        action()
    assert line.sent() == ["180", "200", "INVITE"]


def test_call_arrives_is_answered_and_ended_by_the_peer(line: Line) -> None:
    leg = line.arrive()
    line.do(lambda unit: line.signalling.answer(unit, leg, OUR_MEDIA))
    line.acknowledge(leg)
    line.hangs_up(leg)
    line.do(lambda unit: line.signalling.bye(unit, leg))
    assert kinds(line) == [ev.InviteArrived, ev.AckArrived, ev.ByeArrived]
    assert line.sent() == ["200"]


def test_bye_waits_for_the_ack(line: Line) -> None:
    leg = line.arrive()
    line.do(lambda unit: line.signalling.answer(unit, leg, OUR_MEDIA))
    line.do(lambda unit: line.signalling.bye(unit, leg))
    assert line.sent() == ["200"]
    line.acknowledge(leg)
    assert line.sent() == ["200", "BYE"]


def test_refused_call_is_over(line: Line) -> None:
    leg = line.arrive()
    line.do(lambda unit: line.signalling.reject(unit, leg, 486))
    line.do(lambda unit: line.signalling.answer(unit, leg, OUR_MEDIA))
    line.caller_cancels(leg)
    assert line.sent() == ["486"]
    assert kinds(line) == [ev.InviteArrived]


def test_cancelled_call_is_over(line: Line) -> None:
    leg = line.arrive()
    line.caller_cancels(leg)
    line.do(lambda unit: line.signalling.answer(unit, leg, OUR_MEDIA))
    line.do(lambda unit: line.signalling.reject(unit, leg, 480))
    line.do(lambda unit: line.signalling.bye(unit, leg))
    assert line.sent() == ["487"]
    assert kinds(line) == [ev.InviteArrived, ev.CancelArrived]


def test_bye_of_an_unanswered_call_is_480(line: Line) -> None:
    leg = line.arrive()
    line.do(lambda unit: line.signalling.bye(unit, leg))
    assert line.sent() == ["480"]


def test_placed_call_rings_is_accepted_and_ended(line: Line) -> None:
    dial(line)
    line.rings("out")
    line.accepts("out")
    line.do(lambda unit: line.signalling.bye(unit, "out"))
    assert line.inputs == [ev.Progressed("out", 180, None), line.inputs[1]]
    assert kinds(line) == [ev.Progressed, ev.InviteAccepted]
    assert line.sent() == ["INVITE", "BYE"]


def test_placed_call_is_refused(line: Line) -> None:
    dial(line)
    line.refuses("out", 486)
    line.do(lambda unit: line.signalling.cancel(unit, "out"))
    assert line.inputs == [ev.InviteRefused("out", 486, "refused")]
    assert line.sent() == ["INVITE"]


def test_cancel_waits_for_a_provisional_and_ends_as_refused(line: Line) -> None:
    dial(line)
    line.do(lambda unit: line.signalling.cancel(unit, "out"))
    line.do(lambda unit: line.signalling.cancel(unit, "out"))
    assert line.sent() == ["INVITE"]
    line.rings("out")
    assert line.sent() == ["INVITE", "CANCEL"]
    line.refuses("out", 487)
    assert line.inputs == [ev.InviteRefused("out", 487, "cancelled")]


def test_acceptance_that_crosses_the_cancel_is_ended(line: Line) -> None:
    dial(line)
    line.rings("out")
    line.do(lambda unit: line.signalling.cancel(unit, "out"))
    line.accepts("out")
    assert line.sent() == ["INVITE", "CANCEL", "BYE"]
    assert line.inputs[-1:] == [ev.InviteRefused("out", 487, "cancelled")]


def test_cancel_of_an_answered_call_is_bye(line: Line) -> None:
    dial(line)
    line.accepts("out")
    line.do(lambda unit: line.signalling.cancel(unit, "out"))
    assert line.sent() == ["INVITE", "BYE"]


def test_leg_is_invited_once(line: Line) -> None:
    dial(line)
    dial(line)
    assert line.sent() == ["INVITE"]


def test_unknown_leg_is_left_alone(line: Line) -> None:
    def everything(unit: Unit) -> None:
        line.signalling.ring(unit, "none")
        line.signalling.answer(unit, "none", PEER_MEDIA)
        line.signalling.reject(unit, "none", 486)
        line.signalling.cancel(unit, "none")
        line.signalling.bye(unit, "none")

    line.do(everything)
    assert (line.sent(), line.inputs) == ([], [])
