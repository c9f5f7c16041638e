"""Tickets for websockets: a browser cannot send a header with one, and no token may stand in a URL (architecture 8).

Kept in memory: whoever loses a ticket to a restart asks for another.
"""

import hashlib
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

LIFETIME = timedelta(seconds=60)
MOST = 10_000


class TicketOffice(Generic[T]):
    """Gives out secrets that are good once and not for long."""

    def __init__(self, *, lifetime: timedelta = LIFETIME, most: int = MOST) -> None:
        self._lifetime = lifetime
        self._most = most
        self._open: OrderedDict[bytes, tuple[datetime, T]] = OrderedDict()

    def issue(self, holder: T, *, now: datetime) -> str:
        """A new ticket for `holder`. Expired ones go, and the oldest where there are too many."""
        while self._open and (len(self._open) >= self._most or next(iter(self._open.values()))[0] <= now):
            self._open.popitem(last=False)
        ticket = secrets.token_urlsafe(32)
        self._open[_digest(ticket)] = (now + self._lifetime, holder)
        return ticket

    def redeem(self, ticket: str, *, now: datetime) -> T | None:
        """Whose ticket it is, once; None when it is unknown, spent or expired."""
        expires, holder = self._open.pop(_digest(ticket), (None, None))
        return holder if expires is not None and now < expires else None


def _digest(ticket: str) -> bytes:
    # Compared as a hash, so that the time of the look-up says nothing about the ticket.
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()
