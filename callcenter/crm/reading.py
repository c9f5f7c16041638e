"""How customers are read back whole: by id, by external id, by word."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.crm.model import CustomerRecord, Number
from callcenter.crm.tables import Customer, CustomerNumber

Whole = Select[str, str, str, str, str, str, str | None, int, datetime, datetime, str]


def whole() -> Whole:
    """A query for rows that `records` makes records of."""
    return select(
        Customer.id,
        Customer.name,
        Customer.company,
        Customer.email,
        Customer.language,
        Customer.notes,
        Customer.external_id,
        Customer.version,
        Customer.created_at,
        Customer.updated_at,
        Customer.owner,
    )


async def records(session: AsyncSession, query: Whole) -> Sequence[CustomerRecord]:
    """The customers that `query` (of `whole`) finds, in its order, with their numbers in theirs."""
    rows = (await session.execute(query)).all()
    numbers: dict[str, list[Number]] = defaultdict(list)
    found = (
        select(CustomerNumber.customer_id, CustomerNumber.e164, CustomerNumber.raw)
        .where(CustomerNumber.customer_id.in_([row[0] for row in rows]))
        .order_by(CustomerNumber.customer_id, CustomerNumber.position, CustomerNumber.id)
    )
    if rows:
        for customer, e164, raw in await session.execute(found):
            numbers[customer].append(Number(e164, raw))
    return [CustomerRecord(*row[:7], tuple(numbers[row[0]]), *row[7:]) for row in rows]
