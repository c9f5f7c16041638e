"""`callcenter metrics intervals|live|check|resolution|adherence`: how the queues do (docs/metrics.md)."""

import argparse
import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from callcenter.app.derived_metrics import adherences, resolution
from callcenter.app.shift_file import read_shifts
from callcenter.app.status import EXIT_DOWN, ask
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import CommandSettings
from callcenter.reporting.asking import ask_site, print_json, written_day
from callcenter.reporting.interval_queries import Which, differences, interval_facts
from callcenter.reporting.interval_render import as_csv, as_rows, as_table, percent, seconds, table
from callcenter.reporting.intervals import Kind
from callcenter.reporting.service import day_of

if TYPE_CHECKING:
    from callcenter.app.command import Commands

EXIT_DIFFERENT = 1


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("metrics", help="show how queues, skills and agents do, and did")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    intervals = actions.add_parser("intervals", help="show the quarter hours of a day")
    _day(intervals)
    whose = intervals.add_mutually_exclusive_group()
    for kind in ("queue", "skill", "agent"):
        whose.add_argument(f"--{kind}", metavar="NAME", help=f"only those of that {kind}")
    form = intervals.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="as CSV, with every measure and figure")
    form.add_argument("--json", action="store_true", help="as JSON, with every measure and figure")
    intervals.set_defaults(handler=_intervals)
    live = actions.add_parser("live", help="show how everything stands now (asks the running server)")
    live.add_argument("--json", action="store_true", help="as JSON")
    live.set_defaults(handler=_live)
    check = actions.add_parser("check", help="compute the facts of a day anew and say where the stored ones differ")
    _day(check)
    check.set_defaults(handler=_check)
    resolution_ = actions.add_parser(
        "resolution",
        help="show how many contacts were not repeated within 7 days",
        description="First contact resolution: the part of the answered contacts after which the customer did not "
        "come about the same ticket (else to the same queue) for 7 days. Contacts are judged when those are over.",
    )
    resolution_.add_argument("--from", dest="first", type=written_day, required=True, metavar="YYYY-MM-DD")
    resolution_.add_argument(
        "--to", dest="last", type=written_day, metavar="YYYY-MM-DD", help="(default: the same day)"
    )
    resolution_.add_argument("--json", action="store_true", help="as JSON")
    resolution_.set_defaults(handler=_resolution)
    kept = actions.add_parser(
        "adherence",
        help="show how far agents kept to their shifts",
        description="The part of each agent's shifts in which he was signed in and not paused.",
    )
    _day(kept)
    kept.add_argument("--shifts", type=Path, required=True, metavar="FILE", help="a CSV of agent,from,until (HH:MM)")
    kept.add_argument("--json", action="store_true", help="as JSON")
    kept.set_defaults(handler=_adherence)


def _day(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--day", type=written_day, metavar="YYYY-MM-DD", help="a day of the site's zone (today)")


def _day_of(given: argparse.Namespace) -> date:
    settings: CommandSettings = given.settings
    day: date | None = given.day
    return day or SystemClock().wall().astimezone(ZoneInfo(settings.site.zone)).date()


def _intervals(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    kinds: tuple[Kind, ...] = ("queue", "skill", "agent")
    kind, name = next(((kind, getattr(given, kind)) for kind in kinds if getattr(given, kind)), (None, None))
    zone = settings.site.zone
    since, until = day_of(_day_of(given), zone)
    now = SystemClock().wall()
    facts = ask_site(settings, lambda site: interval_facts(site, Which(since, until, kind, name), now=now))
    if given.json:
        print_json({"intervals": as_rows(facts, zone)})
    else:
        sys.stdout.write(as_csv(facts, zone) if given.csv else as_table(facts, zone))
    return 0


def _check(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    since, until = day_of(_day_of(given), settings.site.zone)
    found = ask_site(settings, lambda site: differences(site, since, until))
    for each in found:
        key = each.key
        print(f"{key.start:%Y-%m-%dT%H:%MZ} {key.kind} {key.name} {each.measure}: {each.stored}, not {each.computed}")
    if not found:
        print("every stored fact is what its visits and spans add up to")
    return EXIT_DIFFERENT if found else 0


def _resolution(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    last = given.last or given.first
    if last < given.first:
        raise InvalidInput("to: must not be before from", data={"field": "to"})
    since, until = day_of(given.first, settings.site.zone)[0], day_of(last, settings.site.zone)[1]
    now, region = SystemClock().wall(), settings.site.region
    found = ask_site(settings, lambda site: resolution(site, since, until, now=now, region=region))
    if given.json:
        counted = {"judged": found.judged, "unknown_callers": found.unknown}
        print_json({"from": str(given.first), "to": str(last), **counted, "first_contact_resolution": found.share})
    else:
        unknown = f"; {found.unknown} of callers whom nobody knows are left out" if found.unknown else ""
        told = f"{percent(found.share)} of {found.judged} contacts whose 7 days are over were not repeated"
        print((told if found.judged else "there is no contact whose 7 days are over") + unknown)
    return 0


def _adherence(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    day, zone = _day_of(given), ZoneInfo(settings.site.zone)
    shifts = tuple(read_shifts(given.shifts, datetime.combine(day, time.min, zone)))
    now = SystemClock().wall()
    found = ask_site(settings, lambda site: adherences(site, shifts, now=now))
    if given.json:
        print_json({"day": str(day), "adherence": found})
    else:
        sys.stdout.write(table(("AGENT", "ADHERENCE"), [(agent, percent(share)) for agent, share in found.items()]))
    return 0


def _live(given: argparse.Namespace) -> int:
    told = ask(given.settings.data_dir / "run" / "status.sock") or {}
    values = told.get("metrics")
    if not isinstance(values, dict):
        print("callcenter is not running, or its site database does not answer", file=sys.stderr)
        return EXIT_DOWN
    if given.json:
        print_json(values)
        return 0
    sys.stdout.write(table(_QUEUE_HEAD, [_queue(row) for row in values["queues"]]))
    sys.stdout.write("\n" + table(("SKILL", *_NOW), [(row["name"], *_now(row)) for row in values["skills"]]))
    sys.stdout.write(
        "\n" + table(("AGENT", "STATE", "REASON", "ANSWERED", "OCCUPANCY"), map(_agent, values["agents"]))
    )
    return 0


_NOW = ("WAITING", "LONGEST", "CALLBACKS", "AGENTS", "AVAILABLE")
_QUEUE_HEAD = ("QUEUE", *_NOW, "OFFERED", "ANSWERED", "ABANDONED", "SERVICE LEVEL", "ALARMS")


def _now(row: dict[str, Any]) -> tuple[str, ...]:
    agents = row["agents"]
    return (
        str(row["waiting"]),
        seconds(row["longest_wait_ms"]),
        str(row.get("callbacks", 0)),
        str(sum(agents.values())),
        str(agents.get("available", 0)),
    )


def _queue(row: dict[str, Any]) -> tuple[str, ...]:
    today, variant = row["today"], row["variant"]
    level = f"{percent(today[variant])} ({variant}, {row['threshold_s']} s)"
    counted = (str(today[name]) for name in ("offered", "answered", "abandoned"))
    return row["name"], *_now(row), *counted, level, ", ".join(row["alarms"]) or "-"


def _agent(row: dict[str, Any]) -> tuple[str, ...]:
    today = row["today"]
    return row["name"], row["state"], row["reason"] or "-", str(today["answered"]), percent(today["occupancy"])
