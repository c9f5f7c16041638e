"""A queue that rings all phones at once: the first who answers has the caller, nobody else is stuck."""

import pytest

from acd import commands, events
from acd.model import Settings
from tests.support.acd import AcdWorld, AgentHand


@pytest.fixture
def crew(acd: AcdWorld) -> list[AgentHand]:
    acd.routes("billing", strategy="ring_all", ring_s=20)
    return [acd.agent(f"a{n:02}", skills={"billing": 1}).goes_available() for n in range(12)]


def test_everybody_is_rung_with_an_offer_of_his_own(acd: AcdWorld, crew: list[AgentHand]) -> None:
    call = acd.call_enters("billing")
    assert call.all_rung == [agent.id for agent in crew]
    assert len({offer.fence for offer in acd.core.offers.values()}) == 12


def test_first_who_answers_has_him_and_the_others_stop_ringing(acd: AcdWorld, crew: list[AgentHand]) -> None:
    call = acd.call_enters("billing")
    crew[7].answers()
    assert {event.reason for event in acd.told_last(events.OfferRescinded)} == {"answered_elsewhere"}
    assert len(acd.told_last(events.OfferRescinded)) == 11
    assert [agent.state for agent in crew] == ["available"] * 7 + ["on_contact"] + ["available"] * 4
    assert acd.core.offers == {}
    assert call.entry not in acd.core.entries
    assert len(acd.told(events.EntryAnswered)) == 1


def test_second_answer_is_refused(acd: AcdWorld, crew: list[AgentHand]) -> None:
    acd.call_enters("billing")
    late = crew[3].offer()
    crew[7].answers()
    acd.tell(commands.OfferAccepted(late.id, late.fence))
    assert acd.refused() == ["stale_offer"]
    assert crew[3].state == "available"


def test_who_was_rung_in_vain_keeps_his_place_in_the_idle_order(acd: AcdWorld, crew: list[AgentHand]) -> None:
    acd.call_enters("billing")
    crew[7].answers()
    acd.routes("billing", strategy="longest_idle")
    assert acd.call_enters("billing").rings_at == "a00"


def test_caller_who_hangs_up_leaves_nobody_reserved(acd: AcdWorld, crew: list[AgentHand]) -> None:
    acd.call_enters("billing").hangs_up()
    assert {agent.state for agent in crew} == {"available"}
    assert acd.core.offers == {}


def test_a_call_that_the_whole_team_lets_ring_pauses_nobody(acd: AcdWorld, crew: list[AgentHand]) -> None:
    call = acd.call_enters("billing")
    acd.advance(20)
    assert {(agent.state, agent.now.reason) for agent in crew} == {("available", None)}
    assert len(acd.told_last(events.OfferTimedOut)) == 12
    assert (call.now.state, call.position) == ("waiting", 1)
    assert len([event for event in acd.told(events.EntryRequeued) if event.entry == call.entry]) == 1


def test_whole_team_rings_again_when_it_is_passed_over_no_longer(acd: AcdWorld, crew: list[AgentHand]) -> None:
    call = acd.call_enters("billing")
    acd.advance(20 + 29)
    assert call.all_rung == []
    acd.advance(1)
    assert call.all_rung == [agent.id for agent in crew]


def test_next_caller_rings_the_team_that_let_the_last_one_ring(acd: AcdWorld, crew: list[AgentHand]) -> None:
    acd.call_enters("billing")
    acd.advance(20)
    assert acd.call_enters("billing").all_rung == [agent.id for agent in crew]


def test_one_who_joined_the_ringing_late_has_missed_nothing_of_his_own(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="ring_all", ring_s=20)
    early = acd.agent("early", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(10)
    late = acd.agent("late", skills={"billing": 1}).goes_available()
    acd.advance(15)
    assert call.all_rung == ["late"]
    acd.advance(10)
    assert (early.state, late.state) == ("available", "available")


def test_one_who_rang_on_when_others_declined_has_missed_nothing(acd: AcdWorld, crew: list[AgentHand]) -> None:
    acd.call_enters("billing")
    for agent in crew[1:]:
        agent.declines()
    acd.advance(20)
    assert crew[0].state == "available"


def test_one_who_rang_for_all_by_himself_misses_as_in_any_queue(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="ring_all", ring_s=20)
    only = acd.agent("only", skills={"billing": 1}).goes_available()
    acd.call_enters("billing")
    acd.advance(20)
    assert (only.state, only.now.reason) == ("not_ready", "no_answer")


def test_restart_remembers_that_the_whole_team_rang(acd: AcdWorld, crew: list[AgentHand]) -> None:
    acd.call_enters("billing")
    acd.advance(5)
    acd.restarts()
    acd.advance(15)
    assert {agent.state for agent in crew} == {"available"}


def test_one_who_declines_leaves_the_others_ringing(acd: AcdWorld, crew: list[AgentHand]) -> None:
    call = acd.call_enters("billing")
    crew[0].declines()
    crew[1].cannot_be_rung("busy")
    assert call.all_rung == [agent.id for agent in crew[2:]]
    assert acd.told(events.EntryRequeued) == []
    crew[2].answers()
    assert crew[0].state == "available"


def test_agent_who_gets_free_rings_too(acd: AcdWorld, crew: list[AgentHand]) -> None:
    call = acd.call_enters("billing")
    acd.agent("late", skills={"billing": 1}).goes_available()
    assert "late" in call.all_rung


def test_agent_who_gets_free_rings_first_for_one_who_waits(acd: AcdWorld, crew: list[AgentHand]) -> None:
    first, second = acd.call_enters("billing"), acd.call_enters("billing")
    assert second.rings_at == "nobody"
    acd.agent("late", skills={"billing": 1}).goes_available()
    assert second.all_rung == ["late"]
    assert len(first.all_rung) == 12


def test_next_caller_rings_all_when_the_first_is_answered(acd: AcdWorld, crew: list[AgentHand]) -> None:
    acd.call_enters("billing")
    second = acd.call_enters("billing")
    crew[0].answers()
    assert len(second.all_rung) == 11


def test_so_many_phones_ring_as_the_queue_allows(acd: AcdWorld, crew: list[AgentHand]) -> None:
    acd.routes("billing", strategy="ring_all", ring_all_most=3)
    call = acd.call_enters("billing")
    assert call.all_rung == ["a00", "a01", "a02"]
    crew[1].declines()
    assert call.all_rung == ["a00", "a02", "a03"]


def test_agent_who_is_called_directly_leaves_the_others_ringing(acd: AcdWorld, crew: list[AgentHand]) -> None:
    call = acd.call_enters("billing")
    crew[4].talks_directly("d1")
    assert "a04" not in call.all_rung
    assert len(call.all_rung) == 11


def test_restart_and_new_policy_leave_the_phones_ringing(acd: AcdWorld, crew: list[AgentHand]) -> None:
    call = acd.call_enters("billing")
    acd.restarts()
    assert len(call.all_rung) == 12
    acd.settings(Settings(misses=3))
    assert len(call.all_rung) == 12
    crew[5].answers()
    assert {agent.state for agent in crew} == {"available", "on_contact"}
