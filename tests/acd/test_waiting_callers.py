"""The life of a waiting caller: what he is told, when he is sent elsewhere, what supervisors do with him."""

from acd import events
from acd.policies.announcing import AnnouncePolicy
from acd.policies.overflow import OverflowRule, Target
from tests.support.acd import AcdWorld, AgentHand

PLACE = AnnouncePolicy(position=True, first_s=10, every_s=30)
BOTH = AnnouncePolicy(position=True, expected_wait=True, first_s=10, every_s=60, round_s=10)
MAILBOX = Target("voicemail")


def busy(acd: AcdWorld, *agents: str, skill: str = "billing") -> list[AgentHand]:
    """Agents who are there and can do it, but are paused."""
    hands = [acd.agent(name, skills={skill: 1}).signs_in() for name in agents]
    for hand in hands:
        hand.pauses()
    return hands


def a_line_that_moves_every(acd: AcdWorld, seconds: int, *, times: int = 4) -> AgentHand:
    """`times` callers are served one after the other while somebody waits on."""
    ann = acd.agent("ann", skills={"billing": 1}).signs_in()
    callers = [acd.call_enters("billing") for _ in range(times + 1)]
    for caller in callers[:times]:
        acd.advance(seconds)
        ann.goes_available_now()
        ann.answers()
        ann.pauses()
        caller.ends()
    acd.advance(seconds)
    callers[-1].hangs_up()
    return ann


class TestAnnouncements:
    def test_a_caller_is_told_his_place_at_first_and_then_at_times(self, acd: AcdWorld) -> None:
        acd.queue("billing", announce=PLACE)
        first = acd.call_enters("billing")
        second = acd.call_enters("billing")
        acd.advance(9)
        assert second.was_told() == []
        acd.advance(1)
        assert second.was_told() == [(2, None, False)]
        first.hangs_up()
        acd.advance(30)
        assert second.was_told() == [(2, None, False), (1, None, False)]

    def test_nobody_is_told_anything_while_an_agent_is_rung_for_him(self, acd: AcdWorld) -> None:
        acd.queue("billing", ring_s=25, announce=PLACE)
        acd.agent("ann", skills={"billing": 1}).goes_available()
        caller = acd.call_enters("billing")
        acd.advance(24)
        assert caller.was_told() == []
        acd.advance(1)
        assert caller.was_told() == [(1, None, False)]

    def test_a_place_that_is_no_better_is_not_worth_saying_where_the_queue_says_so(self, acd: AcdWorld) -> None:
        acd.queue("billing", announce=AnnouncePolicy(position=True, first_s=5, every_s=20, only_improved=True))
        first, second = acd.call_enters("billing"), acd.call_enters("billing")
        acd.advance(50)
        first.hangs_up()
        acd.advance(20)
        assert [told[0] for told in second.was_told()] == [2, 1]

    def test_what_is_told_only_once_is_not_told_again_after_restarts(self, acd: AcdWorld) -> None:
        acd.queue("billing", announce=AnnouncePolicy(position=True, first_s=5, every_s=0))
        caller = acd.call_enters("billing")
        acd.advance(3)
        acd.restarts()
        acd.advance(2)
        assert caller.was_told() == [(1, None, False)]
        for _ in range(2):
            acd.restarts()
            acd.advance(30)
        assert caller.was_told() == [(1, None, False)]

    def test_who_was_told_once_is_told_again_where_a_new_policy_says_so(self, acd: AcdWorld) -> None:
        acd.queue("billing", announce=AnnouncePolicy(position=True, first_s=5, every_s=0))
        caller = acd.call_enters("billing")
        acd.advance(20)
        acd.queue("billing", announce=PLACE)
        acd.advance(1)
        assert caller.was_told() == [(1, None, False)] * 2

    def test_comfort_comes_when_nothing_was_said_for_so_long(self, acd: AcdWorld) -> None:
        acd.queue("billing", announce=AnnouncePolicy(position=True, first_s=5, every_s=0, comfort_s=30))
        caller = acd.call_enters("billing")
        acd.advance(66)
        assert caller.was_told() == [(1, None, False), (None, None, True), (None, None, True)]

    def test_the_wait_told_is_that_of_those_before_him(self, acd: AcdWorld) -> None:
        a_line_that_moves_every(acd, 40)
        acd.queue("billing", announce=BOTH)
        acd.call_enters("billing")
        second = acd.call_enters("billing")
        acd.advance(10)
        assert second.was_told() == [(2, 80, False)]

    def test_a_new_queue_does_not_guess(self, acd: AcdWorld) -> None:
        acd.queue("billing", announce=BOTH)
        caller = acd.call_enters("billing")
        acd.advance(10)
        assert caller.was_told() == [(1, None, False)]

    def test_what_is_announced_survives_a_restart(self, acd: AcdWorld) -> None:
        acd.queue("billing", announce=PLACE)
        caller = acd.call_enters("billing")
        acd.advance(25)
        acd.restarts()
        acd.advance(15)
        assert [told[0] for told in caller.was_told()] == [1, 1]

    def test_a_policy_that_is_changed_live_holds_for_those_who_wait(self, acd: AcdWorld) -> None:
        acd.queue("billing")
        caller = acd.call_enters("billing")
        acd.advance(60)
        acd.queue("billing", announce=PLACE)
        acd.advance_to_next_deadline()
        assert caller.was_told() == [(1, None, False)]
        acd.queue("billing")
        acd.advance(600)
        assert len(caller.was_told()) == 1


class TestPromises:
    def test_every_wait_that_was_told_is_logged_beside_the_one_that_came(self, acd: AcdWorld) -> None:
        ann = a_line_that_moves_every(acd, 40)
        acd.queue("billing", announce=BOTH)
        acd.call_enters("billing")
        acd.advance(10)
        ann.goes_available_now()
        acd.advance(5)
        ann.answers()
        (settled,) = acd.told(events.PromisesSettled)
        assert settled.answered
        assert settled.promises == (events.SettledPromise(10_000, 40_000, 5_000),)

    def test_a_promise_to_one_who_hung_up_is_logged_and_teaches_nothing(self, acd: AcdWorld) -> None:
        a_line_that_moves_every(acd, 40)
        acd.queue("billing", announce=BOTH)
        caller = acd.call_enters("billing")
        acd.advance(10)
        caller.hangs_up()
        (settled,) = acd.told(events.PromisesSettled)
        assert (settled.answered, settled.promises[0].came_ms) == (False, None)
        assert acd.core.estimates["billing"].promises == 0

    def test_broken_promises_correct_the_next_ones(self, acd: AcdWorld) -> None:
        ann = a_line_that_moves_every(acd, 40)
        acd.queue("billing", announce=AnnouncePolicy(expected_wait=True, first_s=10, every_s=0, round_s=10))
        for _ in range(6):
            caller = acd.call_enters("billing")
            acd.advance(130)
            ann.goes_available_now()
            ann.answers()
            ann.pauses()
            caller.ends()
        assert acd.core.estimates["billing"].error_ms > 0
        assert acd.core.estimates["billing"].factor_pm > 1000


class TestOverflow:
    def test_a_full_line_sends_the_next_caller_on(self, acd: AcdWorld) -> None:
        acd.queue("billing", overflow=[OverflowRule("length", 2, MAILBOX)])
        busy(acd, "ann")
        acd.call_enters("billing")
        acd.call_enters("billing")
        third = acd.call_enters("billing")
        ended = third.has_left()
        assert ended is not None
        assert (ended.outcome, ended.reason, ended.target) == ("overflowed", "length", "voicemail")

    def test_a_line_of_length_zero_still_takes_whom_an_agent_can_have_at_once(self, acd: AcdWorld) -> None:
        acd.queue("billing", overflow=[OverflowRule("length", 0, MAILBOX)])
        acd.agent("ann", skills={"billing": 1}).goes_available()
        assert acd.call_enters("billing").rings_at == "ann"
        assert acd.call_enters("billing").has_left() is not None

    def test_too_long_a_wait_ahead_offers_a_callback(self, acd: AcdWorld) -> None:
        acd.queue("billing", overflow=[OverflowRule("expected_wait", 60, Target("callback"))])
        a_line_that_moves_every(acd, 40)
        assert acd.call_enters("billing").has_left() is None
        ended = acd.call_enters("billing").has_left()
        assert ended is not None
        assert (ended.outcome, ended.reason, ended.target) == ("callback", "expected_wait", "callback")

    def test_who_has_waited_too_long_is_sent_to_another_queue(self, acd: AcdWorld) -> None:
        acd.queue("billing", overflow=[OverflowRule("waited", 90, Target("queue", "support"))])
        caller = acd.call_enters("billing")
        acd.advance(90)
        ended = caller.has_left()
        assert ended is not None
        assert (ended.reason, ended.target, ended.wait_ms) == ("waited", "queue:support", 90_000)

    def test_nobody_is_taken_off_a_phone_that_rings_for_him(self, acd: AcdWorld) -> None:
        acd.queue("billing", ring_s=30, overflow=[OverflowRule("waited", 20, MAILBOX)])
        caller = acd.call_enters("billing")
        acd.advance(10)
        ann = acd.agent("ann", skills={"billing": 1}).signs_in()
        ann.goes_available_now()
        acd.advance(25)
        assert caller.rings_at == "ann"
        ann.declines()
        acd.advance(0)
        ended = caller.has_left()
        assert ended is not None
        assert ended.reason == "waited"

    def test_where_nobody_is_signed_in_the_caller_is_sent_on_at_once(self, acd: AcdWorld) -> None:
        acd.queue("billing", overflow=[OverflowRule("no_agents", target=Target("announcement", "closed"))])
        acd.agent("sue", skills={"support": 5}).signs_in()
        ended = acd.call_enters("billing").has_left()
        assert ended is not None
        assert (ended.reason, ended.target) == ("no_agents", "announcement:closed")

    def test_when_the_last_who_could_serve_them_signs_out_they_are_all_sent_on(self, acd: AcdWorld) -> None:
        acd.queue("billing", overflow=[OverflowRule("no_agents", target=MAILBOX)])
        ann, bob = busy(acd, "ann", "bob")
        first, second = acd.call_enters("billing"), acd.call_enters("billing")
        ann.signs_out()
        assert first.has_left() is None
        bob.signs_out()
        assert [event.entry for event in acd.told_last(events.EntryEnded)] == [first.entry, second.entry]

    def test_a_rule_without_a_target_leaves_it_to_the_flow(self, acd: AcdWorld) -> None:
        acd.queue("billing", overflow=[OverflowRule("length", 0)])
        ended = acd.call_enters("billing").has_left()
        assert ended is not None
        assert (ended.outcome, ended.target) == ("overflowed", None)

    def test_the_time_allowed_goes_on_over_a_restart(self, acd: AcdWorld) -> None:
        acd.queue("billing", overflow=[OverflowRule("waited", 90, MAILBOX)])
        caller = acd.call_enters("billing")
        acd.advance(80)
        acd.restarts()
        acd.advance(10)
        assert caller.has_left() is not None


class TestSupervisors:
    def test_a_caller_is_moved_to_another_queue(self, acd: AcdWorld) -> None:
        acd.queue("support")
        caller = acd.call_enters("billing")
        caller.is_moved_to("support")
        ended = caller.has_left()
        assert ended is not None
        assert (ended.outcome, ended.reason, ended.target) == ("transferred", "moved", "queue:support")

    def test_a_move_that_leads_nowhere_is_refused(self, acd: AcdWorld) -> None:
        caller = acd.call_enters("billing")
        caller.is_moved_to("nowhere")
        assert acd.refused() == ["unknown_queue"]
        caller.is_moved_to("billing")
        assert acd.refused() == ["already_there"]

    def test_a_caller_of_higher_priority_goes_before_the_others(self, acd: AcdWorld) -> None:
        first = acd.call_enters("billing")
        second = acd.call_enters("billing")
        second.is_given_priority(90)
        assert (first.position, second.position) == (2, 1)
        acd.agent("ann", skills={"billing": 1}).goes_available()
        assert second.rings_at == "ann"

    def test_a_priority_that_is_none_is_refused(self, acd: AcdWorld) -> None:
        acd.call_enters("billing").is_given_priority(100)
        assert acd.refused() == ["bad_priority"]

    def test_a_cancelled_caller_leaves_and_his_agent_is_free_again(self, acd: AcdWorld) -> None:
        ann = acd.agent("ann", skills={"billing": 1}).goes_available()
        caller = acd.call_enters("billing")
        caller.is_cancelled()
        ended = caller.has_left()
        assert ended is not None
        assert (ended.outcome, ended.reason) == ("failed", "cancelled")
        assert ann.state == "available"

    def test_who_has_left_can_be_neither_moved_nor_cancelled(self, acd: AcdWorld) -> None:
        caller = acd.call_enters("billing")
        caller.hangs_up()
        caller.is_cancelled()
        assert acd.refused() == ["no_such_entry"]
        caller.is_given_priority(60)
        assert acd.refused() == ["no_such_entry"]


class TestAgentsUnderSupervision:
    def test_an_agent_who_is_given_a_skill_gets_the_caller_who_waited_for_it(self, acd: AcdWorld) -> None:
        ann = acd.agent("ann", skills={"support": 1}).goes_available()
        caller = acd.call_enters("billing")
        assert caller.rings_at == "nobody"
        ann.is_given_skills({"billing": 3})
        assert caller.rings_at == "ann"

    def test_a_skill_that_was_taken_is_gone_until_the_configuration_holds_again(self, acd: AcdWorld) -> None:
        ann = acd.agent("ann", skills={"billing": 1}).goes_available()
        ann.is_given_skills({})
        caller = acd.call_enters("billing")
        assert caller.rings_at == "nobody"
        ann.is_given_skills(None)
        assert caller.rings_at == "ann"

    def test_skills_that_were_given_survive_a_restart_and_a_new_policy(self, acd: AcdWorld) -> None:
        ann = acd.agent("ann", skills={"support": 1}).goes_available()
        ann.is_given_skills({"billing": 3})
        acd.restarts()
        acd.queue("billing", ring_s=10)
        assert acd.call_enters("billing").rings_at == "ann"

    def test_a_forced_sign_out_frees_the_one_who_is_rung(self, acd: AcdWorld) -> None:
        ann = acd.agent("ann", skills={"billing": 1}).goes_available()
        caller = acd.call_enters("billing")
        ann.is_forced_out()
        assert (ann.state, caller.rings_at) == ("logged_out", "nobody")

    def test_a_forced_sign_out_does_not_wait_for_the_end_of_the_call(self, acd: AcdWorld) -> None:
        acd.queue("billing", wrap_up_s=30)
        ann = acd.agent("ann", skills={"billing": 1}).goes_available()
        caller = acd.call_enters("billing")
        ann.answers()
        ann.is_forced_out()
        assert ann.state == "logged_out"
        caller.ends()
        assert (ann.state, ann.now.contact) == ("logged_out", None)


def test_it_is_told_since_when_a_caller_waits_who_brings_his_time_along(acd: AcdWorld) -> None:
    begun = acd.now
    acd.advance(300)
    acd.call_enters("billing", contact="moved", enqueued_at=begun)
    acd.call_enters("billing", contact="fresh")
    told = {each.contact: events.wire(each)[2]["since"] for each in acd.told(events.EntryQueued)}
    assert told == {"moved": "2026-03-02T09:00:00.000Z", "fresh": "2026-03-02T09:05:00.000Z"}


def test_a_queue_learns_nothing_from_another_one(acd: AcdWorld) -> None:
    a_line_that_moves_every(acd, 40)
    acd.queue("billing", announce=BOTH)
    acd.queue("support", announce=BOTH)
    stranger = acd.call_enters("support")
    acd.advance(10)
    assert stranger.was_told() == [(1, None, False)]
