"""What the room's commands share: the site database for one question, days and moments as people write them."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from callcenter.kernel.site import CommandSettings, Site

T = TypeVar("T")


def ask_site(settings: CommandSettings, question: Callable[[Site], Awaitable[T]]) -> T:
    """The answer of the site database. Raises what `question` raises."""

    async def ask() -> T:
        site = Site(settings.site_database_url)
        try:
            return await question(site)
        finally:
            await site.close()

    return asyncio.run(ask())


def print_json(value: object) -> None:
    """For people and programs."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def written_day(text: str) -> date:
    """A day, for argparse; with room for the weeks around it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not MINYEAR < day.year < MAXYEAR:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2026-03-02")
    return day


def written_moment(text: str) -> datetime:
    """A day (its first moment) or a moment, for argparse; without a zone it is one of the site's (`in_zone`)."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment such as 2026-03-02T08:30 or 2026-03-02") from None


def in_zone(moment: datetime | None, zone: str) -> datetime | None:
    """`moment` in UTC, read in the IANA `zone` where it names none."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC)
