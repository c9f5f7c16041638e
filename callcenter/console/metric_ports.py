"""What the HTTP API needs to tell how the queues do (docs/metrics.md)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, Protocol

Row = Mapping[str, object]
FactKind = Literal["queue", "skill", "agent"]


class Metrics(Protocol):
    """Interval facts and live values. Rows hold plain values."""

    async def intervals(self, day: date | None, kind: FactKind | None, name: str | None) -> Sequence[Row]:
        """The quarter hours of `day` (today without), of one kind, of one name. Raises SiteUnavailable."""
        ...

    async def intervals_csv(self, day: date | None, kind: FactKind | None, name: str | None) -> str:
        """The same as CSV."""
        ...

    async def live(self) -> Row:
        """How everything stands now, with the day so far. Raises SiteUnavailable."""
        ...

    def exposition(self) -> str:
        """What monitoring scrapes, in Prometheus' text format."""
        ...

    def is_monitor(self, token: str) -> bool:
        """Whether `token` is the site's own for monitoring."""
        ...
