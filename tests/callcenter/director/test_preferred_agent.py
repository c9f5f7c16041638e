"""Callers who are to have somebody first: their last agent, and the place that a callback keeps."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.calls import events as ev
from callcenter.director.machines.callback import Callback
from callcenter.director.waiting import LOOK_UP, HeldPlace
from callcenter.kernel.codec import decode, encode
from tests.support.director import BILLING, World, queue_flow
from tests.support.server import Document

OWNER_FIRST = ["account_owner", "last_agent"]
FAITHFUL: Document = {**BILLING, "preferred": "last_agent", "preferred_s": 15, "ring_s": 5}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two agents for a queue that gives its callers to their last one; ann is idle longer."""
    greeted = queue_flow("plain", preferred="${customer.last_agent}")
    greeted["nodes"]["welcome"] = {"kind": "play", "prompts": ["welcome"], "next": "wait"}
    world = World(
        tmp_path,
        queues=[FAITHFUL, {**BILLING, "name": "plain"}, {**FAITHFUL, "name": "owned", "preferred": OWNER_FIRST}],
        faithful=queue_flow("billing", head_start_s=90),
        plain=queue_flow("plain"),
        owned=queue_flow("owned"),
        chosen=queue_flow("billing", preferred="ann"),
        by_flow={**greeted, "start": "welcome"},
    )
    world.is_available("ann", "bob")
    return world


def rung(world: World) -> list[object]:
    return [data["agent"] for data in world.told("acd.offer.created")]


def arrives(world: World, flow: str) -> str:
    """The contact of a new caller."""
    world.arrive(flow)
    return list(world.director.processes)[-1]


def test_a_customer_has_the_agent_first_whom_he_talked_to_last(world: World) -> None:
    contact = arrives(world, "faithful")
    assert world.asked == [contact]
    assert rung(world) == []
    world.finds(contact, last_agent="bob")
    assert rung(world) == ["bob"]


def test_an_account_is_for_its_owner_first(world: World) -> None:
    world.finds(arrives(world, "owned"), owner="bob", last_agent="ann")
    assert rung(world) == ["bob"]


@pytest.mark.parametrize("owner", ["", "zoe"])
def test_an_account_whose_owner_is_nobody_or_has_left_is_for_its_last_agent(world: World, owner: str) -> None:
    world.finds(arrives(world, "owned"), owner=owner, last_agent="bob")
    assert rung(world) == ["bob"]


def test_an_account_of_nobody_who_is_there_is_everybodys(world: World) -> None:
    world.finds(arrives(world, "owned"), owner="zoe", last_agent=None)
    assert rung(world) == ["ann"]


def test_a_queue_that_asks_for_the_last_agent_knows_no_owner(world: World) -> None:
    world.finds(arrives(world, "faithful"), owner="bob")
    assert rung(world) == ["ann"]


def test_everybody_serves_him_when_his_agent_lets_him_go(world: World) -> None:
    world.finds(arrives(world, "faithful"), last_agent="bob")
    world.advance(5)
    assert rung(world) == ["bob", "ann"]


def test_a_stranger_is_everybodys(world: World) -> None:
    world.finds(arrives(world, "faithful"))
    assert rung(world) == ["ann"]


def test_a_customer_of_no_agent_or_of_one_who_has_left_is_everybodys(world: World) -> None:
    world.finds(arrives(world, "faithful"), last_agent=None)
    world.finds(arrives(world, "faithful"), last_agent="zoe")
    assert rung(world) == ["ann", "bob"]


def test_an_answer_that_does_not_come_keeps_nobody_waiting(world: World) -> None:
    arrives(world, "faithful")
    world.advance(LOOK_UP.total_seconds())
    assert rung(world) == ["ann"]


def test_a_late_answer_changes_nothing(world: World) -> None:
    contact = arrives(world, "faithful")
    world.advance(1)
    world.finds(contact, last_agent="bob")
    assert rung(world) == ["ann"]


def test_a_queue_that_does_not_ask_waits_for_no_answer(world: World) -> None:
    contact = arrives(world, "plain")
    assert rung(world) == ["ann"]
    world.finds(contact, last_agent="bob")
    assert rung(world) == ["ann"]


def test_whom_the_flow_names_comes_before_the_last_agent(world: World) -> None:
    world.finds(arrives(world, "chosen"), last_agent="bob")
    assert rung(world) == ["ann"]


@pytest.mark.parametrize(("found", "first"), [("bob", "bob"), (None, "ann")])
def test_a_flow_may_ask_for_the_last_agent_itself(world: World, found: str | None, first: str) -> None:
    leg = world.arrive("by_flow")
    world.finds(list(world.director.processes)[-1], last_agent=found)
    world.media.tell(ev.Played(leg, "f1"))
    assert rung(world) == [first]


def test_one_who_hangs_up_meanwhile_is_not_queued(world: World) -> None:
    leg = world.arrive("faithful")
    world.signalling.hangs_up(leg)
    world.advance(5)
    assert world.told("acd.entry.queued") == []


def test_who_was_kept_from_his_queue_when_the_application_died_goes_into_it(world: World) -> None:
    contact = arrives(world, "faithful")
    (held,) = world.director.waiting.held.values()
    world.director.waiting.held.clear()
    world.director.waiting.restore([], [decode(encode(held), HeldPlace)])
    unit = world.open_unit()
    world.director.waiting.reconciled(unit)
    world.submit(unit)
    assert rung(world) == ["ann"]
    assert world.acd.core.entries[f"{contact}-q1"].head_start_s == 90


def test_a_callback_keeps_head_start_and_agent(world: World) -> None:
    leg = world.arrive("faithful")
    contact = world.asked[-1]
    world.is_away("ann", "bob")
    world.finds(contact, last_agent="bob")
    world.advance(1)
    world.media.tell(ev.DigitPressed(leg, 1, "1"))
    (entry,) = world.acd.core.entries.values()
    assert (entry.callback_s > 0, entry.head_start_s, entry.preferred) == (True, 90, "bob")


def test_a_callback_keeps_the_owner_and_who_comes_next(world: World) -> None:
    leg = world.arrive("owned")
    contact = world.asked[-1]
    world.is_away("ann", "bob")
    world.finds(contact, owner="bob", last_agent="ann")
    world.advance(1)
    world.media.tell(ev.DigitPressed(leg, 1, "1"))
    (callback,) = world.director.callbacks.pending.values()
    assert (callback.preferred, callback.or_preferred) == ("bob", ("ann",))
    assert decode(encode(callback), Callback) == callback


def test_a_callback_of_an_earlier_version_has_one_agent(world: World) -> None:
    kept = Callback("c1", "c1", "c0", "+44", "owned", datetime(2026, 3, 2, tzinfo=UTC), preferred="bob")
    row = decode(encode(kept), dict[str, object])
    del row["or_preferred"]
    assert decode(encode(row), Callback) == kept


@pytest.mark.parametrize(
    ("preferred", "wanted"),
    [(None, False), ("account_owner", False), ("last_agent", True), (["account_owner", "last_agent"], True)],
)
def test_calls_are_looked_through_only_where_a_queue_asks_for_the_last_agent(
    tmp_path: Path, preferred: object, wanted: bool
) -> None:
    world = World(tmp_path, queues=[{**BILLING, "preferred": preferred}], plain=queue_flow("billing"))
    assert world.site.wants_last_agents is wanted
