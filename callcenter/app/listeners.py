"""The listening sockets that the supervisor owns, so that a restart of the application refuses nobody.

SIP datagrams wait in the kernel's buffer and TCP connections in the backlog until the next application reads them.
"""

import errno
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from callcenter.app.settings import Settings
from callcenter.kernel.errors import ConfigError

T = TypeVar("T")
WAIT_S = 5.0
POLL_S = 0.05
# What a burst needs during a restart of two seconds; the kernel gives what net.core.rmem_max allows.
UDP_BUFFER = 4 * 1024 * 1024


class StillTaken(Exception):
    """A lock or port is held by somebody else; the message says by whom."""


@dataclass(slots=True)
class Listeners:
    """Open sockets by the name under which the application inherits them."""

    sockets: dict[str, socket.socket] = field(default_factory=dict)

    @property
    def fds(self) -> dict[str, int]:
        return {name: one.fileno() for name, one in self.sockets.items()}

    def address(self, name: str) -> str | None:
        """`host:port` as bound, None if this socket is turned off."""
        one = self.sockets.get(name)
        if one is None:
            return None
        host, port = one.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        for one in self.sockets.values():
            one.close()


def wait_for(attempt: Callable[[], T], *, wait_s: float = WAIT_S) -> T:
    """The outcome of `attempt`, tried again while it raises StillTaken; after `wait_s` its last message is final."""
    for _ in range(round(wait_s / POLL_S)):
        try:
            return attempt()
        except StillTaken:
            time.sleep(POLL_S)
    return attempt()


def open_listeners(settings: Settings, sip_bind: str) -> Listeners:
    """Bind HTTP (TCP) and SIP (UDP, TCP). Raises StillTaken naming the holder, ConfigError for a bad address."""
    found = Listeners()
    try:
        found.sockets["http"] = _bind("http.port", socket.SOCK_STREAM, settings.http.bind, settings.http.port)
        port = settings.sip.port
        if settings.sip.udp:
            found.sockets["sip_udp"] = _bind("sip.port", socket.SOCK_DGRAM, sip_bind, port)
            # One port for both transports, also where a free one was asked for.
            port = found.sockets["sip_udp"].getsockname()[1]
        if settings.sip.tcp:
            found.sockets["sip_tcp"] = _bind("sip.port", socket.SOCK_STREAM, sip_bind, port)
    except (StillTaken, ConfigError):
        found.close()
        raise
    return found


def _bind(key: str, kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    one = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            # Connections of the last run may linger. Never for UDP: there it would let two servers share the port.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)
        one.bind((host, port))
        if kind == socket.SOCK_STREAM:
            one.listen(1024)
    except OSError as error:
        one.close()
        name = "tcp" if kind == socket.SOCK_STREAM else "udp"
        if error.errno == errno.EADDRINUSE:
            raise StillTaken(f"{key}: {name} {host}:{port} is in use by {port_holder(name, port)}") from error
        raise ConfigError(f"{key}: cannot listen on {name} {host}:{port}: {error.strerror}") from error
    return one


def port_holder(name: str, port: int) -> str:
    """Who has local `port` of `name` (tcp, udp) open, as far as /proc shows it to us."""
    inodes = set()
    for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
        cells = line.split()
        listening = name == "udp" or cells[3] == "0A"
        if listening and int(cells[1].rpartition(":")[2], 16) == port:
            inodes.add(f"socket:[{cells[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                return f"process {process.name} ({words.strip()[:120]})"
        except OSError:
            continue
    return "a process of somebody else"
