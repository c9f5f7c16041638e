"""The view made from the rooms' rows against the one folded from their events."""

import random
from datetime import datetime

import msgspec

from acd import events as acd_out
from callcenter.app.live_view import view_of
from callcenter.calls.model import Bridge, Contact
from callcenter.console.live import LiveView
from callcenter.console.protocol import AgentRow, ContactRow
from callcenter.kernel.events import Envelope
from tests.callcenter.console.events import AT
from tests.support.acd import AcdWorld
from tests.support.acd_walk import Walk


def take(view: LiveView, told: list[acd_out.Event], now: datetime) -> None:
    """What consoles are told of a step."""
    for fact in told:
        if not isinstance(fact, acd_out.InputRefused):
            type_, subject, data = acd_out.wire(fact)
            view.apply(Envelope("live", view.position + 1, "", 1, type_, now, subject, data))


def what_is_known(view: LiveView) -> object:
    """Rows without order; agents who are signed out and out of reach are the same as unknown ones.

    Since when one is signed out is not told again when the policy forgets him and takes him back.
    """
    nobody = AgentRow("")
    agents = {
        row.id: msgspec.structs.replace(row, since=None) if row.state == "logged_out" else row
        for row in view.agents.values()
        if msgspec.structs.replace(row, id="", since=None, reason=None) != nobody
    }
    return agents, view.entries, view.offers


def test_snapshot_and_events_of_the_distributor_are_a_fresh_snapshot() -> None:
    for seed in range(5):
        dice = random.Random(seed)
        walk, view, seen = Walk(), LiveView(), 0
        for _ in range(60):
            walk.take((dice.randrange(1000), dice.randrange(1000), dice.randrange(1000), dice.randrange(1000)))
            for told in walk.told[seen:]:
                take(view, told, walk.clock.now())
            seen = len(walk.told)
            assert what_is_known(view) == what_is_known(view_of(walk.core, [], position=0))


def test_contacts_are_seen_in_the_stage_that_they_are_in() -> None:
    world = AcdWorld()
    ann = world.agent("ann", skills={"billing": 1}).goes_available()
    world.call_enters("billing", contact="talking")
    ann.answers()
    world.call_enters("billing", contact="waiting")
    bridge = Bridge("l1", "l2")
    contacts = [
        Contact("talking", "trunk", "carrier", AT, (), bridge),
        Contact("waiting", "trunk", "carrier", AT, ()),
        Contact("flow", "phone", "desk7", AT, ()),
    ]
    assert list(view_of(world.core, contacts, position=7).contacts.values()) == [
        ContactRow("talking", "talking", AT, None, "ann"),
        ContactRow("waiting", "waiting", AT, "billing"),
        ContactRow("flow", "flow", AT),
    ]
