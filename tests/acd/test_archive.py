"""A real journal, archived and pruned as the site goes on, replays from its first snapshot to its last row."""

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from acd import commands
from acd.archive import FILE, Archive, archived
from acd.model import milliseconds
from acd.reading import JOURNAL, DecisionLog, NothingLogged, core_at
from acd.replay import Replay, Verdict
from acd.service import AcdService, Rows
from acd.snapshot import KINDS, Snapshot, packed
from callcenter.kernel.journal import Journal, JournalReader
from callcenter.kernel.unit import Unit
from tests.support.acd_walk import Walk, seeded, walked

pytestmark = pytest.mark.integration

DAY_MS = 86_400_000


class LoggedSite:
    """The distributor with a journal on disk, fed with what happened on a walk."""

    def __init__(self, folder: Path, walk: Walk) -> None:
        self.folder = folder
        self.walk = walk
        self.now = walk.log[0][0]
        self._inputs = iter(walk.log)
        self._open()
        self.policy = next(input_.policy for _, input_ in walk.log if isinstance(input_, commands.PolicyLoaded))
        self._start()

    def _open(self) -> None:
        self.journal = Journal(self.folder / JOURNAL, call_soon=lambda _job: None, publish=lambda _event: None)

    def _start(self) -> None:
        self.service = AcdService()
        with closing(JournalReader(self.folder / JOURNAL)) as reader:
            rows = Rows(*(reader.states(kind) for kind in KINDS))
            unit = Unit(self.now)
            self.service.start(unit, self.policy, epoch=self.journal.epoch, rows=rows)
        self.journal.submit(unit)

    def goes_on(self, inputs: int) -> None:
        """Take that many inputs and commit them; a restart where the walk has one."""
        for _ in range(inputs):
            at, input_ = next(self._inputs, (self.now, commands.Tick()))
            self.now = max(self.now, at)
            if isinstance(input_, commands.Restarted):
                self.restarts()
                continue
            if isinstance(input_, commands.PolicyLoaded):
                self.policy = input_.policy
            unit = Unit(self.now)
            self.service.handle(unit, input_)
            self.journal.submit(unit)
        self.journal._flush()

    def restarts(self) -> None:
        self.journal.close()
        self._open()
        self._start()

    def archives(self, *, keep_days: int = 90) -> int:
        files = self.folder / FILE, self.folder / JOURNAL
        first = archived(*files, milliseconds(self.now), keep_ms=keep_days * DAY_MS, at_once=True)
        # The first time it only begins.
        return first or archived(*files, milliseconds(self.now), keep_ms=keep_days * DAY_MS, at_once=True)

    def forgets(self, upto: int) -> None:
        """The journal is pruned of everything that is archived."""
        self.journal.prune(projected=upto, before=self.now + timedelta(days=1))
        self.journal.close()
        with closing(sqlite3.connect(self.folder / JOURNAL)) as db, db:
            db.execute("DELETE FROM journal WHERE seq <= ? AND seq < (SELECT max(seq) FROM journal)", (upto,))
        self._open()
        self._start()

    def replays(self, since: int = 0) -> Verdict:
        self.journal._flush()
        with DecisionLog(self.folder) as log:
            stretch = log.since(since)
            replay = Replay(core_at(stretch))
            for item in log.items(stretch):
                divergence = replay.take(item)
                if divergence is not None:
                    return replay.verdict(divergence)
            return replay.verdict(replay.take(log.at_the_end(replay.core)))


@pytest.fixture(params=[1, 2, 3])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LoggedSite]:
    found = LoggedSite(tmp_path, walked(seeded(7_000 + request.param, 200)))
    yield found
    found.journal.close()


def test_journal_that_was_never_archived_replays_from_its_first_line(site: LoggedSite) -> None:
    site.goes_on(150)
    verdict = site.replays()
    assert verdict.divergence is None
    assert verdict.inputs > 120
    assert verdict.snapshots == 1


def test_archived_pruned_and_restarted_site_replays_from_first_snapshot_to_present_rows(site: LoggedSite) -> None:
    for _ in range(4):
        site.goes_on(40)
        site.forgets(site.archives())
    site.goes_on(30)
    verdict = site.replays()
    assert verdict.divergence is None
    # Those of the segments but the first, and the state rows of now.
    assert verdict.snapshots == 5
    assert len(verdict.cores) >= 5


def test_replay_from_a_number_begins_at_the_last_snapshot_before_it(site: LoggedSite) -> None:
    site.goes_on(60)
    upto = site.archives()
    site.goes_on(60)
    whole, late, early = site.replays(), site.replays(upto + 1), site.replays(upto)
    assert whole.divergence is late.divergence is early.divergence is None
    assert late.inputs < whole.inputs == early.inputs


def test_old_segments_are_forgotten_and_what_is_left_replays(site: LoggedSite) -> None:
    site.goes_on(60)
    site.archives()
    site.now += timedelta(days=100)
    site.archives()
    site.goes_on(60)
    verdict = site.replays()
    assert verdict.divergence is None
    with closing(Archive(site.folder / FILE)) as archive:
        assert archive.segments(archive.journals()[0])[0].first > 0


def test_archive_that_begins_after_the_journal_replays_from_there(site: LoggedSite) -> None:
    site.goes_on(60)
    site.journal._flush()
    site.forgets(100)
    with pytest.raises(NothingLogged, match="begin"):
        site.replays()
    site.archives()
    site.goes_on(40)
    verdict = site.replays()
    assert verdict.divergence is None
    assert verdict.inputs > 20


def test_archive_waits_until_there_is_enough(site: LoggedSite) -> None:
    site.goes_on(20)
    files = site.folder / FILE, site.folder / JOURNAL
    now = milliseconds(site.now)
    assert archived(*files, now, keep_ms=DAY_MS) == 0
    assert archived(*files, now + 3_599_999, keep_ms=DAY_MS) == 0
    assert archived(*files, now + 3_600_000, keep_ms=DAY_MS) > 0


def test_an_archive_of_before_the_core_was_kept_goes_on(site: LoggedSite) -> None:
    site.goes_on(40)
    site.archives()
    with closing(sqlite3.connect(site.folder / FILE)) as db, db:
        db.execute("ALTER TABLE segment DROP COLUMN core")
    site.goes_on(40)
    assert site.archives() > 0
    assert site.replays().divergence is None


def test_a_changed_snapshot_is_named_by_its_row(site: LoggedSite) -> None:
    site.goes_on(60)
    site.archives()
    site.goes_on(60)
    site.archives()
    with closing(Archive(site.folder / FILE)) as archive, closing(sqlite3.connect(site.folder / FILE)) as db, db:
        journal = archive.journals()[0]
        second = archive.segments(journal)[1]
        snapshot = archive.snapshot(second)
        kind, id_ = min(snapshot.rows)
        row = msgspec.json.decode(snapshot.rows[kind, id_]) | {"misses": 77}
        changed = {**snapshot.rows, (kind, id_): msgspec.json.encode(row)}
        archive._db.execute(
            "UPDATE segment SET snapshot = ? WHERE first = ?", (_blob(snapshot, changed), second.first)
        )
    verdict = site.replays()
    assert verdict.divergence is not None
    assert verdict.divergence.seq == second.first
    assert (verdict.divergence.logged or "").startswith(f"{kind} {id_}: ")
    assert '"misses":77' in (verdict.divergence.logged or "")


def _blob(snapshot: Snapshot, rows: dict[tuple[str, str], bytes]) -> bytes:
    return gzip.compress(packed(replace(snapshot, rows=rows)))
