"""The live journal: `DATA/live.db`, one SQLite file with one writer (architecture.md section 2, ADR 0008).

A batch is whatever one turn of the loop has brought; it is one transaction, committed on the loop's thread at the end
of the turn: numbered entries, an upsert of each touched aggregate's row, personal rows. After the commit the events
are published and the actions run, in order. WAL with synchronous=NORMAL survives the death of the process; a power
cut may cost the last moments.

What may wait for the disk is lent to a thread: pruning, checkpoints, and whatever the loop could not write at once.
While it is lent out, units queue.

A write that fails there too (disk full) does not stop the calls that are up: their actions run at once, their facts
are kept and tried again, and `healthy` turns false so that new calls are refused. A unit that can never be written is
a bug of ours: it is logged, counted and passed over, and its actions run.
"""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from callcenter.kernel.codec import encode
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.events import Envelope
from callcenter.kernel.ids import new_ids
from callcenter.kernel.journal_file import (
    BUSY_MS,
    PATIENT_MS,
    Checkpoints,
    JournalReader,
    from_ms,
    identity_of,
    open_journal,
    to_ms,
)
from callcenter.kernel.journal_thread import JournalThread
from callcenter.kernel.unit import Action, Unit

__all__ = ["Journal", "JournalFenced", "JournalReader", "Publish"]

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_S = 1.0
PRUNE_ROWS = 500
_FENCED = "a newer application owns the journal"
QUIET_S = 0.02
CHECKPOINT_S = 1.0
# A WAL that is longer (32 MiB, two seconds of 200 calls a second) is moved with the writer held, so that it can end.
LONG_WAL_PAGES = 16_384

# Nothing is inserted once another application has raised the epoch.
_INSERT = (
    "INSERT INTO journal (seq, id, epoch, kind, type, at, subject, data) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 "
    "WHERE (SELECT value FROM meta WHERE key = 'epoch') = ?3"
)
_UPSERT = (
    "INSERT INTO live_state (kind, id, version, schema, blob) VALUES (?, ?, 1, ?, ?) "
    "ON CONFLICT (kind, id) DO UPDATE SET version = version + 1, schema = excluded.schema, blob = excluded.blob"
)
_DELETE = "DELETE FROM live_state WHERE kind = ? AND id = ?"
_PERSONAL = (
    "INSERT INTO personal (contact, blob) VALUES (?, ?) "
    "ON CONFLICT (contact) DO UPDATE SET blob = json_patch(personal.blob, excluded.blob)"
)
_FORGET = "DELETE FROM personal WHERE contact = ?"
# The highest entry always stays: numbers go on from it.
_OLD = (
    "SELECT seq, subject FROM journal WHERE seq < ? AND seq < (SELECT max(seq) FROM journal) "
    "AND subject NOT IN (SELECT id FROM live_state) ORDER BY seq LIMIT ?"
)
_FORGET_OVER = (
    "DELETE FROM personal WHERE contact = ? AND NOT EXISTS (SELECT 1 FROM journal WHERE subject = personal.contact)"
)
# A row that breaks a constraint or a type breaks it again at the next try.
_HOPELESS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError)


class JournalFenced(CallcenterError):
    """Another application has opened this journal with a higher epoch: this one must stop."""

    code = "journal_fenced"


@dataclass(frozen=True, slots=True)
class _Written:
    """The events of each unit that is on disk, from the first on; `error` is what stopped the rest."""

    events: Sequence[Sequence[Envelope]]
    error: Exception | None = None


@dataclass(slots=True)
class _Pruning:
    projected: int
    before: int
    done: Callable[[int], None] | None
    bound: int | None = None
    rows: int = 0


Publish = Callable[[Envelope], None]


class Journal:
    """Belongs to the loop's thread, which alone may call it.

    While `_lent`, the connection and `_seq` are the other thread's.
    """

    def __init__(
        self,
        path: Path,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        publish: Publish,
        state_schema: int = 1,
        fenced: Callable[[], None] | None = None,
        at_turn_end: Callable[[Callable[[], None]], object] | None = None,
        call_later: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        """`call_soon` hands a callable from another thread to the loop (`loop.call_soon_threadsafe`).

        `at_turn_end` does so from the loop's own thread (`loop.call_soon`); without it `call_soon` serves.
        `call_later` does so after some seconds; without it the journal's thread waits.
        """
        self._at_turn_end = at_turn_end or call_soon
        self._call_later = call_later
        self._publish = publish
        self._state_schema = state_schema
        self._fenced = fenced
        self._queue: deque[Unit] = deque()
        self._armed: datetime | None = None
        self._soon = False
        self._lent = False
        self._stopped = False
        self._checkpoint_asked = False
        self._checkpoint_fails = False
        self._pruning: _Pruning | None = None
        self._unreleased = 0
        self._early = 0
        self.healthy = True
        self.surprises = 0
        self._db = open_journal(path)
        self.epoch = self._take_epoch()
        self.identity = identity_of(self._db)
        row = self._db.execute("SELECT coalesce(max(seq), 0), max(at) FROM journal").fetchone()
        self._seq: int = row[0]
        self.last_at = None if row[1] is None else from_ms(row[1])
        self._be_patient(BUSY_MS)
        self._checkpoints = Checkpoints(path)
        self._thread = JournalThread(call_soon)

    def _take_epoch(self) -> int:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT INTO meta VALUES ('epoch', 1) ON CONFLICT DO UPDATE SET value = value + 1")
            return self._epoch_on_disk()

    def _epoch_on_disk(self) -> int:
        return int(self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])

    def submit(self, unit: Unit) -> None:
        """Queue `unit`. Its actions run after its commit; an empty unit with nothing before it runs at once."""
        if unit.is_empty and not self._unreleased:
            self._act(unit.actions)
            return
        self._unreleased += 1
        self._queue.append(unit)
        if self._armed is not None:
            return
        if unit.is_urgent:
            self._armed = unit.now
            self._at_turn_end(self._flush)
        else:
            self._flush_soon()

    def _flush_soon(self) -> None:
        """What nobody outside waits for may wait a little for others to be written with."""
        if not self._soon:
            self._soon = True
            if self._call_later is not None:
                self._call_later(QUIET_S, self._flush_late)
            else:
                self._thread.ask(lambda: self._flush_late, QUIET_S)

    def _flush_late(self) -> None:
        self._soon = False
        if self._queue and not self._stopped:
            self._flush()

    def lag_s(self, now: datetime) -> float:
        """Age in seconds of the oldest unit that should be on disk; the backpressure signal."""
        oldest = self._queue[0].now if self._lent and self._queue else self._armed
        return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())

    @property
    def last_seq(self) -> int:
        """The highest number on disk, 0 in an empty journal."""
        return self._seq

    def prune(self, *, projected: int, before: datetime, done: Callable[[int], None] | None = None) -> None:
        """Delete entries numbered up to `projected` and older than `before`, a few at a time between the batches.

        Entries of subjects that have a state row stay; the personal row of a contact goes with its last entry.
        `done` is called on the loop with the number of entries deleted.
        """
        self._pruning = _Pruning(projected, to_ms(before), done)
        self._lend_for_pruning()

    def close(self) -> None:
        """Commit what has queued, stop the thread and close the file. Actions still pending are released."""
        self._thread.close()
        self._lent = False
        if self._queue and not self._stopped:
            written = self._commit(list(self._queue))
            self._settle(written.events)
            if written.error is not None and not isinstance(written.error, JournalFenced):
                self._release_early()
                log.critical("journal closed with facts unwritten", extra={"units": len(self._queue)})
        self._stopped = True
        self._checkpoints.close()
        self._db.close()

    # -- after the commit -----------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """The end of a turn of the loop: commit what it brought."""
        self._armed = None
        if self._lent:
            if not self.healthy:
                self._release_early()
            return
        if not self._queue or self._stopped:
            return
        written = self._commit(list(self._queue))
        self._settle(written.events)
        if written.error is not None:
            self._failed(written.error, again_after_s=0.0)
        elif not self._checkpoint_asked:
            self._checkpoint_asked = True
            self._thread.ask(self._checkpoint, CHECKPOINT_S)

    def _settle(self, events: Sequence[Sequence[Envelope]]) -> None:
        """The first units are on disk: publish their events and act, in order."""
        units = [self._queue.popleft() for _ in events]
        early, self._early = self._early, max(0, self._early - len(units))
        for index, (unit, facts) in enumerate(zip(units, events, strict=True)):
            for event in facts:
                try:
                    self._publish(event)
                except Exception:
                    self.surprises += 1
                    log.exception("publishing failed after commit")
            if index >= early:
                self._act(unit.actions)
            # Only now: an action that submits an empty unit must not overtake the actions after it.
            self._unreleased -= 1

    def _release_early(self) -> None:
        """Let the calls go on without disk: act on what has queued since the last time."""
        fresh = list(islice(self._queue, self._early, None))
        self._early += len(fresh)
        for unit in fresh:
            self._act(unit.actions)

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            try:
                action()
            except Exception:
                self.surprises += 1
                log.exception("action failed after commit")

    # -- what the thread is lent the connection for ---------------------------------------------------------------

    def _lend(self, job: Callable[[], T], then: Callable[[T], None], after_s: float = 0.0) -> None:
        def run() -> Callable[[], None]:
            outcome = job()
            return lambda: self._returned(outcome, then)

        self._lent = True
        self._thread.ask(run, after_s)

    def _returned(self, outcome: T, then: Callable[[T], None]) -> None:
        self._lent = False
        then(outcome)
        self._flush()
        self._lend_for_pruning()

    def _failed(self, error: Exception, *, again_after_s: float) -> None:
        if isinstance(error, JournalFenced):
            self.healthy = False
            self._stopped = True
            log.critical("journal fenced by a newer application")
            if self._fenced is not None:
                self._fenced()
            return
        self._lend(self._retry, self._retried, again_after_s)

    def _retry(self) -> _Written:
        self._be_patient(PATIENT_MS)
        # The loop may add to the queue meanwhile; copying a deque is one step of the interpreter.
        written = self._commit(list(self._queue.copy()))
        self._be_patient(BUSY_MS)
        return written

    def _retried(self, written: _Written) -> None:
        error = written.error
        if error is None:
            self.healthy = True
        self._settle(written.events)
        if error is None:
            return
        if self.healthy and not isinstance(error, JournalFenced):
            log.error("journal cannot write", extra={"reason": type(error).__name__})
            self.healthy = False
        self._failed(error, again_after_s=RETRY_S)
        self._release_early()

    def _be_patient(self, milliseconds: int) -> None:
        self._db.execute(f"PRAGMA busy_timeout={milliseconds}")

    def _checkpoint(self) -> Callable[[], None]:
        reason, pages, moved = "", 0, 0
        try:
            pages, moved = self._checkpoints.move()
        except sqlite3.Error as error:
            reason = type(error).__name__
        return lambda: self._checkpointed(pages, moved, reason)

    def _checkpointed(self, pages: int, moved: int, reason: str) -> None:
        self._checkpoint_asked = False
        if reason and not self._checkpoint_fails:
            log.error("journal cannot be checkpointed", extra={"reason": reason})
        self._checkpoint_fails = bool(reason)
        # The writer adds to the WAL while it is moved; it begins anew only once all of it has been.
        if moved < pages and pages > LONG_WAL_PAGES and not self._lent:
            self._lend(self._checkpoint, lambda outcome: outcome())

    def _lend_for_pruning(self) -> None:
        pruning = self._pruning
        if pruning is not None and not self._lent and not self._stopped:
            self._lend(partial(self._prune_some, pruning), partial(self._pruned, pruning))

    def _pruned(self, pruning: _Pruning, deleted: int) -> None:
        pruning.rows += deleted
        if deleted == PRUNE_ROWS:
            return
        if self._pruning is pruning:
            self._pruning = None
        if pruning.done is not None:
            pruning.done(pruning.rows)

    # -- writing, on whichever thread holds the connection --------------------------------------------------------

    def _commit(self, batch: Sequence[Unit]) -> _Written:
        """Write all of `batch`; the one unit that cannot be written must not take the others with it."""
        try:
            return _Written(self._write(batch))
        except _HOPELESS:
            pass
        except (sqlite3.Error, JournalFenced) as error:
            return _Written((), error)
        events: list[Sequence[Envelope]] = []
        for unit in batch:
            try:
                events += self._write([unit])
            except _HOPELESS:
                self.surprises += 1
                log.error("a unit cannot be written and is passed over")  # noqa: TRY400 - what is in it must not be logged
                events.append(())
            except (sqlite3.Error, JournalFenced) as error:
                return _Written(events, error)
        return _Written(events)

    def _write(self, batch: Sequence[Unit]) -> list[list[Envelope]]:
        """Commit `batch`; the events of each unit. Raises JournalFenced, sqlite3.Error (nothing is written)."""
        published: list[list[Envelope]] = []
        rows: list[tuple[object, ...]] = []
        states: dict[tuple[str, str], object | None] = {}
        people: list[tuple[str, str]] = []
        forgotten: list[tuple[str]] = []
        seq = self._seq
        ids = iter(new_ids(sum(len(unit.drafts) for unit in batch)))
        for unit in batch:
            events: list[Envelope] = []
            at = to_ms(unit.now)
            moment = from_ms(at)
            for draft in unit.drafts:
                blob = self._encoded(draft.data)
                if blob is None:
                    continue
                seq += 1
                event_id = next(ids)
                rows.append((seq, event_id, self.epoch, draft.kind, draft.type, at, draft.subject, blob))
                if draft.kind == "event":
                    events.append(Envelope("live", seq, event_id, 1, draft.type, moment, draft.subject, draft.data))
            states.update(unit.states)
            for contact, data in unit.personal.items():
                blob = self._encoded(data)
                if blob is not None:
                    people.append((contact, blob.decode()))
            forgotten.extend((contact,) for contact in unit.forgotten)
            published.append(events)
        if rows or states or people or forgotten:
            self._write_rows(rows, states, people, forgotten)
        self._seq = seq
        return published

    def _write_rows(
        self,
        rows: Sequence[tuple[object, ...]],
        states: dict[tuple[str, str], object | None],
        people: Sequence[tuple[str, str]],
        forgotten: Sequence[tuple[str]],
    ) -> None:
        blobs = [(key, self._encoded(state)) for key, state in states.items() if state is not None]
        upserts = [(kind, id_, self._state_schema, blob) for (kind, id_), blob in blobs if blob is not None]
        deletes = [key for key, state in states.items() if state is None]
        work = ((_UPSERT, upserts), (_DELETE, deletes), (_PERSONAL, people), (_FORGET, forgotten))
        db = self._db
        with db:
            if rows:
                db.execute("BEGIN IMMEDIATE")
                if db.executemany(_INSERT, rows).rowcount != len(rows):
                    raise JournalFenced(_FENCED)
            else:
                self._begin()
            for statement, parameters in work:
                if parameters:
                    db.executemany(statement, parameters)

    def _begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        if self._epoch_on_disk() != self.epoch:
            raise JournalFenced(_FENCED)

    def _encoded(self, value: object) -> bytes | None:
        try:
            return encode(value)
        except Exception:
            self.surprises += 1
            log.exception("a fact cannot be encoded and is passed over")
            return None

    def _prune_some(self, pruning: _Pruning) -> int:
        """Delete the next few old entries, so few that a call waits for them no longer than for a batch."""
        try:
            if pruning.bound is None:
                pruning.bound = min(pruning.projected + 1, self._first_since(pruning.before))
            return self._prune_below(pruning.bound)
        except (sqlite3.Error, JournalFenced) as error:
            log.error("journal cannot be pruned", extra={"reason": type(error).__name__})  # noqa: TRY400 - tried again the next day
            return 0

    def _first_since(self, moment: int) -> int:
        """The number of the first entry at or after `moment`: by halving, because times grow with the numbers."""
        low, high = 0, self._seq + 1
        while low < high:
            middle = (low + high) // 2
            row = self._db.execute("SELECT at FROM journal WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)).fetchone()
            if row is None or row[0] >= moment:
                high = middle
            else:
                low = middle + 1
        return low

    def _prune_below(self, bound: int) -> int:
        db = self._db
        with db:
            self._begin()
            old = db.execute(_OLD, (bound, PRUNE_ROWS)).fetchall()
            db.executemany("DELETE FROM journal WHERE seq = ?", [(seq,) for seq, _ in old])
            db.executemany(_FORGET_OVER, [(subject,) for subject in {subject for _, subject in old}])
        return len(old)
