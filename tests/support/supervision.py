"""Supervision in memory: it remembers what was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from callcenter.console.supervision_ports import CallbackView, EntryView
from callcenter.kernel.errors import NotFound

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class FakeSupervision:
    """One entry waits: `call1-q1` in billing."""

    asked: list[tuple[object, ...]] = field(default_factory=list)

    def entries(self, queue: str | None) -> Sequence[EntryView]:
        entry = EntryView("call1-q1", "call1", "billing", "waiting", 50, NOON, 1, 60_000, callback=False)
        return [entry] if queue in {None, "billing"} else []

    def callbacks(self) -> Sequence[CallbackView]:
        return [CallbackView("c1", "c1", "billing", "resting", NOON, 1, NOON)]

    async def move_entry(self, entry: str, queue: str, *, by: str) -> None:
        self._ask(entry, "move", queue, by)

    async def set_priority(self, entry: str, priority: int, *, by: str) -> None:
        self._ask(entry, "priority", priority, by)

    async def cancel_entry(self, entry: str, *, by: str) -> None:
        self._ask(entry, "cancel", by)

    async def set_skills(self, agent: str, skills: Mapping[str, int] | None, *, by: str) -> None:
        self.asked.append((agent, "skills", skills, by))

    async def force_out(self, agent: str, *, by: str) -> None:
        self.asked.append((agent, "out", by))

    def _ask(self, entry: str, *what: object) -> None:
        if entry != "call1-q1":
            raise NotFound("he is gone")
        self.asked.append((entry, *what))
