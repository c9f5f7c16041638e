"""What the application says of its workers when one of them does not answer."""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from callcenter.app import status_report
from callcenter.app.live import LiveSide
from callcenter.app.status import lines
from callcenter.app.status_report import StatusReport


class FakeWorkers:
    """Two workers that have counted something, or that hang."""

    surprises = 0

    def __init__(self, *, hang: bool) -> None:
        self._hang = hang

    async def statistics(self) -> tuple[Any, ...]:
        if self._hang:
            await asyncio.Event().wait()
        drops = Counter({"rtcp_bye": 1})
        return tuple(
            SimpleNamespace(packets_received=5, packets_sent=7, drops=drops, surprises=surprises)
            for surprises in (0, 2)
        )


class Report(StatusReport):
    """The report without the counters of the rest."""

    def status(self) -> dict[str, object]:
        return {"pid": 1, "surprises": self.surprises()}


def report(*faults: str, hang: bool = False) -> Report:
    quiet = SimpleNamespace(surprises=0)
    live = SimpleNamespace(
        surprises=1,
        media=FakeWorkers(hang=hang),
        agent=SimpleNamespace(statistics=quiet),
        bus=quiet,
        journal=quiet,
        site=SimpleNamespace(faults=faults),
    )
    return Report(cast(LiveSide, live), cast(Any, None))


async def test_counters_of_all_workers_are_added_up() -> None:
    assert await report().whole_status() == {
        "pid": 1,
        "surprises": 3,
        "media": {"packets_received": 10, "packets_sent": 14, "drops": {"rtcp_bye": 2}},
    }


async def test_worker_that_hangs_does_not_hide_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_report, "WORKERS_S", 0.0)
    told = await report(hang=True).whole_status()
    assert (told["pid"], told["surprises"]) == (1, 1)


async def test_what_the_policy_names_in_vain_is_told_line_by_line() -> None:
    told = await report("agents.yaml: agents[2].phone: phones.yaml has no phone '1003'").whole_status()
    text = lines({"supervisor": None, "application": told})
    assert "  missing     agents.yaml: agents[2].phone: phones.yaml has no phone '1003'" in text
