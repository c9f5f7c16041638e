"""`callcenter forecast`: how many calls a day will bring, from the days before it, and how sure that is."""

import argparse
import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from acd.laboratory.forecast import WEEKS, Error, counted, forecast, held_back
from callcenter.app.command_report import fetch
from callcenter.app.day_calls import DayCalls, Wanted
from callcenter.app.settings import Settings
from callcenter.kernel.errors import InvalidInput
from callcenter.reporting.asking import written_day

if TYPE_CHECKING:
    from callcenter.app.command import Commands

DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class Expectation:
    """`calls` by interval of `interval_min` minutes of `day`; `history` is what it was made from."""

    day: date
    interval_min: int
    calls: tuple[float, ...]
    history: DayCalls
    error: Error | None


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "forecast",
        help="how many calls a day will bring",
        description="How many calls a day will bring, by interval, from up to 8 weeks before it; and how far off "
        "such a forecast was in the last week of them, held back.",
    )
    parser.add_argument("--day", type=written_day, required=True, metavar="YYYY-MM-DD")
    add_history(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(handler=_forecast)


def add_history(parser: argparse.ArgumentParser) -> None:
    """The flags that say from which calls a forecast is made."""
    parser.add_argument("--interval", type=_minutes, default=30, metavar="MIN", help="default: 30")
    parser.add_argument("--source", choices=["imported", "own"], help="whose calls (default: imported, if any)")
    parser.add_argument("--file", metavar="NAME", help="only the calls imported from that file")


def _minutes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= DAY_MIN:
        raise argparse.ArgumentTypeError(f"must be whole minutes, 1 to {DAY_MIN}")
    return int(text)


def expectation(given: argparse.Namespace) -> Expectation:
    """What the flags ask for. Raises NotFound, InvalidInput, SiteUnavailable."""
    settings: Settings = given.settings
    day: date = given.day
    if DAY_MIN % given.interval:
        raise InvalidInput(f"interval: {given.interval} minutes are no part of a day", data={"field": "interval"})
    file = given.file.removesuffix(".gz") if given.file else None
    wanted = Wanted(day - timedelta(weeks=WEEKS), day - timedelta(days=1), settings.site.zone, given.source, file)
    history = asyncio.run(fetch(settings, wanted))
    counts = counted(history.calls, history.zone, given.interval)
    if not any(sum(row) for row in counts.values()):
        raise InvalidInput("day: nobody asked for an agent on the days before it", data={"field": "day"})
    return Expectation(day, given.interval, tuple(forecast(counts, day)), history, held_back(counts))


def starts(expected: Expectation) -> list[str]:
    """When each interval begins: "09:30"."""
    minutes = (place * expected.interval_min for place in range(len(expected.calls)))
    return [f"{minute // 60:02}:{minute % 60:02}" for minute in minutes]


def told(expected: Expectation) -> list[str]:
    """What a forecast is made from and how far off such a one was, in words."""
    days = sorted({call.at.astimezone(expected.history.zone).date() for call in expected.history.calls})
    lines = [f"from {len(days)} days of {expected.history.origin}, {days[0]} to {days[-1]}"]
    error = expected.error
    if error is None:
        return [*lines, "too few days to hold a week back: how far off this is cannot be said"]
    line = (
        f"held back {error.days[0]} to {error.days[-1]}: off by {100 * error.interval:.0f} % by interval, "
        f"{100 * error.day:.0f} % by day, bias {100 * error.bias:+.0f} %; "
        f"chance alone makes {100 * error.least:.0f} %"
    )
    if error.last_week is not None:
        line += f', "as last week" {100 * error.last_week:.0f} %'
    return [*lines, line]


def as_document(expected: Expectation) -> dict[str, object]:
    """The forecast for JSON; parts as in `Error`."""
    error = expected.error
    parts: dict[str, object] | None = None
    if error is not None:
        parts = {name: value if value is None else round(value, 4) for name, value in _numbers(error).items()}
        parts["held_back"] = [error.days[0].isoformat(), error.days[-1].isoformat()]
    return {
        "day": expected.day.isoformat(),
        "zone": expected.history.zone.key,
        "interval_min": expected.interval_min,
        "calls": round(sum(expected.calls), 1),
        "by_interval": [
            {"start": start, "calls": round(calls, 2)}
            for start, calls in zip(starts(expected), expected.calls, strict=True)
        ],
        "error": parts,
    }


def _numbers(error: Error) -> dict[str, float | None]:
    values = asdict(error)
    del values["days"]
    return values


def _forecast(given: argparse.Namespace) -> int:
    expected = expectation(given)
    if given.json:
        print(json.dumps(as_document(expected), indent=2, ensure_ascii=False))
        return 0
    print(f"{expected.day:%A} {expected.day}: {sum(expected.calls):.0f} calls for agents")
    print("\n".join(told(expected)) + "\n")
    for start, calls in zip(starts(expected), expected.calls, strict=True):
        print(f"{start}  {calls:7.1f}")
    return 0
