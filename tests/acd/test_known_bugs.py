"""The bugs that real queues had (acd.md section 2), each as its users met it.

`test_known_bugs_return` brings each of them back in a line and sees its test fail.
"""

from acd import commands, events
from tests.support.acd import AcdWorld


def test_agent_is_never_locked_in_a_call_that_is_gone(acd: AcdWorld) -> None:
    """OpenSIPS 3123, 2530."""
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    bob = acd.agent("bob").goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    bob.talks_directly("d1")
    acd.restarts()
    acd.tell(commands.Reconciled(contacts=()))
    assert (ann.state, bob.state) == ("available", "available")
    assert acd.call_enters("billing").rings_at == "ann"
    assert call.entry not in acd.core.entries


def test_no_agent_stays_reserved_when_many_ring_and_nobody_reports(acd: AcdWorld) -> None:
    """FreeSWITCH 2540: stuck under ring-all with ten agents or more."""
    acd.routes("billing", strategy="ring_all")
    agents = [acd.agent(f"a{n:02}", skills={"billing": 1}).goes_available() for n in range(12)]
    call = acd.call_enters("billing")
    assert {agent.state for agent in agents} == {"reserved"}
    acd.advance(20)
    assert {agent.state for agent in agents} == {"available"}
    acd.advance(30)
    assert len(call.all_rung) == 12
    agents[11].answers()
    assert {agent.state for agent in agents[:11]} == {"available"}


def test_caller_who_is_gone_rings_nobody(acd: AcdWorld) -> None:
    """FreeSWITCH 2529."""
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    call.hangs_up()
    assert [event.agent for event in acd.told_last(events.OfferRescinded)] == ["ann"]
    assert ann.state == "available"
    acd.tell(commands.OfferAccepted("call1-o1", 1))
    assert acd.refused() == ["stale_offer"]
    assert ann.state == "available"


def test_one_caller_is_never_answered_by_two_agents(acd: AcdWorld) -> None:
    """Asterisk 176."""
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    bob = acd.agent("bob", skills={"billing": 1}).goes_available()
    acd.call_enters("billing")
    acd.advance(20)
    acd.tell(commands.OfferAccepted("call1-o1", 1))
    assert acd.refused() == ["stale_offer"]
    acd.tell(commands.OfferAccepted("call1-o2", 1))
    assert acd.refused() == ["stale_offer"]
    bob.answers()
    acd.tell(commands.OfferAccepted("call1-o2", 2))
    assert acd.refused() == ["stale_offer"]
    assert (ann.state, bob.state) == ("not_ready", "on_contact")
    assert len(acd.told(events.EntryAnswered)) == 1


def test_caller_whose_agent_hangs_up_before_the_bridge_is_served_by_another(acd: AcdWorld) -> None:
    """Asterisk 1557: the legs of the others drop, and the caller with them."""
    since = acd.now
    acd.routes("billing", strategy="ring_all")
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    acd.call_enters("billing", contact="c1")
    ann.answers()
    acd.tell(commands.ContactEnded("c1", agent="ann"))
    again = acd.call_enters("billing", contact="c1", enqueued_at=since)
    assert again.all_rung == ["ann", "bob"]
    assert (again.now.enqueued_at, acd.told(events.EntryAbandoned)) == (since, [])


def test_change_of_state_during_an_offer_stirs_nothing(acd: AcdWorld) -> None:
    """FreeSWITCH PR 800: a storm of INVITE and CANCEL."""
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    told = len(acd.told(events.OfferCreated))
    for _ in range(5):
        ann.pauses("lunch")
        acd.tell(commands.AgentWentAvailable("ann"))
        ann.phone(registered=False)
        ann.phone(registered=True)
    ann.pauses("lunch")
    assert call.now.offer == "call1-o1"
    assert (len(acd.told(events.OfferCreated)), acd.told(events.OfferRescinded)) == (told, [])
    ann.declines()
    assert (ann.now.state, ann.now.reason) == ("not_ready", "lunch")


def test_one_agent_who_cannot_be_rung_does_not_halt_the_queue(acd: AcdWorld) -> None:
    """FreeSWITCH PR 1221."""
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.agent("bob", skills={"billing": 1}).goes_available()
    calls = [acd.call_enters("billing") for _ in range(3)]
    ann.cannot_be_rung("unreachable")
    acd.agent("chen", skills={"billing": 1}).goes_available()
    assert [call.rings_at for call in calls] == ["chen", "bob", "nobody"]


def test_wrap_up_of_one_queue_holds_for_the_callers_of_another(acd: AcdWorld) -> None:
    """Asterisk 1006, 607: cut short across queues."""
    acd.queue("billing", wrap_up_s=30)
    acd.queue("support", wrap_up_s=0)
    ann = acd.agent("ann", skills={"billing": 1, "support": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    call.ends()
    other = acd.call_enters("support")
    acd.advance(29)
    assert other.rings_at == "nobody"
    acd.advance(1)
    assert other.rings_at == "ann"


def test_reload_leaves_a_running_wrap_up_as_it_is(acd: AcdWorld) -> None:
    """Asterisk 1255: reset by reload."""
    acd.queue("billing", wrap_up_s=30)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    call.ends()
    end = ann.now.until
    acd.advance(10)
    acd.queue("billing", wrap_up_s=5)
    assert ann.now.until == end
    acd.restarts()
    assert (ann.state, ann.now.until) == ("wrap_up", end)
    acd.advance(20)
    assert ann.state == "available"


def test_each_wrap_up_ends_by_itself(acd: AcdWorld) -> None:
    """OpenSIPS 2679: ended only when the last agent's did."""
    acd.queue("billing", wrap_up_s=30)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    bob = acd.agent("bob", skills={"billing": 1}).goes_available()
    first, second = acd.call_enters("billing"), acd.call_enters("billing")
    ann.answers()
    bob.answers()
    first.ends()
    acd.advance(20)
    second.ends()
    acd.advance(10)
    assert (ann.state, bob.state) == ("available", "wrap_up")


def test_wrap_up_is_told_as_wrap_up(acd: AcdWorld) -> None:
    """Asterisk PR 1377: shown as available."""
    acd.queue("billing", wrap_up_s=30)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    call.ends()
    assert [event.state for event in acd.told_last(events.AgentStateChanged)] == ["wrap_up"]


def test_reason_of_a_pause_survives_a_restart(acd: AcdWorld) -> None:
    """Asterisk 66."""
    ann = acd.agent("ann").goes_available()
    ann.pauses("training")
    since = ann.now.since
    acd.restarts()
    assert (ann.now.state, ann.now.reason, ann.now.since) == ("not_ready", "training", since)


def test_contact_counts_once_however_often_it_was_offered(acd: AcdWorld) -> None:
    """Asterisk 1736."""
    for name in ("ann", "bob", "chen"):
        acd.agent(name, skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    acd.advance(40)
    acd.tell(commands.OfferAccepted("call1-o3", 3))
    call.ends()
    assert len(acd.told(events.EntryQueued)) == len(acd.told(events.EntryAnswered)) == 1
    assert (acd.told(events.EntryAbandoned), acd.told(events.EntryEnded)) == ([], [])


def test_what_was_counted_survives_a_restart(acd: AcdWorld) -> None:
    """qpanel 113: statistics zero."""
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.call_enters("billing")
    waiting = acd.call_enters("billing")
    acd.advance(5)
    ann.answers()
    before, estimates, since = ann.now, dict(acd.core.estimates), waiting.now.enqueued_at
    acd.restarts()
    assert (ann.now.contacts, ann.now.since, ann.now.idle_since) == (1, before.since, before.idle_since)
    assert (dict(acd.core.estimates), waiting.now.enqueued_at, waiting.position) == (estimates, since, 1)


def test_talk_starts_with_the_answer_and_not_with_the_wait(acd: AcdWorld) -> None:
    """NethServer 7049."""
    acd.call_enters("billing")
    acd.advance(100)
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    acd.advance(5)
    ann.answers()
    assert ann.now.since == acd.now


def test_answered_call_is_not_reported_abandoned(acd: AcdWorld) -> None:
    """Issabel 41."""
    ann = acd.agent("ann", skills={"billing": 1}).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    call.hangs_up()
    assert acd.refused() == ["no_such_entry"]
    call.ends()
    assert acd.told(events.EntryAbandoned) == []
