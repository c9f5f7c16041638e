"""What an agent's wishes, calls, phone and console do to him."""

from dataclasses import replace
from datetime import timedelta

import pytest

from acd import commands, events
from acd.machines.agent import Agent, Connect
from acd.model import NextState, Policy
from callcenter.kernel.errors import IllegalTransition
from tests.support.acd import AcdWorld


def test_signing_in_makes_not_ready_and_only_then_is_one_available(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1})
    acd.tell(commands.AgentWentAvailable("ann"))
    assert acd.refused() == ["not_signed_in"]
    ann.signs_in()
    assert (ann.now.state, ann.now.reason) == ("not_ready", "signed_in")
    ann.goes_available()
    assert ann.state == "available"


def test_unknown_agent_is_refused(acd: AcdWorld) -> None:
    acd.tell(commands.AgentSignedIn("nobody"))
    assert acd.refused() == ["unknown_agent"]
    acd.tell(commands.ContactStarted("nobody", "c1"))
    assert acd.refused() == ["unknown_agent"]


def test_signing_in_twice_changes_nothing(acd: AcdWorld) -> None:
    ann = acd.agent("ann").goes_available()
    assert ann.signs_in().state == "available"
    assert acd.last == []


def test_pause_carries_its_reason(acd: AcdWorld) -> None:
    ann = acd.agent("ann").goes_available()
    ann.pauses("lunch")
    (changed,) = acd.told_last(events.AgentStateChanged)
    assert (changed.state, changed.reason, changed.since) == ("not_ready", "lunch", acd.now)
    ann.pauses("training")
    assert ann.now.reason == "training"


def test_wrap_up_follows_the_contact_for_the_queues_time(acd: AcdWorld) -> None:
    acd.queue("billing", wrap_up_s=15)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    acd.advance(60)
    call.ends()
    (changed,) = acd.told_last(events.AgentStateChanged)
    assert (changed.state, changed.contact) == ("wrap_up", call.contact)
    assert changed.until == acd.now + timedelta(seconds=15)
    acd.advance(14)
    assert ann.state == "wrap_up"
    acd.advance(1)
    assert ann.state == "available"


def test_queue_without_wrap_up_frees_the_agent_at_once(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    waiting = acd.call_enters("billing")
    ann.answers()
    call.ends()
    assert waiting.rings_at == "ann"


def test_wrap_up_is_finished_early_or_extended(acd: AcdWorld) -> None:
    acd.queue("billing", wrap_up_s=10)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    call.ends()
    acd.tell(commands.WrapUpExtended("ann", 20))
    acd.advance(29)
    assert ann.state == "wrap_up"
    ann.finishes_wrap_up()
    assert ann.state == "available"
    ann.finishes_wrap_up()
    assert acd.refused() == ["not_in_wrap_up"]


def test_wish_during_a_contact_comes_true_after_wrap_up(acd: AcdWorld) -> None:
    acd.queue("billing", wrap_up_s=10)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    ann.pauses("lunch")
    assert acd.last == [events.NextStateChosen("ann", "not_ready", "lunch")]
    call.ends()
    assert ann.state == "wrap_up"
    acd.advance(10)
    assert (ann.now.state, ann.now.reason) == ("not_ready", "lunch")


def test_wish_may_be_taken_back(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    ann.pauses("lunch")
    acd.tell(commands.AgentWentAvailable("ann"))
    call.ends()
    assert ann.state == "available"


def test_signing_out_in_a_contact_waits_for_its_end(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    ann.signs_out()
    assert ann.state == "on_contact"
    call.ends()
    assert ann.state == "logged_out"


def test_signing_out_while_ringing_hands_the_caller_on(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.signs_out()
    assert acd.told_last(events.OfferRescinded) == [
        events.OfferRescinded(call.contact, "call1-o1", "ann", "signed_out")
    ]
    assert (ann.state, call.rings_at) == ("logged_out", "bob")


def test_disposition_belongs_to_the_contact_at_hand(acd: AcdWorld) -> None:
    acd.queue("billing", wrap_up_s=10)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    acd.tell(commands.DispositionChosen("ann", call.contact, "solved"))
    assert acd.refused() == ["not_his_contact"]
    ann.answers()
    call.ends()
    acd.tell(commands.DispositionChosen("ann", "another", "solved"))
    assert acd.refused() == ["not_his_contact"]
    acd.tell(commands.DispositionChosen("ann", call.contact, "solved"))
    assert acd.last == [events.DispositionChosen(call.contact, "ann", "solved")]


def test_direct_call_keeps_offers_away_and_leads_back_to_where_he_was(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    ann.talks_directly("d1")
    assert ann.state == "on_contact"
    call = acd.call_enters("billing")
    assert call.rings_at == "nobody"
    acd.tell(commands.ContactEnded("d1"))
    assert call.rings_at == "ann"
    call.hangs_up()
    ann.pauses("lunch")
    ann.talks_directly("d2")
    acd.tell(commands.ContactEnded("d2"))
    assert (ann.now.state, ann.now.reason) == ("not_ready", "lunch")


def test_direct_call_during_an_offer_takes_the_offer_back(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.talks_directly("d1")
    assert acd.told_last(events.OfferRescinded)[0].reason == "on_contact"
    assert (ann.now.contact, call.rings_at) == ("d1", "bob")


def test_direct_call_in_a_wrap_up_leaves_the_rest_of_it(acd: AcdWorld) -> None:
    acd.queue("billing", wrap_up_s=30)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    call.ends()
    acd.advance(10)
    ann.talks_directly("d1")
    acd.advance(5)
    acd.tell(commands.ContactEnded("d1"))
    assert ann.state == "wrap_up"
    acd.advance(14)
    assert ann.state == "wrap_up"
    acd.advance(1)
    assert ann.state == "available"


def test_second_direct_call_is_refused_and_two_agents_may_share_one(acd: AcdWorld) -> None:
    ann, bob = acd.agent("ann").goes_available(), acd.agent("bob").goes_available()
    ann.talks_directly("d1")
    ann.talks_directly("d1")
    assert acd.last == []
    ann.talks_directly("d2")
    assert acd.refused() == ["already_on_contact"]
    bob.talks_directly("d1")
    acd.tell(commands.ContactEnded("d1", agent="ann"))
    assert (ann.state, bob.state) == ("available", "on_contact")
    acd.tell(commands.ContactEnded("d1", agent="ann"))
    assert acd.refused() == ["no_such_contact"]
    acd.tell(commands.ContactEnded("d1"))
    assert bob.state == "available"
    acd.tell(commands.ContactEnded("d1"))
    assert acd.refused() == ["no_such_contact"]


def test_contact_that_still_waits_cannot_start_with_an_agent(acd: AcdWorld) -> None:
    ann = acd.agent("ann").goes_available()
    call = acd.call_enters("billing")
    ann.talks_directly(call.contact)
    assert acd.refused() == ["contact_waits"]


def test_call_of_one_who_is_signed_out_counts_once_he_signs_in(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1})
    ann.talks_directly("d1")
    assert ann.state == "logged_out"
    ann.goes_available()
    assert ann.state == "on_contact"
    acd.tell(commands.ContactEnded("d1"))
    assert ann.state == "available"
    ann.signs_out()
    ann.talks_directly("d2")
    ann.talks_directly("d3")
    assert acd.refused() == ["already_on_contact"]
    acd.tell(commands.ContactEnded("d2"))
    assert ann.now.contact is None


def test_agent_without_a_registered_phone_is_not_offered_anything(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    ann.phone(registered=False)
    assert acd.last == [events.PresenceChanged("ann", phone=False, console=False)]
    call = acd.call_enters("billing")
    assert (ann.state, call.rings_at) == ("available", "nobody")
    ann.phone(registered=True)
    assert call.rings_at == "ann"


def test_console_delivery_needs_console_and_phone(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}, delivery="console").goes_available()
    call = acd.call_enters("billing")
    assert call.rings_at == "nobody"
    ann.console(connected=True)
    assert call.rings_at == "ann"
    assert acd.told_last(events.OfferCreated)[0].delivery == "console"


def test_policy_that_drops_an_agent_signs_him_out(acd: AcdWorld) -> None:
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    everybody = acd.policy
    acd.load(_without(acd, "ann"))
    assert (call.rings_at, "ann" in acd.core.agents) == ("nobody", False)
    acd.load(everybody)
    acd.agent("ann", skills={"billing": 1}).goes_available()
    assert call.rings_at == "ann"
    ann.answers()
    acd.load(_without(acd, "ann"))
    assert ann.state == "on_contact"
    call.ends()
    assert "ann" not in acd.core.agents


def _without(acd: AcdWorld, agent: str) -> Policy:
    return replace(acd.policy, agents=tuple(other for other in acd.policy.agents if other.id != agent))


def test_policy_that_gives_a_skill_finds_the_caller_who_waits_for_it(acd: AcdWorld) -> None:
    acd.agent("ann", skills={"support": 1}).goes_available()
    call = acd.call_enters("billing")
    acd.agent("ann", skills={"support": 1, "billing": 1})
    assert call.rings_at == "ann"


def test_policy_change_moves_waiting_callers_to_the_new_terms_in_their_place(acd: AcdWorld) -> None:
    acd.queue("sales", skills={"sales": 5})
    first, second = acd.call_enters("sales"), acd.call_enters("sales")
    acd.agent("ann", skills={"sales": 2}).goes_available()
    assert first.rings_at == "nobody"
    acd.queue("sales", skills={"sales": 1}, ring_s=7)
    assert (first.rings_at, second.position) == ("ann", 1)
    assert acd.core.offers["call1-o1"].ring_until == acd.now + timedelta(seconds=7)


def test_queue_that_the_policy_drops_serves_who_is_in_it_and_takes_nobody_else(acd: AcdWorld) -> None:
    call = acd.call_enters("billing")
    acd.load(replace(acd.policy, queues=()))
    acd.tell(commands.EntryQueued("e9", "billing"))
    assert acd.refused() == ["unknown_queue"]
    acd.agent("ann", skills={"billing": 1}).goes_available()
    assert call.rings_at == "ann"


def test_input_of_the_distributor_itself_in_a_wrong_state_is_a_bug(acd: AcdWorld) -> None:
    with pytest.raises(IllegalTransition):
        Agent("ann", acd.now, acd.now).handle(Connect("o1"), now=acd.now)


def test_next_state_is_told_once(acd: AcdWorld) -> None:
    ann = acd.agent("ann").goes_available()
    ann.talks_directly("d1")
    ann.pauses("lunch")
    ann.pauses("lunch")
    assert acd.last == []
    assert ann.now.next == NextState("not_ready", "lunch")
