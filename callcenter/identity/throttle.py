"""How often somebody may guess a password (security.md S14).

The first guesses are free; from then on each further one has to wait, twice as long as the one before, up to a bound.
Logins and source addresses are counted apart by the same rule, whether the login exists or not. A success clears its
login and not its address: else an attacker with one account of his own could clear his own trail.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

FREE = 5
FREE_FOR_ADDRESS = 30
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=1)
MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Failures:
    """Wrong guesses in a row, and when the next one is looked at."""

    count: int
    last: datetime
    blocked_until: datetime


@dataclass(frozen=True, slots=True)
class LoginThrottle:
    """All who have guessed wrong lately. Keys are ("login", name) and ("source", address)."""

    failures: Mapping[tuple[str, str], Failures] = field(default_factory=lambda: MappingProxyType({}))

    def wait(self, login: str, source: str, *, now: datetime) -> timedelta:
        """How long this pair has to wait before a guess is looked at; zero if it may now."""
        found = (self.failures[key] for key in _keys(login, source) if key in self.failures)
        return max((one.blocked_until - now for one in found), default=timedelta(0))

    def failed(self, login: str, source: str, *, now: datetime) -> "LoginThrottle":
        """After a wrong guess."""
        kept = {key: one for key, one in self.failures.items() if now - one.last < FORGET_AFTER}
        for key, free in zip(_keys(login, source), (FREE, FREE_FOR_ADDRESS), strict=True):
            count = kept[key].count + 1 if key in kept else 1
            kept.pop(key, None)
            kept[key] = Failures(count, now, now + _wait_after(count - free))
        while len(kept) > MOST_KEYS:
            # The oldest goes: whoever floods us with new names pushes out his own.
            del kept[next(iter(kept))]
        return replace(self, failures=MappingProxyType(kept))

    def succeeded(self, login: str) -> "LoginThrottle":
        """After a right one."""
        key = _keys(login, "")[0]
        return replace(self, failures=MappingProxyType({k: one for k, one in self.failures.items() if k != key}))


def _keys(login: str, source: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("login", login.lower()), ("source", source)


def _wait_after(count: int) -> timedelta:
    if count < 0:
        return timedelta(0)
    return min(FIRST_WAIT * (1 << min(count, 20)), LONGEST_WAIT)
