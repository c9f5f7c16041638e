"""The transports of one user agent together, and our own address as each peer knows it (telephony.md section 2)."""

import socket
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from callcenter.sip.hop import Hop


class Driver(Protocol):
    """What UDP and TCP have in common."""

    address: tuple[str, int]

    def send(self, data: bytes, hop: Hop) -> None: ...


class StreamDriver(Driver, Protocol):
    """What only TCP has."""

    def is_connected(self, hop: Hop) -> bool: ...


class TransportLayer:
    """Implements `Transports`. Drivers are attached later: they need the user agent, which needs this."""

    def __init__(self, *, public_address: str = "") -> None:
        """`public_address` is what peers outside private networks are told; without one it follows the route."""
        self._public_address = public_address
        self.udp: Driver | None = None
        self.tcp: StreamDriver | None = None

    def send(self, data: bytes, hop: Hop) -> None:
        driver = self.udp if hop.transport == "udp" else self.tcp
        if driver is not None:
            driver.send(data, hop)

    def is_connected(self, hop: Hop) -> bool:
        if hop.transport == "udp":
            return True
        return self.tcp is not None and self.tcp.is_connected(hop)

    def local_address(self, hop: Hop) -> tuple[str, int]:
        driver = (self.udp if hop.transport == "udp" else self.tcp) or self.udp or self.tcp
        host, port = driver.address if driver is not None else ("127.0.0.1", 5060)
        if self._public_address and not _is_private(hop.address):
            return self._public_address, port
        return (route_to(hop.address) if host in ("0.0.0.0", "") else host), port  # noqa: S104  # compared, not bound


@lru_cache(maxsize=1024)
def _is_private(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def route_to(address: str) -> str:
    """Our own address on the way to `address`; nothing is sent. 127.0.0.1 where there is no way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError:
            return "127.0.0.1"
        host: str = probe.getsockname()[0]
        return host
