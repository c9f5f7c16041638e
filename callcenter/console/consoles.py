"""The consoles that are connected: pops, heartbeats, and ending them with their session.

`pop` and `send_now` are the synchronous hand-over that the order "pop before ring" rests on: when they return, the
frame has been given to the kernel for every console counted in the result (docs/console.md says what that means on
the wire). They never wait, and a console that cannot take the frame at once is cut instead of holding up a call.
"""

import asyncio
from collections.abc import Iterable, Mapping

from callcenter.console.connection import Connection
from callcenter.console.fanout import Fanout
from callcenter.console.ports import Presence
from callcenter.console.protocol import (
    CLOSE_SESSION_ENDED,
    Candidate,
    Customer,
    Heartbeat,
    Pop,
    PopUpdated,
    ServerFrame,
    encode_frame,
)
from callcenter.kernel.clock import Clock
from callcenter.kernel.events import Envelope

HEARTBEAT_S = 15.0


class Consoles:
    """Owned by the loop's thread. `publish` is to be subscribed to the live stream."""

    def __init__(self, clock: Clock, *, fanout: Fanout | None = None, presence: Presence | None = None) -> None:
        """`presence` may be set later, before the first console comes."""
        self.fanout = fanout or Fanout()
        self.presence = presence
        self._clock = clock
        self._connections: set[Connection] = set()
        self._beat: asyncio.TimerHandle | None = None
        self.cut = 0

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The consoles that have said hello and not gone; `cut` counts those that were too slow."""
        return tuple(self._connections)

    def publish(self, event: Envelope) -> None:
        """One committed live event, in order."""
        self.fanout.publish(event)

    def publish_site(self, event: Envelope) -> None:
        """One event of the stream `site`, in order."""
        self.fanout.publish_site(event)

    def pop(self, pop: Pop) -> int:
        """Show `pop` on its agent's consoles and on those that connect while it lasts; how many have it now."""
        self.fanout.view.show_pop(pop)
        return self.send_now(pop.agent, pop)

    def update_pop(self, update: PopUpdated) -> int:
        """Fill in the customer of a pop that was sent without; 0 when the pop is gone."""
        pop = self.fanout.view.update_pop(update)
        return 0 if pop is None else self.send_now(pop.agent, update)

    def update_pops(
        self, contact: str, customer: Customer | None, matches: int, candidates: tuple[Candidate, ...] = ()
    ) -> None:
        """The same for every pop of the contact, on whosever screen."""
        for pop in self.fanout.view.pops_about(contact):
            self.update_pop(PopUpdated(pop.offer, customer, matches, candidates))

    def send_now(self, agent: str, frame: ServerFrame) -> int:
        """Give `frame` to the kernel on every console of `agent`; the number that took it. Never waits."""
        consoles = self.fanout.of_agent(agent)
        if not consoles:
            return 0
        text = encode_frame(frame)
        return sum(console.write_now(text) for console in consoles)

    def attach(self, connection: Connection, positions: Mapping[str, int]) -> None:
        """A console said hello."""
        first = connection.agent is not None and not self.fanout.of_agent(connection.agent)
        self._connections.add(connection)
        self.fanout.attach(connection, positions)
        if self._beat is None:
            self._schedule_beat()
        if first:
            self._tell_presence(connection, attached=True)

    def detach(self, connection: Connection) -> None:
        """A console has gone; unknown ones are ignored."""
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        self.cut += connection.slow
        self.fanout.detach(connection)
        if connection.agent is not None and not self.fanout.of_agent(connection.agent):
            self._tell_presence(connection, attached=False)

    def end_session(self, session: str) -> None:
        """The session was signed out or revoked: its consoles go too."""
        self._end(console for console in self._connections if console.principal.session == session)

    def end_user(self, user: str, *, but: str | None = None) -> None:
        """The user was signed out, or works elsewhere: all his consoles go but those of the session `but`."""
        mine = (console for console in self._connections if console.principal.user == user)
        self._end(console for console in mine if console.principal.session != but)

    def close(self) -> None:
        """Stop the heartbeat; the sockets are closed by the server."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def beat(self) -> None:
        """Tell every console the time and the position."""
        text = encode_frame(Heartbeat(self._clock.now(), self.fanout.positions))
        for console in tuple(self._connections):
            console.push(text)

    def _end(self, consoles: Iterable[Connection]) -> None:
        for console in tuple(consoles):
            console.close(CLOSE_SESSION_ENDED, "session ended")

    def _tell_presence(self, connection: Connection, *, attached: bool) -> None:
        if self.presence is not None and connection.agent is not None:
            self.presence.console_changed(connection.agent, attached=attached)

    def _schedule_beat(self) -> None:
        self._beat = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._beat_and_reschedule)

    def _beat_and_reschedule(self) -> None:
        self._beat = None
        if self._connections:
            self.beat()
            self._schedule_beat()
