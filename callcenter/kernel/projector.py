"""Carries facts from the journal to the site database, each once (architecture.md section 2).

A step takes the next stretch of the journal, has the handlers write what follows from it, and moves `projected_seq`,
in one transaction: however often it or the database dies, each event has its consequences once. While the database is
away nothing is lost, because the journal is the spool.

A fact that the database refuses for what it is (and not for its own state) would stop every later one: it is narrowed
down to one event, logged, counted and passed over.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.events import Envelope
from callcenter.kernel.journal_file import JournalReader
from callcenter.kernel.site import COMMAND_S, Site, create_inline_engine, is_away, sqlite_path
from callcenter.kernel.site_connection import SiteConnection, inline
from callcenter.kernel.site_tables import ProjectorPosition

log = logging.getLogger(__name__)

WINDOW = 2_000
STEP_S = 2 * COMMAND_S
_MOVE = (
    update(ProjectorPosition)
    .where(
        ProjectorPosition.name == bindparam("of"),
        ProjectorPosition.journal == bindparam("in"),
        ProjectorPosition.projected_seq == bindparam("from"),
    )
    .values(projected_seq=bindparam("to"))
)


class Handler(Protocol):
    """What turns events into rows. It reads the journal as it likes and writes on `connection` only."""

    @property
    def types(self) -> frozenset[str]:
        """The types of event that it wants to hear of."""
        ...

    async def project(self, connection: SiteConnection, events: Sequence[Envelope], reader: JournalReader) -> None:
        """Write what follows from `events`, in the caller's transaction. Must be repeatable."""
        ...


class Projector:
    """One name's way through one journal. Owned by one event loop, which it may block: calls live elsewhere."""

    def __init__(self, site: Site, reader: JournalReader, handlers: Sequence[Handler], *, name: str = "live") -> None:
        self._site = site
        path = sqlite_path(site.url)
        self._engine = None if path is None else create_inline_engine(path)
        self._reader = reader
        self._handlers = handlers
        self._types = frozenset[str]().union(*(handler.types for handler in handlers))
        self._key = {"name": name, "journal": reader.identity}
        self._stored: int | None = None
        self._window = WINDOW
        self.projected = 0
        self.skipped = 0

    async def step(self) -> bool:
        """Project the next stretch; true if there is more. Raises SiteUnavailable: nothing has moved, try later."""
        try:
            async with asyncio.timeout(STEP_S):
                return await self._step()
        except Exception as error:
            # What the database holds now is unknown: the commit may have happened and its answer be lost.
            self._stored = None
            if not _is_poison(error):
                raise SiteUnavailable("the site database does not answer") from error
            return await self._narrow(error)

    async def _step(self) -> bool:
        if self._stored is None:
            self._stored = await self._load()
            self.projected = max(self.projected, self._stored)
        last = self._reader.last_seq()
        upto = min(last, self.projected + self._window)
        if upto <= self.projected:
            return False
        events = self._reader.events_between(self.projected, upto, self._types)
        if events:
            await self._write(events, upto)
            self._window = WINDOW
        self.projected = upto
        return upto < last

    async def _load(self) -> int:
        query = select(ProjectorPosition.projected_seq).filter_by(**self._key)
        async with self._site.session() as session:
            found = await session.scalar(query)
            if found is None:
                session.add(ProjectorPosition(**self._key, projected_seq=0))
            return found or 0

    async def _write(self, events: Sequence[Envelope], upto: int) -> None:
        async with self._transaction() as connection:
            for handler in self._handlers:
                wanted = [event for event in events if event.type in handler.types]
                if wanted:
                    await handler.project(connection, wanted, self._reader)
            await self._move(connection, upto)
        self._stored = upto

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[SiteConnection]:
        if self._engine is None:
            async with self._site.engine.begin() as connection:
                yield connection
        else:
            with inline(self._engine) as here:
                yield here

    def close(self) -> None:
        """Give the connection back; the site is its owner's."""
        if self._engine is not None:
            self._engine.dispose()

    async def _move(self, connection: SiteConnection, upto: int) -> None:
        values = {"of": self._key["name"], "in": self._key["journal"], "from": self._stored, "to": upto}
        moved = await connection.execute(_MOVE, values)
        if moved.rowcount != 1:
            raise SiteUnavailable("another projector has moved on")

    async def _narrow(self, error: Exception) -> bool:
        if self._window > 1:
            self._window = max(1, self._window // 8)
            return True
        self.skipped += 1
        log.error("an event cannot be projected and is passed over", extra={"reason": type(error).__name__})
        async with self._site.session() as session:
            position = await session.get_one(ProjectorPosition, (self._key["name"], self._key["journal"]))
            position.projected_seq = max(position.projected_seq, self.projected + 1)
        self._window = WINDOW
        return True


def _is_poison(error: Exception) -> bool:
    """Whether the facts are at fault, by refused values or a bug of a handler, and not the database's state."""
    if isinstance(error, SQLAlchemyError):
        refused = isinstance(error, DataError | IntegrityError)
        return refused or (isinstance(error, StatementError) and not isinstance(error, DBAPIError))
    return not isinstance(error, SiteUnavailable | sqlite3.Error) and not is_away(error)
