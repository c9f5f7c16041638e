"""The records as people work with them: made, edited against a version, shown, searched; who changed what.

Lists without words are newest first; lists by words follow the words, one customer once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, and_, exists, or_, select
from sqlalchemy.orm import aliased

from callcenter.crm.fields import LIMITS, problem, read_numbers
from callcenter.crm.model import Change, CustomerFields, CustomerRecord, CustomersPage
from callcenter.crm.reading import records, whole
from callcenter.crm.tables import Customer, CustomerChange, CustomerTerm
from callcenter.crm.terms import LAST, prefixes_of
from callcenter.crm.writing import Author, changed_fields, write
from callcenter.kernel.errors import Conflict, InvalidInput, NotFound
from callcenter.kernel.ids import IdSource, new_id
from callcenter.kernel.site import Site

MOST = 200
MOST_CHANGES = 200
_BETWEEN = "~"


@dataclass(frozen=True, slots=True)
class Search:
    """Which customers: those whose words begin like those of `words`, all of them; `after` is where to go on."""

    words: str = ""
    after: str | None = None
    limit: int = 50


async def create_customer(
    site: Site,
    fields: CustomerFields,
    *,
    region: str,
    actor: str,
    now: datetime,
    agents: Collection[str] = (),
    ids: IdSource = new_id,
) -> CustomerRecord:
    """`agents` are the ids of those who may own the customer.

    Raises InvalidInput with `field`, Conflict for a taken external id, SiteUnavailable.
    """
    blank = CustomerRecord(ids(), "", "", "", "", "", None, (), 1, now, now)
    record = _filled(blank, fields, region, agents)
    async with site.session() as session:
        author = Author(actor, "created", now, ids)
        await write(await session.connection(), [record], {record.id: changed_fields(blank, record)}, author)
    return record


async def edit_customer(
    site: Site,
    id_: str,
    changes: Mapping[str, object],
    *,
    version: int,
    region: str,
    actor: str,
    now: datetime,
    agents: Collection[str] = (),
    ids: IdSource = new_id,
) -> CustomerRecord:
    """Give the customer the fields that `changes` names; one that changes nothing leaves the version as it is.

    `agents` are the ids of those who may own him; an owner of before who has left may stay.

    Raises NotFound, Conflict when `version` is not the present one, InvalidInput with `field`, SiteUnavailable.
    """
    async with site.session() as session:
        found = await records(session, whole().where(Customer.id == id_).with_for_update())
        if not found:
            raise NotFound("There is no such customer.")
        (before,) = found
        if before.version != version:
            raise Conflict("Somebody else changed this customer.", data={"version": before.version})
        wanted = replace(_fields_of(before), **changes)  # type: ignore[arg-type]  # the caller's schema types them
        after = _filled(before, wanted, region, {*agents, before.owner})
        if "numbers" not in changes:
            after = replace(after, numbers=before.numbers)
        changed = changed_fields(before, after)
        if not changed:
            return before
        after = replace(after, version=version + 1, updated_at=now)
        author = Author(actor, "edited", now, ids)
        await write(await session.connection(), [after], {id_: changed}, author)
    return after


async def show_customer(site: Site, id_: str) -> CustomerRecord | None:
    """The whole record, None where there is none. Raises SiteUnavailable."""
    async with site.reading() as session:
        return next(iter(await records(session, whole().where(Customer.id == id_))), None)


async def search_customers(site: Site, query: Search) -> CustomersPage:
    """One page. Raises InvalidInput for a limit or a cursor that is none, SiteUnavailable."""
    if not 1 <= query.limit <= MOST:
        raise InvalidInput(f"limit must be 1 to {MOST}", data={"field": "limit"})
    if not query.words.strip():
        return await _newest(site, query)
    prefixes = prefixes_of(query.words)
    if not prefixes:
        return CustomersPage((), None)
    async with site.reading() as session:
        rows = (await session.execute(_by_words(prefixes, query))).all()
        page = rows[: query.limit]
        found = await records(session, whole().where(Customer.id.in_([row[1] for row in page])))
    by_id = {record.id: record for record in found}
    after = f"{page[-1][0]}{_BETWEEN}{page[-1][1]}" if len(rows) > query.limit else None
    return CustomersPage(tuple(by_id[row[1]] for row in page), after)


async def changes_of(site: Site, id_: str) -> tuple[Change, ...]:
    """The customer's history, newest first, at most MOST_CHANGES. Raises SiteUnavailable."""
    query = (
        select(CustomerChange.at, CustomerChange.actor, CustomerChange.action, CustomerChange.fields)
        .where(CustomerChange.customer_id == id_)
        .order_by(CustomerChange.number.desc())
        .limit(MOST_CHANGES)
    )
    async with site.reading() as session:
        rows = (await session.execute(query)).all()
    return tuple(Change(row[0], row[1], row[2], tuple(row[3])) for row in rows)  # type: ignore[arg-type]  # ours


async def _newest(site: Site, query: Search) -> CustomersPage:
    statement = whole().order_by(Customer.id.desc()).limit(query.limit + 1)
    if query.after is not None:
        statement = statement.where(Customer.id < query.after)
    async with site.reading() as session:
        found = await records(session, statement)
    page = tuple(found[: query.limit])
    return CustomersPage(page, page[-1].id if len(found) > query.limit else None)


def _by_words(prefixes: tuple[str, ...], query: Search) -> Select[str, str]:
    """(term, customer) in the index's order: each customer once, at the first term that fits the first prefix."""
    first, *others = prefixes
    term, other = CustomerTerm, aliased(CustomerTerm)
    statement = (
        select(term.term, term.customer_id)
        .where(term.term >= first, term.term < first + LAST)
        .where(~exists().where(other.customer_id == term.customer_id, other.term >= first, other.term < term.term))
        .order_by(term.term, term.customer_id)
        .limit(query.limit + 1)
    )
    for prefix in others:
        also = aliased(CustomerTerm)
        statement = statement.where(
            exists().where(also.customer_id == term.customer_id, also.term >= prefix, also.term < prefix + LAST)
        )
    if query.after is None:
        return statement
    after, found, customer = query.after.rpartition(_BETWEEN)
    if not found:
        raise InvalidInput("after is not what a page gave", data={"field": "after"})
    return statement.where(or_(term.term > after, and_(term.term == after, term.customer_id > customer)))


def _fields_of(record: CustomerRecord) -> CustomerFields:
    return CustomerFields(
        record.name,
        record.company,
        record.email,
        record.language,
        record.notes,
        record.external_id,
        tuple(number.raw for number in record.numbers),
        record.owner,
    )


def _filled(record: CustomerRecord, fields: CustomerFields, region: str, agents: Collection[str]) -> CustomerRecord:
    """The record with the fields that were written. Raises InvalidInput."""
    texts = {name: (getattr(fields, name) or "").strip() for name in LIMITS}
    numbers, wrong = read_numbers(fields.numbers, region=region)
    flaw = problem(texts, agents) or wrong
    if flaw is not None:
        data = {**flaw.data, "reason": flaw.code}
        raise InvalidInput(f"This customer cannot be kept: {flaw.text}.", data=data)
    return replace(
        record,
        name=texts["name"],
        company=texts["company"],
        email=texts["email"],
        language=texts["language"],
        notes=texts["notes"],
        external_id=texts["external_id"] or None,
        owner=texts["owner"],
        numbers=numbers,
    )
