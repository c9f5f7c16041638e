"""Contacts of other channels beside calls: how many an agent has, and whether a call may come in besides."""

from acd import commands, events
from acd.model import Capacity
from tests.support.acd import AcdWorld, AgentHand


def chatter(acd: AcdWorld, most: int = 2, *, interruptible: bool = False) -> AgentHand:
    chats = Capacity("chat", most, interruptible)
    return acd.agent("ann", skills={"billing": 1}, capacity=(chats,)).goes_available()


def chat(acd: AcdWorld, contact: str, agent: str = "ann") -> None:
    acd.tell(commands.ContactStarted(agent, contact, "chat"))


def test_agent_has_as_many_chats_as_his_capacity_says(acd: AcdWorld) -> None:
    chatter(acd)
    chat(acd, "c1")
    assert acd.last == [events.LoadChanged("ann", "c1", "chat", held=1, most=2)]
    chat(acd, "c2")
    chat(acd, "c3")
    assert acd.refused() == ["at_capacity"]
    acd.tell(commands.ContactEnded("c1"))
    assert acd.told_last(events.LoadChanged) == [events.LoadChanged("ann", "c1", "chat", held=1, most=2)]
    chat(acd, "c3")
    assert acd.told_last(events.LoadChanged)[0].held == 2


def test_nobody_has_chats_whose_capacity_names_none(acd: AcdWorld) -> None:
    acd.agent("ann").goes_available()
    chat(acd, "c1")
    assert acd.refused() == ["at_capacity"]


def test_chat_keeps_calls_away_until_it_is_over(acd: AcdWorld) -> None:
    ann = chatter(acd)
    chat(acd, "c1")
    call = acd.call_enters("billing")
    assert (call.rings_at, ann.state) == ("nobody", "available")
    acd.tell(commands.ContactEnded("c1", agent="ann"))
    assert call.rings_at == "ann"


def test_chat_that_may_be_interrupted_lets_a_call_in(acd: AcdWorld) -> None:
    ann = chatter(acd, interruptible=True)
    chat(acd, "c1")
    call = acd.call_enters("billing")
    assert call.rings_at == "ann"
    ann.answers()
    call.ends()
    assert [held.contact for held in ann.now.held] == ["c1"]


def test_chat_that_comes_while_he_is_rung_or_talks_stirs_neither(acd: AcdWorld) -> None:
    ann = chatter(acd)
    call = acd.call_enters("billing")
    chat(acd, "c1")
    assert call.rings_at == "ann"
    ann.answers()
    chat(acd, "c2")
    call.ends()
    assert len(ann.now.held) == 2
    assert acd.call_enters("billing").rings_at == "nobody"


def test_chat_of_one_is_not_anothers(acd: AcdWorld) -> None:
    chatter(acd)
    acd.agent("bob", capacity=(Capacity("chat", 2),)).goes_available()
    chat(acd, "c1")
    chat(acd, "c1", "bob")
    assert acd.refused() == ["contact_is_owned"]
    acd.tell(commands.ContactEnded("c1", agent="bob"))
    assert acd.refused() == ["no_such_contact"]
    chat(acd, "c1")
    assert acd.last == []


def test_chats_survive_a_restart_and_end_with_what_is_gone(acd: AcdWorld) -> None:
    ann = chatter(acd)
    chat(acd, "c1")
    chat(acd, "c2")
    acd.restarts()
    assert [held.contact for held in ann.now.held] == ["c1", "c2"]
    acd.tell(commands.Reconciled(contacts=("c2",)))
    assert [held.contact for held in ann.now.held] == ["c2"]
    acd.tell(commands.ContactEnded("c2"))
    assert acd.call_enters("billing").rings_at == "ann"


def test_lower_capacity_takes_no_chat_away_and_lets_none_in(acd: AcdWorld) -> None:
    ann = chatter(acd)
    chat(acd, "c1")
    chat(acd, "c2")
    acd.agent("ann", skills={"billing": 1}, capacity=(Capacity("chat", 1),))
    assert len(ann.now.held) == 2
    acd.tell(commands.ContactEnded("c1"))
    chat(acd, "c3")
    assert acd.refused() == ["at_capacity"]
