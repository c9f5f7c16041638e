"""When the work is due that no call and no person asks for: each chore every so often, and sooner when asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

FAILED_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`every` says how often, by name; all are due at the start."""

    every: Mapping[str, timedelta]
    due: Mapping[str, datetime] = field(default_factory=dict)

    def asked(self, name: str, *, now: datetime) -> "Schedule":
        """`name` has something to do."""
        return self._next(name, min(now, self.due.get(name, now)))

    def begun(self, name: str, *, now: datetime) -> "Schedule":
        """`name` is under way: whoever asks from now on wants it once more."""
        return self._next(name, now + self.every[name])

    def failed(self, name: str, *, now: datetime) -> "Schedule":
        """`name` could not be done, for the database is away: soon again."""
        return self._next(name, min(now + FAILED_AGAIN, self.due[name]))

    def ready(self, *, now: datetime) -> Sequence[str]:
        """What is due at `now`, in the order of `every`."""
        return [name for name in self.every if self.due.get(name, now) <= now]

    def next_deadline(self, *, now: datetime) -> datetime:
        """When `ready` has something next; `now` if it has."""
        return min(max(now, self.due.get(name, now)) for name in self.every)

    def _next(self, name: str, at: datetime) -> "Schedule":
        return replace(self, due={**self.due, name: at})
