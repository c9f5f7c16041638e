"""The site database behaves the same on SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import bindparam, inspect, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError, StatementError

from callcenter.crm.tables import Customer, CustomerNumber
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.site import Base, Site, UtcTime, sqlite_path, upsert
from callcenter.kernel.site_tables import ConfigVersion, ProjectorPosition

MOMENT = datetime(2026, 3, 29, 0, 59, 59, 123456, UTC)


def customer(id_: str, *numbers: str) -> Customer:
    return Customer(
        id=id_,
        name="Ann",
        created_at=MOMENT,
        updated_at=MOMENT,
        numbers=[CustomerNumber(id=f"{id_}{n}", e164=n, raw=n) for n in numbers],
    )


async def test_times_come_back_aware_in_utc_and_in_whole_milliseconds(site: Site) -> None:
    vienna = MOMENT.astimezone(timezone(timedelta(hours=1)))
    async with site.session() as session:
        session.add(ConfigVersion(kind="flow", name="main", version="1", document={}, at=vienna))
    async with site.reading() as session:
        found = (await session.scalars(select(ConfigVersion.at))).one()
    assert found == datetime(2026, 3, 29, 0, 59, 59, 123000, UTC)
    assert found.tzinfo is UTC or found.utcoffset() == timedelta(0)


async def test_time_without_a_zone_is_refused(site: Site) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        async with site.session() as session:
            session.add(ConfigVersion(kind="flow", name="main", version="1", document={}, at=datetime(2026, 1, 1)))  # noqa: DTZ001 - what the test is about


async def test_times_compare_in_the_database_as_they_do_in_python(site: Site) -> None:
    moments = [MOMENT + timedelta(milliseconds=n) for n in (0, 877, 999, 1000)]
    async with site.session() as session:
        session.add_all(
            ConfigVersion(kind="k", name="n", version=str(n), document={}, at=at) for n, at in enumerate(moments)
        )
    async with site.reading() as session:
        later = select(ConfigVersion.version).where(ConfigVersion.at >= moments[1]).order_by(ConfigVersion.at)
        assert (await session.scalars(later)).all() == ["1", "2", "3"]


async def test_session_is_one_transaction(site: Site) -> None:
    async def half_a_request() -> None:
        async with site.session() as session:
            session.add(customer("a", "+431"))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half_a_request()
    async with site.reading() as session:
        assert (await session.scalars(select(Customer))).all() == []


async def test_foreign_keys_are_enforced_and_cascade(site: Site) -> None:
    async with site.session() as session:
        session.add(customer("a", "+431", "+432"))
    async with site.session() as session:
        await session.delete(await session.get_one(Customer, "a"))
    async with site.reading() as session:
        assert (await session.scalars(select(CustomerNumber))).all() == []
    with pytest.raises(IntegrityError):
        async with site.session() as session:
            session.add(CustomerNumber(id="x", customer_id="nobody", e164="+431", raw="1"))


async def test_relationship_that_was_not_asked_for_raises_instead_of_querying(site: Site) -> None:
    async with site.session() as session:
        session.add(customer("a", "+431"))
    async with site.reading() as session:
        found = await session.get_one(Customer, "a")
        with pytest.raises(InvalidRequestError, match="lazy='raise'"):
            _ = found.numbers


def test_every_relationship_is_lazy_raise() -> None:
    loads = [r.lazy for mapper in Base.registry.mappers for r in inspect(mapper).relationships]
    assert loads
    assert set(loads) == {"raise"}


def test_every_time_column_is_utc() -> None:
    kinds = [
        column.type for table in Base.metadata.tables.values() for column in table.columns if column.name == "at"
    ]
    assert kinds
    assert all(isinstance(kind, UtcTime) for kind in kinds)


async def test_upsert_replaces_a_row_of_the_same_key(site: Site) -> None:
    rows = [{"name": "cdr", "journal": "j", "projected_seq": n} for n in (1, 5)]
    async with site.session() as session:
        statement = upsert(session.get_bind().dialect.name, ProjectorPosition)
        for row in rows:
            await session.execute(statement, [row])
    async with site.reading() as session:
        assert (await session.scalars(select(ProjectorPosition.projected_seq))).all() == [5]


async def test_writers_wait_for_each_other_instead_of_failing(site: Site) -> None:
    async def count() -> None:
        async with site.session() as session:
            row = await session.get_one(ProjectorPosition, ("cdr", "j"), with_for_update=True)
            row.projected_seq += 1

    async with site.session() as session:
        session.add(ProjectorPosition(name="cdr", journal="j", projected_seq=0))
    await asyncio.gather(*(count() for _ in range(8)))
    async with site.reading() as session:
        assert (await session.scalars(select(ProjectorPosition.projected_seq))).all() == [8]


async def test_database_that_is_away_is_a_named_error_and_not_a_crash(tmp_path: Path) -> None:
    site = Site(f"postgresql+asyncpg://nobody@/none?host={tmp_path}")
    with pytest.raises(SiteUnavailable) as caught:
        async with site.session() as session:
            await session.scalars(select(Customer))
    assert (caught.value.code, caught.value.http_status) == ("site_unavailable", 503)
    await site.close()


def test_sqlite_path_is_none_for_a_server() -> None:
    assert sqlite_path("postgresql+asyncpg://a@b/c") is None
    assert sqlite_path("sqlite+aiosqlite:////data/site.db") == Path("/data/site.db")


async def test_single_query_sees_what_is_committed_and_holds_up_no_writer(site: Site) -> None:
    names = select(ConfigVersion.name).where(ConfigVersion.kind == bindparam("kind"))
    for name in ("a", "b"):
        async with site.session() as session:
            session.add(ConfigVersion(kind="flow", name=name, version="1", document={}, at=MOMENT))
            assert [row[0] for row in await site.query(names, {"kind": "flow"})] == ["a"][: name == "b"]
    assert len(await site.query(names, {"kind": "flow"})) == 2


async def test_single_query_of_a_database_that_is_away_is_a_named_error(tmp_path: Path) -> None:
    site = Site(f"postgresql+asyncpg://nobody@/none?host={tmp_path}")
    with pytest.raises(SiteUnavailable):
        await site.query(select(Customer.id), {})
    await site.close()
