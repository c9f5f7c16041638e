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


class Sockets:
    """Opens and closes pairs, and hands each datagram to the receiver of its socket."""

    def __init__(self, address: str, ports: PortPool) -> None:
        self.address = address
        self.ports = ports
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
