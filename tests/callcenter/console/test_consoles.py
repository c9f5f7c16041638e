"""Fan-out, replay and pops, without sockets."""

from typing import Any

import msgspec
import pytest

from callcenter.console.connection import Connection, Message
from callcenter.console.consoles import Consoles
from callcenter.console.fanout import Fanout
from callcenter.console.live import LiveView
from callcenter.console.protocol import Customer, Event, Pop, PopUpdated, Snapshot, encode_frame
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.events import Envelope
from tests.callcenter.console.events import AT, a_call, offered, state
from tests.callcenter.console.golden import take
from tests.support.web import principal

POP = Pop("o1", "c1", "billing", "ann", "+390612345", None, 0, AT)


class Console:
    """A connected browser and what it was sent."""

    def __init__(self, login: str, role: str, *, session: str = "session1") -> None:
        self.frames: list[dict[str, Any]] = []
        self.closed: list[int] = []
        self.connection = Connection(self._send, principal(login, role, session=session))

    async def _send(self, message: Message) -> None:
        if message["type"] == "websocket.close":
            self.closed.append(message["code"])
        else:
            self.frames.append(msgspec.json.decode(message["text"]))

    def seen(self) -> list[int]:
        """The numbers of the events that it got."""
        return [frame["event"]["seq"] for frame in self.frames if frame["type"] == "event"]


class Room:
    """Consoles and what the distributor is told of them."""

    def __init__(self, remembered: int = 5) -> None:
        self.presence: list[tuple[str, bool]] = []
        self.consoles = Consoles(FakeClock(), fanout=Fanout(remembered=remembered), presence=self)

    def console_changed(self, agent: str, *, attached: bool) -> None:
        """The presence port."""
        self.presence.append((agent, attached))

    def enters(self, console: Console, **positions: int) -> Console:
        """A console says hello."""
        self.consoles.attach(console.connection, positions)
        return console

    def publish(self, *events: Envelope) -> None:
        """The journal committed `events`."""
        for one in events:
            self.consoles.publish(one)


@pytest.fixture
async def room() -> Room:
    """A room that remembers five events."""
    return Room()


async def test_a_supervisor_gets_every_event_and_an_agent_its_own(room: Room) -> None:
    sue, ann, bob = (
        room.enters(Console("sue", "supervisor")),
        room.enters(Console("ann", "agent")),
        room.enters(Console("bob", "agent")),
    )
    room.publish(*a_call())
    assert sue.seen() == list(range(1, 15))
    assert ann.seen() == [1, 5, 6, 7, 8, 9, 10, 13, 14]
    assert bob.seen() == []


async def test_snapshot_and_events_are_a_fresh_snapshot_wherever_a_console_comes_in(room: Room) -> None:
    events = a_call(1) + a_call(15, "c2", "bob") + a_call(29, "c3")
    for cut in range(len(events)):
        room = Room()
        room.publish(*events[:cut])
        sue = room.enters(Console("sue", "supervisor"))
        room.publish(*events[cut:])
        assert replayed(sue) == msgspec.to_builtins(room.consoles.fanout.view.snapshot(agent=None, sees_all=True))


def replayed(console: Console) -> object:
    """What a client knows that folds what it got."""
    view = LiveView()
    for frame in console.frames:
        take(view, msgspec.convert(frame, Snapshot | Event))
    return msgspec.to_builtins(view.snapshot(agent=None, sees_all=True))


async def test_a_console_that_comes_back_gets_what_it_missed(room: Room) -> None:
    room.publish(*a_call()[:6])
    sue = room.enters(Console("sue", "supervisor"), live=4)
    assert sue.seen() == [5, 6]
    ann = room.enters(Console("ann", "agent"), live=6)
    assert ann.frames == []


@pytest.mark.parametrize("position", [0, 8, 99])
async def test_a_console_too_far_behind_or_ahead_gets_a_snapshot(room: Room, position: int) -> None:
    room.publish(*a_call())
    sue = room.enters(Console("sue", "supervisor"), live=position)
    assert [frame["type"] for frame in sue.frames] == ["snapshot"]
    assert sue.frames[0]["positions"] == {"live": 14, "site": 0}


async def test_the_oldest_remembered_event_still_allows_a_replay(room: Room) -> None:
    room.publish(*a_call())
    assert room.enters(Console("sue", "supervisor"), live=9).seen() == [10, 11, 12, 13, 14]


async def test_a_pop_reaches_its_agent_alone_and_at_once(room: Room) -> None:
    ann, bob, sue = (
        room.enters(Console("ann", "agent")),
        room.enters(Console("bob", "agent")),
        room.enters(Console("sue", "supervisor")),
    )
    assert room.consoles.pop(POP) == 1
    assert ann.frames[-1] == {
        "type": "pop",
        "offer": "o1",
        "contact": "c1",
        "queue": "billing",
        "agent": "ann",
        "caller": "+390612345",
        "customer": None,
        "matches": 0,
        "ring_until": "2026-03-02T09:00:00Z",
    }
    assert [frame["type"] for frame in bob.frames + sue.frames] == ["snapshot", "snapshot"]


async def test_a_pop_waits_for_a_console_that_comes_back(room: Room) -> None:
    room.publish(state(1, "ann", "available"), offered(2, "o1", "ann"))
    assert room.consoles.pop(POP) == 0
    customer = Customer("k1", "Ada Byron", "Engines")
    assert room.consoles.update_pop(PopUpdated("o1", customer, 1)) == 0
    fresh = room.enters(Console("ann", "agent"))
    assert [pop["customer"]["name"] for pop in fresh.frames[0]["pops"]] == ["Ada Byron"]
    returning = room.enters(Console("ann", "agent"), live=1)
    assert [frame["type"] for frame in returning.frames] == ["event", "pop"]


async def test_an_update_of_a_pop_reaches_those_who_have_it(room: Room) -> None:
    ann = room.enters(Console("ann", "agent"))
    room.consoles.pop(POP)
    assert room.consoles.update_pop(PopUpdated("o1", Customer("k1", "Ada Byron"), 1)) == 1
    assert ann.frames[-1]["customer"]["name"] == "Ada Byron"
    assert room.consoles.update_pop(PopUpdated("o9", None, 0)) == 0


async def test_an_agents_presence_is_told_once_for_all_its_consoles(room: Room) -> None:
    first, second = Console("ann", "agent"), Console("ann", "agent")
    room.enters(first)
    room.enters(second)
    room.consoles.detach(first.connection)
    room.consoles.detach(first.connection)
    room.consoles.detach(second.connection)
    assert room.presence == [("ann", True), ("ann", False)]
    assert len(room.consoles) == 0


async def test_signing_out_ends_the_consoles_of_that_session_only(room: Room) -> None:
    ended, other = Console("ann", "agent", session="s1"), Console("ann", "agent", session="s2")
    room.enters(ended)
    room.enters(other)
    room.consoles.end_session("s1")
    await ended.connection.gone
    assert (ended.closed, other.closed) == ([4403], [])
    room.consoles.end_user("user-ann")
    await other.connection.gone
    assert other.closed == [4403]


async def test_a_heartbeat_tells_how_far_a_console_is_that_was_sent_nothing(room: Room) -> None:
    bob = room.enters(Console("bob", "agent"))
    room.publish(*a_call())
    room.consoles.beat()
    assert bob.frames[-1] == {"type": "heartbeat", "at": "2026-03-02T09:00:00Z", "positions": {"live": 14, "site": 0}}
    room.consoles.close()


async def test_an_event_is_encoded_once_for_all_consoles(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[object] = []

    def counted(frame: Event) -> str:
        encoded.append(frame)
        return encode_frame(frame)

    for number in range(3):
        room.enters(Console("sue", "supervisor", session=f"s{number}"))
    monkeypatch.setattr("callcenter.console.fanout.encode_frame", counted)
    room.publish(state(1, "ann", "available"))
    assert len(encoded) == 1


async def test_an_event_that_nobody_present_may_see_is_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    room.enters(Console("bob", "agent"))
    monkeypatch.delattr("callcenter.console.fanout.encode_frame")
    room.publish(*a_call())


def escalated(seq: int, assignee: str | None) -> Envelope:
    """tickets.escalation.fired"""
    return Envelope("site", seq, f"s{seq}", 1, "tickets.escalation.fired", AT, "t1", {"assignee": assignee})


async def test_an_escalation_is_told_to_the_assignee_and_to_supervisors(room: Room) -> None:
    sue, ann, bob, quinn = (
        room.enters(Console("sue", "supervisor")),
        room.enters(Console("ann", "agent")),
        room.enters(Console("bob", "agent")),
        room.enters(Console("quinn", "quality")),
    )
    room.consoles.publish_site(escalated(1, "ann"))
    room.consoles.publish_site(escalated(2, None))
    room.consoles.publish_site(Envelope("site", 3, "s3", 1, "tickets.ticket.opened", AT, "t2", {"assignee": "ann"}))
    assert (sue.seen(), ann.seen(), bob.seen(), quinn.seen()) == ([1, 2], [1], [], [])


async def test_what_escalated_while_a_console_was_away_is_told_when_it_is_back_and_once(room: Room) -> None:
    room.consoles.publish_site(escalated(1, "ann"))
    room.consoles.publish_site(escalated(2, "bob"))
    room.consoles.publish_site(escalated(3, "ann"))
    assert room.enters(Console("ann", "agent"), live=0, site=1).seen() == [3]
    assert room.enters(Console("sue", "supervisor"), live=0, site=3).seen() == []
    fresh = room.enters(Console("ann", "agent"))
    assert (fresh.frames[0]["positions"], fresh.seen()) == ({"live": 0, "site": 3}, [])
