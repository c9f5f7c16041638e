"""The port `Media` in memory: what the adapter promises, without a worker.

Commands take effect when their unit is committed. What a worker would tell is delivered when a test says so:
`press`, `finish_playing`, `lose`, ... Answers that need no outside world (Opened, Closed) come at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from callcenter.calls import events as ev
from callcenter.calls.ports import MediaDescription
from callcenter.kernel.unit import Unit


@dataclass(slots=True)
class FakeSession:
    """What a worker would know of a session."""

    id: str
    worker: str
    port: int
    remote: MediaDescription | None
    playing: str | None = None
    prompts: tuple[str, ...] = ()
    looping: bool = False
    finished: str | None = None
    echo: bool = False
    message: str | None = None
    customer: str | None = None
    agent: str | None = None
    recording: str | None = None
    held: bool = False
    digits: int = 0


@dataclass(slots=True)
class FakeMedia:
    """Passes the contract test of the port. `log` has every command in the order of its commit."""

    open_unit: Callable[[], Unit]
    deliver: Callable[[Unit, ev.MediaInput], None]
    submit: Callable[[Unit], None]
    worker_names: list[str] = field(default_factory=lambda: ["w1"])
    recording_ms: int = 0
    found: dict[str, FakeSession] = field(default_factory=dict)
    log: list[tuple[str, ...]] = field(default_factory=list)
    opened: int = 0

    # -- the port -------------------------------------------------------------------------------------------------

    def open(self, unit: Unit, session: str, *, remote: MediaDescription | None, near: str | None = None) -> None:
        del unit  # opening does not wait for the commit
        self._open(session, remote, near)

    def connect(self, unit: Unit, session: str, remote: MediaDescription) -> None:
        def connected(found: FakeSession) -> None:
            found.remote = remote

        self._on(unit, session, "connect", connected)

    def play(self, unit: Unit, session: str, command: str, prompts: Sequence[str], *, loop: bool = False) -> None:
        files = tuple(prompts)

        def played(found: FakeSession) -> None:
            if found.playing == command:
                return
            if found.finished == command:
                self.tell(ev.Played(session, command))
                return
            found.playing, found.prompts, found.looping, found.echo = command, files, loop, False

        self._on(unit, session, "play", played, command)

    def stop(self, unit: Unit, session: str) -> None:
        self._on(unit, session, "stop", self._stop)

    def echo(self, unit: Unit, session: str) -> None:
        def echoed(found: FakeSession) -> None:
            found.playing, found.echo = None, True

        self._on(unit, session, "echo", echoed)

    def record(self, unit: Unit, session: str, command: str, path: str, *, max_s: float) -> None:
        def recorded(found: FakeSession) -> None:
            found.message = command

        self._on(unit, session, "record", recorded, command)

    def bridge(self, unit: Unit, customer: str, agent: str, *, recording: str | None) -> None:
        self._on(unit, customer, "bridge", lambda found: self._bridge(found, agent, recording), agent)

    def hold(self, unit: Unit, listener: str, command: str, prompts: Sequence[str]) -> None:
        def held(found: FakeSession) -> None:
            if found.agent is not None or found.customer is not None:
                found.held = True
                found.playing, found.prompts, found.looping = command, tuple(prompts), True

        self._on(unit, listener, "hold", held, command)

    def unbridge(self, unit: Unit, session: str) -> None:
        self._on(unit, session, "unbridge", self._part)

    def close(self, unit: Unit, session: str) -> None:
        self._on(unit, session, "close", self._close)

    # -- what a worker would do -----------------------------------------------------------------------------------

    def press(self, session: str, digit: str) -> None:
        """The peer presses a key."""
        self.found[session].digits += 1
        self.tell(ev.DigitPressed(session, self.found[session].digits, digit))

    def finish_playing(self, session: str) -> None:
        """The last prompt has been sent."""
        found = self.found[session]
        assert found.playing is not None
        found.finished, found.playing = found.playing, None
        self.tell(ev.Played(session, found.finished))

    def finish_recording(self, session: str, duration_ms: int) -> None:
        """The message has reached its end."""
        found = self.found[session]
        assert found.message is not None
        command, found.message = found.message, None
        self.tell(ev.Recorded(session, command, duration_ms))

    def fall_silent(self, session: str) -> None:
        """No RTP for the watchdog's time."""
        self.tell(ev.MediaSilent(session))

    def lose(self, worker: str) -> None:
        """The worker dies."""
        self.worker_names.remove(worker)
        for session in sorted(each.id for each in self.found.values() if each.worker == worker):
            del self.found[session]
            self.tell(ev.SessionLost(session, worker))

    def tell(self, input_: ev.MediaInput) -> None:
        """Deliver one input in a unit of its own."""
        unit = self.open_unit()
        self.deliver(unit, input_)
        self.submit(unit)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _on(self, unit: Unit, session: str, name: str, act: Callable[[FakeSession], object], *about: str) -> None:
        def run() -> None:
            found = self.found.get(session)
            if found is not None:
                self.log.append((name, session, *about))
                act(found)

        unit.after_commit(run)

    def _open(self, session: str, remote: MediaDescription | None, near: str | None) -> None:
        self.log.append(("open", session))
        if not self.worker_names:
            self.tell(ev.SessionFailed(session, "no_worker"))
            return
        beside = self.found.get(near or "")
        worker = beside.worker if beside is not None else min(self.worker_names, key=self._load)
        self.opened += 1
        port = 19998 + 2 * self.opened
        self.found[session] = FakeSession(session, worker, port, remote)
        self.tell(ev.SessionOpened(session, worker, "127.0.0.1", port))

    def _load(self, worker: str) -> int:
        return sum(each.worker == worker for each in self.found.values())

    def _stop(self, found: FakeSession) -> None:
        found.playing, found.echo = None, False
        if found.message is not None:
            self.finish_recording(found.id, self.recording_ms)

    def _bridge(self, customer: FakeSession, agent: str, recording: str | None) -> None:
        other = self.found.get(agent)
        if other is None or other.worker != customer.worker:
            self.tell(ev.SessionFailed(customer.id, "bridge_unknown" if other is None else "bridge_apart"))
            return
        if customer.agent != agent:
            self._part(customer)
            self._part(other)
        for each in (customer, other):
            each.playing, each.echo = None, False
        customer.agent, other.customer = agent, customer.id
        customer.recording = customer.recording or recording

    def _part(self, found: FakeSession) -> str | None:
        customer = found if found.agent is not None else self.found.get(found.customer or "")
        if customer is None:
            return None
        other = self.found.get(customer.agent or "")
        recording = customer.recording
        customer.agent = customer.recording = None
        if other is not None:
            other.customer = None
        return recording

    def _close(self, found: FakeSession) -> None:
        recording = self._part(found)
        if found.message is not None:
            self.finish_recording(found.id, self.recording_ms)
        del self.found[found.id]
        self.tell(ev.SessionClosed(found.id, ev.MediaStats(), self.recording_ms if recording is not None else None))
