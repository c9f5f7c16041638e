"""OfferDelivery: pop, then ring; an answer is accepted only while the offer stands."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.director.machines import offer_delivery as od
from callcenter.kernel.errors import IllegalTransition

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def offer(delivery: str = "phone") -> od.OfferDelivery:
    return od.OfferDelivery("o1", 1, "call", "billing", "ann", delivery, NOW + timedelta(seconds=20))


def run(
    machine: od.OfferDelivery, *inputs: od.DeliveryInput, now: datetime = NOW
) -> tuple[od.OfferDelivery, list[od.DeliveryEffect]]:
    effects: list[od.DeliveryEffect] = []
    for event in inputs:
        machine, more = machine.handle(event, now=now)
        effects += more
    return machine, effects


def test_the_record_is_popped_before_the_phone_is_dialled() -> None:
    _, effects = run(offer(), od.Begin())
    assert effects == [od.Pop(), od.DialAgent()]


def test_console_delivery_dials_when_the_screen_accepts() -> None:
    machine, effects = run(offer("console"), od.Begin())
    assert effects == [od.Pop()]
    _, effects = run(machine, od.ScreenAccepted())
    assert effects == [od.DialAgent()]


def test_an_answer_is_accepted_when_the_distributor_says_so() -> None:
    _, effects = run(offer(), od.Begin(), od.Dialled("leg"), od.Rang(), od.PhoneAnswered(), od.Verdict(accepted=True))
    assert effects[2:] == [od.AskVerdict(), od.AgentReached("leg")]


def test_an_answer_to_an_offer_that_ended_is_hung_up() -> None:
    machine, _ = run(offer(), od.Begin(), od.Dialled("leg"), od.PhoneAnswered())
    machine, effects = run(machine, od.Verdict(accepted=False))
    assert effects == [od.Drop("leg", "withdrawn")]
    assert machine.state is od.DeliveryState.OVER


@pytest.mark.parametrize(
    ("reason", "failure"),
    [("busy", "busy"), ("declined", "declined"), ("unreachable", "unreachable"), ("media_lost", "error")],
)
def test_a_phone_that_refuses_fails_the_offer_with_its_reason(reason: str, failure: str) -> None:
    machine, _ = run(offer(), od.Begin(), od.Dialled("leg"))
    _, effects = run(machine, od.PhoneGone(reason))
    assert od.Fail(failure) in effects


def test_a_phone_without_a_sign_of_life_is_unreachable_after_three_seconds() -> None:
    machine, _ = run(offer(), od.Begin(), od.Dialled("leg"))
    assert machine.next_deadline == NOW + timedelta(seconds=3)
    assert run(machine, od.Tick(), now=NOW + timedelta(seconds=2.9))[1] == []
    _, effects = run(machine, od.Tick(), now=NOW + timedelta(seconds=3))
    assert effects == [od.Drop("leg", "unreachable"), od.Fail("unreachable")]


def test_a_ringing_phone_has_the_offers_whole_time() -> None:
    machine, _ = run(offer(), od.Begin(), od.Dialled("leg"), od.Rang())
    assert machine.next_deadline is None


def test_a_withdrawn_offer_stops_the_ringing_once() -> None:
    machine, _ = run(offer(), od.Begin(), od.Dialled("leg"), od.Rang())
    machine, effects = run(machine, od.Withdrawn("caller_left"))
    assert effects == [od.Drop("leg", "caller_left")]
    assert run(machine, od.PhoneGone("cancelled"), od.Withdrawn("again"))[1] == []


def test_a_leg_dialled_for_an_offer_that_is_over_is_dropped() -> None:
    machine, _ = run(offer(), od.Begin(), od.Withdrawn("caller_left"))
    assert run(machine, od.Dialled("leg"))[1] == [od.Drop("leg", "withdrawn")]


def test_an_agent_without_an_address_fails_the_offer_at_once() -> None:
    assert run(offer(), od.Begin(), od.NotReachable())[1][-1] == od.Fail("unreachable")


def test_a_verdict_nobody_asked_for_is_illegal() -> None:
    with pytest.raises(IllegalTransition):
        run(offer(), od.Begin(), od.Verdict(accepted=True))
