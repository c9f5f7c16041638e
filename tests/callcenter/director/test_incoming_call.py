"""IncomingCall: who has the caller, and who is told of the end."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.director.machines import bridge as br
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic
from callcenter.kernel.errors import IllegalTransition
from ivr.events import DialOutcome

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DIAL = msg.DialWanted("f1", "1001", 20, True, (), ("ringback.wav",))
QUEUE = msg.QueueWanted("f1", "billing", (("billing", 1),), 50, True, (), ("music.wav",))
HUNG_UP = msg.CallerEnded("hangup", None, by_peer=True)


def call() -> ic.IncomingCall:
    return ic.IncomingCall("call", "in", "+41", "", "100")


def run(
    machine: ic.IncomingCall, *inputs: msg.CallInput, now: datetime = NOW
) -> tuple[ic.IncomingCall, list[msg.CallEffect]]:
    effects: list[msg.CallEffect] = []
    for event in inputs:
        machine, more = machine.handle(event, now=now)
        effects += more
    return machine, effects


def test_an_unanswered_caller_hears_the_called_phones_own_ringing_and_is_answered_with_it() -> None:
    machine, effects = run(call(), DIAL, msg.OtherDialled("out"), msg.OtherRang(), msg.OtherAnswered("out"))
    assert effects == [msg.DialOther("1001"), msg.RingCaller(), br.AcceptCaller("out")]
    machine, effects = run(machine, msg.CallerAnswered())
    assert effects == [msg.FlowMedia(), br.Join("out", record=True)]
    assert machine.phase is ic.Phase.TALKING


def test_an_answered_caller_hears_ringback_and_no_180() -> None:
    _, effects = run(call(), msg.CallerAnswered(), DIAL, msg.OtherDialled("out"), msg.OtherRang())
    assert effects == [msg.FlowMedia(), br.Sound("waiting", ("ringback.wav",), loop=True), msg.DialOther("1001")]


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("busy", "busy"), ("declined", "declined"), ("no_answer", "no_answer"), ("media_lost", "failed")],
)
def test_a_dial_that_fails_gives_the_caller_back_with_its_outcome(reason: str, outcome: DialOutcome) -> None:
    machine, _ = run(call(), DIAL, msg.OtherDialled("out"))
    machine, effects = run(machine, msg.OtherEnded("out", reason))
    assert effects == [msg.FlowDial("f1", outcome)]
    assert machine.phase is ic.Phase.FLOW


def test_a_phone_that_rings_too_long_is_dropped_at_the_deadline() -> None:
    machine, _ = run(call(), DIAL, msg.OtherDialled("out"), msg.OtherRang())
    assert machine.next_deadline == NOW + timedelta(seconds=20)
    _, effects = run(machine, msg.Tick(), now=NOW + timedelta(seconds=20))
    assert effects == [msg.DropOther("out", "no_answer")]


def test_a_phone_that_gives_no_sign_of_life_is_unreachable() -> None:
    machine, _ = run(call(), DIAL, msg.OtherDialled("out"))
    assert run(machine, msg.Tick(), now=NOW + timedelta(seconds=2.9))[1] == []
    machine, effects = run(machine, msg.Tick(), now=NOW + timedelta(seconds=3))
    assert effects == [msg.DropOther("out", "unreachable")]
    assert run(machine, msg.OtherEnded("out", "unreachable"))[1] == [msg.FlowDial("f1", "unreachable")]


def test_100_is_sign_of_life_enough_and_no_ringing() -> None:
    machine, _ = run(call(), DIAL, msg.OtherDialled("out"))
    machine, effects = run(machine, msg.OtherTried())
    assert (effects, machine.next_deadline) == ([], NOW + timedelta(seconds=20))


def test_a_caller_who_cancels_stops_the_ringing() -> None:
    machine, _ = run(call(), DIAL, msg.OtherDialled("out"))
    machine, effects = run(machine, msg.CallerEnded("cancelled", 487, by_peer=True))
    assert effects == [msg.DropOther("out", "cancelled"), msg.FlowGone(), msg.EndContact("caller", "cancelled", 487)]
    assert run(machine, msg.OtherAnswered("out"))[1] == []


def test_the_called_side_that_leaves_first_is_named() -> None:
    machine, _ = run(call(), msg.CallerAnswered(), DIAL, msg.OtherDialled("out"), msg.OtherAnswered("out"))
    machine, effects = run(machine, msg.OtherEnded("out", "hangup"))
    assert effects == [msg.FlowDial("f1", "answered")]
    _, effects = run(machine, msg.HangupWanted("flow", 480))
    assert effects == [msg.EndContact("callee", "hangup", None)]


def test_an_agent_is_joined_and_the_distributor_hears_of_the_end() -> None:
    machine, effects = run(call(), msg.CallerAnswered(), QUEUE, msg.OtherAnswered("agent"))
    assert effects[-1] == br.Join("agent", record=True)
    _, effects = run(machine, HUNG_UP)
    assert effects == [
        msg.DropOther("agent", "hangup"),
        msg.TalkOver(),
        msg.FlowGone(),
        msg.EndContact("caller", "hangup", None),
    ]


def test_an_agent_who_leaves_first_gives_the_caller_back_to_the_flow() -> None:
    machine, _ = run(call(), msg.CallerAnswered(), QUEUE, msg.OtherAnswered("agent"))
    machine, effects = run(machine, msg.OtherEnded("agent", "hangup"))
    assert effects == [msg.TalkOver(), msg.FlowQueue("f1", "answered")]
    assert machine.left_by == "agent"


def test_a_waiting_caller_who_leaves_is_abandoned() -> None:
    machine, _ = run(call(), msg.CallerAnswered(), QUEUE)
    assert run(machine, HUNG_UP)[1][0] == msg.Abandon("call-q1")


def test_a_caller_whom_nobody_took_returns_to_the_flow_in_silence() -> None:
    machine, _ = run(call(), msg.CallerAnswered(), QUEUE)
    _, effects = run(machine, msg.QueueEnded("timeout"))
    assert effects == [msg.SilenceCaller(), msg.FlowQueue("f1", "timeout")]


def test_a_leg_dialled_for_a_caller_who_left_is_dropped() -> None:
    machine, _ = run(call(), DIAL, HUNG_UP)
    assert run(machine, msg.OtherDialled("out"))[1] == [msg.DropOther("out", "cancelled")]


def test_a_flow_cannot_dial_while_it_does_not_have_the_caller() -> None:
    with pytest.raises(IllegalTransition):
        run(call(), DIAL, DIAL)


def test_the_end_of_a_leg_that_was_never_joined_leaves_the_caller_in_the_queue() -> None:
    machine, _ = run(call(), msg.CallerAnswered(), QUEUE)
    assert run(machine, msg.OtherEnded("too_late", "withdrawn")) == (machine, [])


def test_an_endpoint_without_an_address_is_unreachable() -> None:
    machine, _ = run(call(), DIAL)
    assert run(machine, msg.OtherEnded("", "unreachable"))[1] == [msg.FlowDial("f1", "unreachable")]
