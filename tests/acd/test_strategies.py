"""Whom a queue chooses among those who could serve, and which caller comes first."""

from collections import Counter
from datetime import timedelta

import pytest

from acd import commands, events
from acd.model import Settings, Strategy
from tests.support.acd import AcdWorld, AgentHand


def team(acd: AcdWorld, **levels: int) -> list[AgentHand]:
    """Agents with these levels in billing who went available in this order."""
    return [acd.agent(name, skills={"billing": level}).goes_available() for name, level in levels.items()]


def served_by(acd: AcdWorld, agent: AgentHand) -> None:
    """One call from ring to end; the agent is free again a second later."""
    call = acd.call_enters("billing")
    assert call.rings_at == agent.id
    agent.answers()
    acd.advance(1)
    call.ends()


def test_longest_idle_counts_from_the_last_activity(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="longest_idle")
    ann, _ = team(acd, ann=1, bob=1)
    ann.pauses()
    ann.goes_available()
    assert acd.call_enters("billing").rings_at == "bob"


def test_longest_since_contact_forgives_a_pause(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="longest_since_contact")
    ann, bob = team(acd, ann=1, bob=1)
    served_by(acd, ann)
    served_by(acd, bob)
    ann.pauses()
    acd.advance(60)
    ann.goes_available()
    assert acd.call_enters("billing").rings_at == "ann"


def test_longest_since_contact_sends_to_the_back_who_declines(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="longest_since_contact")
    ann, bob = team(acd, ann=1, bob=1)
    served_by(acd, ann)
    served_by(acd, bob)
    first = acd.call_enters("billing")
    ann.declines()
    assert first.rings_at == "bob"
    bob.answers()
    first.ends()
    acd.advance(1)
    assert acd.call_enters("billing").rings_at == "ann"
    assert acd.call_enters("billing").rings_at == "bob"


def test_fewest_contacts_counts_what_was_answered_since_signing_in(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="fewest_contacts")
    ann, bob = team(acd, ann=1, bob=1)
    served_by(acd, ann)
    served_by(acd, bob)
    served_by(acd, ann)
    chen = acd.agent("chen", skills={"billing": 1}).goes_available()
    served_by(acd, chen)
    served_by(acd, bob)
    assert [agent.now.contacts for agent in (ann, bob, chen)] == [2, 2, 1]
    ann.signs_out()
    ann.goes_available()
    assert acd.call_enters("billing").rings_at == "ann"


def test_round_robin_goes_on_where_it_was_after_a_restart(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="round_robin")
    ann, bob, chen = team(acd, ann=1, bob=1, chen=1)
    served_by(acd, ann)
    served_by(acd, bob)
    acd.restarts()
    for agent in (chen, ann, bob, chen):
        served_by(acd, agent)


def test_round_robin_counts_a_turn_that_was_declined(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="round_robin")
    ann, bob = team(acd, ann=1, bob=1)
    call = acd.call_enters("billing")
    ann.declines()
    assert call.rings_at == "bob"
    call.hangs_up()
    acd.advance(1)
    served_by(acd, ann)
    served_by(acd, bob)


def test_best_level_first(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="highest_level")
    team(acd, ann=2, bob=9, chen=5)
    assert [acd.call_enters("billing").rings_at for _ in range(3)] == ["bob", "chen", "ann"]


def test_lowest_level_that_suffices_spares_the_experts(acd: AcdWorld) -> None:
    acd.routes("billing", strategy="lowest_level")
    team(acd, ann=2, bob=9, chen=5)
    assert acd.call_enters("billing", skills={"billing": 3}).rings_at == "chen"
    assert acd.call_enters("billing").rings_at == "ann"
    assert acd.call_enters("billing").rings_at == "bob"


def drawn(acd: AcdWorld, calls: int) -> list[str]:
    """Whom chance chose; each caller hangs up again."""
    found = []
    for _ in range(calls):
        call = acd.call_enters("billing")
        found.append(call.rings_at)
        call.hangs_up()
    return found


def weighted(acd: AcdWorld) -> AcdWorld:
    acd.routes("billing", strategy="weighted_random")
    for name, weight in (("ann", 1), ("bob", 3), ("chen", 6)):
        acd.agent(name, skills={"billing": 1}, weight=weight).goes_available()
    return acd


def test_chance_follows_the_weights(acd: AcdWorld) -> None:
    counts = Counter(drawn(weighted(acd), 1000))
    assert 60 < counts["ann"] < 140
    assert 250 < counts["bob"] < 350
    assert 550 < counts["chen"] < 650


def test_chance_repeats_itself_for_the_same_entries() -> None:
    first = drawn(weighted(AcdWorld()), 30)
    assert first == drawn(weighted(AcdWorld()), 30)
    assert first[:12] == [*["chen"] * 10, "ann", "chen"]


def test_chance_passes_over_who_let_the_caller_go(acd: AcdWorld) -> None:
    weighted(acd)
    call = acd.call_enters("billing")
    rung = set()
    for _ in range(3):
        rung.add(call.rings_at)
        AgentHand(acd, call.rings_at).declines()
    assert rung == {"ann", "bob", "chen"}
    assert call.rings_at == "nobody"


@pytest.mark.parametrize("strategy", ["longest_idle", "round_robin", "highest_level", "weighted_random"])
def test_decision_names_its_strategy(acd: AcdWorld, strategy: Strategy) -> None:
    acd.routes("billing", strategy=strategy)
    team(acd, ann=1)
    acd.call_enters("billing")
    assert acd.told_last(events.OfferCreated)[0].decision.strategy == strategy


def test_changing_the_strategy_loses_nobody(acd: AcdWorld) -> None:
    team(acd, ann=1)
    first, second = acd.call_enters("billing"), acd.call_enters("billing")
    acd.routes("billing", strategy="round_robin")
    assert (first.rings_at, second.position) == ("ann", 1)


# -- which caller comes first -------------------------------------------------------------------------------------


def test_who_waits_long_enough_ages_past_a_higher_priority(acd: AcdWorld) -> None:
    acd.settings(Settings(priority_s=10))
    usual = acd.call_enters("billing")
    acd.advance(99)
    early = acd.call_enters("billing", priority=60)
    acd.advance(2)
    late = acd.call_enters("billing", priority=60)
    assert (early.position, usual.position, late.position) == (1, 2, 3)


def test_strict_priority_is_never_aged_past(acd: AcdWorld) -> None:
    acd.settings(Settings(strict_priority=True))
    usual = acd.call_enters("billing")
    acd.advance(3600)
    late = acd.call_enters("billing", priority=51)
    assert (late.position, usual.position) == (1, 2)


def test_head_start_moves_a_caller_forward_and_not_his_wait(acd: AcdWorld) -> None:
    usual = acd.call_enters("billing")
    acd.advance(80)
    head = acd.call_enters("billing", head_start_s=90)
    assert (head.position, usual.position) == (1, 2)
    acd.advance(5)
    (ann,) = team(acd, ann=1)
    ann.answers()
    assert acd.told_last(events.EntryAnswered)[0].wait_ms == 6_000


def test_head_start_of_a_queue_counts_among_the_queues_of_a_shared_agent(acd: AcdWorld) -> None:
    acd.routes("sales", head_start_s=60)
    billing = acd.call_enters("billing")
    acd.advance(30)
    sales = acd.call_enters("sales")
    acd.advance(31)
    late = acd.call_enters("sales")
    for name, call in (("ann", sales), ("bob", billing), ("chen", late)):
        acd.agent(name, skills={"billing": 1, "sales": 1}).goes_available()
        assert call.rings_at == name


def test_caller_with_a_head_start_regains_his_place_after_a_miss(acd: AcdWorld) -> None:
    ann, _ = team(acd, ann=1, bob=1)
    head = acd.call_enters("billing", head_start_s=60)
    acd.call_enters("billing")
    usual = acd.call_enters("billing")
    ann.cannot_be_rung("busy")
    assert (head.position, usual.position) == (1, 2)


def test_change_of_the_settings_moves_those_who_wait(acd: AcdWorld) -> None:
    usual = acd.call_enters("billing")
    acd.advance(30)
    high = acd.call_enters("billing", priority=55)
    assert (high.position, usual.position) == (1, 2)
    acd.settings(Settings(priority_s=1))
    assert (usual.position, high.position) == (1, 2)


# -- one agent first ----------------------------------------------------------------------------------------------


def test_caller_waits_for_his_last_agent_and_then_for_everybody(acd: AcdWorld) -> None:
    ann, _ = team(acd, ann=1, bob=1)
    ann.talks_directly("d1")
    call = acd.call_enters("billing", preferred="ann")
    acd.advance(19)
    assert call.rings_at == "nobody"
    acd.advance(1)
    assert call.rings_at == "bob"
    assert acd.told(events.EntryWidened)[-1].ring == 1


def test_preferred_agent_is_taken_though_another_is_idle_longer(acd: AcdWorld) -> None:
    team(acd, ann=1, bob=1)
    call = acd.call_enters("billing", preferred="bob")
    assert call.rings_at == "bob"
    assert acd.told_last(events.OfferCreated)[0].decision.ring == 0


def test_preferred_agent_who_gets_free_in_time_has_him(acd: AcdWorld) -> None:
    ann, bob = team(acd, ann=1, bob=1)
    ann.talks_directly("d1")
    call = acd.call_enters("billing", preferred="ann", preferred_s=60)
    acd.advance(30)
    acd.tell(commands.ContactEnded("d1"))
    assert (call.rings_at, bob.state) == ("ann", "available")


@pytest.mark.parametrize("way", ["signs_out", "pauses", "loses_phone"])
def test_nobody_waits_for_an_agent_who_is_gone(acd: AcdWorld, way: str) -> None:
    ann, _ = team(acd, ann=1, bob=1)
    ann.talks_directly("d1")
    call = acd.call_enters("billing", preferred="ann", preferred_s=600)
    assert call.rings_at == "nobody"
    if way == "loses_phone":
        ann.phone(registered=False)
    else:
        getattr(ann, way)()
        acd.tell(commands.ContactEnded("d1"))
    assert call.rings_at == "bob"


def test_nobody_waits_again_for_an_agent_whose_phone_went_while_it_rang(acd: AcdWorld) -> None:
    ann, bob = team(acd, ann=1, bob=1)
    call = acd.call_enters("billing", preferred="ann", preferred_s=600)
    ann.phone(registered=False)
    ann.talks_directly("d1")
    assert (call.rings_at, bob.state) == ("bob", "reserved")


def test_preferred_agent_who_is_away_or_unknown_or_cannot_serve_is_not_waited_for(acd: AcdWorld) -> None:
    acd.agent("ann", skills={"billing": 1})
    acd.agent("dan", skills={"sales": 1}).goes_available()
    team(acd, bob=1, chen=1, eve=1)
    rung = [acd.call_enters("billing", preferred=who).rings_at for who in ("ann", "dan", "nobody")]
    assert rung == ["bob", "chen", "eve"]


def test_caller_whom_his_agent_declines_goes_to_the_others_at_once(acd: AcdWorld) -> None:
    ann, _ = team(acd, ann=1, bob=1)
    call = acd.call_enters("billing", preferred="ann")
    ann.declines()
    assert call.rings_at == "bob"


def test_account_owner_of_another_team_may_have_his_caller(acd: AcdWorld) -> None:
    acd.routes("billing", teams=("day",))
    acd.agent("ann", skills={"billing": 1}, teams=("night",)).goes_available()
    call = acd.call_enters("billing", preferred="ann")
    assert call.rings_at == "ann"


def test_caller_is_for_the_first_of_his_agents_who_can_be_waited_for(acd: AcdWorld) -> None:
    acd.agent("ann", skills={"billing": 1})
    acd.agent("dan", skills={"sales": 1}).goes_available()
    bob, eve = team(acd, bob=1, eve=1)
    eve.talks_directly("d1")
    call = acd.call_enters("billing", preferred="ann", or_preferred=("dan", "eve", "bob"))
    assert (call.rings_at, call.now.preferred, bob.state) == ("nobody", "eve", "available")
    acd.advance(20)
    assert call.rings_at == "bob"


def test_caller_none_of_whose_agents_can_be_waited_for_is_everybodys(acd: AcdWorld) -> None:
    team(acd, bob=1)
    assert acd.call_enters("billing", preferred="ann", or_preferred=("zoe",)).rings_at == "bob"


def test_position_counts_those_who_wait_for_one_agent(acd: AcdWorld) -> None:
    (ann,) = team(acd, ann=1)
    ann.talks_directly("d1")
    first = acd.call_enters("billing", preferred="ann")
    second = acd.call_enters("billing")
    assert (first.position, second.position) == (1, 2)


def test_restart_keeps_the_window_of_the_preferred_agent(acd: AcdWorld) -> None:
    ann, _ = team(acd, ann=1, bob=1)
    ann.talks_directly("d1")
    call = acd.call_enters("billing", preferred="ann", preferred_s=60)
    until = acd.now + timedelta(seconds=60)
    acd.advance(10)
    acd.restarts()
    assert (call.now.stage.ring, call.now.stage.until) == (0, until)
    acd.advance(50)
    assert call.rings_at == "bob"
