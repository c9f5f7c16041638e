"""Metrics in memory, for the API's tests."""

from collections.abc import Sequence
from datetime import date

from callcenter.console.metric_ports import FactKind, Row

TOKEN = "monitor-token"


class FakeMetrics:
    """One queue, one quarter hour; `asked` is what was wanted."""

    def __init__(self) -> None:
        self.asked: list[tuple[date | None, FactKind | None, str | None]] = []

    async def intervals(self, day: date | None, kind: FactKind | None, name: str | None) -> Sequence[Row]:
        self.asked.append((day, kind, name))
        return [{"start": "2026-03-02T09:00:00.000Z", "kind": "queue", "name": "billing", "offered": 3}]

    async def intervals_csv(self, day: date | None, kind: FactKind | None, name: str | None) -> str:
        self.asked.append((day, kind, name))
        return "start,kind,name,offered\r\n2026-03-02T09:00:00.000Z,queue,billing,3\r\n"

    async def live(self) -> Row:
        queue = {"name": "billing", "waiting": 1, "alarms": ["longest_wait"]}
        rows = {"queues": [queue], "skills": [], "agents": []}
        return {"at": "2026-03-02T09:00:00.000Z", "since": "2026-03-02T00:00:00.000Z", "variants": [], **rows}

    def exposition(self) -> str:
        return "callcenter_calls 2\n"

    def is_monitor(self, token: str) -> bool:
        return token == TOKEN
