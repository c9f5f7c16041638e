"""Customers: who belongs to a number, and how many come in from a file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.crm.importing import BadRow, CustomerRow
from callcenter.crm.tables import Customer, CustomerNumber
from callcenter.kernel.ids import IdSource, new_id
from callcenter.kernel.site import Site, upsert
from callcenter.numbers import lookup_candidates

CHUNK = 500
MOST_MATCHES = 10


_CUSTOMERS = Customer.metadata.tables[Customer.__tablename__].c
_NUMBERS = Customer.metadata.tables[CustomerNumber.__tablename__].c
# Of plain columns and made once: a call that is being set up pays for it.
_BY_NUMBER = (
    select(
        _NUMBERS.e164,
        _CUSTOMERS.id,
        _CUSTOMERS.name,
        _CUSTOMERS.company,
        _CUSTOMERS.email,
        _CUSTOMERS.language,
        _CUSTOMERS.external_id,
    )
    .where(_NUMBERS.customer_id == _CUSTOMERS.id, _NUMBERS.e164.in_(bindparam("forms", expanding=True)))
    .order_by(_CUSTOMERS.id)
    .limit(3 * MOST_MATCHES)
)


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """What a pop and a flow may know of a customer."""

    id: str
    name: str
    company: str
    email: str
    language: str
    external_id: str | None

    def as_mapping(self) -> Mapping[str, str | int | bool | None]:
        """Plain values by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a number belongs to; at most MOST_MATCHES."""

    customers: tuple[CustomerCard, ...] = ()

    @property
    def match(self) -> Literal["none", "one", "many"]:
        return "none" if not self.customers else "one" if len(self.customers) == 1 else "many"

    @property
    def only(self) -> CustomerCard | None:
        """The customer, if there is exactly one."""
        return self.customers[0] if len(self.customers) == 1 else None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file's rows: each is in exactly one of the three."""

    created: int
    updated: int
    bad: tuple[BadRow, ...]


async def find_by_number(site: Site, raw: str, *, region: str) -> Found:
    """The customers of the number `raw` as it was received; one indexed query, none for a withheld number.

    The most likely reading of the number that has customers decides. Raises SiteUnavailable.
    """
    candidates = lookup_candidates(raw, region=region)
    if not candidates:
        return Found()
    rows = await site.query(_BY_NUMBER, {"forms": candidates})
    for candidate in candidates:
        cards = [CustomerCard(*row[1:]) for row in rows if row[0] == candidate]
        if cards:
            return Found(tuple(cards[:MOST_MATCHES]))
    return Found()


async def import_customers(
    site: Site, rows: Iterable[CustomerRow | BadRow], *, now: datetime, ids: IdSource = new_id
) -> ImportReport:
    """Create or update a customer for each usable row, CHUNK rows a transaction. Raises SiteUnavailable.

    A row is the customer with its external id, else the one of the same name that has one of its numbers. An update
    replaces the numbers and keeps notes where the row has none.
    """
    created = updated = 0
    bad: list[BadRow] = []
    for chunk in _chunks(rows):
        good = [row for row in chunk if isinstance(row, CustomerRow)]
        bad.extend(row for row in chunk if isinstance(row, BadRow))
        if good:
            async with site.session() as session:
                known = await _known(session, good)
                await _write(session, good, known, now, ids)
            updated += len(known)
            created += len(good) - len(known)
    return ImportReport(created, updated, tuple(bad))


def _chunks(rows: Iterable[CustomerRow | BadRow]) -> Iterator[list[CustomerRow | BadRow]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


async def _known(session: AsyncSession, rows: Sequence[CustomerRow]) -> dict[int, Customer]:
    """By line, the customers that rows are about."""
    external = [row.external_id for row in rows if row.external_id is not None]
    numbers = [e164 for row in rows if row.external_id is None for e164, _ in row.numbers]
    by_key: dict[tuple[str, str], Customer] = {}
    for customer in await session.scalars(select(Customer).where(Customer.external_id.in_(external))):
        by_key["external_id", customer.external_id or ""] = customer
    named = (
        select(Customer, CustomerNumber.e164)
        .join(CustomerNumber.customer)
        .where(CustomerNumber.e164.in_(numbers), Customer.external_id.is_(None))
        .order_by(Customer.id.desc())
    )
    for found in await session.execute(named):
        by_key[found[0].name, found[1]] = found[0]
    matches = ((row.line, next((by_key[key] for key in row.keys if key in by_key), None)) for row in rows)
    return {line: customer for line, customer in matches if customer is not None}


async def _write(
    session: AsyncSession, rows: Sequence[CustomerRow], known: Mapping[int, Customer], now: datetime, ids: IdSource
) -> None:
    customers: list[dict[str, object]] = []
    numbers: list[dict[str, object]] = []
    for row in rows:
        old = known.get(row.line)
        customer = old.id if old else ids()
        customers.append(
            {
                "id": customer,
                "name": row.name,
                "company": row.company,
                "email": row.email,
                "language": row.language,
                "notes": row.notes or (old.notes if old else ""),
                "external_id": row.external_id,
                "created_at": old.created_at if old else now,
                "updated_at": now,
            }
        )
        numbers.extend({"id": ids(), "customer_id": customer, "e164": e, "raw": raw} for e, raw in row.numbers)
    # Core statements from here on: the loaded rows must not be written a second time by the session.
    session.expunge_all()
    connection = await session.connection()
    await connection.execute(upsert(connection.dialect.name, Customer), customers)
    replaced = [customer.id for customer in known.values()]
    await connection.execute(delete(CustomerNumber).where(CustomerNumber.customer_id.in_(replaced)))
    if numbers:
        await connection.execute(insert(CustomerNumber), numbers)
