"""Who is offered whom, and what becomes of an offer."""

from datetime import timedelta

import pytest

from acd import commands, events
from acd.model import FailureReason, Settings
from tests.support.acd import AcdWorld


def test_caller_is_offered_at_once_to_an_idle_agent_with_the_skill(acd: AcdWorld) -> None:
    acd.agent("bob", skills={"support": 5}).goes_available()
    acd.agent("ann", skills={"billing": 3}).goes_available()
    call = acd.call_enters("billing")
    assert call.rings_at == "ann"
    (offer,) = acd.told(events.OfferCreated)
    assert (offer.offer, offer.fence, offer.delivery) == ("call1-o1", 1, "phone")
    assert offer.ring_until == acd.now + timedelta(seconds=20)


def test_level_below_the_need_does_not_qualify(acd: AcdWorld) -> None:
    acd.queue("billing", skills={"billing": 3})
    acd.agent("bob", skills={"billing": 2}).goes_available()
    call = acd.call_enters("billing")
    assert call.rings_at == "nobody"
    acd.agent("ann", skills={"billing": 3}).goes_available()
    assert call.rings_at == "ann"


def test_longest_idle_agent_comes_first(acd: AcdWorld) -> None:
    for name in ("chen", "ann", "bob"):
        acd.agent(name, skills={"billing": 1}).goes_available()
    assert [acd.call_enters("billing").rings_at for _ in range(3)] == ["chen", "ann", "bob"]


def test_equal_idle_times_are_decided_by_the_agents_id(acd: AcdWorld) -> None:
    agents = [acd.agent(name, skills={"billing": 1}).signs_in() for name in ("chen", "ann")]
    for agent in agents:
        acd.tell(commands.AgentWentAvailable(agent.id))
    assert acd.call_enters("billing").rings_at == "ann"


def test_freed_agent_takes_the_caller_who_waits_longest_over_all_his_queues(acd: AcdWorld) -> None:
    acd.call_enters("sales")
    acd.advance(1)
    support = acd.call_enters("support")
    acd.advance(1)
    billing = acd.call_enters("billing")
    acd.agent("ann", skills={"billing": 1, "support": 1}).goes_available()
    assert (support.rings_at, billing.rings_at) == ("ann", "nobody")


def test_callers_of_one_queue_are_served_in_order_of_arrival_even_within_a_millisecond(acd: AcdWorld) -> None:
    calls = [acd.call_enters("billing") for _ in range(12)]
    for index, call in enumerate(calls):
        acd.agent(f"ann{index:02}", skills={"billing": 1}).goes_available()
        assert call.rings_at == f"ann{index:02}"


def test_higher_priority_goes_first(acd: AcdWorld) -> None:
    low = acd.call_enters("billing", priority=10)
    acd.advance(5)
    high = acd.call_enters("billing", priority=60)
    assert (high.position, low.position) == (1, 2)
    acd.agent("ann", skills={"billing": 1}).goes_available()
    assert (high.rings_at, low.rings_at) == ("ann", "nobody")


def test_flow_can_raise_what_the_queue_asks(acd: AcdWorld) -> None:
    acd.queue("sales", skills={"sales": 1, "english": 2})
    acd.agent("bob", skills={"sales": 5, "english": 5}).goes_available()
    acd.agent("chen", skills={"sales": 5, "english": 5, "chinese": 4}).goes_available()
    call = acd.call_enters("sales", skills={"chinese": 2, "english": 1})
    assert call.now.need == ((("chinese", 2),), (("english", 2),), (("sales", 1),))
    assert call.rings_at == "chen"


def test_unanswered_offer_returns_caller_to_its_place(acd: AcdWorld) -> None:
    acd.agent("ann", skills={"billing": 3}).goes_available()
    first = acd.call_enters("billing")
    second = acd.call_enters("billing")
    acd.advance_to_next_deadline()
    assert acd.last[:2] == [
        events.OfferTimedOut(first.contact, "call1-o1", "ann"),
        events.EntryRequeued(first.contact, first.entry, position=1),
    ]
    assert (first.position, second.position) == (1, 2)
    acd.agent("bob", skills={"billing": 1}).goes_available()
    assert first.rings_at == "bob"
    assert first.now.offer == "call1-o2"


def test_agent_who_does_not_answer_is_not_ready_for_that_reason(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    acd.call_enters("billing")
    acd.advance(20)
    assert (ann.now.state, ann.now.reason) == ("not_ready", "no_answer")


def test_site_may_allow_more_misses(acd: AcdWorld) -> None:
    acd.settings(Settings(misses=2))
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(20)
    assert ann.state == "available"
    acd.advance(30)
    assert call.rings_at == "ann"
    acd.advance(20)
    assert (ann.now.state, ann.now.reason) == ("not_ready", "no_answer")


def test_answering_forgives_the_misses_before(acd: AcdWorld) -> None:
    acd.settings(Settings(misses=2))
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(50)
    ann.answers()
    call.ends()
    acd.call_enters("billing")
    acd.advance(20)
    assert ann.state == "available"


def test_who_declines_is_passed_over_for_that_caller_for_thirty_seconds_and_no_longer(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    call = acd.call_enters("billing")
    ann.declines()
    assert (ann.state, call.rings_at) == ("available", "nobody")
    acd.advance(29)
    assert call.rings_at == "nobody"
    acd.advance(1)
    assert call.rings_at == "ann"


def test_who_declines_may_serve_another_caller_at_once(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 3}).goes_available()
    refused = acd.call_enters("billing")
    other = acd.call_enters("billing")
    ann.declines()
    assert (other.rings_at, refused.rings_at) == ("ann", "nobody")
    assert refused.position == 1


def test_who_declines_goes_to_the_back_of_the_idle_order(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    acd.agent("chen", skills={"billing": 1}).goes_available()
    first = acd.call_enters("billing")
    ann.declines()
    assert first.rings_at == "bob"
    assert [acd.call_enters("billing").rings_at for _ in range(2)] == ["chen", "ann"]


@pytest.mark.parametrize("reason", ["busy", "unreachable", "error"])
def test_phone_that_cannot_be_rung_rests_longer_each_time(acd: AcdWorld, reason: FailureReason) -> None:
    acd.settings(Settings(exclusion_s=1))
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    for rest_s in (10, 20, 40, 80, 120, 120):
        ann.cannot_be_rung(reason)
        assert (ann.now.state, ann.now.reason) == ("available", reason)
        acd.advance(rest_s - 1)
        assert call.rings_at == "nobody"
        acd.advance(1)
        assert call.rings_at == "ann"


def test_registering_again_ends_the_rest_of_a_phone(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.call_enters("billing")
    ann.cannot_be_rung("unreachable")
    other = acd.call_enters("billing")
    ann.phone(registered=False)
    ann.phone(registered=True)
    assert other.rings_at == "ann"


def test_failed_phone_hands_the_caller_to_the_next_agent_in_the_same_step(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.cannot_be_rung("unreachable")
    assert call.rings_at == "bob"


def test_caller_who_leaves_frees_the_agent_at_once_with_his_place_kept(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(3)
    call.hangs_up()
    assert acd.last[:2] == [
        events.OfferRescinded(call.contact, "call1-o1", "ann", "caller_left"),
        events.EntryAbandoned(call.contact, call.entry, "billing", wait_ms=3000),
    ]
    assert ann.state == "available"
    assert acd.call_enters("billing").rings_at == "ann"


def test_end_of_the_contact_while_it_waits_counts_as_abandoned(acd: AcdWorld) -> None:
    call = acd.call_enters("billing")
    call.ends()
    assert [event.entry for event in acd.told_last(events.EntryAbandoned)] == [call.entry]


def test_flow_takes_a_caller_out_with_an_outcome(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    call.leaves_for("callback")
    assert acd.told_last(events.EntryEnded)[0].outcome == "callback"
    assert acd.told_last(events.OfferRescinded)[0].reason == "withdrawn"
    assert ann.state == "available"


def test_longest_wait_of_a_queue_ends_in_overflow_but_never_under_a_ringing_phone(acd: AcdWorld) -> None:
    acd.queue("sales", max_wait_s=30)
    waiting = acd.call_enters("sales")
    acd.advance(15)
    acd.agent("ann", skills={"sales": 1}).goes_available()
    ringing = acd.call_enters("sales")
    assert waiting.rings_at == "ann"
    acd.advance(15)
    assert waiting.rings_at == "ann"
    acd.advance(10)
    assert [(e.entry, e.outcome) for e in acd.told(events.EntryEnded)] == [(waiting.entry, "overflowed")]
    acd.advance(10)
    assert [e.entry for e in acd.told(events.EntryEnded)] == [waiting.entry, ringing.entry]


def test_answer_makes_the_contact_the_agents_and_counts_the_whole_wait(acd: AcdWorld) -> None:
    call = acd.call_enters("billing")
    acd.advance(9)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.advance(4)
    ann.answers()
    assert (ann.now.state, ann.now.contact) == ("on_contact", call.contact)
    assert acd.told_last(events.EntryAnswered) == [
        events.EntryAnswered(call.contact, call.entry, "billing", "ann", wait_ms=14_000)
    ]


def test_decision_counts_who_was_passed_over_and_why(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    for name in ("bob", "chen"):
        acd.agent(name, skills={"billing": 1}).goes_available()
    acd.agent("dan", skills={"support": 1}).goes_available()
    acd.agent("eve", skills={"billing": 1}).signs_in()
    acd.call_enters("billing")
    ann.declines()
    (offer,) = acd.told_last(events.OfferCreated)
    assert offer.agent == "bob"
    assert offer.decision == events.Decision(
        input=acd.core.number,
        policy=acd.policy.version,
        passed_over=events.PassedOver(excluded=0, later_in_order=2, unqualified=1, not_available=1),
    )


def test_unknown_queue_and_second_entry_are_refused(acd: AcdWorld) -> None:
    acd.tell(commands.EntryQueued("e1", "nowhere"))
    assert acd.refused() == ["unknown_queue"]
    call = acd.call_enters("billing")
    acd.tell(commands.EntryQueued(call.entry, "billing"))
    assert acd.refused() == ["already_waits"]
    acd.tell(commands.EntryQueued("e2", "billing", contact=call.contact))
    assert acd.refused() == ["already_waits"]


def test_caller_lost_before_the_bridge_regains_his_place(acd: AcdWorld) -> None:
    since = acd.now
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing", contact="c1")
    others = [acd.call_enters("billing") for _ in range(2)]
    ann.answers()
    acd.tell(commands.EntryQueued("c1-again", "billing", contact="c1"))
    assert acd.refused() == ["contact_is_owned"]
    ann.pauses()
    acd.tell(commands.ContactEnded("c1", agent="ann"))
    again = acd.call_enters("billing", contact="c1", enqueued_at=since)
    assert (call.contact, again.position, others[0].position) == ("c1", 1, 2)


def test_agent_who_calls_a_queue_himself_is_served_by_another(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    bob = acd.agent("bob", skills={"billing": 1}).goes_available()
    ann.talks_directly("c1")
    call = acd.call_enters("billing", contact="c1")
    assert call.rings_at == "bob"
    bob.answers()
    call.ends()
    assert (ann.state, bob.state) == ("available", "available")


def test_offer_lost_by_a_restart_blames_nobody(acd: AcdWorld) -> None:
    acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    acd.restarts()
    acd.tell(commands.OfferTakenBack("call1-o1"))
    assert acd.told_last(events.OfferRescinded)[0].reason == "restart"
    assert (call.rings_at, call.now.offer) == ("ann", "call1-o2")
    acd.tell(commands.OfferTakenBack("call1-o1"))
    assert acd.refused() == ["stale_offer"]
