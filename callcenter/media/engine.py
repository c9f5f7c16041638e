"""The worker's sessions and what the clock makes of them: one step each 10 ms, two steps to the 20 ms tick.

A step reads every socket that has something (so a relayed packet waits 5 ms on average), sends the next frame of
half of what plays, and once a second visits each session for recording, silence and RTCP. Nothing has a timer of its
own. Measured with 100 streams of 50 packets a second: reading at the step costs half of what a readiness callback per
packet costs (4 to 5 us against 9). A step costs 60 to 110 us before its first packet, so shorter ones are dear where
calls are few; longer ones would add up to 20 ms to the way. `idle_steps` says how many of the next may be left out.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable

from callcenter.kernel.errors import Overloaded
from callcenter.media import rtcp
from callcenter.media.event_log import EventLog
from callcenter.media.g711 import RATE
from callcenter.media.protocol import Closed, Digit, Failed, Opened, Remote, SessionState, Silent
from callcenter.media.recording import milliseconds
from callcenter.media.session import Session
from callcenter.media.sockets import Pair, Sockets

log = logging.getLogger(__name__)

STEP_S = 0.010
PHASES = 2
STEPS_A_SECOND = 100
RTCP_VISITS = 5
# Sessions are visited at every fifth step only: a worker that has nothing else to do is woken less often.
VISIT_STEPS = 5
# Ten packets' time: a phone that talks pauses for less between two of them.
QUIET_STEPS = 20
_MICROSECONDS = 1_000_000 // RATE


def _nothing(*_session: Session) -> None:
    pass


class Engine:
    """All sessions of one worker. `play_ended` and `bridges` know the rest of a session's life."""

    def __init__(self, sockets: Sockets, events: EventLog, *, silence_s: float, cname: bytes) -> None:
        self.sockets = sockets
        self.events = events
        self.sessions: dict[str, Session] = {}
        self.drops: Counter[str] = Counter()
        self.surprises = 0
        self.packets_received = 0
        self.packets_sent = 0
        self.steps = 0
        self.clock = 0
        self.play_begun: Callable[[], None] = _nothing
        self.play_ended: Callable[[Session], None] = _nothing
        self.flush: Callable[[Session], None] = _nothing
        self.silent_alone: Callable[[Session], None] | None = None
        self._silence = int(silence_s * RATE)
        self._cname = cname
        self._pairs: dict[str, Pair] = {}
        self._players: tuple[dict[str, Session], ...] = tuple({} for _ in range(PHASES))
        self._seconds: tuple[dict[str, Session], ...] = tuple({} for _ in range(STEPS_A_SECOND))
        self._opened = 0
        self._quiet = 0
        self._ntp_offset = time.time() - time.monotonic()
        self.set_clock(time.monotonic())

    def set_clock(self, now_s: float) -> None:
        """Move the clock to `now_s` (monotonic seconds); samples everywhere else."""
        self.clock = int(now_s * RATE)
        self._now_s = now_s

    def ntp(self) -> int:
        """The present as RTCP writes it; runs evenly, however the wall clock steps."""
        return rtcp.ntp_time(self._now_s + self._ntp_offset)

    # -- sessions -------------------------------------------------------------------------------------------------

    def open(self, id_: str, remote: Remote | None, port: int = 0) -> Session | None:
        """A new session, on the ready `port`, else told by Opened; None (told by Failed) when there is no port."""
        try:
            pair = self.sockets.take(port) if port else self.sockets.open()
        except Overloaded:
            self.events.emit(lambda n: Failed(n, id_, "no_port"))
            return None
        session = Session(
            id_, self.sockets.address, pair.port, pair.rtp.sendto, pair.control.sendto,
            clock=self.clock, drops=self.drops, digit=self._digit,
        )  # fmt: skip
        if remote is not None:
            session.connect(remote, self.clock)
        self.sessions[id_] = session
        self._pairs[id_] = pair
        self._opened += 1
        # Spread over the tick and over the second, so that no step has everything to do.
        session.play_phase = self._opened % PHASES
        session.second = self._opened * 13 * VISIT_STEPS % STEPS_A_SECOND
        session.visits = self._opened % RTCP_VISITS
        self._seconds[session.second][id_] = session
        receive, control = session.receive, session.receive_control
        self.sockets.watch(
            pair,
            lambda data, source: receive(data, source, self.clock),
            lambda data, source: control(data, source, self.clock, self.ntp()),
        )
        if not port:
            self.events.emit(lambda n: Opened(n, id_, session.address, session.port))
        return session

    def close(self, session: Session) -> None:
        """Give the ports back; the caller has ended what the session did and emits Closed when that is on disk."""
        del self.sessions[session.id]
        self.stop_playing(session)
        self._seconds[session.second].pop(session.id, None)
        self.packets_received += session.reception.received
        self.packets_sent += session.outgoing.packets
        self.sockets.close(self._pairs.pop(session.id))

    def closed(self, session: Session) -> None:
        """Tell the statistics of a closed session."""
        heard, sent = session.reception, session.outgoing
        jitter = session.remote_jitter
        self.events.emit(
            lambda n: Closed(
                n, session.id, heard.received, sent.packets, heard.lost, heard.jitter * _MICROSECONDS,
                session.remote_lost, jitter * _MICROSECONDS if jitter is not None else None,
                milliseconds(heard.largest_gap), session.recording_ms,
            )
        )  # fmt: skip

    def play(self, session: Session) -> None:
        """Put the session's player on its step of the tick."""
        self._players[session.play_phase][session.id] = session
        self.play_begun()

    def stop_playing(self, session: Session) -> None:
        """Take the player off."""
        session.player = None
        self._players[session.play_phase].pop(session.id, None)

    def states(self) -> tuple[SessionState, ...]:
        """Every session as a new application is told of it."""
        return tuple(session.state() for session in self.sessions.values())

    # -- time -----------------------------------------------------------------------------------------------------

    def step(self, now_s: float) -> None:
        """One step: packets in, frames out, a hundredth of the sessions visited. `now_s` is monotonic."""
        self.set_clock(now_s)
        # Driver's edges (architecture.md section 7): a bug of ours costs one packet or frame, never the others'.
        try:
            self._quiet = 0 if self.sockets.poll() else self._quiet + 1
        except Exception:
            self.surprises += 1
            log.exception("media step failed")
        for session in list(self._players[self.steps % PHASES].values()):
            try:
                if not session.play(self.clock):
                    self.play_ended(session)
            except Exception:
                self.surprises += 1
                log.exception("play failed")
        for session in list(self._seconds[self.steps % STEPS_A_SECOND].values()):
            try:
                self._visit(session)
            except Exception:
                self.surprises += 1
                log.exception("visit failed")
        self.steps += 1

    def idle_steps(self) -> int:
        """How many of the next steps have nothing to do, unless a packet comes or a play begins.

        None while something plays or packets come: reading those at the step is cheaper than waking for each.
        """
        if self._quiet < QUIET_STEPS or any(self._players):
            return 0
        ahead = (each for each in range(STEPS_A_SECOND) if self._seconds[(self.steps + each) % STEPS_A_SECOND])
        return next(ahead, STEPS_A_SECOND)

    def skip(self, steps: int) -> None:
        """Leave out steps that the machine did not give us time for; what plays goes on with a new start mark."""
        self.steps += steps
        for players in self._players:
            for session in players.values():
                if session.player is not None:
                    session.player.started = False

    def _visit(self, session: Session) -> None:
        if session.recording is not None:
            self.flush(session)
        if session.is_silent(self.clock, self._silence):
            if self.silent_alone is not None:
                self.silent_alone(session)
                return
            if not session.silence_told:
                session.silence_told = True
                self.events.emit(lambda n: Silent(n, session.id))
        session.visits += 1
        if session.visits % RTCP_VISITS == 0:
            session.report(self.clock, self.ntp(), self._cname)

    def _digit(self, session: Session, key: str) -> None:
        number = session.digits
        self.events.emit(lambda n: Digit(n, session.id, number, key))
