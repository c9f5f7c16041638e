"""Looks at, takes and keeps the site's lock in PostgreSQL; `claim` says what follows.

It has a connection of its own and speaks the driver's own language: the look before the first call of a restart must
not wait until SQLAlchemy is loaded.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from callcenter.kernel.claim import Claim, Seen, SiteTaken, Verdict
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import SiteUnavailable

log = logging.getLogger(__name__)

_LOCK = 7_203_118_465_003
LOOK_S = 5.0
FIRST_LOOK_S = 1.0
POLL_S = 0.1
CHECK_S = 5.0
# A machine that lost its power says no goodbye: without these PostgreSQL would keep its lock for two hours.
KEEPALIVE = {"tcp_keepalives_idle": "4", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}

_HOLDER = """
SELECT activity.application_name, host(activity.client_addr), activity.backend_start
FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.classid::bigint << 32) + lock.objid::bigint = $1
"""
_EPOCH_TABLE = "SELECT to_regclass('site_epoch') IS NOT NULL"
_EPOCH = "SELECT epoch FROM site_epoch"
_RAISE = (
    "INSERT INTO site_epoch (id, epoch) VALUES (1, 1) "
    "ON CONFLICT (id) DO UPDATE SET epoch = site_epoch.epoch + 1 RETURNING epoch"
)
# The last is what the driver says when it is asked in the moment in which the server closes the connection.
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def name_of(data: Path) -> str:
    """The same for every application that runs on folder `data` of this machine since its boot, and for no other.

    A copy of the folder, here or elsewhere, has another name: its application is another one.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    stat = data.stat()
    return "callcenter " + hashlib.sha256(f"{boot} {stat.st_dev} {stat.st_ino}".encode()).hexdigest()[:16]


class SiteClaim:
    """This application's claim to be the active one. Owned by one event loop, one caller at a time."""

    def __init__(self, url: str, data: Path, clock: Clock) -> None:
        """`url` is that of the site database (postgresql+asyncpg); the file lock on `data` is held already."""
        self._arguments = _arguments(url)
        self._claim = Claim(name_of(data))
        self._clock = clock
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._locked = False
        self._whose = ""

    async def before_calls(self) -> None:
        """Return when calls may be taken: with the lock, or while the database does not say who has it.

        Raises SiteTaken.
        """
        with contextlib.suppress(SiteUnavailable):
            while await self.look(within_s=FIRST_LOOK_S) is Verdict.CONTESTED:  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(POLL_S)

    async def look(self, *, within_s: float = LOOK_S) -> Verdict:
        """Take the lock if it is free and look at the epoch: anything but TAKEN.

        Raises SiteTaken, SiteUnavailable.
        """
        async with self._asked(within_s) as connection:
            seen = await self._see(connection)
        self._claim, verdict = self._claim.look(seen, now=self._clock.now())
        if verdict is Verdict.TAKEN:
            raise SiteTaken(
                f"database_url: another application is active on this database ({self._whose}): stop it first, "
                "or give this one a database of its own"
            )
        return verdict

    async def enter(self) -> int:
        """Raise the site's epoch, which `look` has shown to be ours to raise; the new one. Raises SiteUnavailable."""
        async with self._asked(LOOK_S) as connection:
            if not self._locked:
                raise SiteUnavailable("the site's lock was lost before it was used")
            epoch = int(await connection.fetchval(_RAISE))
        self._claim = self._claim.entered(epoch)
        return epoch

    async def overtaken(self) -> None:
        """Return when another application has been active instead of this one. Reconnects as often as it takes."""
        away = False
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                if await self.look() is Verdict.OVERTAKEN:
                    return
            except SiteUnavailable:
                if not away:
                    log.warning("connection of the site's lock is lost, going on")
                away = True
            else:
                away = False

    async def close(self) -> None:
        """Let go of the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # At once, without waiting for an answer: PostgreSQL notices the closed connection.
            connection.terminate()

    @asynccontextmanager
    async def _asked(self, within_s: float) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """The connection, for `within_s` seconds; after any trouble the next asks on a new one."""
        try:
            async with asyncio.timeout(within_s):
                if self._connection is None or self._connection.is_closed():
                    self._locked = False
                    settings = {"application_name": self._claim.me, **KEEPALIVE}
                    self._connection = await asyncpg.connect(**self._arguments, server_settings=settings)
                yield self._connection
        except _AWAY as error:
            await self.close()
            raise SiteUnavailable("the site database does not answer") from error
        except asyncio.CancelledError:
            await self.close()
            raise

    async def _see(self, connection: "asyncpg.Connection[asyncpg.Record]") -> Seen:
        if not self._locked:
            self._locked = await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK)
        row = None if self._locked else await connection.fetchrow(_HOLDER, _LOCK)
        if row is not None:
            address, since = row[1] or "this machine", row[2]
            self._whose = f"connected from {address}" + (f" since {since:%Y-%m-%d %H:%M:%S} UTC" if since else "")
        epoch = await connection.fetchval(_EPOCH) if await connection.fetchval(_EPOCH_TABLE) else None
        return Seen(self._locked, row and row[0], epoch)


def _arguments(url: str) -> dict[str, object]:
    """What SQLAlchemy would hand to asyncpg for `url`."""
    parts = urlsplit(url)
    found: dict[str, object] = {
        "user": parts.username and unquote(parts.username),
        "password": parts.password and unquote(parts.password),
        "host": parts.hostname,
        "port": parts.port,
        "database": unquote(parts.path.removeprefix("/")),
    }
    ours = {"prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback"}
    found.update((key, value) for key, value in parse_qsl(parts.query) if key not in ours)
    if isinstance(found.get("port"), str):
        found["port"] = int(str(found["port"]))
    return {key: value for key, value in found.items() if value not in (None, "")}
