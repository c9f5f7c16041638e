"""Questions to the interval facts: stored ones, with what is still under way added as of now.

Both are read in one snapshot: a call that ends meanwhile is in one of them and not in both.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from callcenter.kernel.site import Site
from callcenter.reporting.interval_projection import KEY, load_open, over, span_of, visit_of
from callcenter.reporting.interval_tables import INTERVAL_FACTS, AgentSpan, QueueVisit
from callcenter.reporting.intervals import Facts, Key, Kind, facts_of
from callcenter.reporting.measures import GREATEST, NAMES, Measures
from callcenter.reporting.visits import handle_times

CHUNK = 200


@dataclass(frozen=True, slots=True)
class Which:
    """The facts of the intervals that start from `since` on and before `until`; of one kind, of one name."""

    since: datetime
    until: datetime
    kind: Kind | None = None
    name: str | None = None

    def wants(self, key: Key) -> bool:
        """Whether `key` is one of them."""
        return (
            self.since <= key.start < self.until and self.kind in (None, key.kind) and self.name in (None, key.name)
        )


async def interval_facts(site: Site, which: Which, *, now: datetime) -> Facts:
    """In the order of their keys. Raises SiteUnavailable."""
    async with site.reading() as session:
        connection = await _snapshot(session)
        facts = await _stored(connection, which)
        open_ = await load_open(connection)
    for key, measures in facts_of(open_.visits.values(), open_.spans.values(), now=now).items():
        if which.wants(key):
            facts.setdefault(key, Measures()).add(measures)
    return {key: facts[key] for key in sorted(facts)}


Totals = dict[tuple[Kind, str], Measures]


async def totals(site: Site, since: datetime, until: datetime, *, now: datetime) -> Totals:
    """What the intervals from `since` on and before `until` add up to, by kind and name. Raises SiteUnavailable."""
    columns = INTERVAL_FACTS.c
    sums = (
        func.max(columns[name]) if name == GREATEST else cast(func.sum(columns[name]), BigInteger) for name in NAMES
    )
    statement = (
        select(columns.kind, columns.name, *sums)
        .where(columns.start >= since, columns.start < until)
        .group_by(columns.kind, columns.name)
    )
    which = Which(since, until)
    async with site.reading() as session:
        connection = await _snapshot(session)
        found: Totals = {(row[0], row[1]): Measures(*row[2:]) for row in await connection.execute(statement)}
        open_ = await load_open(connection)
    for key, measures in facts_of(open_.visits.values(), open_.spans.values(), now=now).items():
        if which.wants(key):
            found.setdefault((key.kind, key.name), Measures()).add(measures)
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored fact that is not what its visits and spans add up to."""

    key: Key
    measure: str
    stored: int
    computed: int


async def differences(site: Site, since: datetime, until: datetime) -> Sequence[Difference]:
    """Compute the facts from `since` to `until` anew from their rows; where the stored ones are others.

    Raises SiteUnavailable.
    """
    which = Which(since, until)
    async with site.reading() as session:
        connection = await _snapshot(session)
        stored = await _stored(connection, which)
        # However early it began (who asks for a callback may wait for days): its last fact is that it was over.
        visits = await connection.execute(
            select(QueueVisit.__table__).where(
                QueueVisit.queued_at < until, or_(QueueVisit.left_at >= since, QueueVisit.handled_at >= since)
            )
        )
        spans = await connection.execute(
            select(AgentSpan.__table__).where(AgentSpan.since < until, AgentSpan.until > since)
        )
        computed = over([visit_of(row) for row in visits.mappings()], [span_of(row) for row in spans.mappings()])
    return [
        Difference(key, name, had, has)
        for key in sorted(stored.keys() | {key for key in computed if which.wants(key)})
        for name in NAMES
        if (had := getattr(stored.get(key, _NOTHING), name)) != (has := getattr(computed.get(key, _NOTHING), name))
    ]


_NOTHING = Measures()


async def handle_times_of(site: Site, contacts: Collection[str]) -> dict[str, int]:
    """`visits.handle_times` of these contacts. Raises SiteUnavailable."""
    statement = select(QueueVisit.__table__).where(QueueVisit.contact.in_(contacts))
    async with site.reading() as session:
        rows = await session.execute(statement)
        return handle_times(visit_of(row) for row in rows.mappings())


async def _snapshot(session: AsyncSession) -> AsyncConnection:
    if session.get_bind().dialect.name == "postgresql":
        return await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return await session.connection()


async def _stored(connection: AsyncConnection, which: Which) -> Facts:
    columns = INTERVAL_FACTS.c
    statement = select(INTERVAL_FACTS).where(columns.start >= which.since, columns.start < which.until)
    if which.kind is not None:
        statement = statement.where(columns.kind == which.kind)
    if which.name is not None:
        statement = statement.where(columns.name == which.name)
    facts: Facts = {}
    # In parts: an export of a month must not keep the loop from its calls.
    async with connection.stream(statement) as result:
        async for rows in result.partitions(CHUNK):
            for row in rows:
                facts[Key(*row[: len(KEY)])] = Measures(*row[len(KEY) :])
    return facts
