"""What a caller meets in a flow, told in calls."""

import pytest

from callcenter.kernel.errors import IllegalTransition
from ivr.commands import (
    Answer,
    AskCallback,
    Dial,
    Echo,
    EnterQueue,
    FlowEnded,
    Hangup,
    LeaveQueue,
    NodeEntered,
    NodeLeft,
    Play,
    Record,
    StopPlaying,
)
from ivr.events import (
    CallbackTaken,
    CallerGone,
    CommandFailed,
    CustomerFound,
    DialEnded,
    DialOutcome,
    DigitPressed,
    Input,
    MediaUp,
    PromptsPlayed,
    QueueLeft,
    RecordingDone,
    Resumed,
    Started,
    Tick,
)
from ivr.machines.flow_run import MAX_ERRORS, MAX_VISITS
from ivr.model import Flow
from tests.ivr.world import FlowWorld, flow_of

END = {"kind": "hangup"}
MENU = {
    "kind": "menu",
    "prompts": ["choose"],
    "invalid_prompts": ["invalid"],
    "timeout_prompts": ["silent"],
    "digits": {"1": "one", "#": "hash"},
    "timeout_s": 5,
    "tries": 2,
    "on_timeout": "end",
    "on_invalid": "end",
}
GATHER = {
    "kind": "gather",
    "prompts": ["enter"],
    "invalid_prompts": ["invalid"],
    "timeout_prompts": ["silent"],
    "into": "account",
    "min": 2,
    "max": 4,
    "timeout_s": 5,
    "interdigit_s": 3,
    "tries": 2,
    "next": "said",
    "on_timeout": "end",
    "on_invalid": "end",
}
SAID = {"kind": "play", "prompts": ["you-entered", {"say_digits": "${vars.account}"}], "next": "end"}
DIAL = {
    "kind": "dial",
    "target": "${called}",
    "ring_s": 20,
    "next": "end",
    "on_busy": "busy",
    "on_no_answer": "end",
    "on_declined": "end",
    "on_unreachable": "end",
}
QUEUE = {
    "kind": "queue",
    "queue": "billing",
    "skills": {"billing": 2},
    "next": "end",
    "on_timeout": "end",
    "on_full": "end",
}


def menu(**changes: object) -> Flow:
    one, hash_ = {"kind": "echo"}, {"kind": "play", "prompts": ["hash"], "next": "end"}
    return flow_of({"menu": {**MENU, **changes}, "one": one, "hash": hash_, "end": END})


def gather(**changes: object) -> Flow:
    return flow_of({"gather": {**GATHER, **changes}, "said": SAID, "end": END})


def dial(**changes: object) -> Flow:
    return flow_of({"dial": {**DIAL, **changes}, "busy": {"kind": "hangup", "status": 486}, "end": END})


def queue(**changes: object) -> Flow:
    return flow_of({"queue": {**QUEUE, **changes}, "end": END})


def callback(**changes: object) -> Flow:
    node = {"kind": "callback", "next": "end", "on_refused": "end", **changes}
    return flow_of({"queue": {**QUEUE, "exits": {"1": "callback"}}, "callback": node, "end": END})


class TestAnswering:
    def test_the_first_audio_node_answers_and_begins_when_media_is_up(self) -> None:
        world = FlowWorld(flow_of({"hello": {"kind": "play", "prompts": ["hi"], "next": "end"}, "end": END}))
        world.takes(Started())
        assert world.commands == [Answer()]
        world.takes(MediaUp())
        assert world.commands == [Play("f1", ("/en/hi.wav",))]

    def test_a_call_is_answered_once(self) -> None:
        world = FlowWorld(
            flow_of(
                {
                    "hello": {"kind": "play", "prompts": ["hi"], "next": "again"},
                    "again": {"kind": "play", "prompts": ["hi"], "next": "end"},
                    "end": END,
                }
            )
        ).starts()
        assert world.hears_all().commands == [Play("f2", ("/en/hi.wav",))]
        assert world.takes(MediaUp()).effects == []

    def test_a_closed_office_refuses_before_the_answer(self) -> None:
        hours = {"kind": "hours", "calendar": "office", "open": "open", "closed": "closed"}
        nodes = {"hours": hours, "open": {"kind": "echo"}, "closed": {"kind": "hangup", "reason": "x", "status": 480}}
        open_, closed = FlowWorld(flow_of(nodes)), FlowWorld(flow_of(nodes))
        closed.clock.advance(10 * 3600)
        assert open_.takes(Started()).commands == [Answer()]
        assert closed.takes(Started()).effects[-2:] == [Hangup("x", 480), FlowEnded("hangup")]

    def test_a_dial_before_any_audio_leaves_the_call_unanswered(self) -> None:
        world = FlowWorld(dial(), called="1001").starts()
        assert world.command == Dial("f1", "1001", 20, False, (), ())

    def test_a_dial_after_the_answer_brings_its_own_ringing_tone(self) -> None:
        world = FlowWorld(
            flow_of(
                {
                    "hello": {"kind": "play", "prompts": ["hi"], "next": "dial"},
                    "dial": {**DIAL, "on_busy": "end"},
                    "end": END,
                }
            )
        ).starts()
        assert world.hears_all().command == Dial("f2", "800", 20, False, (), ("/en/ringback.wav",))


class TestMenu:
    def test_a_key_leads_where_the_menu_says(self) -> None:
        world = FlowWorld(menu()).starts().hears_all().presses("1")
        assert world.effects == [NodeLeft("menu", "1"), NodeEntered("one", "echo"), Echo("f2")]

    def test_a_key_during_the_prompt_stops_it_and_counts(self) -> None:
        world = FlowWorld(menu()).starts().presses("1")
        assert world.effects[0] == StopPlaying()
        assert world.run.node == "one"

    def test_without_barge_in_a_key_counts_when_the_prompt_has_ended(self) -> None:
        world = FlowWorld(menu(barge_in=False)).starts().presses("1")
        assert world.effects == []
        assert world.hears_all().run.node == "one"

    def test_a_wrong_key_is_told_and_asked_again_until_the_tries_are_used(self) -> None:
        world = FlowWorld(menu()).starts().hears_all().presses("7")
        assert world.played == ["/en/invalid", "/en/choose"]
        assert world.hears_all().presses("7").effects[:2] == [
            NodeLeft("menu", "invalid"),
            NodeEntered("end", "hangup"),
        ]

    def test_silence_is_told_and_asked_again_until_the_tries_are_used(self) -> None:
        world = FlowWorld(menu()).starts().hears_all().waits(5)
        assert world.played == ["/en/silent", "/en/choose"]
        assert world.hears_all().waits(5).effects[0] == NodeLeft("menu", "timeout")

    def test_time_runs_from_the_end_of_the_prompt(self) -> None:
        world = FlowWorld(menu()).starts()
        assert world.run.next_deadline is None
        assert world.waits(60).effects == []
        assert world.hears_all().waits(4.999).effects == []
        assert world.waits(0.001).played == ["/en/silent", "/en/choose"]

    def test_a_menu_that_is_come_back_to_has_all_its_tries_again(self) -> None:
        flow = flow_of(
            {"menu": {**MENU, "digits": {"1": "hi"}}, "hi": {**SAID, "prompts": ["x"], "next": "menu"}, "end": END}
        )
        world = FlowWorld(flow).starts().hears_all().presses("7").hears_all().presses("1").hears_all()
        assert world.hears_all().presses("7").played == ["/en/invalid", "/en/choose"]

    def test_the_same_key_press_delivered_twice_is_one(self) -> None:
        world = FlowWorld(menu()).starts().hears_all()
        assert world.takes(DigitPressed(1, "7")).played == ["/en/invalid", "/en/choose"]
        assert world.takes(DigitPressed(1, "7")).effects == []

    def test_keys_pressed_during_an_announcement_are_kept_for_the_menu(self) -> None:
        hello = {"kind": "play", "prompts": ["hi"], "next": "menu"}
        world = FlowWorld(
            flow_of({"hello": hello, "menu": MENU, "one": {"kind": "echo"}, "hash": END, "end": END})
        ).starts()
        assert world.presses("1").effects == []
        assert world.hears_all().run.node == "one"
        assert Echo("f2") in world.effects

    def test_an_announcement_with_barge_in_ends_at_a_key_which_still_counts(self) -> None:
        hello = {"kind": "play", "prompts": ["hi"], "next": "menu", "barge_in": True}
        world = FlowWorld(
            flow_of({"hello": hello, "menu": MENU, "one": {"kind": "echo"}, "hash": END, "end": END})
        ).starts()
        assert world.presses("1").effects[0] == StopPlaying()
        assert world.run.node == "one"


class TestGather:
    def test_digits_end_at_the_terminator(self) -> None:
        world = FlowWorld(gather()).starts().hears_all().presses("123#")
        assert world.played == ["/en/you-entered", "/en/numbers/1", "/en/numbers/2", "/en/numbers/3"]
        assert world.run.variables == {"account": "123"}

    def test_digits_end_at_their_greatest_number(self) -> None:
        assert FlowWorld(gather()).starts().hears_all().presses("1234").run.node == "said"

    def test_the_terminator_after_the_greatest_number_belongs_to_it(self) -> None:
        flow = flow_of(
            {
                "gather": {**GATHER, "next": "menu"},
                "menu": {**MENU, "digits": {"1": "said"}},
                "said": SAID,
                "end": END,
            }
        )
        world = FlowWorld(flow).starts().hears_all().presses("1234")
        assert world.presses("#").effects == []
        assert world.presses("1").run.node == "said"

    def test_a_menu_that_knows_the_terminator_gets_it(self) -> None:
        flow = flow_of(
            {
                "gather": {**GATHER, "next": "menu"},
                "menu": {**MENU, "digits": {"#": "said"}},
                "said": SAID,
                "end": END,
            }
        )
        assert FlowWorld(flow).starts().hears_all().presses("1234#").run.node == "said"

    def test_a_pause_after_enough_digits_ends_them(self) -> None:
        assert FlowWorld(gather()).starts().hears_all().presses("12").waits(3).run.variables == {"account": "12"}

    def test_too_few_digits_are_asked_for_again(self) -> None:
        world = FlowWorld(gather()).starts().hears_all()
        assert world.presses("1#").played == ["/en/invalid", "/en/enter"]
        assert world.hears_all().presses("1").waits(3).effects[0] == NodeLeft("gather", "invalid")

    def test_silence_takes_the_timeout_branch(self) -> None:
        world = FlowWorld(gather(tries=1)).starts().hears_all().waits(5)
        assert world.effects[0] == NodeLeft("gather", "timeout")

    def test_a_key_that_is_no_digit_is_invalid(self) -> None:
        assert FlowWorld(gather()).starts().hears_all().presses("1*").played == ["/en/invalid", "/en/enter"]

    def test_each_digit_starts_the_time_between_digits_anew(self) -> None:
        world = FlowWorld(gather()).starts().hears_all().presses("1").waits(2.9).presses("2").waits(2.9)
        assert world.run.waiting == "digit"

    def test_masked_digits_are_in_no_trace_and_in_nothing_that_is_stored(self) -> None:
        world = FlowWorld(gather(masked=True)).starts().hears_all().presses("98")
        assert "98" not in repr(world.run.kept())
        world.presses("76")
        assert world.log[-3:] == ["  gather collected 4: masked", "< gather: next", "> said (play)"]
        assert "9876" not in repr(world.run.kept())
        assert world.played[1:] == ["/en/numbers/9", "/en/numbers/8", "/en/numbers/7", "/en/numbers/6"]

    def test_what_derives_from_masked_digits_is_masked(self) -> None:
        copy = {"kind": "set", "values": {"copy": "x${vars.account}"}, "next": "said"}
        flow = flow_of({"gather": {**GATHER, "masked": True, "next": "copy"}, "copy": copy, "said": SAID, "end": END})
        world = FlowWorld(flow).starts().hears_all().presses("9876")
        assert world.run.secrets["copy"] == "x9876"
        assert "9876" not in repr(world.run.kept())


class TestDialAndQueue:
    @pytest.mark.parametrize(
        ("outcome", "status"),
        [
            ("busy", 486),
            ("no_answer", 480),
            ("declined", 480),
            ("unreachable", 480),
            ("answered", 480),
            ("failed", 500),
        ],
    )
    def test_each_outcome_of_a_dial_has_its_branch(self, outcome: DialOutcome, status: int) -> None:
        world = FlowWorld(dial()).starts().takes(DialEnded("f1", outcome))
        assert world.command == Hangup({486: "flow", 480: "flow", 500: "error"}[status], status)

    def test_a_dial_says_what_is_recorded_and_announced(self) -> None:
        world = FlowWorld(dial(record=True, announcement=["call-recorded"], target="10${called}")).starts()
        assert world.command == Dial("f1", "10800", 20, True, ("/en/call-recorded.wav",), ())

    def test_a_dial_without_a_number_takes_the_error_branch(self) -> None:
        world = FlowWorld(dial(), called="").starts()
        assert world.effects[-3:] == [NodeEntered("failed", "hangup"), Hangup("error", 500), FlowEnded("hangup")]

    def test_a_queue_is_entered_with_its_skills_and_music(self) -> None:
        world = FlowWorld(queue()).starts()
        assert world.command == EnterQueue("f1", "billing", {"billing": 2}, 50, ("/en/music.wav",))
        assert world.takes(QueueLeft("f1", "answered")).effects[0] == NodeLeft("queue", "answered")

    def test_a_queue_is_entered_with_a_head_start_and_the_agent_to_wait_for(self) -> None:
        world = FlowWorld(queue(head_start_s=90, preferred="a${called}")).starts()
        assert world.command == EnterQueue(
            "f1", "billing", {"billing": 2}, 50, ("/en/music.wav",), head_start_s=90, preferred="a800"
        )

    def test_a_queue_outcome_without_a_branch_takes_the_error_branch(self) -> None:
        world = FlowWorld(queue()).starts().takes(QueueLeft("f1", "no_agents"))
        assert world.effects[0] == NodeLeft("queue", "error", "queue_no_agents")

    def test_a_queue_is_entered_with_the_flows_own_words_of_comfort(self) -> None:
        world = FlowWorld(queue(comfort=["please-hold"], announce=False)).starts()
        assert world.command == EnterQueue(
            "f1", "billing", {"billing": 2}, 50, ("/en/music.wav",), ("/en/please-hold.wav",), announce=False
        )

    def test_an_exit_key_leaves_the_queue_by_its_branch(self) -> None:
        world = FlowWorld(queue(exits={"0": "end"})).starts().presses("50")
        assert world.effects[:2] == [LeaveQueue("f1", "0", for_callback=False), NodeLeft("queue", "0")]

    def test_an_exit_to_a_callback_says_so_and_asks_for_it(self) -> None:
        world = FlowWorld(callback()).starts().presses("1")
        assert world.commands == [
            LeaveQueue("f1", "1", for_callback=True),
            AskCallback("f2", "+39061234567", ""),
        ]
        assert world.takes(CallbackTaken("f2", taken=True)).effects[0] == NodeLeft("callback", "next")

    def test_a_callback_that_cannot_be_has_a_branch_and_so_has_a_caller_without_a_number(self) -> None:
        world = FlowWorld(callback()).starts().presses("1").takes(CallbackTaken("f2", taken=False))
        assert world.effects[0] == NodeLeft("callback", "refused")
        hidden = FlowWorld(callback(), caller="").starts().presses("1")
        assert NodeLeft("callback", "refused") in hidden.effects

    def test_one_who_is_taken_out_of_a_queue_goes_on_like_one_whose_time_is_over(self) -> None:
        world = FlowWorld(queue()).starts().takes(QueueLeft("f1", "cancelled"))
        assert world.effects[0] == NodeLeft("queue", "cancelled")
        assert NodeEntered("end", "hangup") in world.effects

    def test_keys_pressed_while_talking_are_not_the_flows(self) -> None:
        world = FlowWorld(queue()).starts().presses("123")
        assert world.run.typed == ""
        assert world.effects == []


class TestEchoAndRecord:
    def test_echo_ends_at_its_time_or_its_key(self) -> None:
        flow = flow_of({"echo": {"kind": "echo", "seconds": 10, "exit": "#", "next": "end"}, "end": END})
        by_time, by_key = FlowWorld(flow).starts(), FlowWorld(flow).starts()
        assert by_time.waits(10).effects[:2] == [StopPlaying(), NodeLeft("echo", "next")]
        assert by_key.presses("1").effects == []
        assert by_key.presses("#").effects[:2] == [StopPlaying(), NodeLeft("echo", "next")]

    def test_a_message_is_recorded_after_prompt_and_beep(self) -> None:
        flow = flow_of({"record": {"kind": "record", "prompts": ["speak"], "max_s": 30, "next": "end"}, "end": END})
        world = FlowWorld(flow).starts()
        assert world.played == ["/en/speak", "/en/beep"]
        assert world.hears_all().command == Record("f2", 30)
        assert world.presses("5").effects == []
        assert world.presses("#").effects == [StopPlaying()]
        assert world.takes(RecordingDone("f2", 4000)).effects[0] == NodeLeft("record", "next")


class TestValues:
    def test_branches_read_caller_customer_variables_and_time(self) -> None:
        cases = [
            {
                "if": 'customer.tier == "gold" and vars.n == 2 and time.weekday == "mon" and time.hour < 12',
                "next": "gold",
            },
            {"if": 'starts_with(caller, "+39")', "next": "italy"},
        ]
        nodes = {
            "set": {"kind": "set", "values": {"n": 1}, "next": "add"},
            "add": {"kind": "set", "values": {"n": "${vars.n + 1}"}, "next": "branch"},
            "branch": {"kind": "branch", "cases": cases, "else": "end"},
            "gold": {"kind": "hangup", "reason": "gold"},
            "italy": {"kind": "hangup", "reason": "italy"},
            "end": END,
        }
        gold = FlowWorld(flow_of(nodes)).takes(CustomerFound({"tier": "gold"})).starts()
        assert gold.command == Hangup("gold", 480)
        assert FlowWorld(flow_of(nodes)).starts().command == Hangup("italy", 480)
        assert FlowWorld(flow_of(nodes), caller="+86").starts().command == Hangup("flow", 480)

    def test_setting_the_language_changes_what_is_heard(self) -> None:
        nodes = {
            "set": {"kind": "set", "values": {"language": "zh"}, "next": "hello"},
            "hello": {"kind": "play", "prompts": ["hi", {"say_number": "200"}], "next": "end"},
            "end": END,
        }
        world = FlowWorld(flow_of(nodes, languages=["zh"])).starts()
        assert world.played == ["/zh/hi", "/zh/numbers/liang", "/zh/numbers/bai"]

    @pytest.mark.parametrize(
        ("prompt", "reason"),
        [
            ("gone", "missing_prompt"),
            ({"say_digits": "${vars.x}"}, "not_speakable"),
            ({"say_number": "${caller}x"}, "not_speakable"),
            ({"say_number": "${customer < 3}"}, "expression"),
        ],
    )
    def test_what_cannot_be_played_takes_the_error_branch(self, prompt: object, reason: str) -> None:
        nodes = {"hello": {"kind": "play", "prompts": [prompt], "next": "end"}, "end": END}
        assert NodeLeft("hello", "error", reason) in FlowWorld(flow_of(nodes)).starts().effects


class TestFaults:
    def test_a_failed_command_takes_the_error_branch(self) -> None:
        world = FlowWorld(menu()).starts().takes(CommandFailed("f1", "bad_file"))
        assert world.effects[0] == NodeLeft("menu", "error", "bad_file")
        assert world.command == Hangup("error", 500)

    def test_an_error_node_that_fails_itself_ends_the_call(self) -> None:
        sorry = {"kind": "play", "prompts": ["gone"], "next": "end"}
        world = FlowWorld(flow_of({"sorry": sorry, "end": END}, on_error="sorry")).starts()
        assert world.effects[-3:] == [
            NodeLeft("sorry", "error", "missing_prompt"),
            Hangup("error", 500),
            FlowEnded("error"),
        ]

    def test_two_nodes_that_send_their_errors_to_each_other_are_cut_short(self) -> None:
        one = {"kind": "play", "prompts": ["gone"], "next": "two", "on_error": "two"}
        world = FlowWorld(flow_of({"one": one, "two": {**one, "next": "one", "on_error": "one"}})).starts()
        assert world.run.ended
        assert (
            world.log.count("< one: error (missing_prompt)") + world.log.count("< two: error (missing_prompt)")
            == MAX_ERRORS + 1
        )

    def test_a_flow_that_goes_round_is_ended(self) -> None:
        nodes = {
            "one": {"kind": "set", "values": {}, "next": "two"},
            "two": {"kind": "set", "values": {}, "next": "one"},
        }
        world = FlowWorld(flow_of(nodes)).starts()
        assert world.effects[-1] == FlowEnded("error")
        assert world.run.visits == MAX_VISITS + 1

    @pytest.mark.parametrize("late", [PromptsPlayed("f1"), RecordingDone("f1", 1), CommandFailed("f1", "x"), Tick()])
    def test_an_answer_to_an_older_command_changes_nothing(self, late: Input) -> None:
        world = FlowWorld(menu()).starts().hears_all().presses("7")
        before = world.run
        assert world.takes(late).effects == []
        assert world.run == before

    def test_the_end_of_a_prompt_that_crossed_a_key_changes_nothing(self) -> None:
        world = FlowWorld(gather()).starts().presses("1")
        assert world.run.waiting == "digit"
        assert world.takes(PromptsPlayed("f1")).effects == []

    def test_the_caller_may_go_at_any_time(self) -> None:
        world = FlowWorld(menu()).starts().takes(CallerGone())
        assert world.effects == [FlowEnded("caller_gone")]
        assert world.run.next_deadline is None
        for event in (CallerGone(), PromptsPlayed("f1"), DigitPressed(9, "1"), Tick(), MediaUp(), Resumed()):
            assert world.takes(event).effects == []

    @pytest.mark.parametrize("event", [MediaUp(), PromptsPlayed("f1"), DigitPressed(1, "1"), Tick(), Resumed()])
    def test_nothing_reaches_a_run_before_its_start(self, event: Input) -> None:
        with pytest.raises(IllegalTransition):
            FlowWorld(menu()).takes(event)

    @pytest.mark.parametrize("event", [Started(), PromptsPlayed("f99"), PromptsPlayed("x"), DialEnded("f1", "busy")])
    def test_what_was_never_asked_for_is_illegal(self, event: Input) -> None:
        with pytest.raises(IllegalTransition):
            FlowWorld(menu()).starts().takes(event)


class TestRestart:
    def test_a_prompt_begins_again(self) -> None:
        world = FlowWorld(menu()).starts().hears_all().takes(Resumed())
        assert world.effects == [Play("f2", ("/en/choose.wav",))]
        assert world.run.next_deadline is None

    def test_a_prompt_that_still_plays_is_waited_for(self) -> None:
        world = FlowWorld(menu()).starts()
        assert world.takes(Resumed(live=True)).effects == []
        assert world.takes(PromptsPlayed("f1")).run.waiting == "digit"

    def test_a_dial_that_lives_is_waited_for_and_not_repeated(self) -> None:
        world = FlowWorld(dial()).starts()
        assert world.takes(Resumed(live=True)).effects == []
        assert world.takes(DialEnded("f1", "busy")).command == Hangup("flow", 486)

    def test_a_dial_that_is_gone_takes_the_error_branch(self) -> None:
        world = FlowWorld(dial()).starts().takes(Resumed())
        assert world.effects[0] == NodeLeft("dial", "error", "restart")

    def test_a_queue_entry_that_lives_is_not_entered_twice(self) -> None:
        assert FlowWorld(queue()).starts().takes(Resumed(live=True)).effects == []

    def test_an_echo_goes_on_to_its_old_end(self) -> None:
        world = FlowWorld(flow_of({"echo": {"kind": "echo", "seconds": 10, "next": "end"}, "end": END})).starts()
        world.clock.advance(6)
        assert world.takes(Resumed()).effects == [Echo("f2")]
        assert world.waits(4).effects[0] == StopPlaying()

    def test_an_unanswered_call_waits_for_its_answer(self) -> None:
        world = FlowWorld(menu()).takes(Started()).takes(Resumed())
        assert world.effects == []
        assert world.takes(MediaUp()).played == ["/en/choose"]

    def test_masked_digits_that_are_still_needed_are_asked_for_again(self) -> None:
        world = FlowWorld(gather(masked=True)).starts().hears_all().presses("9876")
        world.run = world.run.kept()
        assert world.takes(Resumed()).log[-2:] == ["< said: restart", "> gather (gather)"]

    def test_masked_digits_that_will_be_asked_for_anyway_are_not_asked_for_at_once(self) -> None:
        bye = {**SAID, "prompts": ["x"], "next": "gather"}
        said = {**SAID, "next": "bye"}
        flow = flow_of({"gather": {**GATHER, "masked": True}, "said": said, "bye": bye, "end": END})
        world = FlowWorld(flow).starts().hears_all().presses("9876").hears_all()
        world.run = world.run.kept()
        assert world.takes(Resumed()).played == ["/en/x"]

    def test_masked_digits_that_are_no_longer_needed_are_not(self) -> None:
        flow = flow_of(
            {"gather": {**GATHER, "masked": True, "next": "bye"}, "bye": {**SAID, "prompts": ["x"]}, "end": END}
        )
        world = FlowWorld(flow).starts().hears_all().presses("9876")
        world.run = world.run.kept()
        assert world.takes(Resumed()).played == ["/en/x"]
