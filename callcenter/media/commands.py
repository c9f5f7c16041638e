"""What each command does to the worker's sessions.

A command is applied once: its number must be above the session's last. And it may be asserted again by a new
application under a new number: a bridge that stands, a prompt that plays under the same name, go on untouched; a
prompt that had already ended is told again.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path

from callcenter.media import protocol
from callcenter.media.background import Background
from callcenter.media.engine import Engine
from callcenter.media.g711 import RATE
from callcenter.media.prompts import Clip, Player, Prompts
from callcenter.media.protocol import Failed, MessageRecorded, PlayEnded, RecordingTrouble
from callcenter.media.recording import Recording, milliseconds
from callcenter.media.session import Session

log = logging.getLogger(__name__)

CLOSED_REMEMBERED = 4096


class Commands:
    """Applies commands to the engine's sessions; everything runs on the loop's thread."""

    def __init__(
        self, engine: Engine, prompts: Prompts, writer: Background, recordings: Path,
        call_soon: Callable[[Callable[[], None]], object],
    ) -> None:  # fmt: skip
        """`recordings` is the folder that every recording must lie in."""
        self._engine = engine
        self._events = engine.events
        self._prompts = prompts
        self._writer = writer
        self._recordings = recordings.resolve()
        self._call_soon = call_soon
        self._closed: OrderedDict[str, int] = OrderedDict()
        self.ignored: Counter[str] = Counter()
        self.draining = False
        engine.play_ended = self._play_ended
        engine.flush = self._flush

    def apply(self, command: protocol.Command) -> None:
        """Do it, unless it is a repetition or its session is gone."""
        session = self._engine.sessions.get(command.session)
        if session is None:
            if isinstance(command, protocol.Open) and self._closed.get(command.session, 0) < command.number:
                self._open(command)
            else:
                self.ignored["unknown_session"] += 1
            return
        if command.number <= session.last_command:
            self.ignored["repeated"] += 1
            return
        session.last_command = command.number
        self._apply_to(session, command)

    def _apply_to(self, session: Session, command: protocol.Command) -> None:
        match command:
            case protocol.Connect():
                session.connect(command.remote, self._engine.clock)
            case protocol.Play():
                self._play(session, command)
            case protocol.Stop():
                self._stop(session)
                self._end_message(session)
            case protocol.Echo():
                self._stop(session)
                session.echo = True
                session.sink = session
            case protocol.Record():
                self._record(session, command)
            case protocol.Bridge():
                self._bridge(session, command)
            case protocol.Unbridge():
                self._unbridge(session)
            case protocol.Hold():
                self._hold(session, command)
            case protocol.Close():
                self.close(session)
            case protocol.Open():
                self.ignored["repeated"] += 1

    def _open(self, command: protocol.Open) -> None:
        if self.draining and command.beside not in self._engine.sessions:
            self._fail(command.session, "draining")
            return
        session = self._engine.open(command.session, command.remote, command.port)
        if session is not None:
            session.last_command = command.number

    def close(self, session: Session) -> None:
        """End whatever the session does, then tell its statistics; after its recording is on disk."""
        length = self._part(session)
        if length is not None:
            session.recording_ms = length
        message = self._end_message(session)
        self._stop(session)
        self._engine.close(session)
        self._closed[session.id] = session.last_command
        if len(self._closed) > CLOSED_REMEMBERED:
            self._closed.popitem(last=False)
        if length is None and not message:
            self._engine.closed(session)
        else:
            self._writer.submit(lambda: self._soon(lambda: self._engine.closed(session)))

    def _soon(self, call: Callable[[], None]) -> None:
        self._call_soon(call)

    def _fail(self, session: str, reason: str, command: str = "") -> None:
        self._events.emit(lambda n: Failed(n, session, reason, command))

    # -- playing --------------------------------------------------------------------------------------------------

    def _play(self, session: Session, command: protocol.Play) -> None:
        if command.command == session.command:
            return
        if command.command == session.finished:
            self._events.emit(lambda n: PlayEnded(n, session.id, command.command))
            return
        self._stop(session)
        token = session.pending = object()
        session.command = command.command

        def loaded(clips: list[Clip] | None, reason: str) -> None:
            if session.pending is not token:
                return
            session.pending = None
            if clips is None:
                session.command = None
                self._fail(session.id, reason, command.command)
                return
            session.player = Player(command.command, clips, loop=command.loop)
            self._engine.play(session)

        self._prompts.load(command.prompts, loaded)

    def _play_ended(self, session: Session) -> None:
        if session.player is None:
            return
        ended = session.player.command
        self._stop(session)
        session.finished = ended
        self._events.emit(lambda n: PlayEnded(n, session.id, ended))

    def _stop(self, session: Session) -> None:
        session.pending = None
        session.command = None
        self._engine.stop_playing(session)
        if session.echo:
            session.echo = False
            session.sink = None

    # -- recording ------------------------------------------------------------------------------------------------

    def _new_recording(self, session: Session, path: str, codecs: tuple[str, str]) -> Recording | None:
        where = Path(path)
        where = where if where.is_absolute() else self._recordings / where
        where = where.parent.resolve() / where.name
        if not where.is_relative_to(self._recordings):
            self._trouble(session.id, "outside_folder")
            return None
        name = session.id
        return Recording(
            where, self._engine.clock, codecs, self._writer,
            lambda reason: self._soon(lambda: self._trouble(name, reason)),
        )  # fmt: skip

    def _trouble(self, session: str, reason: str) -> None:
        log.error("recording cannot be written", extra={"reason": reason})
        self._events.emit(lambda n: RecordingTrouble(n, session, reason))

    def _record(self, session: Session, command: protocol.Record) -> None:
        if command.command == session.message or session.agent is not None or session.customer is not None:
            self.ignored["recording_already"] += 1
            return
        self._end_message(session)
        recording = self._new_recording(session, command.path, (session.codec, session.codec))
        if recording is None:
            self._fail(session.id, "outside_folder", command.command)
            return
        session.message = command.command
        session.message_until = self._engine.clock + command.max_ms * RATE // 1000
        session.recording, session.side = recording, recording.left

    def _end_message(self, session: Session) -> bool:
        recording, command = session.recording, session.message
        if recording is None or command is None:
            return False
        session.recording = session.side = session.message = None
        until = min(self._engine.clock, session.message_until)

        def told() -> None:
            self._events.emit(lambda n: MessageRecorded(n, session.id, command, duration))

        duration = milliseconds(recording.close(until, lambda: self._soon(told)))
        return True

    def _flush(self, session: Session) -> None:
        if session.recording is None:
            return
        if session.message is not None and self._engine.clock >= session.message_until:
            self._end_message(session)
        elif session.message is not None or session.agent is not None:
            session.recording.flush(self._engine.clock)

    # -- bridging -------------------------------------------------------------------------------------------------

    def _bridge(self, customer: Session, command: protocol.Bridge) -> None:
        agent = self._engine.sessions.get(command.agent)
        if agent is None or agent is customer:
            self._fail(customer.id, "bridge_unknown")
            return
        if customer.agent is not agent:
            for session in (customer, agent):
                self._unbridge(session)
                self._end_message(session)
            customer.agent, agent.customer = agent, customer
        for session in (customer, agent):
            self._stop(session)
        customer.sink, agent.sink = agent, customer
        if command.recording is not None and customer.recording is None:
            recording = self._new_recording(customer, command.recording, (customer.codec, agent.codec))
            if recording is not None:
                customer.recording = agent.recording = recording

        if customer.recording is not None:
            customer.side, agent.side = customer.recording.left, customer.recording.right

    def _hold(self, listener: Session, command: protocol.Hold) -> None:
        """The recording goes on and is silent for as long as the hold lasts."""
        other = listener.agent or listener.customer
        if other is None:
            self.ignored["hold_unbridged"] += 1
            return
        for leg in (listener, other):
            leg.sink = leg.side = None
        self._play(listener, protocol.Play(listener.id, command.number, command.command, command.prompts, loop=True))

    def _unbridge(self, session: Session) -> None:
        customer = session if session.agent is not None else session.customer
        length = self._part(session)
        if length is not None and customer is not None:
            customer.recording_ms = length

    def _part(self, session: Session) -> int | None:
        customer = session if session.agent is not None else session.customer
        if customer is None or customer.agent is None:
            return None
        agent = customer.agent
        recording = customer.recording
        customer.agent = agent.customer = None
        for leg in (customer, agent):
            leg.sink = leg.side = leg.recording = None
        if recording is None:
            return None
        return milliseconds(recording.close(self._engine.clock, lambda: None))
