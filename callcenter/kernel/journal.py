"""The live journal: `DATA/live.db`, one SQLite file written by one thread (architecture.md section 2).

A batch is whatever has queued when the writer is free; it is one transaction: numbered entries, an upsert of each
touched aggregate's row, personal rows. After the commit the batch goes back to the loop, which publishes the events
and runs the actions, in order. WAL with synchronous=NORMAL survives the death of the process; a power cut may cost
the last moments.

A write that fails (disk full) does not stop the calls that are up: their actions run at once, their facts are kept
and tried again, and `healthy` turns false so that new calls are refused. A unit that can never be written is a bug of
ours: it is logged, counted and passed over, and its actions run.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from callcenter.kernel.codec import encode
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.events import Envelope
from callcenter.kernel.ids import new_id
from callcenter.kernel.journal_file import JournalReader, from_ms, identity_of, open_journal, to_ms
from callcenter.kernel.unit import Action, Unit

__all__ = ["Journal", "JournalFenced", "JournalReader", "Publish"]

log = logging.getLogger(__name__)

RETRY_S = 1.0
PRUNE_ROWS = 500

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
class _Release:
    """What the loop has to do: publish, then act. `settled` units are done with, the others come again."""

    events: Sequence[Envelope]
    actions: Sequence[Action]
    settled: bool = True


@dataclass(frozen=True, slots=True)
class _Pruning:
    projected: int
    before: int
    done: Callable[[int], None] | None
    bound: int | None = None
    rows: int = 0


Publish = Callable[[Envelope], None]


class Journal:
    """Owned by the loop's thread, which alone may call it; `_run` and what it calls is the writer's thread.

    `_queue`, `_closing` and `_pruning` change under `_wake` only, `_unreleased` in the loop's thread only, `_seq`,
    `_early` and `_one_by_one` in the writer's thread only. `_done` has one producer and one consumer.
    """

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
        self._call_soon = call_soon
        self._publish = publish
        self._state_schema = state_schema
        self._fenced = fenced
        self._queue: deque[Unit] = deque()
        self._done: deque[_Release] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._pruning: _Pruning | None = None
        self._unreleased = 0
        self._early = 0
        self._one_by_one = False
        self.healthy = True
        self.surprises = 0
        self._db = open_journal(path)
        self.epoch = self._take_epoch()
        self.identity = identity_of(self._db)
        row = self._db.execute("SELECT coalesce(max(seq), 0), max(at) FROM journal").fetchone()
        self._seq: int = row[0]
        self.last_at = None if row[1] is None else from_ms(row[1])
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def _take_epoch(self) -> int:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT INTO meta VALUES ('epoch', 1) ON CONFLICT DO UPDATE SET value = value + 1")
            return self._epoch_on_disk()

    def _epoch_on_disk(self) -> int:
        return int(self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])

    # -- the loop's side ------------------------------------------------------------------------------------------

    def submit(self, unit: Unit) -> None:
        """Queue `unit`. Its actions run after its commit; an empty unit with nothing before it runs at once."""
        if unit.is_empty and not self._unreleased:
            self._act(unit.actions)
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

    @property
    def last_seq(self) -> int:
        """The highest number on disk, 0 in an empty journal."""
        return self._seq

    def prune(self, *, projected: int, before: datetime, done: Callable[[int], None] | None = None) -> None:
        """Delete entries numbered up to `projected` and older than `before`, a few at a time between the batches.

        Entries of subjects that have a state row stay; the personal row of a contact goes with its last entry.
        `done` is called on the loop with the number of entries deleted.
        """
        with self._wake:
            self._pruning = _Pruning(projected, to_ms(before), done)
            self._wake.notify()

    def close(self) -> None:
        """Commit what has queued, stop the thread and close the file. Actions still pending are released."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self._release()
        self._db.close()

    def _release(self) -> None:
        while self._done:
            release = self._done.popleft()
            for event in release.events:
                try:
                    self._publish(event)
                except Exception:
                    self.surprises += 1
                    log.exception("publishing failed after commit")
            self._act(release.actions)
            # Only now: an action that submits an empty unit must not overtake the actions after it.
            if release.settled:
                self._unreleased -= 1

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            try:
                action()
            except Exception:
                self.surprises += 1
                log.exception("action failed after commit")

    # -- the writer's side ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                events = self._write(batch) if batch else []
            except JournalFenced:
                self.healthy = False
                log.critical("journal fenced by a newer application")
                self._hand_to_loop(self._fenced)
                return
            except sqlite3.Error as error:
                if isinstance(error, _HOPELESS):
                    self._pass_over(batch)
                elif not self._degrade(batch, error):
                    return
                continue
            if batch:
                self.healthy = True
                self._one_by_one = False
                self._settle(batch, events)
            self._prune_some()

    def _next_batch(self) -> list[Unit] | None:
        """What to write next: nothing but pruning if empty; None at the end."""
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._closing or self._pruning)
            if not self._queue:
                return None if self._closing else []
            return list(islice(self._queue, 1 if self._one_by_one else None))

    def _settle(self, batch: Sequence[Unit], events: Sequence[Sequence[Envelope]]) -> None:
        with self._wake:
            for _ in batch:
                self._queue.popleft()
        for index, (unit, facts) in enumerate(zip(batch, events, strict=True)):
            self._done.append(_Release(facts, () if index < self._early else unit.actions))
        self._early = max(0, self._early - len(batch))
        self._hand_to_loop(self._release)

    def _pass_over(self, batch: Sequence[Unit]) -> None:
        """The one unit that cannot be written must not take the others with it: find it, then leave it out."""
        if len(batch) > 1:
            self._one_by_one = True
            return
        self.surprises += 1
        log.error("a unit cannot be written and is passed over")
        self._settle(batch, [()] * len(batch))

    def _degrade(self, batch: Sequence[Unit], error: sqlite3.Error) -> bool:
        """Let the calls go on without disk until the next try is due; false if there will be none."""
        if self.healthy:
            log.error("journal cannot write", extra={"reason": type(error).__name__})
        self.healthy = False
        self._release_early(batch)
        if self._closing:
            log.critical("journal closed with facts unwritten", extra={"units": len(batch)})
            return False
        retry_at = time.monotonic() + RETRY_S
        while (left := retry_at - time.monotonic()) > 0 and not self._closing:
            with self._wake:
                self._wake.wait_for(lambda: len(self._queue) > self._early or self._closing, left)
                queued = list(self._queue)
            self._release_early(queued)
        return True

    def _release_early(self, queued: Sequence[Unit]) -> None:
        fresh = queued[self._early :]
        if fresh:
            self._done.extend(_Release((), unit.actions, settled=False) for unit in fresh)
            self._early += len(fresh)
            self._hand_to_loop(self._release)

    def _hand_to_loop(self, callback: Callable[[], None] | None) -> None:
        if callback is not None:
            try:
                self._call_soon(callback)
            except RuntimeError:
                log.warning("the loop is closed before its journal")

    def _write(self, batch: Sequence[Unit]) -> list[list[Envelope]]:
        """Commit `batch`; the events of each unit. Raises JournalFenced, sqlite3.Error (nothing is written)."""
        published: list[list[Envelope]] = []
        rows: list[tuple[object, ...]] = []
        states: dict[tuple[str, str], object | None] = {}
        people: list[tuple[str, str]] = []
        forgotten: list[tuple[str]] = []
        seq = self._seq
        for unit in batch:
            events: list[Envelope] = []
            at = to_ms(unit.now)
            moment = from_ms(at)
            for draft in unit.drafts:
                blob = self._encoded(draft.data)
                if blob is None:
                    continue
                seq += 1
                event_id = new_id()
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
        db = self._db
        with db:
            self._begin()
            db.executemany(_INSERT, rows)
            db.executemany(_UPSERT, upserts)
            db.executemany(_DELETE, deletes)
            db.executemany(_PERSONAL, people)
            db.executemany(_FORGET, forgotten)

    def _begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        if self._epoch_on_disk() != self.epoch:
            raise JournalFenced("a newer application owns the journal")

    def _encoded(self, value: object) -> bytes | None:
        try:
            return encode(value)
        except Exception:
            self.surprises += 1
            log.exception("a fact cannot be encoded and is passed over")
            return None

    def _prune_some(self) -> None:
        """Delete the next few old entries, so few that a call waits for them no longer than for a batch."""
        pruning = self._pruning
        if pruning is None:
            return
        try:
            bound = pruning.bound or min(pruning.projected + 1, self._first_since(pruning.before))
            old = self._prune_below(bound)
        except (sqlite3.Error, JournalFenced) as error:
            log.error("journal cannot be pruned", extra={"reason": type(error).__name__})  # noqa: TRY400 - tried again the next day
            old, bound = 0, 0
        rows = pruning.rows + old
        over = old < PRUNE_ROWS
        with self._wake:
            if self._pruning is pruning:
                self._pruning = None if over else replace(pruning, bound=bound, rows=rows)
        done = pruning.done
        if over and done is not None:
            self._hand_to_loop(lambda: done(rows))

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
