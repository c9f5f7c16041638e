"""Who is the site's active application, where several could reach one PostgreSQL (architecture.md section 1).

The active one holds an advisory lock and has raised the site's epoch when it became active. A lost connection is not
a lost lock: whoever has raised the epoch goes on until a look at the database shows a higher one. Whoever has not
may begin only with the lock, or while nobody can say who has it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from callcenter.kernel.errors import ConfigError

PATIENCE = timedelta(seconds=5)
"""What another application is given to end and its connection to be noticed as closed."""


class SiteTaken(ConfigError):
    """Another application is active on this site database."""

    code = "site_taken"


@dataclass(frozen=True, slots=True)
class Seen:
    """One look. `holder` names who has the lock if not we (None: gone by now), `epoch` is None before the first."""

    locked: bool
    holder: str | None = None
    epoch: int | None = None


class Verdict(Enum):
    """What follows from a look."""

    HELD = auto()
    LINGERING = auto()
    """Our predecessor on this data is dead and the database has not noticed: go on, look again."""
    CONTESTED = auto()
    """Another has it, which may be ending or beginning: look again."""
    TAKEN = auto()
    """Another is active: do not begin."""
    OVERTAKEN = auto()
    """Another has been active since: stop."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`me` names this data folder, so that a predecessor on it has the same name. `epoch` is the one we raised."""

    me: str
    epoch: int | None = None
    taken_since: datetime | None = None

    def look(self, seen: Seen, *, now: datetime) -> tuple["Claim", Verdict]:
        """Judge what was seen at `now`."""
        calm = replace(self, taken_since=None)
        if self.epoch is not None and seen.epoch is not None and seen.epoch > self.epoch:
            return calm, Verdict.OVERTAKEN
        if seen.locked:
            return calm, Verdict.HELD
        if seen.holder == self.me:
            return calm, Verdict.LINGERING
        if seen.holder is None or self.epoch is not None:
            # Who takes it from the active one raises the epoch next, or (a first start, a migration) lets go again.
            return calm, Verdict.CONTESTED
        since = self.taken_since or now
        waiting = replace(self, taken_since=since)
        return waiting, Verdict.TAKEN if now - since >= PATIENCE else Verdict.CONTESTED

    def entered(self, epoch: int) -> "Claim":
        """We have raised the site's epoch to `epoch`."""
        return replace(self, epoch=epoch)
