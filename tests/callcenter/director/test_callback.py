"""Callback: a place that is kept, a customer who is called when an agent is there, and an end in every case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.director.machines import callback as cb
from callcenter.kernel.errors import IllegalTransition

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULES = cb.CallbackRules(tries=2, retry_s=300, ring_s=25)


@pytest.fixture
def waiting() -> cb.Callback:
    return cb.Callback("c1", "c1", "call", "+41441234567", "billing", NOW, rules=RULES)


def run(
    machine: cb.Callback, *inputs: cb.CallbackInput, now: datetime = NOW
) -> tuple[cb.Callback, list[cb.CallbackEffect]]:
    effects: list[cb.CallbackEffect] = []
    for event in inputs:
        machine, more = machine.handle(event, now=now)
        effects += more
    return machine, effects


def test_it_waits_in_the_queue_and_calls_when_an_agent_is_offered(waiting: cb.Callback) -> None:
    calling, effects = run(waiting, cb.Begin(), cb.Offered())
    assert effects == [cb.Enqueue(), cb.CallCustomer()]
    assert (calling.state, calling.tries) == (cb.CallbackState.CALLING, 1)


def test_the_agents_phone_rings_once_the_customer_has_answered(waiting: cb.Callback) -> None:
    over, effects = run(waiting, cb.Offered(), cb.Reached())
    assert effects[1:] == [cb.Closed("reached"), cb.RingAgent()]
    assert over.state is cb.CallbackState.OVER


def test_another_agent_may_be_offered_while_the_customers_phone_rings(waiting: cb.Callback) -> None:
    calling, _ = run(waiting, cb.Offered())
    assert run(calling, cb.Offered()) == (calling, [])


def test_a_customer_who_does_not_answer_is_called_again_later_from_the_same_place(waiting: cb.Callback) -> None:
    resting, effects = run(waiting, cb.Offered(), cb.NotReached("no_answer"))
    later = NOW + timedelta(seconds=300)
    assert effects[1:] == [cb.LeaveQueue(), cb.Rested("no_answer", later)]
    assert run(resting, cb.Tick("c2"), now=later - timedelta(seconds=1)) == (resting, [])
    again, effects = run(resting, cb.Tick("c2"), now=later)
    assert effects == [cb.Enqueue()]
    assert (again.contact, again.entry, again.since, again.id) == ("c2", "c2-q1", NOW, "c1")


def test_after_the_last_try_it_is_closed_with_its_reason(waiting: cb.Callback) -> None:
    _, effects = run(replace(waiting, tries=1), cb.Offered(), cb.NotReached("busy"))
    assert effects[1:] == [cb.LeaveQueue(), cb.Closed("not_reached")]


def test_a_number_that_may_not_be_called_is_not_tried_again(waiting: cb.Callback) -> None:
    _, effects = run(waiting, cb.Offered(), cb.NotReached("forbidden"))
    assert effects[1:] == [cb.LeaveQueue(), cb.Closed("forbidden")]


def test_a_line_that_is_not_free_costs_no_try(waiting: cb.Callback) -> None:
    last = replace(waiting, tries=1)
    resting, effects = run(last, cb.Offered(), cb.NotReached("calls", rung=False))
    assert effects[1:] == [cb.LeaveQueue(), cb.Rested("calls", NOW + cb.NO_LINE)]
    assert resting.tries == 1


def test_a_supervisor_may_cancel_it_waiting_or_ringing(waiting: cb.Callback) -> None:
    assert run(waiting, cb.TakenOut("cancelled"))[1] == [cb.Closed("cancelled")]
    _, effects = run(waiting, cb.Offered(), cb.TakenOut("cancelled"))
    assert effects[1:] == [cb.HangUp(), cb.Closed("cancelled")]


def test_a_supervisor_may_move_it_to_another_queue(waiting: cb.Callback) -> None:
    moved, effects = run(waiting, cb.TakenOut("moved", "support"))
    assert effects == [cb.Enqueue()]
    assert (moved.queue, moved.entry, moved.since) == ("support", "c1-q2", NOW)


def test_a_move_while_the_phone_rings_calls_anew_from_the_other_queue(waiting: cb.Callback) -> None:
    resting, effects = run(waiting, cb.Offered(), cb.TakenOut("moved", "support"))
    assert effects[1:] == [cb.HangUp(), cb.Rested("moved", NOW)]
    again, _ = run(resting, cb.NotReached("cancelled"), cb.Tick("c2"))
    assert (again.queue, again.contact, again.state) == ("support", "c2", cb.CallbackState.WAITING)


def test_what_comes_late_changes_nothing(waiting: cb.Callback) -> None:
    over, _ = run(waiting, cb.Offered(), cb.Reached())
    assert run(over, cb.NotReached("hangup"), cb.TakenOut("cancelled"), cb.Tick("c9"), cb.Offered())[1] == []
    assert run(waiting, cb.NotReached("busy"), cb.Reached(), cb.Tick("c2")) == (waiting, [])


def test_an_offer_to_one_who_rests_is_a_fault(waiting: cb.Callback) -> None:
    resting, _ = run(waiting, cb.Offered(), cb.NotReached("busy"))
    with pytest.raises(IllegalTransition):
        run(resting, cb.Offered())
