"""Small days whose every figure can be worked out by hand."""

import pytest

from acd.laboratory.trial import Shift
from acd.laboratory.world import NeverServed
from acd.model import QueuePolicy
from acd.policies.overflow import OverflowRule, Target
from tests.support.trials import HOUR_MS, call, outcome_of, trial_of


def test_callers_wait_for_the_only_agent_in_the_order_in_which_they_came() -> None:
    counts = outcome_of(trial_of([call(0, 60), call(10, 60), call(20, 60)])).overall
    assert (counts.offered, counts.served, counts.waited) == (3, 3, 2)
    assert counts.wait_ms == counts.served_wait_ms == (60 - 10) * 1000 + (120 - 20) * 1000
    assert counts.served_in_time == 1


def test_an_impatient_caller_hangs_up_and_is_counted_once() -> None:
    counts = outcome_of(trial_of([call(0, 60), call(10, 60, patience_s=15), call(20, 60, patience_s=41)])).overall
    assert (counts.served, counts.abandoned, counts.abandoned_in_time) == (2, 1, 1)
    assert counts.wait_ms == 15_000 + 40_000
    assert counts.served_wait_ms == 40_000


def test_a_caller_without_agent_and_room_is_blocked_and_waits_for_nothing() -> None:
    counts = outcome_of(trial_of([call(0, 60), call(1, 60), call(2, 60), call(61, 60)], waiting_room=1)).overall
    assert (counts.offered, counts.blocked, counts.served) == (4, 1, 3)
    assert counts.wait_ms == 59_000 + 59_000


def test_without_a_waiting_room_an_idle_agent_is_enough() -> None:
    counts = outcome_of(trial_of([call(0, 60), call(1, 60), call(60, 60)], waiting_room=0)).overall
    assert (counts.blocked, counts.served, counts.waited) == (1, 2, 0)


def test_occupancy_is_of_the_counted_time_and_ringing_is_no_part_of_it() -> None:
    counts = outcome_of(trial_of([call(10, 60)], answer_s=5, hours=0.1, wrap_up_s=20)).overall
    assert counts.handle_ms == 80_000
    assert counts.idle_ms == 360_000 - 80_000 - 5_000


def test_who_is_answered_as_soon_as_the_phone_can_ring_has_not_waited() -> None:
    counts = outcome_of(trial_of([call(0, 60), call(10, 60)], answer_s=5)).overall
    assert counts.waited == 1
    assert counts.wait_ms == 5_000 + 60_000


def test_a_talk_across_the_end_counts_as_far_as_the_end() -> None:
    counts = outcome_of(trial_of([call(3_590, 600)])).overall
    assert (counts.served, counts.handle_ms) == (1, 10_000)


def test_agents_time_falls_into_the_periods_in_which_it_passed() -> None:
    outcome = outcome_of(trial_of([call(600, 1_800)], periods=4))
    assert [counts.handle_ms for counts in outcome.by_period] == [300_000, 900_000, 600_000, 0]
    assert sum(counts.idle_ms for counts in outcome.by_period) == HOUR_MS - 1_800_000
    assert [counts.offered for counts in outcome.by_period] == [1, 0, 0, 0]


def test_an_agent_whose_shift_ends_finishes_his_call_and_takes_no_other() -> None:
    shifts = [Shift("a1", 0, 30_000), Shift("a2", 100_000)]
    counts = outcome_of(trial_of([call(0, 60), call(10, 60)], agents=2, shifts=shifts)).overall
    assert counts.served == 2
    assert counts.wait_ms == 90_000
    assert counts.handle_ms + counts.idle_ms == 60_000 + HOUR_MS - 100_000


def test_a_caller_for_whom_nobody_ever_comes_is_an_error_and_no_endless_day() -> None:
    with pytest.raises(NeverServed):
        outcome_of(trial_of([call(0, 60), call(10, 60)], shifts=[Shift("a1", 0, 30_000)]))


def test_a_head_start_moves_a_caller_forward_and_is_no_part_of_his_wait() -> None:
    calls = [call(0, 60), call(10, 60, patience_s=51), call(20, 60, patience_s=41, head_start_s=15)]
    counts = outcome_of(trial_of(calls)).overall
    assert (counts.served, counts.abandoned) == (2, 1)
    assert counts.wait_ms == 40_000 + 51_000


def test_a_caller_sent_to_another_queue_goes_on_waiting_there() -> None:
    rule = OverflowRule("waited", 30, Target("queue", "others"))
    queues = [QueuePolicy("calls", (("a", 1),), overflow=(rule,)), QueuePolicy("others", (("b", 1),))]
    calls = [call(0, 100), call(10, 60), call(20, 60, patience_s=90)]
    counts = outcome_of(trial_of(calls, agents=2, queues=queues, skills=[(("a", 1),), (("b", 1),)])).overall
    assert (counts.served, counts.abandoned, counts.left) == (3, 0, 0)
    assert counts.wait_ms == 30_000 + 80_000


def test_a_caller_sent_elsewhere_can_still_hang_up() -> None:
    rule = OverflowRule("waited", 30, Target("queue", "others"))
    queues = [QueuePolicy("calls", (("a", 1),), overflow=(rule,)), QueuePolicy("others", (("a", 1),))]
    calls = [call(0, 100), call(10, 60, patience_s=50)]
    counts = outcome_of(trial_of(calls, queues=queues, skills=[(("a", 1),)])).overall
    assert (counts.served, counts.abandoned, counts.wait_ms) == (1, 1, 50_000)


def test_a_caller_sent_out_of_the_queues_is_neither_served_nor_abandoned() -> None:
    rule = OverflowRule("waited", 30, Target("voicemail"))
    queues = [QueuePolicy("calls", overflow=(rule,))]
    counts = outcome_of(trial_of([call(0, 100), call(10, 60)], queues=queues)).overall
    assert (counts.offered, counts.served, counts.abandoned, counts.left) == (2, 1, 0, 1)


def test_a_mandatory_wrap_up_takes_its_time_and_ends() -> None:
    queues = [QueuePolicy("calls", wrap_up_s=20, wrap_up="mandatory")]
    counts = outcome_of(trial_of([call(0, 60), call(10, 60)], queues=queues)).overall
    assert (counts.served, counts.wait_ms) == (2, 70_000)
    assert counts.handle_ms == 160_000
