"""What an agent does with the caller whom he talks to: hold, resume, hand on."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.director.machines import bridge as br
from callcenter.director.machines import incoming_call as ic

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUEUE = ic.QueueWanted("f1", "billing", (("billing", 1),), 50, True, (), ("music.wav",))
TO_PHONE = ic.TransferToPhone("1002", 30, ("ringback.wav",))
TO_QUEUE = ic.TransferToQueue("support", True, (), ("music.wav",))


def run(
    machine: ic.IncomingCall, *inputs: ic.CallInput, now: datetime = NOW
) -> tuple[ic.IncomingCall, list[ic.CallEffect]]:
    effects: list[ic.CallEffect] = []
    for event in inputs:
        machine, more = machine.handle(event, now=now)
        effects += more
    return machine, effects


@pytest.fixture
def talking() -> ic.IncomingCall:
    """A caller of the queue billing who talks to an agent."""
    call = ic.IncomingCall("call", "in", "+41", "", "100")
    return run(call, ic.CallerAnswered(), QUEUE, ic.OtherAnswered("agent"))[0]


def test_hold_and_resume_reach_the_bridge(talking: ic.IncomingCall) -> None:
    _, effects = run(talking, ic.HoldWanted(("music.wav",)), ic.ResumeWanted())
    assert effects == [ic.HoldCaller(("music.wav",)), ic.ResumeCaller()]


def test_a_waiting_caller_cannot_be_held() -> None:
    call = ic.IncomingCall("call", "in", "+41", "", "100")
    waiting, _ = run(call, ic.CallerAnswered(), QUEUE)
    assert run(waiting, ic.HoldWanted(())) == (waiting, [])


def test_a_transfer_to_a_phone_frees_the_agent_and_rings(talking: ic.IncomingCall) -> None:
    machine, effects = run(talking, TO_PHONE)
    assert effects == [
        ic.DropOther("agent", "transferred"),
        ic.TalkOver(),
        br.Sound("waiting", ("ringback.wav",), loop=True),
        ic.DialOther("1002"),
    ]
    assert machine.next_deadline == NOW + timedelta(seconds=30)
    machine, effects = run(machine, ic.OtherEnded("agent", "transferred"), ic.OtherDialled("out"))
    assert effects == []
    machine, effects = run(machine, ic.OtherAnswered("out"))
    assert effects == [br.Join("out", record=True)]


def test_a_transfer_that_nobody_answers_gives_the_caller_back_to_the_flow(talking: ic.IncomingCall) -> None:
    machine, _ = run(talking, TO_PHONE, ic.OtherDialled("out"))
    machine, effects = run(machine, ic.OtherEnded("out", "busy"))
    assert effects == [ic.SilenceCaller(), ic.FlowQueue("f1", "failed")]
    assert machine.phase is ic.Phase.FLOW


def test_a_transferred_caller_whose_new_partner_leaves_goes_on_in_the_flow(talking: ic.IncomingCall) -> None:
    machine, _ = run(talking, TO_PHONE, ic.OtherDialled("out"), ic.OtherAnswered("out"))
    _, effects = run(machine, ic.OtherEnded("out", "hangup"))
    assert effects == [ic.FlowQueue("f1", "answered")]


def test_a_transfer_to_a_queue_takes_a_new_place(talking: ic.IncomingCall) -> None:
    machine, effects = run(talking, TO_QUEUE)
    assert effects[:2] == [ic.DropOther("agent", "transferred"), ic.TalkOver()]
    assert effects[-1] == ic.Enqueue("call-q2", "support", (), 50)
    _, effects = run(machine, ic.OtherAnswered("other"))
    assert effects == [br.Join("other", record=True)]


def test_a_transfer_to_a_number_starts_its_flow(talking: ic.IncomingCall) -> None:
    machine, effects = run(talking, ic.TransferToFlow("main"))
    assert effects[-1] == ic.StartFlow("main")
    assert machine.phase is ic.Phase.FLOW


def test_a_caller_who_leaves_in_a_transfer_stops_the_ringing(talking: ic.IncomingCall) -> None:
    machine, _ = run(talking, TO_PHONE, ic.OtherDialled("out"))
    _, effects = run(machine, ic.CallerEnded("hangup", None, by_peer=True))
    assert effects[0] == ic.DropOther("out", "cancelled")
    assert ic.EndContact("caller", "hangup", None) in effects
