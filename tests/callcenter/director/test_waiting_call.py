"""A caller in a queue: what is said to him, where he is sent, and whom we call back."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from callcenter.director.machines import bridge as br
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic
from callcenter.director.machines.bridge import Bridge

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=90)
QUEUE = msg.QueueWanted("f1", "billing", (("billing", 1),), 70, True, ("recorded.wav",), ("music.wav",))
MUSIC = br.Sound("waiting", ("music.wav",), loop=True)
PLACE = ("you-are.wav", "3.wav")


def run(
    machine: ic.IncomingCall, *inputs: msg.CallInput, now: datetime = NOW
) -> tuple[ic.IncomingCall, list[msg.CallEffect]]:
    effects: list[msg.CallEffect] = []
    for event in inputs:
        machine, more = machine.handle(event, now=now)
        effects += more
    return machine, effects


@pytest.fixture
def waiting() -> ic.IncomingCall:
    """One who hears the music of the queue billing."""
    call = ic.IncomingCall("call", "in", "+41", "", "100")
    return run(call, msg.CallerAnswered(), QUEUE, msg.Announced())[0]


@pytest.fixture
def called() -> ic.IncomingCall:
    """One whom we call back."""
    return ic.IncomingCall(
        "call",
        "out",
        "+41",
        "",
        "",
        phase=ic.Phase.CALLING,
        flow_waits_for="nothing",
        bridge=Bridge(True, ("recorded.wav",), ("music.wav",)),
        queue="billing",
        entries=1,
        ring_until=NOW + timedelta(seconds=25),
    )


class TestTold:
    def test_words_are_said_over_the_music_which_goes_on_afterwards(self, waiting: ic.IncomingCall) -> None:
        after, effects = run(waiting, msg.Tell(PLACE))
        assert effects == [br.Sound("message", PLACE, loop=False)]
        assert run(after, msg.Told())[1] == [MUSIC]

    def test_nothing_is_said_over_the_announcement_that_the_call_is_recorded(self) -> None:
        call, _ = run(ic.IncomingCall("call", "in", "+41", "", "100"), msg.CallerAnswered(), QUEUE)
        assert run(call, msg.Tell(PLACE))[1] == []

    def test_an_agent_who_answers_cuts_the_words_off(self, waiting: ic.IncomingCall) -> None:
        talking, effects = run(waiting, msg.Tell(PLACE), msg.OtherAnswered("agent"))
        assert effects[-1] == br.Join("agent", record=True)
        assert run(talking, msg.Told(), msg.Tell(PLACE))[1] == []


class TestSentOn:
    def test_a_key_leads_out_of_the_queue(self, waiting: ic.IncomingCall) -> None:
        after, effects = run(waiting, msg.ExitWanted("1", for_callback=True))
        assert effects == [msg.SilenceCaller(), msg.Withdraw("call-q1", "1", for_callback=True)]
        assert after.phase is ic.Phase.FLOW
        assert after.stay == ic.Stay("billing", (("billing", 1),), 70, NOW, kept=True)

    def test_who_comes_back_from_what_could_not_be_has_his_place_again(self, waiting: ic.IncomingCall) -> None:
        left, _ = run(waiting, msg.ExitWanted("1", for_callback=True))
        _, effects = run(left, QUEUE, now=LATER)
        assert effects[-1] == msg.Enqueue("call-q2", "billing", (("billing", 1),), 70, NOW)

    def test_who_has_talked_begins_to_wait_anew(self, waiting: ic.IncomingCall) -> None:
        left, _ = run(waiting, msg.OtherAnswered("agent"), msg.OtherEnded("agent", "hangup"))
        _, effects = run(left, QUEUE, now=LATER)
        assert effects[-1] == msg.Enqueue("call-q2", "billing", (("billing", 1),), 70)

    def test_another_queue_takes_him_with_his_time_and_his_priority(self, waiting: ic.IncomingCall) -> None:
        sent = msg.SentToQueue("support", True, ("recorded.wav",), ("jazz.wav",))
        after, effects = run(waiting, sent, now=LATER)
        assert effects == [
            br.Sound("waiting", ("jazz.wav",), loop=True),
            msg.Enqueue("call-q2", "support", (), 70, NOW),
        ]
        assert (after.queue, after.phase) == ("support", ic.Phase.QUEUED)

    def test_his_head_start_goes_with_him(self) -> None:
        call = ic.IncomingCall("call", "in", "+41", "", "100")
        ahead, _ = run(call, msg.CallerAnswered(), replace(QUEUE, head_start_s=90))
        _, effects = run(ahead, msg.SentToQueue("support", False, (), ("jazz.wav",)), now=LATER)
        assert effects[-1] == msg.Enqueue("call-q2", "support", (), 70, NOW, granted_s=90)

    def test_a_notice_that_he_has_not_heard_yet_is_played_in_the_other_queue(self, waiting: ic.IncomingCall) -> None:
        _, effects = run(waiting, msg.SentToQueue("support", True, ("other.wav",), ("jazz.wav",)))
        assert effects[0] == br.Sound("announcement", ("other.wav",), loop=False)

    def test_rules_that_send_him_round_in_circles_come_to_an_end(self, waiting: ic.IncomingCall) -> None:
        weary = replace(waiting, entries=ic.MOST_STAYS)
        after, effects = run(weary, msg.SentToQueue("support", False, (), ()))
        assert effects == [msg.SilenceCaller(), msg.FlowQueue("f1", "timeout")]
        assert after.phase is ic.Phase.FLOW

    def test_a_number_outside_is_rung_for_him(self, waiting: ic.IncomingCall) -> None:
        after, effects = run(waiting, msg.SentToNumber("+41441234567", 40, ("ringback.wav",)))
        assert effects[-1] == msg.DialOther("+41441234567")
        _, effects = run(after, msg.OtherDialled("out"), msg.OtherAnswered("out"))
        assert effects == [br.Join("out", record=True)]

    def test_another_flow_takes_him(self, waiting: ic.IncomingCall) -> None:
        _, effects = run(waiting, msg.SentToFlow("voicemail"))
        assert effects == [msg.SilenceCaller(), msg.StartFlow("voicemail")]

    def test_a_last_word_is_heard_to_its_end_before_he_is_hung_up_on(self, waiting: ic.IncomingCall) -> None:
        leaving, effects = run(waiting, msg.Farewell(("bye.wav",)))
        assert effects == [br.Sound("message", ("bye.wav",), loop=False)]
        over, effects = run(leaving, msg.Told())
        assert effects == [msg.FlowGone(), msg.EndContact("system", "flow", None)]
        assert over.phase is ic.Phase.ENDED

    def test_one_who_hangs_up_during_the_last_word_is_not_abandoned_again(self, waiting: ic.IncomingCall) -> None:
        leaving, _ = run(waiting, msg.Farewell(("bye.wav",)))
        _, effects = run(leaving, msg.CallerEnded("hangup", None, by_peer=True))
        assert effects == [msg.FlowGone(), msg.EndContact("caller", "hangup", None)]


class TestCalledBack:
    def test_who_answers_hears_the_notice_and_the_agent_is_rung(self, called: ic.IncomingCall) -> None:
        reached, effects = run(called, msg.CallerAnswered())
        assert effects == [br.Sound("announcement", ("recorded.wav",), loop=False), msg.CustomerReached()]
        _, effects = run(reached, msg.OtherAnswered("agent"), msg.Announced())
        assert effects == [br.Join("agent", record=True)]

    def test_who_does_not_answer_in_time_is_missed(self, called: ic.IncomingCall) -> None:
        over, effects = run(called, msg.Tick(), now=NOW + timedelta(seconds=25))
        assert effects == [msg.CustomerMissed("no_answer"), msg.EndContact("system", "no_answer", None)]
        assert over.phase is ic.Phase.ENDED

    def test_who_is_busy_is_missed(self, called: ic.IncomingCall) -> None:
        _, effects = run(called, msg.CallerEnded("busy", 486, by_peer=True))
        assert effects == [msg.CustomerMissed("busy"), msg.FlowGone(), msg.EndContact("callee", "busy", 486)]

    def test_an_agent_who_takes_it_early_waits_for_the_customer(self, called: ic.IncomingCall) -> None:
        early, effects = run(called, msg.OtherAnswered("agent"))
        assert effects == []
        _, effects = run(early, msg.CallerAnswered(), msg.Announced())
        assert br.Join("agent", record=True) in effects

    def test_an_early_agent_is_let_go_when_the_customer_is_not_reached(self, called: ic.IncomingCall) -> None:
        early, _ = run(called, msg.OtherAnswered("agent"))
        _, effects = run(early, msg.CallerEnded("busy", 486, by_peer=True))
        assert effects[:3] == [msg.CustomerMissed("busy"), msg.TalkOver(), msg.DropOther("agent", "hangup")]

    def test_the_end_of_the_talk_is_the_end_of_the_call(self, called: ic.IncomingCall) -> None:
        talking, _ = run(called, msg.CallerAnswered(), msg.Announced(), msg.OtherAnswered("agent"))
        _, effects = run(talking, msg.OtherEnded("agent", "hangup"))
        assert effects == [msg.TalkOver(), msg.EndContact("agent", "hangup", None)]

    def test_a_customer_whom_nobody_takes_waits_with_music(self, called: ic.IncomingCall) -> None:
        _, effects = run(called, msg.CallerAnswered(), msg.Announced())
        assert effects[-1] == MUSIC
