"""The pairs of UDP sockets of a worker and which of them have something to read."""

import select
import socket
import time
from collections.abc import Callable

from callcenter.kernel.errors import Overloaded
from callcenter.media.port_pool import PortPool

Receive = Callable[[bytes, tuple[str, int]], None]

# Per socket and round one datagram is read; a flood on one port gets its share, not the worker.
MAX_ROUNDS = 16
_MAX_DATAGRAM = 2048
_TRIES = 50
# Ports held ready: more than calls come between two words about them, and few of a small range.
MOST_READY = 32
READY_SHARE = 8
# Above what a socket's buffer holds: who sends faster than we read goes on once the session is there.
_MOST_STRAY = 1024


class Pair:
    """The RTP socket (even port) and the RTCP socket (the next)."""

    __slots__ = ("control", "port", "rtp")

    def __init__(self, address: str, port: int) -> None:
        self.port = port
        self.rtp = _bound(address, port)
        try:
            self.control = _bound(address, port + 1)
        except OSError:
            self.rtp.close()
            raise


def _bound(address: str, port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        found.bind((address, port))
    except OSError:
        found.close()
        raise
    return found


def _empty(found: socket.socket) -> None:
    for _ in range(_MOST_STRAY):
        try:
            found.recv(1)
        except BlockingIOError:
            return
        except OSError:
            continue


class Sockets:
    """Opens and closes pairs, and hands each datagram to the receiver of its socket."""

    def __init__(self, address: str, ports: PortPool) -> None:
        self.address = address
        self.ports = ports
        self.ready: dict[int, Pair] = {}
        self._most_ready = min(MOST_READY, ports.size // READY_SHARE)
        self._epoll = select.epoll()
        self._readers: dict[int, tuple[Callable[[int], tuple[bytes, tuple[str, int]]], Receive]] = {}

    def fileno(self) -> int:
        """A descriptor that is readable while any pair is."""
        return self._epoll.fileno()

    def open(self) -> Pair:
        """A bound pair; raises Overloaded when no port is free."""
        now = time.monotonic()
        for _ in range(_TRIES):
            port = self.ports.take(now)
            try:
                return Pair(self.address, port)
            except OSError:
                # Somebody else's: it goes to the end of the row.
                self.ports.give_back(port, now)
        raise Overloaded("no port can be bound", data={"retry_after_s": 1})

    def make_ready(self) -> tuple[int, ...]:
        """Bind pairs for sessions to come, until enough are ready; the ports that are new."""
        new: list[int] = []
        while len(self.ready) < self._most_ready:
            try:
                pair = self.open()
            except Overloaded:
                break
            self.ready[pair.port] = pair
            new.append(pair.port)
        return tuple(new)

    def take(self, port: int) -> Pair:
        """The pair that is ready at `port`, without what strangers have sent there. Raises Overloaded: none is."""
        pair = self.ready.pop(port, None)
        if pair is None:
            raise Overloaded("no such port ready", data={"retry_after_s": 1})
        for found in (pair.rtp, pair.control):
            _empty(found)
        return pair

    def watch(self, pair: Pair, rtp: Receive, control: Receive) -> None:
        """Read the pair from now on."""
        for found, receive in ((pair.rtp, rtp), (pair.control, control)):
            self._readers[found.fileno()] = (found.recvfrom, receive)
            self._epoll.register(found, select.EPOLLIN)

    def close(self, pair: Pair) -> None:
        """Stop reading, close, and let the port rest."""
        for found in (pair.rtp, pair.control):
            self._epoll.unregister(found)
            del self._readers[found.fileno()]
            found.close()
        self.ports.give_back(pair.port, time.monotonic())

    def poll(self) -> int:
        """Read what has come, fairly over the sockets; the number of datagrams."""
        readers = self._readers
        poll = self._epoll.poll
        count = 0
        for _ in range(MAX_ROUNDS):
            ready = poll(0, len(readers) or 1)
            if not ready:
                break
            for descriptor, _events in ready:
                receive_from, receive = readers[descriptor]
                try:
                    data, source = receive_from(_MAX_DATAGRAM)
                except OSError:
                    continue
                receive(data, source)
                count += 1
        return count
