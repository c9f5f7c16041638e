"""The site database: SQLite in DATA by default, PostgreSQL by URL (architecture.md section 2).

One request, task or command is one transaction: `Site.session()`. No step of a call waits for it; while it is away
facts stay in the journal and people get `SiteUnavailable`.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import msgspec
from sqlalchemy import JSON, BigInteger, DateTime, Integer, MetaData, Select, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import Insert
from sqlalchemy.types import TypeDecorator

from callcenter.kernel.codec import encode
from callcenter.kernel.errors import SiteUnavailable

Values = Mapping[str, object]
Rows = Sequence[tuple[Any, ...]]

RECORDED = "recorded"
"""Noted in a session that has events for the relay."""

_JSON: dict[str, Any] = {
    "json_serializer": lambda value: encode(value).decode(),
    "json_deserializer": msgspec.json.decode,
}
CONNECT_S = 5
COMMAND_S = 10


def is_away(error: BaseException) -> bool:
    """Whether `error` says that the database does not answer, as against a statement that is wrong.

    What a PostgreSQL says while it starts, stops or gives up a statement comes as a plain DBAPIError, and before
    there is a connection as the driver's own error.
    """
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout, OSError, sqlite3.OperationalError)):
        return True
    return type(error) is DBAPIError or type(error).__module__.partition(".")[0] == "asyncpg"


class Locality(Protocol):
    """Where the site is: its IANA zone, and the ISO 3166 country of numbers written without a country code."""

    @property
    def zone(self) -> str: ...

    @property
    def region(self) -> str: ...


class CommandSettings(Protocol):
    """What the rooms' commands need to know of the settings."""

    @property
    def data_dir(self) -> Path: ...

    @property
    def site_database_url(self) -> str: ...

    @property
    def site(self) -> Locality: ...


class UtcTime(TypeDecorator[datetime]):
    """Aware in, aware UTC out, whole milliseconds, on both engines (SQLite keeps it as text without a zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        value = value.replace(microsecond=value.microsecond // 1000 * 1000)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect  # part of the overridden method
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Document = JSON().with_variant(JSONB(), "postgresql")
"""Canonical JSON; dataclasses go in, plain dicts come out (`msgspec.convert` types them again)."""

SerialNumber = BigInteger().with_variant(Integer(), "sqlite")
"""Numbers that the database gives out: SQLite does so for INTEGER only."""


class Base(DeclarativeBase):
    """Every table of the site. Constraint names are fixed so that migrations can find them on both engines."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def sqlite_path(url: str) -> Path | None:
    """The file behind a SQLite URL, None for PostgreSQL."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.drivername.startswith("sqlite") and parsed.database else None


def create_site_engine(url: str, *, pool_size: int = 5) -> AsyncEngine:
    """An engine for `url` (sqlite+aiosqlite, postgresql+asyncpg).

    A PostgreSQL that takes connections and says nothing is given up after COMMAND_S seconds.
    """
    options = {**_JSON, "pool_size": pool_size, "max_overflow": 0, "pool_timeout": CONNECT_S}
    if sqlite_path(url) is not None:
        engine = create_async_engine(url, connect_args={"timeout": CONNECT_S}, **options)
        _listen(engine.sync_engine)
        return engine
    settings = {"statement_timeout": str(COMMAND_S * 1000), "idle_in_transaction_session_timeout": "60000"}
    connect = {"timeout": CONNECT_S, "command_timeout": COMMAND_S, "server_settings": settings}
    return create_async_engine(url, connect_args=connect, pool_pre_ping=True, **options)


def create_inline_engine(path: Path) -> Engine:
    """An engine for the SQLite at `path` whose statements run in the thread that gives them; one connection."""
    connect = {"timeout": CONNECT_S, "check_same_thread": False}
    engine = create_engine(f"sqlite:///{path}", connect_args=connect, pool_size=1, max_overflow=0, **_JSON)
    _listen(engine)
    return engine


def _listen(engine: Engine) -> None:
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once if another wrote in between; one that says at
    # its start that it will write waits for its turn instead.
    begin = connection.get_execution_options().get("site_begin", "BEGIN IMMEDIATE")
    if begin:
        connection.exec_driver_sql(begin)


class Site:
    """The site database of one event loop."""

    def __init__(self, url: str, *, pool_size: int = 5, recorded: Callable[[], None] | None = None) -> None:
        """`recorded` is called after each commit that has events for the relay (`outbox`)."""
        self.url = url
        self._recorded = recorded
        self.engine = create_site_engine(url, pool_size=pool_size)
        self._writing = async_sessionmaker(self.engine, expire_on_commit=False)
        self._reading = async_sessionmaker(self.engine.execution_options(site_begin="BEGIN"), expire_on_commit=False)
        # A single statement needs no transaction around it: two trips to the database less.
        level = {} if sqlite_path(url) else {"isolation_level": "AUTOCOMMIT"}
        self._single = self.engine.execution_options(site_begin="", **level)
        path = sqlite_path(url)
        self._reader = None if path is None else _SqliteReader(path)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back on an error. Raises SiteUnavailable."""
        async with translated(), self._writing.begin() as session:
            yield session
        if RECORDED in session.info and self._recorded is not None:
            self._recorded()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One transaction that only reads, and on SQLite waits for no writer. Raises SiteUnavailable."""
        async with translated(), self._reading() as session:
            yield session

    async def query(self, statement: Select[Any], values: Values) -> Rows:
        """The rows of one SELECT of texts and whole numbers, made once, at a fraction of a session's cost.

        Raises SiteUnavailable.
        """
        async with translated():
            if self._reader is not None:
                return await self._reader.query(statement, values)
            async with self._single.connect() as connection:
                return [tuple(row) for row in (await connection.execute(statement, values)).all()]

    async def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()
        await self.engine.dispose()


class _Prepared:
    """A statement as text, for values of one shape: lists of the same lengths."""

    def __init__(self, statement: Select[Any], values: Values) -> None:
        state = statement.compile(dialect=sqlite.dialect()).construct_expanded_state(values)
        self.sql = state.statement
        self._fixed = state.parameters
        self._names = tuple(state.positiontup or ())
        self._lists = {name: tuple(state.parameter_expansion[name]) for name in _lists_in(values)}

    def parameters(self, values: Values) -> list[object]:
        given = {**self._fixed, **values}
        for name, value in _lists_in(values).items():
            given.update(zip(self._lists[name], value, strict=True))
        return [given[name] for name in self._names]


def _lists_in(values: Values) -> dict[str, Sequence[object]]:
    return {name: value for name, value in values.items() if isinstance(value, (list, tuple))}


class _SqliteReader:
    """One thread with one connection: an answer costs one trip to it, where the asynchronous driver makes five."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "site-reader")
        self._connection: sqlite3.Connection | None = None
        self._prepared: dict[object, _Prepared] = {}

    async def query(self, statement: Select[Any], values: Values) -> Rows:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._query, statement, values)

    def _query(self, statement: Select[Any], values: Values) -> Rows:
        shape = (statement, *map(len, _lists_in(values).values()))
        prepared = self._prepared.get(shape)
        if prepared is None:
            prepared = self._prepared[shape] = _Prepared(statement, values)
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, CONNECT_S, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA query_only=ON")
        return self._connection.execute(prepared.sql, prepared.parameters(values)).fetchall()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turns what `is_away` knows into SiteUnavailable."""
    try:
        yield
    except Exception as error:
        if is_away(error):
            raise SiteUnavailable("the site database does not answer") from error
        raise


@cache
def upsert(dialect: str, model: type[Base]) -> Insert:
    """INSERT that replaces the row of the same primary key: for executemany of complete rows."""
    table = model.metadata.tables[model.__tablename__]
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    key = [column.name for column in table.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=rest)
