"""The archive of decisions, `DATA/decisions.db`: what a replay needs of the journal, for longer than the journal.

It is a row of segments. A segment begins with a snapshot of the core and has the distributor's lines of the journal
until the next one begins; the last one is open, its lines are in the journal still. The snapshot is read from the
state rows in one transaction with the journal's number, so it costs the calls nothing. Lines are packed by the
thousand (a queued call takes about half a kilobyte). It holds ids only, as the journal does.
"""

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from acd.model import Policy
from acd.replay import FACT_PREFIX, Logged
from acd.snapshot import KINDS, START, Snapshot, packed, rows_of, unpacked
from acd.version import core_version
from callcenter.kernel.journal_file import JournalLine, JournalReader

FILE = "decisions.db"
CHUNK = 2_000
LEVEL = 4
# Both bound how much has to be replayed to come to a decision.
LONGEST_MS = 3_600_000
MOST_NUMBERS = 20_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS segment (
    journal TEXT NOT NULL, first INTEGER NOT NULL, upto INTEGER, began INTEGER NOT NULL, ended INTEGER,
    snapshot BLOB NOT NULL, core TEXT NOT NULL DEFAULT '', PRIMARY KEY (journal, first));
CREATE TABLE IF NOT EXISTS chunk (
    journal TEXT NOT NULL, first INTEGER NOT NULL, part INTEGER NOT NULL, lines BLOB NOT NULL,
    PRIMARY KEY (journal, first, part));
CREATE TABLE IF NOT EXISTS mention (
    contact TEXT NOT NULL, journal TEXT NOT NULL, first INTEGER NOT NULL,
    PRIMARY KEY (contact, journal, first)) WITHOUT ROWID;
"""
_POLICY = "acd.input.policy_loaded"


@dataclass(frozen=True, slots=True)
class Segment:
    """The lines numbered above `first`, up to and with `upto` (None: it is the open one).

    `core` is the program that ran when it began; the next start of the application ends it soon.
    """

    journal: str
    first: int
    upto: int | None
    began: int
    core: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """The journal as one transaction sees it."""

    last: int
    lowest: int
    rows: dict[tuple[str, str], bytes]


class Archive:
    """One connection, for one thread at a time."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Makes the file if there is none, unless `read_only`. Raises sqlite3.Error."""
        uri = path.resolve().as_uri() + ("?mode=rw" if read_only else "")
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
        if read_only:
            self._db.execute("PRAGMA query_only=ON")
            return
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        if all(column[1] != "core" for column in self._db.execute("PRAGMA table_info(segment)")):
            self._db.execute("ALTER TABLE segment ADD COLUMN core TEXT NOT NULL DEFAULT ''")

    def close(self) -> None:
        self._db.close()

    # -- writing --------------------------------------------------------------------------------------------------

    def advance(self, reader: JournalReader, now_ms: int, *, at_once: bool = False) -> int:
        """Close the open segment when it is long or old enough (or `at_once`) and open the next.

        The highest number that is archived: the journal may forget what is below. Raises sqlite3.Error.
        """
        journal = reader.identity
        segment = self._open_segment(journal)
        if segment is None:
            return self._begin(reader, journal, now_ms)
        last = reader.last_seq()
        long_enough = last - segment.first >= MOST_NUMBERS or now_ms - segment.began >= LONGEST_MS
        if last == segment.first or not (at_once or long_enough):
            return segment.first
        moment = moment_of(reader)
        if not reader.lines(FACT_PREFIX, segment.first, moment.last, 1):
            return moment.last
        before = self.snapshot(segment)
        with self._transaction():
            number, policy = self._take_lines(reader, segment, moment.last)
            self._db.execute(
                "UPDATE segment SET upto = ?, ended = ? WHERE journal = ? AND first = ?",
                (moment.last, now_ms, journal, segment.first),
            )
            next_ = Snapshot(moment.last, number or before.number, policy or before.policy, moment.rows)
            self._insert(journal, next_, now_ms)
        return moment.last

    def forget(self, before_ms: int) -> int:
        """Delete the segments that ended before; how many. Raises sqlite3.Error."""
        with self._transaction():
            old = self._db.execute(
                "DELETE FROM segment WHERE ended < ? RETURNING journal, first", (before_ms,)
            ).fetchall()
            self._db.executemany("DELETE FROM chunk WHERE journal = ? AND first = ?", old)
            self._db.executemany("DELETE FROM mention WHERE journal = ? AND first = ?", old)
        return len(old)

    def _begin(self, reader: JournalReader, journal: str, now_ms: int) -> int:
        moment = moment_of(reader)
        snapshot = START if moment.lowest <= 1 else _late_start(reader, moment)
        if snapshot is None:
            return 0
        with self._transaction():
            self._insert(journal, snapshot, now_ms)
        return snapshot.seq

    def _insert(self, journal: str, snapshot: Snapshot, now_ms: int) -> None:
        self._db.execute(
            "INSERT INTO segment (journal, first, began, snapshot, core) VALUES (?, ?, ?, ?, ?)",
            (journal, snapshot.seq, now_ms, gzip.compress(packed(snapshot), LEVEL, mtime=0), core_version()),
        )

    def _take_lines(self, reader: JournalReader, segment: Segment, upto: int) -> tuple[int | None, Policy | None]:
        """Keep the lines; the number of the last input among them and the last policy."""
        number, policy, after, part = None, None, segment.first, 0
        contacts: set[str] = set()
        while lines := reader.lines(FACT_PREFIX, after, upto, CHUNK):
            after = lines[-1].seq
            blob = b"\n".join(map(_packed_line, lines))
            self._db.execute(
                "INSERT INTO chunk VALUES (?, ?, ?, ?)",
                (segment.journal, segment.first, part, gzip.compress(blob, LEVEL, mtime=0)),
            )
            part += 1
            contacts.update(line.subject for line in lines if line.type.startswith("acd.entry."))
            last = next((line for line in reversed(lines) if line.kind == "input"), None)
            number = number if last is None else msgspec.json.decode(last.data, type=_Numbered).n
            loaded = next((line for line in reversed(lines) if line.type == _POLICY), None)
            policy = policy if loaded is None else msgspec.json.decode(loaded.data, type=_Loaded).policy
        self._db.executemany(
            "INSERT INTO mention VALUES (?, ?, ?)",
            [(contact, segment.journal, segment.first) for contact in sorted(contacts)],
        )
        return number, policy

    def _transaction(self) -> AbstractContextManager[None]:
        return _transaction(self._db)

    # -- reading --------------------------------------------------------------------------------------------------

    def segments(self, journal: str) -> list[Segment]:
        """Those of `journal`, oldest first; the last one is open."""
        query = "SELECT journal, first, upto, began, core FROM segment WHERE journal = ? ORDER BY first"
        return [Segment(*row) for row in self._db.execute(query, (journal,))]

    def journals(self) -> list[str]:
        """The journals that it has segments of, the latest first."""
        rows = self._db.execute("SELECT journal FROM segment GROUP BY journal ORDER BY max(began) DESC")
        return [row[0] for row in rows]

    def mentions(self, contact: str) -> list[tuple[str, int]]:
        """(journal, first) of each segment, not the open one, in which `contact` waits, comes or goes."""
        query = "SELECT journal, first FROM mention WHERE contact = ? ORDER BY first"
        return self._db.execute(query, (contact,)).fetchall()

    def snapshot(self, segment: Segment) -> Snapshot:
        """Where `segment` begins. Raises msgspec.DecodeError for one of another version."""
        row = self._db.execute(
            "SELECT snapshot FROM segment WHERE journal = ? AND first = ?", (segment.journal, segment.first)
        ).fetchone()
        found = unpacked(gzip.decompress(row[0]))
        return START if found == START else found

    def lines(self, segment: Segment) -> Iterator[Logged]:
        """The lines of a segment that is not open."""
        query = "SELECT lines FROM chunk WHERE journal = ? AND first = ? AND part = ?"
        part = 0
        while (row := self._db.execute(query, (segment.journal, segment.first, part)).fetchone()) is not None:
            for line in gzip.decompress(row[0]).split(b"\n"):
                yield _unpacked_line(line)
            part += 1

    def _open_segment(self, journal: str) -> Segment | None:
        segments = self.segments(journal)
        return segments[-1] if segments else None


class _Numbered(msgspec.Struct):
    n: int


class _Loaded(msgspec.Struct):
    policy: Policy


def moment_of(reader: JournalReader) -> Moment:
    """The journal's numbers and the distributor's rows, all of one moment."""
    with reader.at_one_moment():
        rows = ((kind, id_, blob) for kind in KINDS for id_, blob in reader.states(kind))
        return Moment(reader.last_seq(), reader.first_seq(), rows_of(rows))


def live_lines(reader: JournalReader, after: int, upto: int) -> Iterator[Logged]:
    """The distributor's lines of the journal itself."""
    while lines := reader.lines(FACT_PREFIX, after, upto, CHUNK):
        for line in lines:
            data = msgspec.json.decode(line.data, type=dict[str, object])
            yield Logged(line.seq, line.kind, line.type, line.subject, data, line.at)
        after = lines[-1].seq


def _late_start(reader: JournalReader, moment: Moment) -> Snapshot | None:
    """The beginning of an archive that comes after the journal's: the last policy and number are in the journal."""
    policy = reader.last_line("acd", _POLICY, moment.last)
    last = reader.last_input(FACT_PREFIX, moment.last)
    if policy is None or last is None:
        return None
    loaded = msgspec.json.decode(policy.data, type=_Loaded).policy
    return Snapshot(moment.last, msgspec.json.decode(last.data, type=_Numbered).n, loaded, moment.rows)


def _packed_line(line: JournalLine) -> bytes:
    return msgspec.json.encode((line.seq, line.kind, line.type, line.subject, msgspec.Raw(line.data), line.at))


def _unpacked_line(line: bytes) -> Logged:
    return Logged(*msgspec.json.decode(line, type=tuple[int, str, str, str, dict[str, object], int]))


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def archived(path: Path, journal: Path, now_ms: int, *, keep_ms: int, at_once: bool = False) -> int:
    """One go of the chore: `Archive.advance`, then `forget`. Raises sqlite3.Error."""
    with closing(Archive(path)) as archive, closing(JournalReader(journal)) as reader:
        upto = archive.advance(reader, now_ms, at_once=at_once)
        archive.forget(now_ms - keep_ms)
    return upto
