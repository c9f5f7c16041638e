"""What an agent does with the caller whom he talks to: hold, resume, hand on."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from callcenter.director.machines import bridge as br
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUEUE = msg.QueueWanted("f1", "billing", (("billing", 1),), 50, True, (), ("music.wav",))
TO_PHONE = msg.TransferToPhone("1002", 30, ("ringback.wav",))
TO_QUEUE = msg.TransferToQueue("support", True, (), ("music.wav",))


def run(
    machine: ic.IncomingCall, *inputs: msg.CallInput, now: datetime = NOW
) -> tuple[ic.IncomingCall, list[msg.CallEffect]]:
    effects: list[msg.CallEffect] = []
    for event in inputs:
        machine, more = machine.handle(event, now=now)
        effects += more
    return machine, effects


@pytest.fixture
def talking() -> ic.IncomingCall:
    """A caller of the queue billing who talks to an agent."""
    call = ic.IncomingCall("call", "in", "+41", "", "100")
    return run(call, msg.CallerAnswered(), QUEUE, msg.OtherAnswered("agent"))[0]


def test_hold_and_resume_reach_the_bridge(talking: ic.IncomingCall) -> None:
    _, effects = run(talking, msg.HoldWanted(("music.wav",)), msg.ResumeWanted())
    assert effects == [msg.HoldCaller(("music.wav",)), msg.ResumeCaller()]


def test_a_phones_own_hold_key_does_the_same(talking: ic.IncomingCall) -> None:
    _, effects = run(talking, msg.HoldWanted(("music.wav",), "agent"), msg.ResumeWanted("agent"))
    assert effects == [msg.HoldCaller(("music.wav",), "agent"), msg.ResumeCaller("agent")]


def test_a_waiting_caller_cannot_be_held() -> None:
    call = ic.IncomingCall("call", "in", "+41", "", "100")
    waiting, _ = run(call, msg.CallerAnswered(), QUEUE)
    assert run(waiting, msg.HoldWanted(())) == (waiting, [])


def test_a_transfer_to_a_phone_frees_the_agent_and_rings(talking: ic.IncomingCall) -> None:
    machine, effects = run(talking, TO_PHONE)
    assert effects == [
        msg.DropOther("agent", "transferred"),
        msg.TalkOver(),
        br.Sound("waiting", ("ringback.wav",), loop=True),
        msg.DialOther("1002"),
    ]
    assert machine.next_deadline == NOW + timedelta(seconds=30)
    machine, effects = run(machine, msg.OtherEnded("agent", "transferred"), msg.OtherDialled("out"))
    assert effects == []
    machine, effects = run(machine, msg.OtherAnswered("out"))
    assert effects == [br.Join("out", record=True)]


def test_a_transfer_that_nobody_answers_gives_the_caller_back_to_the_flow(talking: ic.IncomingCall) -> None:
    machine, _ = run(talking, TO_PHONE, msg.OtherDialled("out"))
    machine, effects = run(machine, msg.OtherEnded("out", "busy"))
    assert effects == [msg.SilenceCaller(), msg.FlowQueue("f1", "failed")]
    assert machine.phase is ic.Phase.FLOW


def test_a_transfer_that_nobody_takes_returns_the_caller_to_his_place_and_first_to_his_agent(
    talking: ic.IncomingCall,
) -> None:
    later = NOW + timedelta(seconds=95)
    back = msg.Back("ann", "1001", "billing", True, ("recorded.wav",), ("music.wav",))
    machine, _ = run(talking, replace(TO_PHONE, back=back), msg.OtherDialled("out"), now=later)
    machine, effects = run(machine, msg.OtherEnded("out", "busy"), now=later)
    assert effects == [
        msg.SilenceCaller(),
        msg.Returned("busy", "billing"),
        br.Sound("waiting", ("music.wav",), loop=True),
        msg.Enqueue("call-q2", "billing", (("billing", 1),), 50, head_start_s=95, preferred="ann"),
    ]
    assert (machine.phase, machine.queue, machine.back) == (ic.Phase.QUEUED, "billing", None)
    _, effects = run(machine, msg.OtherAnswered("again"))
    assert effects == [br.Join("again", record=True)]


def test_a_transfer_out_of_a_direct_call_that_nobody_takes_rings_the_agents_phone_again() -> None:
    call = ic.IncomingCall("call", "in", "+41", "", "100")
    dial = msg.DialWanted("f1", "1001", 20, True, (), ("ringback.wav",))
    talking, _ = run(call, msg.CallerAnswered(), dial, msg.OtherDialled("desk"), msg.OtherAnswered("desk"))
    back = msg.Back("ann", "1001", None, True, (), ())
    machine, effects = run(talking, replace(TO_PHONE, back=back), msg.OtherEnded("", "unreachable"))
    assert effects[-2:] == [br.Sound("waiting", ("ringback.wav",), loop=True), msg.DialOther("1001")]
    assert msg.Returned("unreachable", None) in effects
    _, effects = run(machine, msg.OtherDialled("again"), msg.OtherEnded("again", "no_answer"))
    assert effects[-1] == msg.FlowDial("f1", "no_answer")


def test_a_transfer_that_was_taken_has_no_way_back(talking: ic.IncomingCall) -> None:
    back = msg.Back("ann", "1001", "billing", True, (), ())
    machine, _ = run(talking, replace(TO_PHONE, back=back), msg.OtherDialled("out"), msg.OtherAnswered("out"))
    assert machine.back is None
    _, effects = run(machine, msg.OtherEnded("out", "hangup"))
    assert effects == [msg.FlowQueue("f1", "answered")]


def test_a_transferred_caller_whose_new_partner_leaves_goes_on_in_the_flow(talking: ic.IncomingCall) -> None:
    machine, _ = run(talking, TO_PHONE, msg.OtherDialled("out"), msg.OtherAnswered("out"))
    _, effects = run(machine, msg.OtherEnded("out", "hangup"))
    assert effects == [msg.FlowQueue("f1", "answered")]


def test_a_transfer_to_a_queue_takes_a_new_place(talking: ic.IncomingCall) -> None:
    machine, effects = run(talking, TO_QUEUE)
    assert effects[:2] == [msg.DropOther("agent", "transferred"), msg.TalkOver()]
    assert effects[-1] == msg.Enqueue("call-q2", "support", (), 50)
    _, effects = run(machine, msg.OtherAnswered("other"))
    assert effects == [br.Join("other", record=True)]


def test_a_transfer_to_a_number_starts_its_flow(talking: ic.IncomingCall) -> None:
    machine, effects = run(talking, msg.TransferToFlow("main"))
    assert effects[-1] == msg.StartFlow("main")
    assert machine.phase is ic.Phase.FLOW


def test_a_caller_who_leaves_in_a_transfer_stops_the_ringing(talking: ic.IncomingCall) -> None:
    machine, _ = run(talking, TO_PHONE, msg.OtherDialled("out"))
    _, effects = run(machine, msg.CallerEnded("hangup", None, by_peer=True))
    assert effects[0] == msg.DropOther("out", "cancelled")
    assert msg.EndContact("caller", "hangup", None) in effects
