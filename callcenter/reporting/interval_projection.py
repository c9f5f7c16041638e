"""The projector's handler that keeps visits, spans, interval facts and the queue_log.

Facts are added to; that is done once for each thing that ends, because the projector moves on in the same
transaction. If a transaction is given up the ledger is too: the rows say where to go on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import FromClause, String, case, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from callcenter.kernel.events import Envelope
from callcenter.kernel.journal_file import JournalReader
from callcenter.kernel.site import upsert
from callcenter.kernel.site_connection import SiteConnection
from callcenter.reporting.interval_tables import INTERVAL_FACTS, AgentSpan, QueueLogLine, QueueVisit
from callcenter.reporting.intervals import Facts, Key, facts_of
from callcenter.reporting.ledger import HANDLERS, Ledger
from callcenter.reporting.measures import GREATEST, NAMES, Measures
from callcenter.reporting.projection import person_row
from callcenter.reporting.queue_log import Line, safe
from callcenter.reporting.tables import ContactPerson
from callcenter.reporting.visits import OpenThings, Span, Terms, Visit

QUEUED = "acd.entry.queued"
LOADED = "acd.policy.loaded"
KEY = ("start", "kind", "name")
_EVER = datetime.max.replace(tzinfo=UTC)
_VISIT = tuple(field.name for field in fields(Visit))
_SPAN = tuple(field.name for field in fields(Span))


class QueueHandler:
    """Writes `queue_visits`, `agent_spans`, `interval_facts` and `queue_log`."""

    types = frozenset(HANDLERS)

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._ledger: Ledger | None = None
        self._seen = 0
        self._start: int | None = None

    async def project(self, connection: SiteConnection, events: Sequence[Envelope], reader: JournalReader) -> None:
        """Enter `events` and write what has changed."""
        ledger, self._ledger = self._ledger, None
        if self._start is None:
            self._start = next((event.seq for event in events if event.type == LOADED), None)
        if ledger is None or events[0].seq <= self._seen:
            ledger = Ledger(self._terms, await load_open(connection), start=self._start or 0)
        for event in events:
            ledger.handle(event)
        visits, spans, lines = ledger.take()
        await _write(connection, visits, spans, lines)
        await _remember_callers(connection, events, reader)
        self._seen = events[-1].seq
        self._ledger = ledger


async def _write(
    connection: SiteConnection, visits: Sequence[Visit], spans: Sequence[Span], lines: Sequence[Line]
) -> None:
    dialect = connection.dialect.name
    if visits:
        await connection.execute(upsert(dialect, QueueVisit), [visit_row(visit) for visit in visits])
    if spans:
        await connection.execute(upsert(dialect, AgentSpan), [span_row(span) for span in spans])
    if lines:
        await connection.execute(insert(QueueLogLine), [line_row(line) for line in lines])
    facts = over(visits, spans)
    if facts:
        await connection.execute(_adding(dialect), [fact_row(key, measures) for key, measures in facts.items()])


def over(visits: Iterable[Visit], spans: Iterable[Span]) -> Facts:
    """What those of them that have ended add up to."""
    return facts_of(
        (visit for visit in visits if not visit.is_open),
        (span for span in spans if span.until is not None),
        now=_EVER,
    )


async def _remember_callers(connection: SiteConnection, events: Sequence[Envelope], reader: JournalReader) -> None:
    """The log that follows wants the number of a caller who still waits; the record of the call comes at its end."""
    contacts = dict.fromkeys(event.subject for event in events if event.type == QUEUED)
    if contacts:
        people = [person_row(contact, data) for contact, data in reader.people(contacts).items()]
        if people:
            await connection.execute(upsert(connection.dialect.name, ContactPerson), people)


async def load_open(connection: SiteConnection) -> OpenThings:
    """What was under way when the rows were written."""
    visits = await connection.execute(select(QueueVisit.__table__).where(QueueVisit.open.is_(True)))
    spans = await connection.execute(select(AgentSpan.__table__).where(AgentSpan.open.is_(True)))
    found = OpenThings()
    for row in visits.mappings():
        visit = visit_of(row)
        found.visits[visit.entry] = visit
    for row in spans.mappings():
        span = span_of(row)
        found.spans[span.agent] = span
    return found


# -- rows ----------------------------------------------------------------------------------------------------------


def visit_row(visit: Visit) -> dict[str, object]:
    """The columns of a visit."""
    row = {name: getattr(visit, name) for name in _VISIT}
    row["skills"] = list(visit.skills)
    row["open"] = True if visit.is_open else None
    row["callback"] = visit.callback or None
    return _fitting(row, _VISIT_TEXTS)


def visit_of(row: Mapping[Any, Any]) -> Visit:
    """The visit of a row."""
    typed = {"skills": tuple(row["skills"]), "callback": bool(row["callback"])}
    return Visit(**{**{name: row[name] for name in _VISIT}, **typed})


def span_row(span: Span) -> dict[str, object]:
    """The columns of a span."""
    row = {name: getattr(span, name) for name in _SPAN}
    row["open"] = True if span.until is None else None
    return _fitting(row, _SPAN_TEXTS)


def span_of(row: Mapping[Any, Any]) -> Span:
    """The span of a row."""
    return Span(**{name: row[name] for name in _SPAN})


def line_row(line: Line) -> dict[str, object]:
    """The columns of a line."""
    row: dict[str, object] = {
        "at": line.at,
        "contact": line.contact,
        "queue": line.queue,
        "agent": line.agent,
        "event": line.event,
        "params": "|".join(safe(str(param)) for param in line.params),
    }
    return _fitting(row, _LINE_TEXTS)


def fact_row(key: Key, measures: Measures) -> dict[str, object]:
    """The columns of a fact."""
    row: dict[str, object] = {name: getattr(measures, name) for name in NAMES}
    row["start"], row["kind"], row["name"] = key
    return _fitting(row, _FACT_TEXTS)


def _texts(table: FromClause) -> tuple[tuple[str, int], ...]:
    return tuple(
        (column.name, column.type.length)
        for column in table.columns
        if isinstance(column.type, String) and column.type.length is not None
    )


_VISIT_TEXTS, _SPAN_TEXTS = _texts(QueueVisit.__table__), _texts(AgentSpan.__table__)
_LINE_TEXTS, _FACT_TEXTS = _texts(QueueLogLine.__table__), _texts(INTERVAL_FACTS)


def _fitting(row: dict[str, object], texts: tuple[tuple[str, int], ...]) -> dict[str, object]:
    """A name that is too long must not keep everything that comes after it from PostgreSQL."""
    for name, length in texts:
        value = row[name]
        if isinstance(value, str) and len(value) > length:
            row[name] = value[:length]
    return row


@lru_cache(maxsize=2)
def _adding(dialect: str) -> Insert:
    """INSERT that adds to a fact that is there."""
    table = INTERVAL_FACTS
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    sums = {name: table.c[name] + statement.excluded[name] for name in NAMES}
    fresh = statement.excluded[GREATEST]
    greatest = case((fresh > table.c[GREATEST], fresh), else_=table.c[GREATEST])
    return statement.on_conflict_do_update(index_elements=KEY, set_={**sums, GREATEST: greatest})
