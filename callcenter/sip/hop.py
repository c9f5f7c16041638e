"""Where a message came from or goes to, and what the core asks of the transports."""

from typing import Protocol

import msgspec


class Hop(msgspec.Struct, frozen=True):
    """The far end of one hop. `transport` is "udp" or "tcp"; over TCP, address and port name a connection."""

    transport: str
    address: str
    port: int

    @property
    def reliable(self) -> bool:
        """Nothing is repeated over it (RFC 3261 section 17)."""
        return self.transport != "udp"


class Transports(Protocol):
    """The sending half of the drivers. What fails later is told to `UserAgent.transport_failed`."""

    def send(self, data: bytes, hop: Hop) -> None:
        """Never raises and never blocks. Over TCP the hop's connection is used, or opened."""
        ...

    def is_connected(self, hop: Hop) -> bool:
        """Whether `hop` can be reached without opening a connection; true for UDP."""
        ...

    def local_address(self, hop: Hop) -> tuple[str, int]:
        """The host and port under which we are known to `hop`: for our Via and Contact."""
        ...
