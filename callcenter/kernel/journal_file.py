"""The file `DATA/live.db`: its schema, how it is opened, and how others than its writer read it.

Entries are numbered without gaps for as long as the file lives; `identity` names the file, so that whoever remembers
a number also knows of which journal. Times are integer milliseconds since 1970 in UTC.
"""

import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from callcenter.kernel.codec import decode
from callcenter.kernel.errors import ConfigError
from callcenter.kernel.events import Envelope

SCHEMA_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, epoch INTEGER NOT NULL, kind TEXT NOT NULL,
    type TEXT NOT NULL, at INTEGER NOT NULL, subject TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ix_journal_subject ON journal (subject);
CREATE TABLE IF NOT EXISTS live_state (
    kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, schema INTEGER NOT NULL, blob BLOB NOT NULL,
    PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS personal (contact TEXT PRIMARY KEY, blob TEXT NOT NULL) WITHOUT ROWID;
"""
# Each commit writes whole pages; a call touches few rows on many of them. Measured in ADR 0008. A state row of a
# dialog fits a page of a table, not one of an index: hence no WITHOUT ROWID.
PAGE_SIZE = 2048
# A write of the loop's waits no longer than this for another connection; the thread's may.
BUSY_MS = 20
PATIENT_MS = 5000
_LINE = "SELECT seq, kind, type, at, subject, data FROM journal WHERE "
_READ = "SELECT seq, id, type, at, subject, data FROM journal WHERE kind = 'event' AND "


class JournalTooNew(ConfigError):
    """The journal was written by a newer version of this program."""

    code = "journal_too_new"


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded down and exact (a float would lose one now and then)."""
    return (moment - _EPOCH) // _MS


def from_ms(value: int) -> datetime:
    """The aware UTC moment of `to_ms`."""
    return _EPOCH + timedelta(milliseconds=value)


def open_journal(path: Path) -> sqlite3.Connection:
    """The writer's connection; makes the file if there is none. Raises JournalTooNew."""
    # isolation_level=None: transactions are written out, none starts by itself.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        _prepare(db, path.name)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, name: str) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise JournalTooNew(f"data: {name} has schema {version}, this program knows up to {SCHEMA_VERSION}")
    db.execute(f"PRAGMA page_size={PAGE_SIZE}")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA secure_delete=ON")
    # A checkpoint waits for the disk: `Checkpoints` does it, in the thread.
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.executescript(_SCHEMA)
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    db.execute("INSERT INTO meta VALUES ('identity', ?) ON CONFLICT DO NOTHING", (secrets.randbits(62),))


def identity_of(db: sqlite3.Connection) -> str:
    """What tells this journal from every other."""
    row = db.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
    return f"{row[0]:016x}"


class JournalLine(NamedTuple):
    """An entry of the journal as it lies there: `kind` is "input" or "event", `at` milliseconds, `data` JSON."""

    seq: int
    kind: str
    type: str
    at: int
    subject: str
    data: bytes


class Checkpoints:
    """A connection that moves the pages of the WAL into the file, beside the writer; for one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def move(self) -> tuple[int, int]:
        """How many pages the WAL has and how many of them are in the file now. Raises sqlite3.Error."""
        if self._db is None:
            self._db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA synchronous=NORMAL")
        _, pages, moved = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return pages, moved

    def close(self) -> None:
        if self._db is not None:
            self._db.close()


class JournalReader:
    """A second connection that cannot write: for projector, restart and command line; one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.OperationalError where there is no such file."""
        uri = path.resolve().as_uri() + "?mode=rw"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
        self._db.execute("PRAGMA query_only=ON")

    @property
    def identity(self) -> str:
        """What tells this journal from every other."""
        return identity_of(self._db)

    def states(self, kind: str) -> list[tuple[str, bytes]]:
        """(id, blob) of each state row of `kind`, in id order (UUIDv7: oldest first)."""
        return self._db.execute("SELECT id, blob FROM live_state WHERE kind = ? ORDER BY id", (kind,)).fetchall()

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Within, every read sees the journal and the state rows as one commit left them."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def lines(self, prefix: str, after: int, upto: int, limit: int) -> list[JournalLine]:
        """Up to `limit` entries, inputs too, whose type begins with `prefix`, numbered above `after` up to `upto`."""
        query = f"{_LINE}seq > ? AND seq <= ? AND type >= ? AND type < ? ORDER BY seq LIMIT ?"
        rows = self._db.execute(query, (after, upto, prefix, _end_of(prefix), limit))
        return [JournalLine(*row) for row in rows]

    def last_line(self, subject: str, type_: str, upto: int) -> JournalLine | None:
        """The last entry of `type_` about `subject`, numbered up to `upto`."""
        query = f"{_LINE}subject = ? AND type = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
        row = self._db.execute(query, (subject, type_, upto)).fetchone()
        return None if row is None else JournalLine(*row)

    def last_input(self, prefix: str, upto: int) -> JournalLine | None:
        """The last input whose type begins with `prefix`, numbered up to `upto`."""
        query = f"{_LINE}seq <= ? AND kind = 'input' AND type >= ? AND type < ? ORDER BY seq DESC LIMIT 1"
        row = self._db.execute(query, (upto, prefix, _end_of(prefix))).fetchone()
        return None if row is None else JournalLine(*row)

    def events_after(self, seq: int, limit: int) -> list[Envelope]:
        """Up to `limit` events numbered above `seq`."""
        rows = self._db.execute(_READ + "seq > ? ORDER BY seq LIMIT ?", (seq, limit)).fetchall()
        return [_envelope(row) for row in rows]

    def events_between(self, after: int, upto: int, types: Collection[str]) -> list[Envelope]:
        """The events of `types` numbered above `after`, up to and with `upto`."""
        marks = ",".join("?" * len(types))
        query = f"{_READ}seq > ? AND seq <= ? AND type IN ({marks}) ORDER BY seq"
        return [_envelope(row) for row in self._db.execute(query, (after, upto, *types)).fetchall()]

    def events_of(self, subject: str) -> list[Envelope]:
        """Every event of one subject, in order."""
        rows = self._db.execute(_READ + "subject = ? ORDER BY seq", (subject,)).fetchall()
        return [_envelope(row) for row in rows]

    def has(self, subject: str, type_: str) -> bool:
        """Whether an event of `type_` happened to `subject`."""
        query = "SELECT 1 FROM journal WHERE subject = ? AND type = ? LIMIT 1"
        return self._db.execute(query, (subject, type_)).fetchone() is not None

    def last_seq(self) -> int:
        """The highest number given out, 0 in an empty journal."""
        return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0])

    def first_seq(self) -> int:
        """The lowest number that is still there, 0 in an empty journal."""
        return int(self._db.execute("SELECT coalesce(min(seq), 0) FROM journal").fetchone()[0])

    def people(self, contacts: Iterable[str]) -> dict[str, dict[str, object]]:
        """The erasable personal rows of `contacts`; absent where there is none."""
        found: dict[str, dict[str, object]] = {}
        for contact in contacts:
            row = self._db.execute("SELECT blob FROM personal WHERE contact = ?", (contact,)).fetchone()
            if row is not None:
                found[contact] = decode(row[0], dict[str, object])
        return found

    def close(self) -> None:
        self._db.close()


def _end_of(prefix: str) -> str:
    """What no text that begins with `prefix` comes up to, and every later one does."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _envelope(row: tuple[int, str, str, int, str, bytes]) -> Envelope:
    seq, id_, type_, at, subject, data = row
    return Envelope("live", seq, id_, 1, type_, from_ms(at), subject, decode(data, dict[str, object]))
