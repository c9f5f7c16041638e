"""Brings a site database to the schema of this program: new, older, or refused because it is newer.

A SQLite file that has to change is copied first to `DATA/backups/`. All steps are one transaction on both engines: a
migration that fails leaves the database as it was.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from callcenter.kernel.errors import ConfigError
from callcenter.kernel.site import create_site_engine, sqlite_path, translated

HEAD = "head"
# Two applications that start at once on one PostgreSQL: the second waits, then finds nothing to do.
_LOCK = 7_203_118_465_001


class SchemaTooNew(ConfigError):
    """The database was made by a newer version of this program."""

    code = "schema_too_new"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """The revision that this program works with."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None, "callcenter/migrations/versions is empty"
    return found


async def migrate(url: str, data_dir: Path) -> str | None:
    """Bring the database at `url` up to `head()`; the revision it was at before, None if it was empty.

    Raises SchemaTooNew, and SiteUnavailable when the database does not answer.
    """
    path = sqlite_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_site_engine(url, pool_size=1)
    try:
        async with translated(), engine.connect() as connection:
            before = await connection.run_sync(_check)
        if before == head():
            return before
        if path is not None and before is not None:
            _back_up(path, data_dir / "backups", before)
        async with translated(), engine.begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()
    return before


async def current(url: str) -> str | None:
    """The revision of the database at `url`, None if it is empty. Raises SchemaTooNew, SiteUnavailable."""
    engine = create_site_engine(url, pool_size=1)
    try:
        async with translated(), engine.connect() as connection:
            return await connection.run_sync(_check)
    finally:
        await engine.dispose()


def _check(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        if inspect(connection).has_table("users"):
            raise ConfigError("database_url: this database has tables of something else, and no schema version")
        return None
    known = {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        raise SchemaTooNew(
            f"database_url: the schema of this database is {revision}, this program knows up to {head()}: "
            "start the newer version, or restore a backup made before the upgrade"
        )
    return revision


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    _check(connection)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _back_up(path: Path, folder: Path, revision: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    copy = folder / f"{path.stem}-{revision}.db"
    number = 1
    while copy.exists():
        number += 1
        copy = folder / f"{path.stem}-{revision}-{number}.db"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o600)
    return copy
