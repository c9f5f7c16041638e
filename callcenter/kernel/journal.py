"""The live journal: `DATA/live.db`, one SQLite file with one writer (architecture.md section 2, ADRs 0008 and 0009).

A batch is whatever one turn of the loop has brought: numbered entries, an upsert of each touched aggregate's row,
personal rows. At the end of the turn it is appended to the tail, on the loop's thread; then the events are published
and the actions run, in order. What the tail holds is moved into the file a moment later, many batches in one
transaction. Both survive the death of the process; a power cut may cost the last moments.

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
from callcenter.kernel.journal_tail import Batch, Row, Tail, batches_in, tails
from callcenter.kernel.journal_thread import JournalThread
from callcenter.kernel.unit import Action, Unit

__all__ = ["Journal", "JournalFenced", "JournalReader", "Publish"]

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_S = 1.0
PRUNE_ROWS = 500
_FENCED = "a newer application owns the journal"
QUIET_S = 0.02
# What the tail holds is moved into the file after this time, or when it has so many entries: a millisecond's work.
MOVE_S = 0.25
MOVE_ROWS = 200
CHECKPOINT_S = 1.0
# A WAL that is longer (32 MiB, two seconds of 200 calls a second) is moved with the writer held, so that it can end.
LONG_WAL_PAGES = 16_384

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
_FORGET = "DELETE FROM personal WHERE contact = ?"
_NUMBER = "INSERT INTO meta VALUES ('batch', ?) ON CONFLICT DO UPDATE SET value = excluded.value"
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


def _nothing() -> None:
    pass


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
        self._move_asked = False
        self._checkpoint_asked = False
        self._checkpoint_fails = False
        self._pruning: _Pruning | None = None
        self._unreleased = 0
        self._early = 0
        self.healthy = True
        self.surprises = 0
        self.moved: Callable[[], None] = _nothing
        """Called on the loop when the file has more than before."""
        self._db = open_journal(path)
        self.epoch = self._take_epoch()
        self._batch = self._take_over(path)
        self._tail = Tail(path, self.epoch)
        self._pending: list[Batch] = []
        self._pending_rows = 0
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

    def _take_over(self, path: Path) -> int:
        """Write what the applications before left in their tails; the number of the last batch that is written."""
        last = self._batch_on_disk()
        left = tails(path)
        found: list[Batch] = []
        for tail in left:
            for batch in batches_in(tail):
                # A gap is the work of a power cut: what comes after it does not fit what is there.
                if batch.number == last + 1:
                    found.append(batch)
                    last = batch.number
        self._write_all(found)
        for tail in left:
            tail.unlink()
        return last

    def _batch_on_disk(self) -> int:
        row = self._db.execute("SELECT value FROM meta WHERE key = 'batch'").fetchone()
        return 0 if row is None else int(row[0])

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
            self._later(QUIET_S, self._flush_late)

    def _flush_late(self) -> None:
        self._soon = False
        if self._queue and not self._stopped:
            self._flush()

    def _later(self, delay_s: float, work: Callable[[], None]) -> None:
        if self._call_later is not None:
            self._call_later(delay_s, work)
        else:
            self._thread.ask(lambda: work, delay_s)

    def lag_s(self, now: datetime) -> float:
        """Age in seconds of the oldest unit that should be on disk; the backpressure signal."""
        oldest = self._queue[0].now if self._lent and self._queue else self._armed
        return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())

    @property
    def last_seq(self) -> int:
        """The highest number that is safe, 0 in an empty journal. The file has it after the next `move`."""
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
        if not self._stopped:
            written = self._commit(list(self._queue))
            self._settle(written.events)
            if written.error is not None and not isinstance(written.error, JournalFenced):
                self._release_early()
                log.critical("journal closed with facts unwritten", extra={"units": len(self._queue)})
        self._stopped = True
        self._tail.close(remove=not self._pending)
        self._checkpoints.close()
        self._db.close()

    # -- after the commit -----------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """The end of a turn of the loop: make safe what it brought."""
        self._armed = None
        if self._lent:
            if not self.healthy:
                self._release_early()
            return
        if not self._queue or self._stopped:
            return
        written = self._append(list(self._queue))
        self._settle(written.events)
        if written.error is not None:
            self._failed(written.error, again_after_s=0.0)
        elif self._pending_rows >= MOVE_ROWS:
            self.move()
        elif not self._move_asked:
            self._move_asked = True
            self._later(MOVE_S, self._move_late)

    def _move_late(self) -> None:
        self._move_asked = False
        self.move()

    def move(self) -> None:
        """Move what the tail holds into the file, for whoever is going to read it there."""
        if self._lent or self._stopped or not self._pending:
            return
        error = self._commit(()).error
        if error is not None:
            self._failed(error, again_after_s=0.0)
        else:
            self._has_moved()

    def _has_moved(self) -> None:
        self.moved()
        if not self._checkpoint_asked:
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
            self._has_moved()
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

    def _append(self, units: Sequence[Unit]) -> _Written:
        """Make all of `units` safe in the tail; what does not fit there is written into the file instead."""
        batch, events = self._gathered(units)
        if not batch.is_sound:
            # The file will tell which of the units it is.
            return self._commit(units)
        if not batch.is_empty:
            try:
                if self._tail.is_superseded:
                    return _Written((), JournalFenced(_FENCED))
                self._tail.append(batch)
            except OSError as error:
                return _Written((), error)
            self._pending.append(batch)
            self._pending_rows += len(batch.rows)
            self._seq += len(batch.rows)
            self._batch = batch.number
        return _Written(events)

    def _commit(self, units: Sequence[Unit]) -> _Written:
        """Write what the tail holds and `units`; the one that cannot be written must not take the others with it."""
        try:
            self._move()
            return _Written(self._write(units))
        except _HOPELESS:
            pass
        except (sqlite3.Error, JournalFenced) as error:
            return _Written((), error)
        events: list[Sequence[Envelope]] = []
        for unit in units:
            try:
                events += self._write([unit])
            except _HOPELESS:
                self.surprises += 1
                log.error("a unit cannot be written and is passed over")  # noqa: TRY400 - what is in it must not be logged
                events.append(())
            except (sqlite3.Error, JournalFenced) as error:
                return _Written(events, error)
        return _Written(events)

    def _write(self, units: Sequence[Unit]) -> list[list[Envelope]]:
        """Commit `units`; the events of each. Raises JournalFenced, sqlite3.Error (nothing is written)."""
        batch, events = self._gathered(units)
        if not batch.is_empty:
            self._write_batches([batch])
            self._seq += len(batch.rows)
            self._batch = batch.number
        return events

    def _move(self) -> None:
        """Write what the tail holds. Raises JournalFenced, sqlite3.Error (nothing is lost)."""
        self._write_all(self._pending)
        self._pending.clear()
        self._pending_rows = 0
        self._tail.clear()

    def _gathered(self, units: Sequence[Unit]) -> tuple[Batch, list[list[Envelope]]]:
        """What is to be written of `units`, and the events of each."""
        published: list[list[Envelope]] = []
        rows: list[Row] = []
        states: dict[tuple[str, str], object | None] = {}
        people: list[tuple[str, str]] = []
        forgotten: list[str] = []
        seq = self._seq
        ids = iter(new_ids(sum(len(unit.drafts) for unit in units)))
        for unit in units:
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
            forgotten.extend(unit.forgotten)
            published.append(events)
        return Batch(self._batch + 1, rows, self._encoded_states(states), people, forgotten), published

    def _encoded_states(self, states: dict[tuple[str, str], object | None]) -> list[tuple[str, str, bytes | None]]:
        found: list[tuple[str, str, bytes | None]] = []
        for (kind, id_), state in states.items():
            blob = None if state is None else self._encoded(state)
            if blob is not None or state is None:
                found.append((kind, id_, blob))
        return found

    def _write_all(self, batches: Sequence[Batch]) -> None:
        """All of `batches` but those that can never be written. Raises JournalFenced, sqlite3.Error."""
        try:
            self._write_batches(batches)
        except _HOPELESS:
            for batch in batches:
                try:
                    self._write_batches([batch])
                except _HOPELESS:
                    self.surprises += 1
                    log.error("a batch cannot be written and is passed over")  # noqa: TRY400 - what is in it must not be logged

    def _write_batches(self, batches: Sequence[Batch]) -> None:
        """All of `batches` in one transaction; of a row that several of them touch, the last state only."""
        if not batches:
            return
        rows = [row for batch in batches for row in batch.rows]
        states = {(kind, id_): blob for batch in batches for kind, id_, blob in batch.states}
        upserts = [(kind, id_, self._state_schema, blob) for (kind, id_), blob in states.items() if blob is not None]
        deletes = [key for key, blob in states.items() if blob is None]
        db = self._db
        with db:
            self._begin()
            db.executemany(_INSERT, rows)
            db.executemany(_UPSERT, upserts)
            db.executemany(_DELETE, deletes)
            for batch in batches:
                db.executemany(_PERSONAL, batch.people)
                db.executemany(_FORGET, [(contact,) for contact in batch.forgotten])
            db.execute(_NUMBER, (batches[-1].number,))

    def _begin(self) -> None:
        """Nothing is written once another application has raised the epoch."""
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
