"""Care: what is done for a waiting caller besides finding him an agent (acd.md sections 3 and 4)."""

# Theory. One for each entry of a queue that tells its callers anything or sends them elsewhere in time; it lives as
# long as the entry. Its deadlines count only while the entry waits: nobody is talked over a phone that rings for him,
# or taken off it; what fell due meanwhile is owed when he is back in line. `leave_at` counts from when he joined this
# queue, not from when he began to wait: who was sent here from another queue gets his time here.
#
#   begun --speak, at announce_at or comfort_at--> both set anew      --under another policy--> set where still wanted

from dataclasses import dataclass
from datetime import datetime

from acd.machines.frozen import replaced
from acd.model import QueuePolicy
from acd.policies.announcing import NOTHING, Told, comfort_at, first_at, next_at, remembered, to_tell
from acd.policies.expected_wait import Promise
from acd.policies.overflow import leaves_at


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where the caller stands now: position from 1, the wait to expect and what it was corrected from (ms)."""

    position: int
    wait_ms: int | None
    raw_ms: int | None


@dataclass(frozen=True, slots=True)
class Words:
    """What he is to hear now."""

    told: Told
    comfort: bool


@dataclass(frozen=True)
class Care:
    """`id` is the entry's. `promises` are the waits that he was told; `announced`: his first announcement was due."""

    id: str
    joined_at: datetime
    announce_at: datetime | None = None
    comfort_at: datetime | None = None
    leave_at: datetime | None = None
    told: Told = NOTHING
    promises: tuple[Promise, ...] = ()
    announced: bool = False

    @classmethod
    def begun(cls, entry: str, queue: QueuePolicy, now: datetime) -> "Care":
        """For an entry that joins `queue`."""
        leave = leaves_at(queue.overflow, now)
        return cls(
            id=entry,
            joined_at=now,
            announce_at=first_at(queue.announce, now),
            comfort_at=comfort_at(queue.announce, now),
            leave_at=None if leave is None else leave[0],
        )

    @property
    def next_deadline(self) -> datetime | None:
        """While its entry waits."""
        return min((at for at in (self.announce_at, self.comfort_at, self.leave_at) if at is not None), default=None)

    def under(self, queue: QueuePolicy) -> "Care":
        """The same under a changed policy: what was set before is kept where it is still wanted."""
        fresh = Care.begun(self.id, queue, self.joined_at)
        announce_at = self.announce_at
        if announce_at is None and (queue.announce.every_s or not self.announced):
            announce_at = fresh.announce_at
        return replaced(
            self,
            announce_at=fresh.announce_at and announce_at,
            comfort_at=fresh.comfort_at and (self.comfort_at or fresh.comfort_at),
            leave_at=fresh.leave_at,
        )

    def speak(self, queue: QueuePolicy, outlook: Outlook, now: datetime) -> tuple["Care", Words | None]:
        """What is to be said now, and the care after it; None where nothing is due or nothing is worth saying."""
        announce = queue.announce
        announcing = self.announce_at is not None and self.announce_at <= now
        comforting = self.comfort_at is not None and self.comfort_at <= now
        told = NOTHING
        promises = self.promises
        if announcing:
            told = to_tell(announce, position=outlook.position, wait_ms=outlook.wait_ms, last=self.told)
            if told.wait_s is not None and outlook.raw_ms is not None:
                promises = (*promises, Promise(now, told.wait_s * 1000, outlook.raw_ms))
        words = Words(told, comforting) if comforting or told != NOTHING else None
        after = replaced(
            self,
            announce_at=next_at(announce, now) if announcing else self.announce_at,
            # Whoever has just been told something needs no comfort yet.
            comfort_at=self.comfort_at if words is None else comfort_at(announce, now),
            told=remembered(self.told, told),
            promises=promises,
            announced=self.announced or announcing,
        )
        return after, words
