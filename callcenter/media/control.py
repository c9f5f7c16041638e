"""The worker's end of its Unix socket: who may speak to it and whose word counts.

Peers of another user are cut off. The application with the highest epoch so far is obeyed; a higher one takes over,
a lower one is refused. One of another protocol version is refused too, and the worker then drains: it takes no new
sessions and ends with the last it has.
"""

import asyncio
import logging
import os
import socket
import stat
import struct
from collections import Counter
from pathlib import Path
from typing import Protocol, cast

from callcenter.kernel.errors import ConfigError, RemoteProtocolError
from callcenter.media import protocol

log = logging.getLogger(__name__)

_CREDENTIALS = struct.Struct("iII")
# The application keeps a command until it hears that it was taken, only to send it again if the connection breaks.
# To be told of each at once would wake it twice as often as it has something to do.
TAKEN_MOST = 64
TAKEN_S = 0.25


class Host(Protocol):
    """The worker as its connections see it."""

    def welcome(self, hello: protocol.Hello) -> protocol.Welcome:
        """Somebody attached."""
        ...

    def command(self, command: protocol.Command) -> None:
        """Apply a command."""
        ...

    def more_ready(self) -> tuple[int, ...]:
        """Hold more ports ready; which."""
        ...

    def acknowledge(self, number: int) -> None:
        """Events up to `number` are on the application's disk."""
        ...

    def drain(self) -> None:
        """Take no new sessions."""
        ...

    def statistics(self) -> protocol.Statistics:
        """The present counters."""
        ...

    def detached(self) -> None:
        """Nobody is attached any more."""
        ...

    def surprise(self) -> None:
        """An error of ours was caught at the edge."""
        ...


class Control:
    """All connections of one worker, at most one of them attached."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.epoch = 0
        self.attached: Connection | None = None
        self.refused: Counter[str] = Counter()

    def connection(self) -> "Connection":
        """The factory for `create_unix_server`."""
        return Connection(self)

    def send(self, message: protocol.Message) -> None:
        """To whoever is attached; nobody is no error."""
        if self.attached is not None:
            self.attached.send(message)

    def hello(self, connection: "Connection", hello: protocol.Hello) -> None:
        """Attach, or refuse and close."""
        reason = ""
        if hello.protocol != protocol.PROTOCOL:
            reason = "protocol"
            if hello.epoch >= self.epoch:
                self.host.drain()
        elif hello.epoch < self.epoch:
            reason = "epoch"
        if reason:
            self.refused[reason] += 1
            connection.send(protocol.Refused(reason, protocol.PROTOCOL, self.epoch))
            connection.close()
            return
        self.epoch = hello.epoch
        before, self.attached = self.attached, connection
        if before is not None:
            before.close()
        connection.send(self.host.welcome(hello))

    def lost(self, connection: "Connection") -> None:
        """A connection ended."""
        if self.attached is connection:
            self.attached = None
            self.host.detached()


class Connection(asyncio.Protocol):
    """One application's connection."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._frames = protocol.Frames()
        self._transport: asyncio.Transport | None = None
        self._taken = 0
        self._telling: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        found = transport.get_extra_info("socket")
        if peer_uid(found) != os.getuid():
            self._control.refused["uid"] += 1
            log.warning("control connection of another user refused")
            self._transport.abort()
            self._transport = None

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._message(protocol.decode_to_worker(body))
        except RemoteProtocolError as error:
            self._control.refused[error.reason] += 1
            log.warning("control connection broke the protocol", extra={"reason": error.reason})
            self.close()
        except Exception:
            self._control.host.surprise()
            log.exception("control message failed")
            self.close()
        if self._taken >= TAKEN_MOST:
            self._tell_taken()
        elif self._taken and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TAKEN_S, self._tell_taken)

    def _tell_taken(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        # Over a connection that has ended nobody would hear of the ports.
        if self._taken and self._transport is not None:
            taken, self._taken = self._taken, 0
            self.send(protocol.Taken(taken, self._control.host.more_ready()))

    def _message(self, message: protocol.ToWorker) -> None:
        control = self._control
        if isinstance(message, protocol.Hello):
            control.hello(self, message)
            return
        if control.attached is not self:
            raise RemoteProtocolError("not_attached")
        match message:
            case protocol.Ack():
                control.host.acknowledge(message.number)
            case protocol.Drain():
                control.host.drain()
            case protocol.AskStatistics():
                self.send(control.host.statistics())
            case _:
                self._taken += 1
                control.host.command(message)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._control.lost(self)

    def send(self, message: protocol.Message) -> None:
        """Queue a frame; nothing happens on a closed connection."""
        if self._transport is not None:
            self._transport.write(protocol.encode(message))

    def close(self) -> None:
        """Send what is queued and hang up; nothing more is heeded."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end of a connected Unix socket (SO_PEERCRED)."""
    _, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return int(uid)


def listener(path: Path) -> socket.socket:
    """A listening socket at `path`, in a folder of ours that nobody else can enter; raises ConfigError.

    The path of a dead worker is taken over, that of a living one is not.
    """
    if len(os.fsencode(path)) > protocol.MAX_SOCKET_PATH:
        raise ConfigError(
            f"--socket: {path} is longer than the {protocol.MAX_SOCKET_PATH} bytes that a socket may have"
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.parent.stat()
    if folder.st_uid != os.getuid() or stat.S_IMODE(folder.st_mode) & 0o077:
        raise ConfigError(f"--socket: {path.parent} must belong to this user and be closed to others (mode 0700)")
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        _make_room(path)
        found.bind(os.fspath(path))
        path.chmod(0o600)
        found.listen(8)
    except (OSError, ConfigError):
        found.close()
        raise
    return found


def _make_room(path: Path) -> None:
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise ConfigError(f"--socket: a worker is already listening at {path}")
