"""Customers by the file: what an import would do, the import, the export. CHUNK rows are one transaction.

A row is the customer with its external id, else the one of the same name that has one of its numbers. An update
replaces the numbers and keeps notes and owner where the row has none.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.crm.formulas import quoted
from callcenter.crm.importing import BETWEEN_NUMBERS, COLUMNS, BadRow, CustomerRow
from callcenter.crm.model import CustomerRecord
from callcenter.crm.reading import records, whole
from callcenter.crm.tables import Customer, CustomerNumber
from callcenter.crm.writing import Author, changed_fields, write
from callcenter.kernel.ids import IdSource, new_id
from callcenter.kernel.site import Site
from callcenter.numbers import normalise

CHUNK = 500
SHOWN = 20

Rows = Iterable[CustomerRow | BadRow]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file's rows: each is in exactly one of the three."""

    created: int
    updated: int
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it will be. `customer` is the id of the one that it will change, None for a new one."""

    row: CustomerRow
    customer: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What `import_customers` would say of the same rows now; `first` has the first SHOWN good ones."""

    rows: int
    report: ImportReport
    first: tuple[PreviewRow, ...]


async def import_customers(
    site: Site, rows: Rows, *, now: datetime, actor: str = "import", ids: IdSource = new_id
) -> ImportReport:
    """Create or update a customer for each usable row.

    Raises SiteUnavailable, and Conflict where somebody made one of the customers meanwhile: what was taken stays, and
    the same file may be imported again.
    """
    created = updated = 0
    bad: list[BadRow] = []
    author = Author(actor, "imported", now, ids)
    for chunk in _chunks(rows):
        good = _sorted_out(chunk, bad)
        if good:
            async with site.session() as session:
                known = await _known(session, good)
                await _write(session, good, known, author)
            updated += len(known)
            created += len(good) - len(known)
    return ImportReport(created, updated, tuple(bad))


async def preview_customers(site: Site, rows: Rows) -> Preview:
    """What the import would do; writes nothing. Raises SiteUnavailable."""
    good_rows = updated = 0
    bad: list[BadRow] = []
    first: list[PreviewRow] = []
    for chunk in _chunks(rows):
        good = _sorted_out(chunk, bad)
        if good:
            async with site.reading() as session:
                known = await _known(session, good)
            shown = good[: SHOWN - len(first)]
            first += [PreviewRow(row, known[row.line].id if row.line in known else None) for row in shown]
            good_rows += len(good)
            updated += len(known)
    report = ImportReport(good_rows - updated, updated, tuple(bad))
    return Preview(good_rows + len(bad), report, tuple(first))


async def export_customers(site: Site, *, region: str) -> AsyncIterator[str]:
    """All customers as CSV that `read_rows` takes back, a piece for each CHUNK; safe to open in a spreadsheet.

    Numbers are as they were written where that means the same in `region`, else E.164. Raises SiteUnavailable.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    after = ""
    while True:
        async with site.reading() as session:
            found = await records(session, whole().where(Customer.id > after).order_by(Customer.id).limit(CHUNK))
        writer.writerows(_cells(record, region) for record in found)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
        if len(found) < CHUNK:
            return
        after = found[-1].id


async def has_customers(site: Site) -> bool:
    """Whether there is any. Raises SiteUnavailable."""
    async with site.reading() as session:
        return await session.scalar(select(Customer.id).limit(1)) is not None


def _cells(record: CustomerRecord, region: str) -> list[str]:
    numbers = [
        number.raw
        if BETWEEN_NUMBERS not in number.raw and normalise(number.raw, region=region).digits == number.e164
        else number.e164
        for number in record.numbers
    ]
    texts = [getattr(record, name) or "" for name in COLUMNS[:-1]]
    return [quoted(cell) for cell in (*texts, BETWEEN_NUMBERS.join(numbers))]


def _chunks(rows: Rows) -> Iterator[list[CustomerRow | BadRow]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _sorted_out(chunk: Sequence[CustomerRow | BadRow], bad: list[BadRow]) -> list[CustomerRow]:
    """The usable rows; the others are added to `bad`."""
    bad.extend(row for row in chunk if isinstance(row, BadRow))
    return [row for row in chunk if isinstance(row, CustomerRow)]


async def _known(session: AsyncSession, rows: Sequence[CustomerRow]) -> dict[int, CustomerRecord]:
    """By line, the customers that rows are about."""
    external = [row.external_id for row in rows if row.external_id is not None]
    forms = [number.e164 for row in rows if row.external_id is None for number in row.numbers]
    by_key: dict[tuple[str, str], CustomerRecord] = {}
    for record in await records(session, whole().where(Customer.external_id.in_(external))) if external else ():
        by_key["external_id", record.external_id or ""] = record
    sharing = select(CustomerNumber.customer_id).where(CustomerNumber.e164.in_(forms))
    named = whole().where(Customer.id.in_(sharing), Customer.external_id.is_(None)).order_by(Customer.id.desc())
    for record in await records(session, named) if forms else ():
        by_key.update({(record.name, number.e164): record for number in record.numbers})
    matches = ((row.line, next((by_key[key] for key in row.keys if key in by_key), None)) for row in rows)
    return {line: record for line, record in matches if record is not None}


async def _write(
    session: AsyncSession, rows: Sequence[CustomerRow], known: Mapping[int, CustomerRecord], author: Author
) -> None:
    made: list[CustomerRecord] = []
    changed: dict[str, tuple[str, ...]] = {}
    for row in rows:
        blank = CustomerRecord(author.ids(), "", "", "", "", "", None, (), 0, author.now, author.now)
        before = known.get(row.line, blank)
        after = CustomerRecord(
            before.id,
            row.name,
            row.company,
            row.email,
            row.language,
            row.notes or before.notes,
            row.external_id,
            row.numbers,
            before.version + 1,
            before.created_at,
            author.now,
            row.owner or before.owner,
        )
        made.append(after)
        changed[after.id] = changed_fields(before, after)
    await write(await session.connection(), made, changed, author)
