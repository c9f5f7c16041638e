"""SIP over UDP: one socket, inherited, read in bounded batches.

The edge where a bug of ours must not stop the loop: what the user agent raises is logged, counted and left behind.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

from callcenter.sip.hop import Hop
from callcenter.sip.statistics import Statistics

log = logging.getLogger(__name__)

MAX_DATAGRAM = 65535
# A turn of the loop is one commit: a burst (what queued during a restart) must not make the first wait for the last.
BATCH = 16
RECEIVE_BUFFER = 4 * 1024 * 1024
_SO_RCVBUFFORCE = 33

Receive = Callable[[bytes, Hop], None]


def _enlarge(sock: socket.socket) -> None:
    """Room for what arrives while the application restarts; the kernel grants what it may."""
    for option in (socket.SO_RCVBUF, _SO_RCVBUFFORCE):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER)


class UdpDriver:
    """`failed` is told, on a later turn of the loop, which hop the kernel would not send to."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        loop: asyncio.AbstractEventLoop,
        receive: Receive,
        failed: Callable[[Hop], None],
        statistics: Statistics,
    ) -> None:
        sock.setblocking(False)
        _enlarge(sock)
        self._sock = sock
        self._loop = loop
        self._receive = receive
        self._failed = failed
        self._statistics = statistics
        self.address: tuple[str, int] = sock.getsockname()[:2]

    def start(self) -> None:
        """Read from now on."""
        self._loop.add_reader(self._sock, self._readable)

    def _readable(self) -> None:
        for _ in range(BATCH):
            try:
                data, (address, port) = self._sock.recvfrom(MAX_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # An ICMP answer to an earlier send; the transaction's timers see to it.
                self._statistics.refuse("udp_receive")
                continue
            try:
                self._receive(data, Hop("udp", address, port))
            except Exception:
                self._statistics.surprises += 1
                log.exception("datagram caused an error")

    def send(self, data: bytes, hop: Hop) -> None:
        """Hand `data` to the kernel; what it cannot take now is lost, as on any network."""
        try:
            self._sock.sendto(data, (hop.address, hop.port))
        except (BlockingIOError, InterruptedError):
            self._statistics.refuse("udp_full")
        except OSError:
            self._statistics.refuse("udp_send")
            self._loop.call_soon(self._failed, hop)
        else:
            self._statistics.sent += 1

    def close(self) -> None:
        """Stop reading; the socket is closed too."""
        self._loop.remove_reader(self._sock)
        self._sock.close()
