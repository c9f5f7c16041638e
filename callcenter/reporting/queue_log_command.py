"""`callcenter queue-log export`: the queue_log as Asterisk writes it, once or followed (docs/queue_log.md)."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from callcenter.kernel.errors import ConfigError, InvalidInput
from callcenter.kernel.site import CommandSettings, Site
from callcenter.reporting.asking import ask_site, in_zone, written_moment
from callcenter.reporting.queue_log_export import LogFile, export, follow, follow_into, newest

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("queue-log", help="write the queue_log that Asterisk's reporting tools read")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    exporting = actions.add_parser("export", help="write the lines, all of them or those of a time")
    exporting.add_argument(
        "--from", dest="since", type=written_moment, metavar="TIME", help="from that day or moment on (site zone)"
    )
    exporting.add_argument(
        "--to", dest="until", type=written_moment, metavar="TIME", help="before that day or moment (site zone)"
    )
    exporting.add_argument(
        "--follow",
        action="store_true",
        help="then go on with the lines as they come; without --from to a terminal or pipe: new ones only",
    )
    exporting.add_argument(
        "--output", metavar="FILE", help="into FILE, a new one; with --follow it goes on where it stopped"
    )
    exporting.set_defaults(handler=_export)


def _export(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    zone = settings.site.zone
    given.since, given.until = in_zone(given.since, zone), in_zone(given.until, zone)
    if given.follow and given.until is not None:
        raise InvalidInput("--to: a log that is followed has no end", data={"field": "to"})
    try:
        ask_site(settings, lambda site: _write(site, given))
    except BrokenPipeError:
        raise  # the reader has seen enough
    except OSError as error:
        raise ConfigError(f"--output: {given.output} cannot be written ({error.strerror})") from error
    return 0


async def _write(site: Site, given: argparse.Namespace) -> None:
    if given.output is None and given.follow:
        await follow(site, sys.stdout, after=await newest(site) if given.since is None else 0, since=given.since)
    elif given.output is None:
        await export(site, sys.stdout, since=given.since, until=given.until)
    elif given.follow:
        await follow_into(site, LogFile(Path(given.output)), since=given.since)
    else:
        with await asyncio.to_thread(Path(given.output).open, "x", encoding="utf-8") as file:
            await export(site, file, since=given.since, until=given.until)
