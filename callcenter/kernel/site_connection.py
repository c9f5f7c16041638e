"""What a projector's handlers write on.

PostgreSQL is asked over the network, by the asynchronous driver. SQLite is a library: the projector has a thread of
its own, so its statements run there and then, where the asynchronous driver would carry each of them to one more
thread and back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import CursorResult, Dialect, Engine, Executable
from sqlalchemy.engine import Connection

Parameters = Sequence[Mapping[str, Any]] | Mapping[str, Any] | None


class SiteConnection(Protocol):
    """A transaction of the site database; SQLAlchemy's AsyncConnection is one."""

    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Parameters = None, /) -> CursorResult[Any]:
        """As SQLAlchemy's."""
        ...


class InlineConnection:
    """A SiteConnection whose statements block the thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Parameters = None, /) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)


@contextmanager
def inline(engine: Engine) -> Iterator[SiteConnection]:
    """One transaction: committed at the end, rolled back on an error."""
    with engine.begin() as connection:
        yield InlineConnection(connection)
