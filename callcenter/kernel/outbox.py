"""The event stream `site`: recorded with what changed, numbered afterwards in the order of the commits.

A sequence inside the producing transactions would number them in the order in which they began, so that a reader who
has seen number 7 could miss number 6 that commits later. Here one relay gives the numbers, to what it can see only.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from callcenter.kernel.events import Envelope
from callcenter.kernel.ids import new_id
from callcenter.kernel.site import RECORDED, Site, translated
from callcenter.kernel.site_tables import SiteEvent, SiteOutbox

CHUNK = 500
# Held for the relay's transaction, so that two processes never give the same number.
_LOCK = 7_203_118_465_002


def record(session: AsyncSession, type_: str, subject: str, *, now: datetime, **data: object) -> None:
    """Add to the session's transaction that `type_` (room.noun.past_verb) happened to `subject`. Ids only."""
    session.info[RECORDED] = True
    session.add(SiteOutbox(id=new_id(), type=type_, at=now, subject=subject, data=data))


async def relay(site: Site) -> list[Envelope]:
    """Number what has been committed, at most CHUNK events; those events, in order. Raises SiteUnavailable."""
    async with translated(), site.engine.begin() as connection:
        await _be_the_only_one(connection)
        columns = (
            SiteOutbox.position,
            SiteOutbox.id,
            SiteOutbox.type,
            SiteOutbox.at,
            SiteOutbox.subject,
            SiteOutbox.data,
        )
        rows = (await connection.execute(select(*columns).order_by(SiteOutbox.position).limit(CHUNK))).all()
        if not rows:
            return []
        last = await connection.scalar(select(func.coalesce(func.max(SiteEvent.seq), 0))) or 0
        events = [Envelope("site", last + 1 + n, row[1], 1, *row[2:]) for n, row in enumerate(rows)]
        numbered = [
            {"seq": e.seq, "id": e.id, "type": e.type, "at": e.at, "subject": e.subject, "data": e.data}
            for e in events
        ]
        await connection.execute(insert(SiteEvent), numbered)
        await connection.execute(delete(SiteOutbox).where(SiteOutbox.position.in_([row[0] for row in rows])))
        return events


async def events_after(site: Site, seq: int, limit: int = CHUNK) -> Sequence[Envelope]:
    """Up to `limit` events numbered above `seq`, in order. Raises SiteUnavailable."""
    query = select(SiteEvent).where(SiteEvent.seq > seq).order_by(SiteEvent.seq).limit(limit)
    async with site.reading() as session:
        rows = await session.scalars(query)
        return [Envelope("site", row.seq, row.id, 1, row.type, row.at, row.subject, row.data) for row in rows]


async def _be_the_only_one(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
