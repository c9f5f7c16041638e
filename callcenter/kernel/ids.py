"""Identifiers: UUIDv7 (RFC 9562 section 5.7), sortable by time, 32 lower-case hex digits without dashes.

SIP Call-ID, branch and tags derive from a leg's id, so a restarted process recomputes rather than remembers them.
"""

import os
import time
from collections.abc import Callable

IdSource = Callable[[], str]


def new_id() -> str:
    """A fresh UUIDv7 as 32 hex digits."""
    return f"{_fresh():032x}"


def new_ids(count: int) -> list[str]:
    """That many, in order: the first is fresh, each further one is the next number (RFC 9562 section 6.2, method 2).

    For ids that may be guessed from each other, such as those of events.
    """
    if not count:
        return []
    # Room for the count below the variant bits.
    first = _fresh() & ~(1 << 61)
    return [f"{first + n:032x}" for n in range(count)]


# The system's random bytes, fetched by the page: a system call for each id costs more than the id. Taking the last
# one off a list is one step of the interpreter, so threads need no lock.
_random: list[bytes] = []
os.register_at_fork(after_in_child=_random.clear)


def _ten_bytes() -> bytes:
    while True:
        try:
            return _random.pop()
        except IndexError:
            page = os.urandom(4000)
            _random.extend(page[at : at + 10] for at in range(0, len(page), 10))


def _fresh() -> int:
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(_ten_bytes(), "big")
    value = (milliseconds & ((1 << 48) - 1)) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    return value & ~(0x3 << 62) | 0x2 << 62


def counted_ids(prefix: str = "id") -> IdSource:
    """Ids for tests: `prefix1`, `prefix2`, ..."""
    count = 0

    def next_id() -> str:
        nonlocal count
        count += 1
        return f"{prefix}{count}"

    return next_id
