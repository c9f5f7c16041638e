"""`callcenter db`: migrate, backup and check the site database, and copy the live journal."""

import argparse
import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.migrations.migrate import current, head, migrate

if TYPE_CHECKING:
    from callcenter.app.command import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("db", help="migrate, back up or check the databases")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    actions.add_parser("migrate", help="bring the site database to this version").set_defaults(handler=_migrate)
    backup = actions.add_parser("backup", help="copy the SQLite databases, also while the server runs")
    backup.add_argument("--to", metavar="DIR", help="where to (default: DATA/backups)")
    backup.set_defaults(handler=_backup)
    actions.add_parser("check", help="say whether schema and files are sound").set_defaults(handler=_check)


def _migrate(given: argparse.Namespace) -> int:
    before = asyncio.run(migrate(given.settings.site_database_url, given.settings.data_dir))
    print(f"the site database is at {head()}" + ("" if before == head() else f" (was {before or 'empty'})"))
    return 0


def _backup(given: argparse.Namespace) -> int:
    folder = Path(given.to).absolute() if given.to else given.settings.data_dir / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    now = SystemClock().wall()
    copied = [_copy(path, folder, now) for path in _files(given)]
    if not copied:
        raise CallcenterError(f"there is no database in {given.settings.data_dir} yet")
    for path in copied:
        print(path)
    if given.settings.database_url:
        print("the site database is PostgreSQL: back it up with pg_dump")
    return 0


def _files(given: argparse.Namespace) -> list[Path]:
    folder: Path = given.settings.data_dir
    return [path for name in ("live.db", "decisions.db", "site.db") if (path := folder / name).exists()]


def _copy(path: Path, folder: Path, now: datetime) -> Path:
    target = folder / f"{path.stem}-{now:%Y%m%dT%H%M%SZ}.db"
    target.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


def _check(given: argparse.Namespace) -> int:
    sound = True
    for path in _files(given):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            verdict = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
        sound = sound and verdict == "ok"
        print(f"{path.name}: {verdict}")
    if given.settings.database_url or (given.settings.data_dir / "site.db").exists():
        revision = asyncio.run(current(given.settings.site_database_url))
        sound = sound and revision == head()
        print(f"schema: {revision or 'empty'}" + ("" if revision == head() else f", this version needs {head()}"))
    else:
        print("schema: no site database yet")
    return 0 if sound else 1
