"""How customers are written: their row, numbers, words and a line of history, for one or for many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.crm.fields import LIMITS
from callcenter.crm.model import CustomerRecord, Number
from callcenter.crm.tables import Customer, CustomerChange, CustomerNumber, CustomerTerm
from callcenter.crm.terms import terms_of
from callcenter.kernel.errors import Conflict
from callcenter.kernel.ids import IdSource
from callcenter.kernel.site import Base, upsert

TEXTS = tuple(LIMITS)


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes customers, how and when. `ids` makes their ids."""

    actor: str
    action: str
    now: datetime
    ids: IdSource


async def write(
    connection: AsyncConnection,
    records: Sequence[CustomerRecord],
    changed: Mapping[str, Sequence[str]],
    author: Author,
) -> None:
    """Insert the records or put them in the place of older ones; `changed` names the fields, by customer.

    Raises Conflict when another customer has one of the external ids.
    """
    columns = ("id", *TEXTS, "version", "created_at", "updated_at")
    rows = [{name: getattr(record, name) for name in columns} for record in records]
    try:
        await connection.execute(upsert(connection.dialect.name, Customer), rows)
    except IntegrityError as error:
        raise Conflict("Another customer has this external id.", data={"field": "external_id"}) from error
    older = [record.id for record in records if record.version > 1]
    if older:
        await connection.execute(delete(CustomerNumber).where(CustomerNumber.customer_id.in_(older)))
        await connection.execute(delete(CustomerTerm).where(CustomerTerm.customer_id.in_(older)))
    parts: list[tuple[type[Base], list[dict[str, object]]]] = [
        (CustomerNumber, [row for record in records for row in _numbers(record.id, record.numbers, author.ids)]),
        (CustomerTerm, [{"customer_id": record.id, "term": term} for record in records for term in _terms(record)]),
        (CustomerChange, [_change(record.id, changed[record.id], author) for record in records]),
    ]
    for table, rows_of_table in parts:
        if rows_of_table:
            await connection.execute(insert(table), rows_of_table)


def _numbers(customer: str, numbers: Sequence[Number], ids: IdSource) -> list[dict[str, object]]:
    return [
        {"id": ids(), "customer_id": customer, "e164": number.e164, "raw": number.raw, "position": position}
        for position, number in enumerate(numbers)
    ]


def _terms(record: CustomerRecord) -> tuple[str, ...]:
    texts = (record.name, record.company, record.external_id or "")
    return terms_of(texts, record.email, [number.e164 for number in record.numbers])


def _change(customer: str, fields: Sequence[str], author: Author) -> dict[str, object]:
    return {
        "customer_id": customer,
        "at": author.now,
        "actor": author.actor,
        "action": author.action,
        "fields": list(fields),
    }


def changed_fields(before: CustomerRecord, after: CustomerRecord) -> tuple[str, ...]:
    """The names of the fields in which the two differ."""
    return tuple(name for name in (*TEXTS, "numbers") if getattr(before, name) != getattr(after, name))
