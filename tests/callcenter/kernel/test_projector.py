"""Facts reach the site database once, whatever dies or refuses on the way."""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import select, text

from callcenter.kernel import projector as projector_module
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.events import Envelope
from callcenter.kernel.journal import JournalReader
from callcenter.kernel.projector import Projector
from callcenter.kernel.site import Site
from callcenter.kernel.site_connection import SiteConnection
from callcenter.kernel.site_tables import ProjectorPosition
from tests.callcenter.kernel.journals import JournalWorld

WRITE = text(
    "INSERT INTO config_versions (kind, name, version, document, at) "
    "VALUES ('seen', :subject, :version, '{}', '2026-03-02 09:00:00')"
)


class Noting:
    """Writes one row for each event that it is given; the row's key refuses a second."""

    types = frozenset({"calls.test.seen", "calls.test.bad"})

    def __init__(self) -> None:
        self.fail: list[Exception] = []
        self.batches: list[list[int]] = []

    async def project(self, connection: SiteConnection, events: Sequence[Envelope], reader: JournalReader) -> None:
        self.batches.append([event.seq for event in events])
        rows = [{"subject": event.subject, "version": str(event.seq)} for event in events]
        await connection.execute(WRITE, rows)
        if any(event.type == "calls.test.bad" for event in events):
            raise KeyError("a bug of the handler")
        if self.fail:
            raise self.fail.pop()


class Ignoring:
    """Wants the same events and writes nothing."""

    types = Noting.types

    async def project(self, connection: SiteConnection, events: Sequence[Envelope], reader: JournalReader) -> None:
        pass


@pytest.fixture
def reader(world: JournalWorld) -> Iterator[JournalReader]:
    reader = JournalReader(world.path)
    yield reader
    reader.close()


async def seen(site: Site) -> list[int]:
    async with site.reading() as session:
        found = await session.scalars(text("SELECT version FROM config_versions"))
        return sorted(int(version) for version in found)


async def stored(site: Site) -> list[int]:
    async with site.reading() as session:
        return list(await session.scalars(select(ProjectorPosition.projected_seq)))


async def run_dry(projector: Projector) -> None:
    while await projector.step():
        pass


async def test_each_event_is_projected_once_over_two_projectors_in_turn(
    site: Site, world: JournalWorld, reader: JournalReader
) -> None:
    handler = Noting()
    world.commit(world.unit("seen", "other", "seen"))
    await run_dry(Projector(site, reader, [handler]))
    world.commit(world.unit("seen"))
    await run_dry(Projector(site, reader, [handler]))
    assert handler.batches == [[1, 3], [4]]
    assert await seen(site) == [1, 3, 4]
    assert await stored(site) == [4]


async def test_position_passes_over_what_no_handler_wants(
    site: Site, world: JournalWorld, reader: JournalReader
) -> None:
    projector = Projector(site, reader, [Noting()])
    unit = world.unit("other")
    unit.input("acd.core.tick", "acd")
    world.commit(unit)
    await run_dry(projector)
    assert projector.projected == 2


async def test_failure_after_the_rows_were_written_takes_them_back_and_they_come_once(
    site: Site, world: JournalWorld, reader: JournalReader
) -> None:
    handler = Noting()
    handler.fail = [ConnectionResetError()]
    world.commit(world.unit("seen", "seen"))
    projector = Projector(site, reader, [handler])
    with pytest.raises(SiteUnavailable):
        await projector.step()
    assert await seen(site) == []
    await run_dry(projector)
    assert await seen(site) == [1, 2]
    assert projector.skipped == 0


async def test_event_that_cannot_be_projected_is_counted_and_stops_no_other(
    site: Site, world: JournalWorld, reader: JournalReader
) -> None:
    world.commit(world.unit(*["seen"] * 40, "bad", *["seen"] * 40))
    projector = Projector(site, reader, [Noting()])
    await run_dry(projector)
    assert await seen(site) == [*range(1, 41), *range(42, 82)]
    assert (projector.skipped, projector.projected) == (1, 81)
    assert await stored(site) == [81]


async def test_value_that_the_database_refuses_is_passed_over(
    site: Site, world: JournalWorld, reader: JournalReader
) -> None:
    async with site.session() as session:
        await session.execute(WRITE, {"subject": "c1", "version": "2"})
    world.commit(world.unit("seen", "seen", "seen"))
    projector = Projector(site, reader, [Noting()])
    await run_dry(projector)
    assert await seen(site) == [1, 2, 3]
    assert projector.skipped == 1


async def test_long_journal_is_taken_in_stretches(
    site: Site, world: JournalWorld, reader: JournalReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector_module, "WINDOW", 4)
    handler = Noting()
    world.commit(world.unit(*["seen"] * 10))
    projector = Projector(site, reader, [handler])
    assert [await projector.step() for _ in range(3)] == [True, True, False]
    assert handler.batches == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]


async def test_new_journal_starts_at_its_own_beginning(
    site: Site, world: JournalWorld, reader: JournalReader
) -> None:
    world.commit(world.unit("seen", "seen"))
    await run_dry(Projector(site, reader, [Noting()]))
    world.journal.close()
    for file in world.path.parent.glob("live.db*"):
        file.unlink()
    world.reopen()
    unit = world.unit(contact="c2")
    unit.event("calls.test.seen", "c2")
    world.commit(unit)
    fresh = JournalReader(world.path)
    handler = Noting()
    await run_dry(Projector(site, fresh, [handler]))
    assert handler.batches == [[1]]
    fresh.close()


async def test_two_projectors_at_once_do_not_write_the_same_twice(
    site: Site, world: JournalWorld, reader: JournalReader
) -> None:
    first, second = Projector(site, reader, [Noting()]), Projector(site, reader, [Noting()])
    await first.step()
    await second.step()
    world.commit(world.unit("seen"))
    await run_dry(first)
    await run_dry(second)
    assert await seen(site) == [1]
    assert (second.projected, second.skipped) == (1, 0)


async def test_database_without_tables_is_waited_for_and_nothing_is_passed_over(
    database_url: str, world: JournalWorld, reader: JournalReader
) -> None:
    site = Site(database_url)
    world.commit(world.unit("seen"))
    projector = Projector(site, reader, [Noting()])
    with pytest.raises(SiteUnavailable):
        await projector.step()
    assert projector.skipped == 0
    await site.close()


async def test_projector_that_was_overtaken_does_not_move_the_position_back(
    site: Site, world: JournalWorld, reader: JournalReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector_module, "WINDOW", 1)
    overtaken = Projector(site, reader, [Ignoring()])
    await overtaken.step()
    world.commit(world.unit("seen", "seen"))
    await run_dry(Projector(site, reader, [Noting()]))
    with pytest.raises(SiteUnavailable):
        await overtaken.step()
    assert await stored(site) == [2]
