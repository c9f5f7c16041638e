"""Who counts as waiting, wherever the application tells of now: callers at a phone, and callbacks by themselves."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from acd.policies.expected_wait import Estimate
from callcenter.app import queue_metrics
from callcenter.app.desk import ApplicationDesk
from callcenter.app.live_view import view_of
from callcenter.app.queue_metrics import QueueMetrics
from callcenter.app.queue_terms import SiteTerms, WrittenTerms
from callcenter.kernel.bus import Bus
from callcenter.kernel.unit import Unit
from callcenter.reporting.interval_queries import Totals
from callcenter.reporting.visits import QueueTerms
from tests.support.acd import AcdWorld

LIMITS = QueueTerms(longest_wait_alarm_s=60, waiting_alarm=2)
WEEKEND_S = 2 * 86_400


@pytest.fixture
def world() -> AcdWorld:
    """A callback that was asked for on Friday; a caller who has waited for 50 s."""
    world = AcdWorld()
    world.call_enters("billing", contact="friday", callback_s=25)
    world.advance(WEEKEND_S)
    world.call_enters("billing", contact="caller")
    world.advance(50)
    return world


def metrics(world: AcdWorld, data: Path) -> QueueMetrics:
    live = SimpleNamespace(
        acd=world,
        clock=SimpleNamespace(now=world.clock.now, wall=world.clock.now),
        bus=Bus(),
        journal=SimpleNamespace(lag_s=lambda _now: 0.0, last_seq=0),
        media=SimpleNamespace(workers=list),
        calls=SimpleNamespace(contacts={}),
    )
    terms = SiteTerms(WrittenTerms(others=LIMITS), lambda: world.core.policy)
    projector = SimpleNamespace(status=SimpleNamespace(projected=0, away=False))
    site = cast(Any, None)
    return QueueMetrics(site, cast(Any, live), terms, zone="Europe/Vienna", data=data, projector=cast(Any, projector))


def test_monitoring_has_callbacks_beside_callers_and_no_alarm_of_theirs(world: AcdWorld, tmp_path: Path) -> None:
    lines = metrics(world, tmp_path).exposition().splitlines()
    told = {name: line.rsplit(" ", 1)[1] for line in lines for name, _, _ in [line.partition("{")]}
    names = ("queue_waiting", "queue_longest_wait_seconds", "queue_callbacks", "queue_alarms")
    assert [told[f"callcenter_{name}"] for name in names] == ["1", "50", "1", "0"]


async def test_live_values_have_callbacks_beside_callers_by_queue_and_by_skill(
    world: AcdWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_yet(*_: object, **__: object) -> Totals:
        return {}

    monkeypatch.setattr(queue_metrics, "totals", nothing_yet)
    now = cast(dict[str, list[dict[str, object]]], await metrics(world, tmp_path).live())
    for kind in ("queues", "skills"):
        (line,) = now[kind]
        assert (line["waiting"], line["longest_wait_ms"], line["callbacks"]) == (1, 50_000, 1), kind
    assert now["queues"][0]["alarms"] == []
    world.advance(10)
    assert cast(Any, await metrics(world, tmp_path).live())["queues"][0]["alarms"] == ["longest_wait"]


def test_the_list_of_queues_has_callbacks_beside_callers_and_their_places_before_the_next(world: AcdWorld) -> None:
    estimate = Estimate("billing", world.now, moves=100, gap_ms=10_000)
    world.core.state.put_estimate(estimate)
    nobody = cast(Any, None)
    roster = SimpleNamespace(queues=[SimpleNamespace(name="billing")])
    desk = ApplicationDesk(
        nobody,
        cast(Any, world),
        lambda: cast(Any, roster),
        nobody,
        open_unit=lambda: Unit(world.now),
        submit=lambda _unit: None,
    )
    (queue,) = desk.queues()
    assert (queue.waiting, queue.longest_wait_ms, queue.callbacks) == (1, 50_000, 1)
    raw = estimate.raw(3)
    assert raw is not None
    assert queue.expected_wait_ms == estimate.corrected(raw) > 0


def test_consoles_are_told_which_entry_is_a_callback(world: AcdWorld) -> None:
    rows = view_of(world.core, [], position=1).entries.values()
    assert {row.contact: row.callback for row in rows} == {"friday": True, "caller": False}
