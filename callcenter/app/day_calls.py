"""The calls of a day for reports and simulations: imported ones, or the site's own in the same form.

The two are never mixed: an imported log may well be of another centre.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from acd.call_logs import calls_between, imported_days
from acd.laboratory.history import HistoricCall, HistoricOutcome
from callcenter.kernel.errors import NotFound
from callcenter.kernel.site import Site
from callcenter.reporting.cdr import Cdr, Result
from callcenter.reporting.interval_queries import handle_times_of
from callcenter.reporting.service import MOST, CallQuery, calls_list, day_of

Source = Literal["imported", "own"]
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class DayCalls:
    """Calls in the order of their arrival; `zone` is the clock that their days and hours are of."""

    calls: tuple[HistoricCall, ...]
    zone: ZoneInfo
    source: Source
    files: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        return ", ".join(self.files) if self.source == "imported" else "the site's own call records"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls: of all days from `first` to `last`; `source` None: imported ones where there are any, else own."""

    first: date
    last: date
    zone: str
    source: Source | None = None
    file: str | None = None


async def day_calls(site: Site, wanted: Wanted) -> DayCalls:
    """Those calls. Raises NotFound where there are none, InvalidInput, SiteUnavailable."""
    if wanted.source != "own":
        found = await calls_between(site, wanted.first, wanted.last, wanted.file)
        if found is not None:
            return DayCalls(found.calls, found.zone, "imported", found.files)
    if wanted.source != "imported" and wanted.file is None:
        own = await _own(site, wanted)
        if own:
            return DayCalls(own, ZoneInfo(wanted.zone), "own")
    raise NotFound(await _nothing(site, wanted))


async def _nothing(site: Site, wanted: Wanted) -> str:
    when = f"{wanted.first}" if wanted.first == wanted.last else f"{wanted.first} to {wanted.last}"
    days = [day.isoformat() for day, _ in await imported_days(site)]
    if not days:
        return f"day: there are no calls of {when}, and nothing has been imported (callcenter calls import)"
    have = ", ".join(days) if len(days) <= _SHOWN else f"{len(days)} days from {days[0]} to {days[-1]}"
    return f"day: there are no calls of {when}; imported are {have}"


async def _own(site: Site, wanted: Wanted) -> tuple[HistoricCall, ...]:
    since, _ = day_of(wanted.first, wanted.zone)
    _, until = day_of(wanted.last, wanted.zone)
    found: list[HistoricCall] = []
    after: str | None = None
    while True:
        page = await calls_list(site, CallQuery(since, until, after=after, limit=MOST))
        handled_ms = await handle_times_of(site, [call.cdr.contact for call in page.calls])
        found += historic((call.cdr for call in page.calls), handled_ms)
        after = page.after
        if after is None:
            return tuple(sorted(found, key=lambda call: (call.at, call.source)))


def historic(cdrs: Iterable[Cdr], handled_ms: Mapping[str, int]) -> list[HistoricCall]:
    """Records of calls as a log has them, told apart by their (last) queue; `handled_ms` by contact.

    Counted are calls from outside, and those of our own phones to a queue. Unfinished ones are not there yet; calls
    that we made are none of the customers', and who is called back has been counted when he asked for it.
    """
    return [_historic(cdr, handled_ms.get(cdr.contact)) for cdr in cdrs if _counts(cdr)]


def _counts(cdr: Cdr) -> bool:
    came_in = cdr.direction == "inbound" or (cdr.direction == "internal" and cdr.queue is not None)
    return came_in and cdr.result is not Result.OPEN


def _historic(cdr: Cdr, handled_ms: int | None) -> HistoricCall:
    assert cdr.started_at is not None, "a call that is over has begun"
    served = cdr.agent is not None and cdr.result is Result.ANSWERED
    gave_up = not served and cdr.queue is not None and cdr.result is Result.ABANDONED
    outcome: HistoricOutcome = "served" if served else "abandoned"
    waited = (cdr.wait_ms or 0) / 1000
    queued = next((each.at for each in cdr.detail.instants if each.name == "queued"), None)
    return HistoricCall(
        at=cdr.started_at,
        type=cdr.queue or "",
        priority=0,
        # Who left the queue for a mailbox, another number or a flow did not give up: he is counted as not queued.
        waited_s=waited if served or gave_up else 0.0,
        outcome=outcome,
        handled_s=handled_ms / 1000 if served and handled_ms is not None else None,
        agent=cdr.agent if served else None,
        menu_s=(queued - cdr.started_at).total_seconds() if queued else 0.0,
        source=f"cdr:{cdr.contact}",
    )
