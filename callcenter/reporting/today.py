"""How the queues have done since a moment, from the call records (acd.md section 5: publish the variant by name).

Calls that are over are counted, each once, in the last queue that it was in.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from callcenter.kernel.site import Site
from callcenter.reporting.cdr import Result
from callcenter.reporting.tables import CdrRow

THRESHOLD_S = 20
VARIANT = "sl_answered"


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """One queue. `in_time`: answered within THRESHOLD_S. `wait_ms`: mean wait of the answered, None without any."""

    queue: str
    offered: int
    answered: int
    in_time: int
    abandoned: int
    wait_ms: int | None

    @property
    def sl_answered(self) -> float | None:
        """Those answered in time as a part of the answered; None while nobody was."""
        return self.in_time / self.answered if self.answered else None


async def queue_figures(site: Site, since: datetime) -> list[QueueFigures]:
    """By queue, those without a call left out. One indexed query. Raises SiteUnavailable."""
    answered = CdrRow.agent.is_not(None)
    statement = (
        select(
            CdrRow.queue,
            func.count(),
            func.sum(case((answered, 1), else_=0)),
            func.sum(case((answered & (CdrRow.wait_ms <= THRESHOLD_S * 1000), 1), else_=0)),
            func.sum(case((CdrRow.result == Result.ABANDONED.value, 1), else_=0)),
            func.avg(case((answered, CdrRow.wait_ms))),
        )
        .where(CdrRow.started_at >= since, CdrRow.queue.is_not(None), CdrRow.result != Result.OPEN.value)
        .group_by(CdrRow.queue)
        .order_by(CdrRow.queue)
    )
    async with site.reading() as session:
        rows = (await session.execute(statement)).all()
    return [
        QueueFigures(
            str(row[0]), row[1], int(row[2]), int(row[3]), int(row[4]), None if row[5] is None else int(row[5])
        )
        for row in rows
    ]
