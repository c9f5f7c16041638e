"""The application's end of one worker's socket: attaches, sends commands once, acknowledges what is committed.

Commands stay in the outbox until the worker has taken them, so a connection that breaks while both processes live
costs nothing. Everything runs on the loop's thread.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.media import protocol

log = logging.getLogger(__name__)

WELCOME_S = 2.0
# The worker only keeps its events until then, and sends them again if we die before.
ACK_S = 0.25


class Owner(Protocol):
    """Who hears what comes over a link."""

    def welcomed(self, link: "Link", states: Sequence[protocol.SessionState]) -> None:
        """Attached; `heard` for the replayed events follows."""
        ...

    def heard(self, link: "Link", event: protocol.Event) -> None:
        """An event, each number once; the owner calls `link.committed` when it is on disk."""
        ...

    def lost(self, link: "Link") -> None:
        """The worker is dead, or another application has it (`link.fenced`)."""
        ...


class Link(asyncio.Protocol):
    """One worker."""

    def __init__(self, path: Path, owner: Owner, hello: protocol.Hello) -> None:
        self.path = path
        self.name = path.stem.removeprefix("media-")
        self.pid = 0
        self.live = False
        self.refused = False
        self.fenced = False
        self.draining = False
        self.address = ""
        self.ready: deque[int] = deque()
        self.sessions: set[str] = set()
        self.welcome: protocol.Welcome | None = None
        self._owner = owner
        self._hello = hello
        self._loop = asyncio.get_running_loop()
        self._frames = protocol.Frames()
        self._transport: asyncio.Transport | None = None
        self._outbox: deque[protocol.Command] = deque()
        self._frames_out: list[bytes] = []
        self._seen = 0
        self._committed = 0
        self._acknowledged = 0
        self._ack_scheduled = False
        self._answered: asyncio.Future[None] | None = None
        self._asked: deque[asyncio.Future[protocol.Statistics | None]] = deque()
        self._returning: asyncio.Task[None] | None = None

    async def attach(self) -> bool:
        """Connect and be welcomed, within 2 s; what the worker kept has been delivered when this returns True."""
        self._answered = self._loop.create_future()
        self._frames = protocol.Frames()
        try:
            async with asyncio.timeout(WELCOME_S):
                await self._loop.create_unix_connection(lambda: self, str(self.path))
                self._write(self._hello)
                await self._answered
        except (OSError, TimeoutError):
            self._drop()
        return self.live

    def send(self, command: protocol.Command) -> None:
        """Send it now, and again if the connection breaks before the worker has taken it."""
        self._outbox.append(command)
        if self.live:
            self._write(command)

    def drain(self) -> None:
        """Let the worker take no new sessions."""
        self.draining = True
        self._write(protocol.Drain())

    def committed(self, number: int) -> None:
        """Event `number` is on disk; acknowledged soon, together with those after it."""
        self._committed = max(self._committed, number)
        if not self._ack_scheduled:
            self._ack_scheduled = True
            self._loop.call_later(ACK_S, self._acknowledge)

    async def statistics(self) -> protocol.Statistics | None:
        """The worker's counters, None if it does not answer in time."""
        if not self.live:
            return None
        answer: asyncio.Future[protocol.Statistics | None] = self._loop.create_future()
        self._asked.append(answer)
        self._acknowledge()
        self._write(protocol.AskStatistics())
        try:
            async with asyncio.timeout(WELCOME_S):
                return await answer
        except TimeoutError:
            return None

    async def close(self) -> None:
        """Leave the worker to itself; nothing is delivered any more."""
        self._acknowledge()
        self._flush()
        self.live = False
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._returning is not None:
            self._returning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._returning

    def _acknowledge(self) -> None:
        self._ack_scheduled = False
        if self._committed > self._acknowledged and self.live:
            self._acknowledged = self._committed
            self._write(protocol.Ack(self._committed))

    def _write(self, message: protocol.Message) -> None:
        """With the turn of the loop: what it brings for this worker wakes it once."""
        if self._transport is None:
            return
        if not self._frames_out:
            self._loop.call_soon(self._flush)
        self._frames_out.append(protocol.encode(message))

    def _flush(self) -> None:
        if self._transport is not None and self._frames_out:
            self._transport.write(b"".join(self._frames_out))
        self._frames_out.clear()

    def _drop(self) -> None:
        self._frames_out.clear()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    # -- asyncio.Protocol -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._message(protocol.decode_from_worker(body))
        except RemoteProtocolError as error:
            log.warning("media worker broke the protocol", extra={"worker": self.name, "reason": error.reason})
            self._drop()

    def connection_lost(self, _exc: Exception | None) -> None:
        was_live, self.live = self.live, False
        self._frames_out.clear()
        self._transport = None
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)
        for answer in self._asked:
            # Who asked is not to be cancelled with it: it is told that there is no answer.
            if not answer.done():
                answer.set_result(None)
        self._asked.clear()
        if was_live:
            self._returning = self._loop.create_task(self._return())

    async def _return(self) -> None:
        # A dead worker refuses at once; a live one may have dropped the connection alone.
        if not await self.attach():
            self._owner.lost(self)

    def _message(self, message: protocol.FromWorker) -> None:
        match message:
            case protocol.Welcome():
                self._welcomed(message)
            case protocol.Refused():
                self._refused(message)
            case protocol.Taken():
                for _ in range(min(message.count, len(self._outbox))):
                    self._outbox.popleft()
                self.ready.extend(message.ready)
            case protocol.Statistics():
                if self._asked:
                    answer = self._asked.popleft()
                    if not answer.done():
                        answer.set_result(message)
            case _:
                self._event(message)

    def _event(self, event: protocol.Event) -> None:
        if event.n > self._seen:
            self._seen = event.n
            self._owner.heard(self, event)

    def _welcomed(self, welcome: protocol.Welcome) -> None:
        if self.pid and welcome.pid != self.pid:
            # Another process behind the same name: what we knew is gone.
            self._drop()
            return
        self.pid, self.name, self.welcome = welcome.pid, welcome.worker, welcome
        self.draining = self.draining or welcome.draining
        # Of those that the worker still holds, some are in commands that it has not seen.
        taken = {command.port for command in self._outbox if isinstance(command, protocol.Open)}
        self.address, self.ready = welcome.address, deque(port for port in welcome.ready if port not in taken)
        self.live = True
        self._owner.welcomed(self, welcome.sessions)
        if welcome.events_lost:
            log.error("media worker lost events", extra={"worker": self.name, "events": welcome.events_lost})
        for event in welcome.replay:
            self._event(event)
        for command in self._outbox:
            self._write(command)
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _refused(self, refused: protocol.Refused) -> None:
        self.refused = True
        self.fenced = refused.reason == "epoch"
        log.error("media worker refused us", extra={"worker": self.name, "reason": refused.reason})
        self._drop()
