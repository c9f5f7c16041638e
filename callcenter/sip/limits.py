"""Who may send how much: per-source and whole-site admission (security.md section A).

Decides by token buckets. The table of sources is bounded: when it is full of busy ones, all further sources share one
bucket, so a flood from forged addresses costs neither memory nor the share of those who were there before.
"""

from collections import OrderedDict
from collections.abc import Iterable


class TokenBucket:
    """`burst` at once, `rate` a second from then on. `now` is in seconds of any clock that does not run backwards."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def admit(self, now: float) -> bool:
        """Take one, if there is one."""
        self._refill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def is_full(self, now: float) -> bool:
        """Nothing has been taken that time has not given back: the bucket may be forgotten."""
        self._refill(now)
        return self._tokens >= self._burst

    def retry_after_s(self, now: float) -> float:
        """Seconds until one will be there."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now


class TurnedAway:
    """INVITEs that were refused for want of room: a copy that was still under way must not become a call.

    The refusal is stateless and the room may be there a moment later; but who has it has ACKed it and gone.
    """

    def __init__(self, *, size: int = 4096, seconds: float = 32.0) -> None:
        """`seconds` is how long a caller may repeat an INVITE: 64 T1 (RFC 3261 section 17.1.1.2)."""
        self._size = size
        self._seconds = seconds
        self._until: OrderedDict[tuple[str, str | None], float] = OrderedDict()

    def add(self, call_id: str, branch: str | None, now: float) -> None:
        """This one has been refused."""
        self._until[call_id, branch] = now + self._seconds
        if len(self._until) > self._size:
            self._until.popitem(last=False)

    def has(self, call_id: str, branch: str | None, now: float) -> bool:
        """Whether this repeats one."""
        return self._until.get((call_id, branch), now) > now


class SourceLimits:
    """One bucket for each source address; `exempt` ones (trunks) always pass."""

    def __init__(self, *, rate: float, burst: float, max_sources: int = 10_000, exempt: Iterable[str] = ()) -> None:
        self.exempt = frozenset(exempt)
        self._rate = rate
        self._burst = burst
        self._max = max_sources
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._strangers: TokenBucket | None = None

    def admit(self, address: str, now: float) -> bool:
        """Whether one more message from `address` is taken in."""
        if address in self.exempt:
            return True
        bucket = self._buckets.get(address)
        if bucket is None:
            return self._admit_new(address, now)
        self._buckets.move_to_end(address)
        return bucket.admit(now)

    def __len__(self) -> int:
        return len(self._buckets)

    def _admit_new(self, address: str, now: float) -> bool:
        if len(self._buckets) >= self._max and not self._forget_idle(now):
            if self._strangers is None:
                self._strangers = TokenBucket(self._rate, self._burst, now)
            return self._strangers.admit(now)
        bucket = self._buckets[address] = TokenBucket(self._rate, self._burst, now)
        return bucket.admit(now)

    def _forget_idle(self, now: float) -> bool:
        """Drop the source that has been quiet longest, if its bucket is full again."""
        address, bucket = next(iter(self._buckets.items()))
        if not bucket.is_full(now):
            return False
        del self._buckets[address]
        return True
