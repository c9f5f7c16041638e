"""Whom a number belongs to: none, one, many or maybe, ranked (spec: lookup by number; the pop rests on it)."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from callcenter.crm.model import CustomerCard, Found, Match, Reason
from callcenter.crm.tables import Customer, CustomerNumber
from callcenter.kernel.site import Site
from callcenter.numbers import Reading, readings

__all__ = ["MOST_MATCHES", "CustomerCard", "Found", "Match", "find_by_number"]

MOST_MATCHES = 10
# Of 100: how sure a reading of a number is. A main number is told from the number only by its length.
CONFIDENCE: dict[str, int] = {
    "exact": 100,
    "national": 95,
    "plus_missing": 85,
    "digits": 80,
    "extension_cut": 75,
    "main_number": 40,
}
_REASONS: dict[str, Reason] = {
    "exact": "exact_number",
    "national": "national_form",
    "plus_missing": "plus_missing",
    "digits": "as_written",
    "extension_cut": "extension_cut",
    "main_number": "main_number",
}
# Whoever has the number as his first is the likelier of those who share it.
_FIRST, _FURTHER = 2, 1

_CUSTOMERS = Customer.metadata.tables[Customer.__tablename__].c
_NUMBERS = Customer.metadata.tables[CustomerNumber.__tablename__].c
# Of plain columns and made once: a call that is being set up pays for it.
_BY_NUMBER = (
    select(
        _NUMBERS.e164,
        _NUMBERS.position,
        _CUSTOMERS.id,
        _CUSTOMERS.name,
        _CUSTOMERS.company,
        _CUSTOMERS.email,
        _CUSTOMERS.language,
        _CUSTOMERS.external_id,
        _CUSTOMERS.owner,
    )
    .where(_NUMBERS.customer_id == _CUSTOMERS.id, _NUMBERS.e164.in_(bindparam("forms", expanding=True)))
    .order_by(_NUMBERS.e164.desc(), _NUMBERS.position, _CUSTOMERS.id)
    .limit(3 * MOST_MATCHES)
)
_BY_ID = select(
    _CUSTOMERS.id,
    _CUSTOMERS.name,
    _CUSTOMERS.company,
    _CUSTOMERS.email,
    _CUSTOMERS.language,
    _CUSTOMERS.external_id,
    _CUSTOMERS.owner,
).where(_CUSTOMERS.id == bindparam("id"))

_Row = tuple[str, int, CustomerCard]


async def find_by_number(site: Site, raw: str, *, region: str) -> Found:
    """The customers of the number `raw` as it was received; one indexed query, none for a withheld number.

    The most likely reading of the number that has customers decides. Raises SiteUnavailable.
    """
    meant = readings(raw, region=region)
    if not meant:
        return Found()
    rows = await site.query(_BY_NUMBER, {"forms": [reading.form for reading in meant]})
    found: list[_Row] = [(row[0], row[1], CustomerCard(*row[2:])) for row in rows]
    for reading in meant:
        matches = _matches(reading, found)
        if matches:
            return Found(matches)
    return Found()


async def find_by_id(site: Site, id_: str) -> CustomerCard | None:
    """The customer's card, None where there is no such customer. Raises SiteUnavailable."""
    rows = await site.query(_BY_ID, {"id": id_})
    return CustomerCard(*rows[0]) if rows else None


def _matches(reading: Reading, rows: Sequence[_Row]) -> tuple[Match, ...]:
    shared = [(_FURTHER if position else _FIRST, card) for form, position, card in rows if form == reading.form]
    shared = shared[:MOST_MATCHES]
    whole = sum(weight for weight, _ in shared)
    sure = CONFIDENCE[reading.how]
    return tuple(Match(card, sure * weight // whole, _REASONS[reading.how]) for weight, card in shared)
