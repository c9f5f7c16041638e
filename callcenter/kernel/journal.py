"""The live journal: `DATA/live.db`, one SQLite file written by one thread (architecture.md section 2).

A batch is whatever has queued when the writer is free; it is one transaction: numbered entries, an upsert of each
touched aggregate's row, personal rows. After the commit the batch goes back to the loop, which publishes the events
and runs the actions, in order. WAL with synchronous=NORMAL survives the death of the process; a power cut may cost
the last moments.

A write that fails (disk full) does not stop the calls that are up: their actions run, the batch is kept and tried
again, and `healthy` turns false so that new calls are refused.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callcenter.kernel.codec import decode, encode
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.events import Envelope
from callcenter.kernel.ids import new_id
from callcenter.kernel.unit import Unit

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
RETRY_S = 1.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, epoch INTEGER NOT NULL, kind TEXT NOT NULL,
    type TEXT NOT NULL, at INTEGER NOT NULL, subject TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ix_journal_subject ON journal (subject);
CREATE TABLE IF NOT EXISTS live_state (
    kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, schema INTEGER NOT NULL, blob BLOB NOT NULL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS personal (contact TEXT PRIMARY KEY, blob BLOB NOT NULL) WITHOUT ROWID;
"""
_INSERT = "INSERT INTO journal (seq, id, epoch, kind, type, at, subject, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_UPSERT = (
    "INSERT INTO live_state (kind, id, version, schema, blob) VALUES (?, ?, 1, ?, ?) "
    "ON CONFLICT (kind, id) DO UPDATE SET version = version + 1, schema = excluded.schema, blob = excluded.blob"
)
_DELETE = "DELETE FROM live_state WHERE kind = ? AND id = ?"
_PERSONAL = (
    "INSERT INTO personal (contact, blob) VALUES (?, ?) "
    "ON CONFLICT (contact) DO UPDATE SET blob = json_patch(personal.blob, excluded.blob)"
)
_READ = "SELECT seq, id, type, at, subject, data FROM journal WHERE kind = 'event' AND "


class JournalFenced(CallcenterError):
    """Another application has opened this journal with a higher epoch: this one must stop."""

    code = "journal_fenced"


@dataclass(frozen=True, slots=True)
class Committed:
    """A unit that is on disk (or, while the disk is full, as good as it gets) with its numbered events."""

    unit: Unit
    events: tuple[Envelope, ...]


Publish = Callable[[Envelope], None]


class Journal:
    """Owned by the loop's thread, which alone may call `submit`; `_run` is the writer's thread."""

    def __init__(
        self,
        path: Path,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        publish: Publish,
        state_schema: int = 1,
        fenced: Callable[[], None] | None = None,
    ) -> None:
        """`call_soon` hands a callable from the writer's thread to the loop (`loop.call_soon_threadsafe`)."""
        self._path = path
        self._call_soon = call_soon
        self._publish = publish
        self._state_schema = state_schema
        self._fenced = fenced
        self._queue: deque[Unit] = deque()
        self._unreleased = 0
        self._done: deque[Committed] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self.healthy = True
        self._db = _open(path)
        self.epoch = self._take_epoch()
        row = self._db.execute("SELECT coalesce(max(seq), 0), coalesce(max(at), 0) FROM journal").fetchone()
        self._seq: int = row[0]
        self.last_at = datetime.fromtimestamp(row[1] / 1000, UTC) if row[1] else None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def _take_epoch(self) -> int:
        with self._db:
            self._db.execute("INSERT INTO meta VALUES ('epoch', 1) ON CONFLICT DO UPDATE SET value = value + 1")
        row = self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        return int(row[0])

    # -- the loop's side ------------------------------------------------------------------------------------------

    def submit(self, unit: Unit) -> None:
        """Queue `unit`. Its actions run after its commit; an empty unit with nothing before it runs at once."""
        if unit.is_empty and not self._unreleased:
            _run_actions(unit)
            return
        self._unreleased += 1
        with self._wake:
            self._queue.append(unit)
            self._wake.notify()

    def lag_s(self, now: datetime) -> float:
        """Age in seconds of the oldest unit that is not yet on disk; the backpressure signal."""
        try:
            return max(0.0, (now - self._queue[0].now).total_seconds())
        except IndexError:
            return 0.0

    def _release(self) -> None:
        while self._done:
            committed = self._done.popleft()
            self._unreleased -= 1
            for event in committed.events:
                self._publish(event)
            _run_actions(committed.unit)

    # -- the writer's side ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    return
                batch = list(self._queue)
            try:
                committed = self._write(batch)
            except JournalFenced:
                log.critical("journal fenced by a newer application")
                if self._fenced is not None:
                    self._call_soon(self._fenced)
                return
            except sqlite3.Error as error:
                self._degrade(batch, error)
                continue
            self.healthy = True
            self._hand_over(committed)

    def _hand_over(self, committed: Sequence[Committed]) -> None:
        with self._wake:
            for _ in committed:
                self._queue.popleft()
        self._done.extend(committed)
        self._call_soon(self._release)

    def _degrade(self, batch: Sequence[Unit], error: sqlite3.Error) -> None:
        """Let the calls go on without disk: actions now, facts when there is room again."""
        if self.healthy:
            log.error("journal cannot write", extra={"reason": type(error).__name__})
        self.healthy = False
        for unit in batch:
            if unit.actions:
                self._done.append(Committed(Unit(unit.now, actions=unit.actions), ()))
                self._unreleased += 1
                unit.actions = []
        self._call_soon(self._release)
        if not self._closing:
            time.sleep(RETRY_S)

    def _write(self, batch: Sequence[Unit]) -> list[Committed]:
        committed: list[Committed] = []
        rows: list[tuple[object, ...]] = []
        states: dict[tuple[str, str], object | None] = {}
        people: list[tuple[str, bytes]] = []
        seq = self._seq
        for unit in batch:
            events: list[Envelope] = []
            at = int(unit.now.timestamp() * 1000)
            for draft in unit.drafts:
                seq += 1
                event_id = new_id()
                rows.append(
                    (seq, event_id, self.epoch, draft.kind, draft.type, at, draft.subject, encode(draft.data))
                )
                if draft.kind == "event":
                    events.append(Envelope("live", seq, event_id, 1, draft.type, unit.now, draft.subject, draft.data))
            states.update(unit.states)
            people.extend((contact, encode(data)) for contact, data in unit.personal.items())
            committed.append(Committed(unit, tuple(events)))
        upserts = [(k, i, self._state_schema, encode(s)) for (k, i), s in states.items() if s is not None]
        deletes = [key for key, state in states.items() if state is None]
        db = self._db
        with db:
            db.execute("BEGIN IMMEDIATE")
            if db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0] != self.epoch:
                raise JournalFenced("a newer application owns the journal")
            db.executemany(_INSERT, rows)
            db.executemany(_UPSERT, upserts)
            db.executemany(_DELETE, deletes)
            db.executemany(_PERSONAL, people)
        self._seq = seq
        return committed

    def close(self) -> None:
        """Commit what has queued, stop the thread and close the file. Actions still pending are released."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self._release()
        self._db.close()


class JournalReader:
    """A second, read-only connection for the projector, restart and the command line; one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._db = _open(path)

    def states(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """(id, blob) of each state row of `kind`, in id order (UUIDv7: oldest first)."""
        yield from self._db.execute("SELECT id, blob FROM live_state WHERE kind = ? ORDER BY id", (kind,))

    def events_after(self, seq: int, limit: int) -> list[Envelope]:
        """Up to `limit` events numbered above `seq`."""
        return [_envelope(row) for row in self._db.execute(_READ + "seq > ? ORDER BY seq LIMIT ?", (seq, limit))]

    def events_of(self, subject: str) -> list[Envelope]:
        """Every event of one subject, in order."""
        return [_envelope(row) for row in self._db.execute(_READ + "subject = ? ORDER BY seq", (subject,))]

    def last_seq(self) -> int:
        """The highest number given out, 0 in an empty journal."""
        return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0])

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


def _envelope(row: tuple[int, str, str, int, str, bytes]) -> Envelope:
    seq, id_, type_, at, subject, data = row
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return Envelope("live", seq, id_, 1, type_, moment, subject, decode(data, dict[str, object]))


def _open(path: Path) -> sqlite3.Connection:
    # isolation_level=None: transactions are written out, none starts by itself.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA secure_delete=ON")
    db.executescript(_SCHEMA)
    return db


def _run_actions(unit: Unit) -> None:
    for action in unit.actions:
        try:
            action()
        except Exception:
            log.exception("action failed after commit")
