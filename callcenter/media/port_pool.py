"""Which RTP port a session gets: even numbers, the one that has rested longest first.

A port that was just given back may still be sent to by the last peer; it rests before it is used again.
"""

from collections import deque

from callcenter.kernel.errors import Overloaded

QUARANTINE_S = 0.5


class PortPool:
    """Even ports of a range; the odd one above each is for RTCP."""

    def __init__(self, first: int, last: int) -> None:
        """`first` and `last` are both included."""
        self._free: deque[tuple[int, float]] = deque((port, 0.0) for port in range(first + first % 2, last, 2))
        self.size = len(self._free)

    def take(self, now: float) -> int:
        """An even port, `now` in seconds of any monotonic clock; raises Overloaded when none has rested."""
        if not self._free or self._free[0][1] > now:
            raise Overloaded("no port free", data={"retry_after_s": 1})
        return self._free.popleft()[0]

    def give_back(self, port: int, now: float) -> None:
        """Let `port` rest; also for one that somebody else turned out to use."""
        self._free.append((port, now + QUARANTINE_S))

    @property
    def free(self) -> int:
        """Ports not in use, resting ones included."""
        return len(self._free)
