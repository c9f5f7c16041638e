"""Where a replay gets its log from: the archive for what is past, the journal for what the archive has not taken yet.

Both are opened to be read beside a running server; what the server writes meanwhile is not looked at.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from acd.archive import FILE, Archive, Segment, live_lines, moment_of
from acd.core import Distributor
from acd.replay import Logged
from acd.snapshot import START, Snapshot
from acd.why import Story, story_of
from callcenter.kernel.errors import CallcenterError, NotFound
from callcenter.kernel.journal_file import JournalReader

JOURNAL = "live.db"
ABOUT = ("acd.entry.", "acd.offer.")
LEFT = frozenset({"acd.entry.answered", "acd.entry.abandoned", "acd.entry.ended"})


class NothingLogged(CallcenterError):
    """There is no log of decisions in this folder, or none of what was asked for."""

    code = "nothing_logged"
    http_status = 404


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the log without gaps. It begins with `snapshot`; `upto` is its last number.

    `left_out`: there is more before it, by another core.
    """

    snapshot: Snapshot
    segments: tuple[Segment, ...]
    upto: int
    left_out: bool = False


class DecisionLog(AbstractContextManager["DecisionLog"]):
    """The decisions of the site whose folder is `data`; for one thread at a time."""

    def __init__(self, data: Path) -> None:
        """Raises NothingLogged where no server has run yet."""
        if not (data / JOURNAL).exists():
            raise NothingLogged(f"there is no journal in {data}: no server has run with this folder yet")
        with ExitStack() as opened:
            self._reader = opened.enter_context(closing(JournalReader(data / JOURNAL)))
            self._archive = None
            if (data / FILE).exists():
                self._archive = opened.enter_context(closing(Archive(data / FILE, read_only=True)))
            self._opened = opened.pop_all()
        self._moment = moment_of(self._reader)
        self.journal = self._reader.identity

    def __exit__(self, *_error: object) -> None:
        self._opened.close()

    @property
    def last(self) -> int:
        """The highest number of the journal when it was opened."""
        return self._moment.last

    def since(self, seq: int) -> Stretch:
        """Everything from the last snapshot before `seq` on. Raises NothingLogged."""
        segments = [] if self._archive is None else self._archive.segments(self.journal)
        if self._archive is None or not segments:
            if self._moment.lowest > 1:
                raise NothingLogged("what the journal still has does not begin with a state that is known")
            return Stretch(START, (Segment(self.journal, 0, None, 0),), self.last)
        if seq > self.last:
            raise NotFound(f"the journal ends at {self.last}")
        index = max((index for index, each in enumerate(segments) if each.first < max(seq, 1)), default=0)
        return Stretch(self._archive.snapshot(segments[index]), tuple(segments[index:]), self.last)

    def by_core(self, core: str) -> Stretch:
        """As far back as `core` has written the log; all of it when the latest of it is another's."""
        segments = [] if self._archive is None else self._archive.segments(self.journal)
        first = next((index for index in range(len(segments), 0, -1) if segments[index - 1].core != core), 0)
        if self._archive is None or not 0 < first < len(segments):
            return self.since(0)
        chosen = segments[first:]
        return Stretch(self._archive.snapshot(chosen[0]), tuple(chosen), self.last, left_out=True)

    def of(self, contact: str) -> Stretch:
        """From the last snapshot before `contact` came to the last line about it. Raises NothingLogged."""
        mentions = [] if self._archive is None else self._archive.mentions(contact)
        journal = mentions[0][0] if mentions else self.journal
        segments = [] if self._archive is None else self._archive.segments(journal)
        begin = mentions[0][1] if mentions else 0
        end = mentions[-1][1] if mentions else -1
        if journal == self.journal:
            live = [line for line in self._reader.events_of(contact) if line.type.startswith(ABOUT)]
            live = [line for line in live if line.seq <= self.last]
            if live:
                first = live[0].seq
                stretch = self.since(min(begin + 1, first) if mentions else first)
                has_left = any(line.type in LEFT for line in live[-2:])
                return Stretch(stretch.snapshot, stretch.segments, live[-1].seq if has_left else self.last)
        chosen = [each for each in segments if begin <= each.first <= end]
        if self._archive is None or not chosen:
            raise NothingLogged("no such call has waited in a queue, or not within what the log still has")
        return Stretch(self._archive.snapshot(chosen[0]), tuple(chosen), chosen[-1].upto or self.last)

    def items(self, stretch: Stretch) -> Iterator[Logged | Snapshot]:
        """The lines of `stretch` in order, and the snapshots that stand between them."""
        for index, segment in enumerate(stretch.segments):
            if index and self._archive is not None:
                yield self._archive.snapshot(segment)
            if segment.upto is None:
                yield from live_lines(self._reader, segment.first, stretch.upto)
            elif self._archive is not None:
                for line in self._archive.lines(segment):
                    if line.seq > stretch.upto:
                        return
                    yield line

    def at_the_end(self, core: Distributor) -> Snapshot:
        """What the state rows say after the last line; `core` has come there."""
        return Snapshot(self.last, core.number, core.policy, self._moment.rows)


def core_at(stretch: Stretch) -> Distributor:
    """The core as it stood where `stretch` begins."""
    return Distributor() if stretch.snapshot is START else stretch.snapshot.core()


def story_in(data: Path, contact: str) -> Story:
    """Why `contact` waited and was offered to whom, from the log in `data`. Raises NothingLogged."""
    try:
        with DecisionLog(data) as log:
            stretch = log.of(contact)
            return story_of(contact, log.items(stretch), core_at(stretch))
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        raise NothingLogged(readable(error)) from error


def readable(error: Exception) -> str:
    """Why the log cannot be read, for people."""
    if isinstance(error, sqlite3.Error):
        return f"the log cannot be read ({error})"
    return f"the log was written by another version of the program ({error})"
