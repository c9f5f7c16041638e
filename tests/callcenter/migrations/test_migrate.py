"""The schema's way from nothing to this program's, on both engines."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.site import Site
from callcenter.migrations import migrate as migrations
from callcenter.migrations.migrate import SchemaTooNew, current, head, migrate
from callcenter.migrations.tables import METADATA


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": METADATA})
    return list(compare_metadata(context, METADATA))


async def test_migrations_build_exactly_the_tables_of_the_models(site: Site) -> None:
    async with site.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_constraints_are_named_alike_on_both_engines(site: Site) -> None:
    async with site.engine.connect() as connection:
        names = {name for table in METADATA.tables.values() for name in (c.name for c in table.constraints)}
        assert all(isinstance(name, str) and "%" not in name for name in names)
        assert await connection.run_sync(lambda sync: sync.dialect.get_table_names(sync)) != []


async def test_new_database_is_brought_up_silently(
    database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert await current(database_url) is None
    assert await migrate(database_url, tmp_path) is None
    assert await current(database_url) == head()
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "backups").exists()


async def test_migrating_again_changes_nothing(database_url: str, tmp_path: Path) -> None:
    await migrate(database_url, tmp_path)
    assert await migrate(database_url, tmp_path) == head()


async def test_newer_schema_is_refused_with_what_to_do(site: Site, database_url: str, tmp_path: Path) -> None:
    async with site.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="9999, this program knows up to"):
        await migrate(database_url, tmp_path)


async def test_existing_sqlite_file_is_copied_before_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'site.db'}"
    await migrate(url, tmp_path)
    with closing(sqlite3.connect(tmp_path / "site.db")) as db, db:
        db.execute("INSERT INTO projector_positions VALUES ('cdr', 'j', 7)")
    newest = head()
    monkeypatch.setattr(migrations, "head", lambda: "a later one")

    await migrate(url, tmp_path)
    await migrate(url, tmp_path)

    copies = sorted((tmp_path / "backups").iterdir())
    assert [copy.name for copy in copies] == [f"site-{newest}-2.db", f"site-{newest}.db"]
    with closing(sqlite3.connect(copies[1])) as db:
        assert db.execute("SELECT projected_seq FROM projector_positions").fetchall() == [(7,)]


async def test_failing_migration_leaves_the_database_as_it_was(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_way(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", half_way)
    with pytest.raises(RuntimeError):
        await migrate(database_url, tmp_path)
    monkeypatch.undo()
    assert await migrate(database_url, tmp_path) is None
    assert await current(database_url) == head()


async def test_absent_database_server_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(SiteUnavailable):
        await migrate(f"postgresql+asyncpg://nobody@/none?host={tmp_path}", tmp_path)


async def test_customers_of_an_older_database_get_the_words_that_they_are_found_by(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(migrations, "HEAD", "0001")
        await migrate(database_url, tmp_path)
    site = Site(database_url)
    async with site.session() as session:
        at = (
            {"at": datetime(2026, 3, 2, tzinfo=UTC)}
            if "postgresql" in database_url
            else {"at": "2026-03-02 00:00:00"}
        )
        await session.execute(
            text("INSERT INTO customers VALUES ('c1', 'Ann Lee', 'ACME', '', '', '', NULL, :at, :at)"), at
        )
        await session.execute(text("INSERT INTO customer_numbers VALUES ('n1', 'c1', '+442079460018', '-')"))
    await migrate(database_url, tmp_path)
    async with site.reading() as session:
        found = await session.execute(text("SELECT term FROM customer_terms ORDER BY term"))
        assert [row[0] for row in found] == ["02079460018", "442079460018", "acme", "ann", "lee"]
        assert (await session.execute(text("SELECT version, owner FROM customers"))).one() == (1, "")
    await site.close()
