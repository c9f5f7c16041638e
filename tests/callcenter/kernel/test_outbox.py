"""Events of the site get their numbers in the order of the commits, on both engines."""

import asyncio
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from callcenter.kernel import outbox as module
from callcenter.kernel.outbox import events_after, record, relay
from callcenter.kernel.site import Site

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def happens(site: Site, *names: str) -> None:
    async with site.session() as session:
        for name in names:
            record(session, f"crm.customer.{name}", "cust1", now=NOW, by="ann")


def names(events: object) -> list[str]:
    assert isinstance(events, list)
    return [event.type.rsplit(".", 1)[1] for event in events]


async def test_events_are_numbered_without_gaps_in_the_order_of_the_commits(site: Site) -> None:
    await happens(site, "created", "changed")
    first = await relay(site)
    await happens(site, "merged")
    second = await relay(site)
    assert [(event.seq, event.stream) for event in (*first, *second)] == [(1, "site"), (2, "site"), (3, "site")]
    assert names([*first, *second]) == ["created", "changed", "merged"]


async def test_relayed_event_is_the_one_that_is_read_back(site: Site) -> None:
    await happens(site, "created")
    relayed = await relay(site)
    assert await events_after(site, 0) == relayed
    assert relayed[0].data == {"by": "ann"}
    assert await events_after(site, 1) == []


async def test_nothing_is_relayed_twice_or_of_a_transaction_that_failed(site: Site) -> None:
    async def fail() -> NoReturn:
        async with site.session() as session:
            record(session, "crm.customer.created", "cust1", now=NOW)
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await relay(site) == []
    await happens(site, "created")
    assert len(await relay(site)) == 1
    assert await relay(site) == []


async def test_two_relays_at_once_give_each_number_once(site: Site) -> None:
    await happens(site, *(f"n{n}" for n in range(20)))
    first, second = await asyncio.gather(relay(site), relay(site))
    assert [event.seq for event in (*first, *second)] == list(range(1, 21))


async def test_many_events_are_relayed_in_chunks(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    await happens(site, *"abcde")
    assert [names(await relay(site)) for _ in range(3)] == [["a", "b", "c"], ["d", "e"], []]
