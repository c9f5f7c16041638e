"""Free ports of this machine, for what is started a moment later."""

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from secrets import SystemRandom

# Below those that systems hand out to connections (Linux from 32768): what is found free stays so until it is used.
RANGE = range(10000, 20000)


class FreePorts:
    """Each port is given once."""

    def __init__(self, among: Sequence[int] = RANGE) -> None:
        self._left = iter(SystemRandom().sample(among, len(among)))

    def take(self, address: str = "127.0.0.1") -> int:
        """A port at which nobody listens or talks, by UDP or TCP. Raises OSError where there is none."""
        for port in self._left:
            with ExitStack() as probes, suppress(OSError):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    probes.enter_context(socket.socket(socket.AF_INET, kind)).bind((address, port))
                return port
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
