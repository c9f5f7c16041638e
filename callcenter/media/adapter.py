"""The port `Media` over the workers of this machine (callcenter/calls/ports.py, architecture.md section 1).

A session lives on one worker: the least loaded, or the one where the session lives that it will be bridged with. The
latter gets a port that the worker holds ready, and is told as open in the same turn of the loop: phones ring in the
order of the decisions, whichever worker is the quicker one. Others wait for their worker, which may just have died.
Commands leave after their unit's commit, numbered on from what the worker had applied last. Each event is one input
in a unit of its own and is acknowledged to the worker once that unit is on disk.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.calls import events as ev
from callcenter.calls.ports import MediaDescription
from callcenter.kernel.unit import Unit
from callcenter.media import protocol
from callcenter.media.link import Link

log = logging.getLogger(__name__)

LOOK_S = 0.5
PATTERN = "media-*.sock"
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104  # compared with, never bound


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that a worker had when we attached; for reconciling with the legs."""

    session: str
    worker: str
    address: str
    port: int
    playing: str | None
    looping: bool
    echo: bool
    message: str | None
    customer: str | None
    agent: str | None
    recording: str | None
    digits: int


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One attached worker."""

    name: str
    pid: int
    sessions: int
    draining: bool


class MediaWorkers:
    """Implements `callcenter.calls.ports.Media`. Everything runs on the loop's thread."""

    def __init__(
        self,
        run: Path,
        *,
        epoch: int,
        release: str,
        open_unit: Callable[[], Unit],
        deliver: Callable[[Unit, ev.MediaInput], None],
        submit: Callable[[Unit], None],
        public_address: str = "",
        fenced: Callable[[], None] | None = None,
    ) -> None:
        """`run` holds the workers' sockets; `public_address` is what SDPs name where not the worker's own.

        `fenced` is called when a worker obeys an application with a higher epoch.
        """
        self._run = run
        self._hello = protocol.Hello(protocol.PROTOCOL, epoch, release)
        self._open_unit = open_unit
        self._deliver = deliver
        self._submit = submit
        self._public_address = public_address
        self._fenced = fenced
        self._links: dict[Path, Link] = {}
        self._unusable: set[Path] = set()
        self._where: dict[str, Link] = {}
        self._numbers: dict[str, int] = {}
        self._peers: dict[str, str] = {}
        # Asked for and not answered yet, with their peer: another worker can open them as well, while they have no
        # other session beside them.
        self._opening: dict[str, protocol.Remote | None] = {}
        # On a port that their worker holds ready, and not told yet.
        self._open_already: dict[str, ev.SessionOpened] = {}
        self._watcher: asyncio.Task[None] | None = None
        self.surprises = 0

    # -- workers --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Attach to every worker there is; what they kept has been delivered when this returns. Then watch."""
        await self.look()
        self._watcher = asyncio.create_task(self._watch())

    async def leave(self) -> None:
        """Leave the workers to themselves: their sessions go on."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        for link in self._links.values():
            await link.close()

    async def attach(self, path: Path) -> bool:
        """Attach to the worker at `path` if that is not done yet; False when nobody answers or we are refused."""
        if path in self._links:
            return self._links[path].live
        link = self._links[path] = Link(path, self, self._hello)
        if await link.attach():
            return True
        del self._links[path]
        if link.refused:
            self._unusable.add(path)
        if link.fenced and self._fenced is not None:
            self._fenced()
        return False

    def workers(self) -> tuple[WorkerStatus, ...]:
        """The workers attached now."""
        return tuple(
            WorkerStatus(link.name, link.pid, len(link.sessions), link.draining) for link in self._live_links()
        )

    def sessions(self) -> tuple[FoundSession, ...]:
        """What the workers had when we attached, without what has been closed since."""
        return tuple(
            FoundSession(
                state.session, link.name, self._advertised(state.session, state.address), state.port, state.playing,
                state.looping, state.echo, state.message, state.customer, state.agent, state.recording, state.digits,
            )
            for link in self._live_links()
            if link.welcome is not None
            for state in link.welcome.sessions
            if state.session in link.sessions
        )  # fmt: skip

    async def statistics(self) -> tuple[protocol.Statistics, ...]:
        """The counters of every worker that answers."""
        found = await asyncio.gather(*(link.statistics() for link in self._live_links()))
        return tuple(each for each in found if each is not None)

    def _live_links(self) -> list[Link]:
        return [link for link in self._links.values() if link.live]

    async def look(self) -> None:
        """Attach to the workers whose sockets have appeared."""
        known = self._links.keys() | self._unusable
        new = [path for path in self._run.glob(PATTERN) if path not in known]
        await asyncio.gather(*(self.attach(path) for path in new))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except OSError:
                log.warning("run folder cannot be read")

    # -- the port -------------------------------------------------------------------------------------------------

    def open(self, unit: Unit, session: str, *, remote: MediaDescription | None, near: str | None = None) -> None:
        """See `Media.open`."""
        # Before the commit: it promises nothing to anybody, and a restart closes a session that no row names.
        if not self._open(session, _remote(remote) if remote is not None else None, near):
            self._fail(unit, session, "no_worker")

    def _open(self, session: str, peer: protocol.Remote | None, near: str | None) -> bool:
        """Ask a worker for it; False when there is none."""
        link = self._where.get(near or "")
        if link is None or not link.live:
            candidates = [each for each in self._live_links() if not each.draining]
            link = min(candidates, key=lambda each: len(each.sessions), default=None)
        if link is None:
            return False
        link.sessions.add(session)
        self._where[session] = link
        if peer is not None:
            self._peers[session] = peer.address
        if near is None:
            self._opening[session] = peer
        else:
            self._opening.pop(near, None)
        port = link.ready.popleft() if near is not None and link.ready else 0
        link.send(protocol.Open(session, self._next(session), peer, near, port))
        if port:
            address = self._advertised(session, link.address)
            self._open_already[session] = ev.SessionOpened(session, link.name, address, port)
            asyncio.get_running_loop().call_soon(self._tell_open, session)
        return True

    def _tell_open(self, session: str) -> None:
        opened = self._open_already.pop(session, None)
        if opened is not None:
            self._hand_over(opened, None, 0)

    def connect(self, unit: Unit, session: str, remote: MediaDescription) -> None:
        """See `Media.connect`."""
        self._command(unit, session, lambda number: protocol.Connect(session, number, _remote(remote)))

    def play(self, unit: Unit, session: str, command: str, prompts: Sequence[str], *, loop: bool = False) -> None:
        """See `Media.play`."""
        files = tuple(prompts)
        self._command(unit, session, lambda number: protocol.Play(session, number, command, files, loop))

    def stop(self, unit: Unit, session: str) -> None:
        """See `Media.stop`."""
        self._command(unit, session, lambda number: protocol.Stop(session, number))

    def echo(self, unit: Unit, session: str) -> None:
        """See `Media.echo`."""
        self._command(unit, session, lambda number: protocol.Echo(session, number))

    def record(self, unit: Unit, session: str, command: str, path: str, *, max_s: float) -> None:
        """See `Media.record`. A relative path is one inside the recordings folder."""
        limit = round(max_s * 1000)
        self._command(unit, session, lambda number: protocol.Record(session, number, command, path, limit))

    def bridge(self, unit: Unit, customer: str, agent: str, *, recording: str | None) -> None:
        """See `Media.bridge`; answered by SessionFailed where it cannot be: bridge_unknown, bridge_apart."""
        other = self._where.get(agent)
        if other is None or other is not self._where.get(customer):
            self._fail(unit, customer, "bridge_unknown" if other is None else "bridge_apart")
            return
        self._command(unit, customer, lambda number: protocol.Bridge(customer, number, agent, recording))

    def hold(self, unit: Unit, listener: str, command: str, prompts: Sequence[str]) -> None:
        """See `Media.hold`."""
        files = tuple(prompts)
        self._command(unit, listener, lambda number: protocol.Hold(listener, number, command, files))

    def unbridge(self, unit: Unit, session: str) -> None:
        """See `Media.unbridge`."""
        self._command(unit, session, lambda number: protocol.Unbridge(session, number))

    def close(self, unit: Unit, session: str) -> None:
        """See `Media.close`; a session that no worker has is left alone."""
        self._command(unit, session, lambda number: protocol.Close(session, number))

    def _command(self, unit: Unit, session: str, make: Callable[[int], protocol.Command]) -> None:
        link = self._where.get(session)
        self._opening.pop(session, None)
        if link is not None:
            self._send(unit, link, make(self._next(session)))

    def _send(self, unit: Unit, link: Link, command: protocol.Command) -> None:
        unit.after_commit(lambda: link.send(command))

    def _next(self, session: str) -> int:
        number = self._numbers[session] = self._numbers.get(session, 0) + 1
        return number

    def _fail(self, unit: Unit, session: str, reason: str) -> None:
        def later() -> None:
            asyncio.get_running_loop().call_soon(self._hand_over, ev.SessionFailed(session, reason), None, 0)

        unit.after_commit(later)

    # -- link.Owner -----------------------------------------------------------------------------------------------

    def welcomed(self, link: Link, states: Sequence[protocol.SessionState]) -> None:
        """Sessions that the worker has: they are ours, numbered on."""
        for state in states:
            link.sessions.add(state.session)
            self._where[state.session] = link
            self._numbers[state.session] = max(self._numbers.get(state.session, 0), state.last_command)
            if state.remote is not None:
                self._peers[state.session] = state.remote.address

    def heard(self, link: Link, event: protocol.Event) -> None:
        """Deliver in a unit of its own, acknowledge after its commit."""
        if isinstance(event, protocol.Closed) or (isinstance(event, protocol.Failed) and event.reason in _NO_SESSION):
            self._forget(link, event.session)
        if isinstance(event, protocol.Opened):
            self._opening.pop(event.session, None)
        self._hand_over(self._input(link, event), link, event.n)

    def lost(self, link: Link) -> None:
        """Its sessions are gone, unless another application has taken the worker over.

        One by itself that it had not opened yet is opened by another worker: its call need not know.
        """
        self._links.pop(link.path, None)
        if link.fenced:
            if self._fenced is not None:
                self._fenced()
            return
        log.error("media worker lost", extra={"worker": link.name, "sessions": len(link.sessions)})
        for session in sorted(link.sessions):
            is_opening, peer = session in self._opening, self._opening.get(session)
            self._forget(link, session)
            if not (is_opening and self._open(session, peer, None)):
                self._hand_over(ev.SessionLost(session, link.name), None, 0)

    def _hand_over(self, input_: ev.MediaInput, link: Link | None, number: int) -> None:
        unit = self._open_unit()
        try:
            self._deliver(unit, input_)
        except Exception:
            # The driver's edge: an event that cannot be taken is not sent again for ever.
            self.surprises += 1
            log.exception("media event failed")
            unit = self._open_unit()
        if link is not None:
            unit.after_commit(lambda: link.committed(number), urgent=False)
        self._submit(unit)

    def _forget(self, link: Link, session: str) -> None:
        link.sessions.discard(session)
        if self._where.get(session) is link:
            del self._where[session]
        self._numbers.pop(session, None)
        self._peers.pop(session, None)
        self._opening.pop(session, None)
        self._open_already.pop(session, None)

    def _advertised(self, session: str, address: str) -> str:
        if self._public_address:
            return self._public_address
        peer = self._peers.get(session)
        return _towards(peer) if address == _ANY_ADDRESS and peer is not None else address

    def _input(self, link: Link, event: protocol.Event) -> ev.MediaInput:
        match event:
            case protocol.Opened():
                address = self._advertised(event.session, event.address)
                return ev.SessionOpened(event.session, link.name, address, event.port)
            case protocol.Failed() if event.command:
                return ev.CommandRefused(event.session, event.command, event.reason)
            case protocol.Failed():
                return ev.SessionFailed(event.session, event.reason)
            case protocol.Digit():
                return ev.DigitPressed(event.session, event.number, event.digit)
            case protocol.PlayEnded():
                return ev.Played(event.session, event.command)
            case protocol.MessageRecorded():
                return ev.Recorded(event.session, event.command, event.duration_ms)
            case protocol.Silent():
                return ev.MediaSilent(event.session)
            case protocol.RecordingTrouble():
                return ev.RecordingFailed(event.session, event.reason)
            case protocol.Closed():
                return ev.SessionClosed(event.session, _stats(event), event.recording_ms)


_NO_SESSION = frozenset(("no_port", "draining"))


def _remote(description: MediaDescription) -> protocol.Remote:
    return protocol.Remote(
        description.address,
        description.port,
        tuple((payload_type, codec.value) for payload_type, codec in description.codecs),
        description.telephone_event,
        description.direction,
        description.ptime_ms,
    )


def _stats(closed: protocol.Closed) -> ev.MediaStats:
    return ev.MediaStats(
        closed.packets_received,
        closed.packets_sent,
        closed.packets_lost,
        closed.jitter_us,
        closed.remote_packets_lost,
        closed.remote_jitter_us,
        closed.largest_gap_ms,
    )


def _towards(peer: str) -> str:
    """The address of ours that packets to `peer` leave from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer, 9))
        except OSError:
            return _ANY_ADDRESS
        return str(probe.getsockname()[0])
