"""The work after a contact: how long it lasts and who ends it."""

from typing import Any

import pytest

from acd import events
from tests.support.acd import AcdWorld, AgentHand, CallHand


def talking(acd: AcdWorld, **agent: Any) -> tuple[AgentHand, CallHand]:
    ann = acd.agent("ann", skills={"billing": 1}, **agent).goes_available()
    call = acd.call_enters("billing")
    ann.answers()
    return ann, call


def test_timed_wrap_up_ends_by_itself(acd: AcdWorld) -> None:
    acd.routes("billing", wrap_up_s=30)
    ann, call = talking(acd)
    call.ends()
    acd.advance(29)
    assert ann.state == "wrap_up"
    acd.advance(1)
    assert ann.state == "available"


def test_mandatory_wrap_up_ends_when_the_agent_says_so(acd: AcdWorld) -> None:
    acd.routes("billing", wrap_up_s=30, wrap_up="mandatory")
    ann, call = talking(acd)
    call.ends()
    waiting = acd.call_enters("billing")
    acd.advance(3600)
    acd.restarts()
    assert (ann.state, ann.now.until) == ("wrap_up", None)
    ann.extends_wrap_up(10)
    assert acd.refused() == ["wrap_up_has_no_end"]
    ann.finishes_wrap_up()
    assert waiting.rings_at == "ann"


def test_optional_wrap_up_is_for_who_asks(acd: AcdWorld) -> None:
    acd.routes("billing", wrap_up_s=30, wrap_up="optional")
    ann, call = talking(acd)
    call.ends()
    assert ann.state == "available"
    again = acd.call_enters("billing")
    ann.answers()
    ann.asks_for_wrap_up()
    assert acd.last == [events.WrapUpAsked("ann", again.contact)]
    again.ends()
    assert ann.state == "wrap_up"
    acd.advance(30)
    assert ann.state == "available"


def test_wrap_up_that_was_asked_for_without_a_length_ends_when_the_agent_says_so(acd: AcdWorld) -> None:
    acd.routes("billing", wrap_up_s=0, wrap_up="optional")
    ann, call = talking(acd)
    ann.asks_for_wrap_up()
    ann.asks_for_wrap_up()
    assert acd.last == []
    call.ends()
    acd.advance(600)
    assert ann.state == "wrap_up"
    ann.finishes_wrap_up()
    assert ann.state == "available"


def test_wrap_up_cannot_be_asked_for_without_a_contact_of_a_queue(acd: AcdWorld) -> None:
    ann = acd.agent("ann").goes_available()
    ann.asks_for_wrap_up()
    assert acd.refused() == ["not_on_contact"]
    ann.talks_directly("d1")
    ann.asks_for_wrap_up()
    assert acd.refused() == ["not_on_contact"]


@pytest.mark.parametrize(("own", "lasts_s"), [({"wrap_up_s": 5}, 5), ({"wrap_up": "timed", "wrap_up_s": 8}, 8)])
def test_agents_own_wrap_up_stands_against_the_queues(acd: AcdWorld, own: dict[str, Any], lasts_s: int) -> None:
    acd.routes("billing", wrap_up_s=30, wrap_up="timed")
    ann, call = talking(acd, **own)
    call.ends()
    assert ann.now.until is not None
    assert (ann.now.until - acd.now).total_seconds() == lasts_s


def test_agent_may_need_to_finish_where_the_queue_gives_a_time(acd: AcdWorld) -> None:
    acd.routes("billing", wrap_up_s=30)
    ann, call = talking(acd, wrap_up="mandatory")
    call.ends()
    assert (ann.state, ann.now.until) == ("wrap_up", None)


def test_call_that_comes_into_a_mandatory_wrap_up_leaves_it_to_be_finished(acd: AcdWorld) -> None:
    acd.routes("billing", wrap_up="mandatory")
    ann, call = talking(acd)
    call.ends()
    ann.talks_directly("d1")
    CallHand(acd, "none", "d1").ends()
    assert (ann.state, ann.now.until) == ("wrap_up", None)


def test_going_available_ends_a_mandatory_wrap_up(acd: AcdWorld) -> None:
    acd.routes("billing", wrap_up="mandatory")
    ann, call = talking(acd)
    call.ends()
    ann.goes_available()
    assert ann.state == "available"
