"""What supervisors see of those who wait, and do with them and with agents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EntryView:
    """One who waits. `position` from 1, None while an agent is rung for him; `expected_wait_ms` where it is known.

    `callback`: nobody is on the line, he will be called.
    """

    id: str
    contact: str
    queue: str
    state: str
    priority: int
    since: datetime
    position: int | None
    expected_wait_ms: int | None
    callback: bool


@dataclass(frozen=True, slots=True)
class CallbackView:
    """One who is to be called back. `state`: waiting, calling or resting (until `retry_at`)."""

    id: str
    contact: str
    queue: str
    state: str
    since: datetime
    tries: int
    retry_at: datetime | None


class Supervision(Protocol):
    """Each wish returns once it is on disk and is in the audit trail. `by` is the asking user's id."""

    def entries(self, queue: str | None) -> Sequence[EntryView]:
        """Who waits, in `queue` or in all, first come first."""
        ...

    def callbacks(self) -> Sequence[CallbackView]:
        """Who is to be called back, oldest first."""
        ...

    async def move_entry(self, entry: str, queue: str, *, by: str) -> None:
        """Send him to another queue. Raises NotFound (he is gone), InvalidInput (no such queue), Conflict."""
        ...

    async def set_priority(self, entry: str, priority: int, *, by: str) -> None:
        """1..99, 99 first. Raises NotFound."""
        ...

    async def cancel_entry(self, entry: str, *, by: str) -> None:
        """Take him out of the queue. Raises NotFound."""
        ...

    async def set_skills(self, agent: str, skills: Mapping[str, int] | None, *, by: str) -> None:
        """What the agent can do until this is called again; None: what the policy says. Raises NotFound."""
        ...

    async def force_out(self, agent: str, *, by: str) -> None:
        """Sign the agent out of the queues at once and end his sessions. Raises NotFound."""
        ...
