"""Live events to consoles: fold, remember, encode once, push to those who may see.

`publish` is called by the journal with each event after its commit, for every event of every call: with nobody
looking it is a dictionary look-up and an append. Replay comes from the last `REMEMBERED` events in memory; a console
that is further behind, or ahead (another journal), gets a snapshot. Both happen in one step of the loop, so that no
event falls between them and the stream that follows.
"""

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from callcenter.console.connection import Connection
from callcenter.console.live import LiveView
from callcenter.console.protocol import Event, ServerFrame, encode_frame
from callcenter.kernel.events import Envelope

REMEMBERED = 2000
# Of the stream `site`, whom it is told to: the agent in its `assignee`, and whoever sees everything. No row follows.
NOTICES = frozenset({"tickets.escalation.fired"})


class Fanout:
    """Who listens, and to what."""

    def __init__(self, view: LiveView | None = None, *, remembered: int = REMEMBERED) -> None:
        """`view` is what was going on before the first event, folded from the state rows after a restart."""
        self.view = view or LiveView()
        self.site_position = 0
        self._recent: deque[Envelope] = deque(maxlen=remembered)
        self._notices: deque[Envelope] = deque(maxlen=remembered)
        self._everything: set[Connection] = set()
        self._own: dict[str, set[Connection]] = {}

    def publish(self, event: Envelope) -> None:
        """Subscriber of the live stream: in order, after the commit."""
        self.view.apply(event)
        self._recent.append(event)
        if not (self._everything or self._own):
            return
        own = self._own.get(self.view.agent_of(event) or "", ())
        if not (self._everything or own):
            return
        text = encode_frame(Event(event))
        for connection in tuple(self._everything):
            connection.push(text)
        for connection in tuple(own):
            if not connection.sees_all:
                connection.push(text)

    def publish_site(self, event: Envelope) -> None:
        """Subscriber of the site stream: in order, after the relay gave it its number."""
        self.site_position = event.seq
        if event.type not in NOTICES:
            return
        self._notices.append(event)
        text = encode_frame(Event(event))
        for connection in self._everything | self._own.get(_assignee(event), set()):
            connection.push(text)

    @property
    def positions(self) -> dict[str, int]:
        """The number of the last event of each stream."""
        return {"live": self.view.position, "site": self.site_position}

    def attach(self, connection: Connection, positions: Mapping[str, int]) -> None:
        """Bring `connection` up to date from `positions`, then keep it so."""
        for frame in (
            *self._catch_up(connection, positions.get("live")),
            *self._missed_notices(connection, positions),
        ):
            connection.push(encode_frame(frame))
        if connection.sees_all:
            self._everything.add(connection)
        if connection.agent is not None:
            self._own.setdefault(connection.agent, set()).add(connection)

    def detach(self, connection: Connection) -> None:
        """Forget `connection`; unknown ones are ignored."""
        self._everything.discard(connection)
        own = self._own.get(connection.agent or "")
        if own is not None:
            own.discard(connection)
            if not own:
                del self._own[connection.agent or ""]

    def of_agent(self, agent: str) -> tuple[Connection, ...]:
        """The consoles that `agent` has open."""
        return tuple(self._own.get(agent, ()))

    def _catch_up(self, connection: Connection, seen: int | None) -> list[ServerFrame]:
        missed = self._missed(seen)
        own, everything = connection.agent, connection.sees_all
        if missed is None:
            snapshot = self.view.snapshot(agent=own, sees_all=everything)
            return [msgspec.structs.replace(snapshot, positions=self.positions)]
        frames: list[ServerFrame] = [
            Event(event) for event in missed if everything or self.view.agent_of(event) == own
        ]
        return [*frames, *self.view.pops_of(own)]

    def _missed_notices(self, connection: Connection, positions: Mapping[str, int]) -> Iterable[ServerFrame]:
        """None for a page that is new: what is overdue is in its list of tickets."""
        seen = positions.get("site", self.site_position)
        for event in self._notices:
            if event.seq > seen and (connection.sees_all or connection.agent == _assignee(event)):
                yield Event(event)

    def _missed(self, seen: int | None) -> list[Envelope] | None:
        """The events after `seen`, None when they are not all remembered."""
        if seen is None or seen > self.view.position:
            return None
        if seen == self.view.position:
            return []
        if not self._recent or seen < self._recent[0].seq - 1:
            return None
        return [event for event in self._recent if event.seq > seen]


def _assignee(event: Envelope) -> str:
    return str(event.data.get("assignee") or "")
