"""`callcenter report`: what a day was like, of an imported log or of the site's own calls."""

import argparse
import asyncio
import json
from typing import TYPE_CHECKING

from acd.laboratory.day_report import THRESHOLD_S, day_report
from acd.laboratory.report_text import as_document, as_text
from callcenter.app.day_calls import DayCalls, Wanted, day_calls
from callcenter.app.settings import Settings
from callcenter.kernel.errors import ConfigError, InvalidInput, NotFound
from callcenter.kernel.site import Site, sqlite_path
from callcenter.migrations.migrate import current, head
from callcenter.reporting.asking import written_day

if TYPE_CHECKING:
    from callcenter.app.command import Commands


OWN = """
counted: calls from outside, and from our phones to a queue, once each, by their last queue. Wait: that of the last
queue. Handle time: talk, hold and wrap-up with all its agents, for calls that they are done with. Left before: also
who left a queue for a callback, a mailbox or another number. `callcenter metrics` counts every stay in a queue.
"""


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report",
        help="what a day was like",
        description="What a day was like: calls, waits, abandons, service levels by name, by hour, type and agent.",
    )
    add_day(parser)
    parser.add_argument(
        "--threshold", type=float, default=THRESHOLD_S, metavar="S", help="the service levels' seconds (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(handler=_report)


def add_day(parser: argparse.ArgumentParser) -> None:
    """The flags that choose a day's calls."""
    parser.add_argument("--day", type=written_day, required=True, metavar="YYYY-MM-DD", help="by the log's own clock")
    parser.add_argument(
        "--source", choices=["imported", "own"], help="default: imported calls where the day has any, else our own"
    )
    parser.add_argument("--file", metavar="NAME", help="only the calls imported from that file")


def chosen(given: argparse.Namespace) -> DayCalls:
    """The calls that the flags of `add_day` ask for. Raises NotFound, InvalidInput, SiteUnavailable."""
    settings: Settings = given.settings
    file = given.file.removesuffix(".gz") if given.file else None
    return asyncio.run(fetch(settings, Wanted(given.day, given.day, settings.site.zone, given.source, file)))


async def fetch(settings: Settings, wanted: Wanted) -> DayCalls:
    """Look `wanted` up in the site database. Raises NotFound, InvalidInput, SiteUnavailable."""
    path = sqlite_path(settings.site_database_url)
    if path is not None and not path.exists():
        raise NotFound("day: there is no site database yet, so there are no calls (callcenter calls import)")
    found = await current(settings.site_database_url)
    if found != head():
        raise ConfigError(f"the site database is at {found or 'nothing'}, not {head()}: callcenter db migrate")
    site = Site(settings.site_database_url)
    try:
        return await day_calls(site, wanted)
    finally:
        await site.close()


def _report(given: argparse.Namespace) -> int:
    if given.threshold < 0:
        raise InvalidInput("threshold: must be 0 or more", data={"field": "threshold"})
    found = chosen(given)
    report = day_report(found.calls, found.zone, threshold_s=given.threshold)
    if given.json:
        head = {
            "day": given.day.isoformat(),
            "source": found.source,
            "files": list(found.files),
            "zone": found.zone.key,
            "threshold_s": given.threshold,
        }
        print(json.dumps({**head, **as_document(report)}, indent=2, ensure_ascii=False))
    else:
        print(f"{given.day} ({found.zone.key}), {found.origin}; service levels for {given.threshold:g} s\n")
        own = found.source == "own"
        print(as_text(report, kind="queue" if own else "type") + OWN * own, end="")
    return 0
