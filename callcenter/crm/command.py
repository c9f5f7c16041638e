"""`callcenter crm import FILE`, `callcenter crm export FILE` and `callcenter crm find NUMBER`."""

import argparse
import asyncio
import csv
import sys
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from callcenter.crm.bulk import Preview, export_customers, import_customers, preview_customers
from callcenter.crm.formulas import quoted
from callcenter.crm.importing import COLUMNS, BadRow, read_rows
from callcenter.crm.service import Found, find_by_number
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import CommandSettings, Site

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

SHOWN = 20
Agents = Callable[[argparse.Namespace], Collection[str]]


def register(commands: "Commands", agents: Agents = lambda _: ()) -> None:
    """Add the command. `agents` gives the ids of those who may own customers; it may raise ConfigError."""
    parser = commands.add_parser("crm", help="import customers, look them up")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    importing = actions.add_parser("import", help="create or update customers from a CSV file")
    importing.add_argument("file", type=Path, help=f"UTF-8, first line of: {', '.join(COLUMNS)}")
    importing.add_argument("--rejected", type=Path, metavar="FILE", help="write the rows that were not taken here")
    importing.add_argument("--preview", action="store_true", help="say what would be done, and do nothing")
    importing.set_defaults(handler=partial(_import, agents=agents))
    exporting = actions.add_parser("export", help="write all customers to a CSV file, safe to open in a spreadsheet")
    exporting.add_argument("file", type=Path)
    exporting.set_defaults(handler=_export)
    finding = actions.add_parser("find", help="whom a number belongs to")
    finding.add_argument("number")
    finding.set_defaults(handler=_find)


def _import(given: argparse.Namespace, agents: Agents) -> int:
    settings: CommandSettings = given.settings
    work = asyncio.run(_read_and_import(given.file, settings, agents(given), preview=given.preview))
    report = work.report
    for row in report.bad[:SHOWN]:
        sys.stderr.write(f"line {row.line}: {row.flaw.text}\n")
    if len(report.bad) > SHOWN:
        hint = "" if given.rejected else "; --rejected FILE writes them all"
        sys.stderr.write(f"... and {len(report.bad) - SHOWN} more{hint}\n")
    if given.rejected:
        _write_rejected(given.rejected, report.bad)
    for first in work.first:
        good, mark = first.row, "+" if first.customer is None else "~"
        numbers = ", ".join(number.e164 for number in good.numbers)
        sys.stdout.write(f"{mark} line {good.line}: {good.name} | {good.company} | {numbers}\n")
    would = "would be " if given.preview else ""
    sys.stdout.write(
        f"{report.created} {would}created, {report.updated} {would}updated, {len(report.bad)} not taken\n"
    )
    return 1 if report.bad else 0


async def _read_and_import(
    path: Path, settings: CommandSettings, agents: Collection[str], *, preview: bool
) -> Preview:
    """What was done; of a preview also the first rows."""
    site = Site(settings.site_database_url)
    try:
        # The command has the loop to itself: reading a file may block it.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            rows = read_rows(lines, region=settings.site.region, agents=agents)
            if preview:
                return await preview_customers(site, rows)
            return Preview(0, await import_customers(site, rows, now=SystemClock().wall()), ())
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from error
    finally:
        await site.close()


def _export(given: argparse.Namespace) -> int:
    asyncio.run(_write_all(given.file, given.settings))
    return 0


async def _write_all(path: Path, settings: CommandSettings) -> None:
    site = Site(settings.site_database_url)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            async for piece in export_customers(site, region=settings.site.region):
                file.write(piece)
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from error
    finally:
        await site.close()


def _write_rejected(path: Path, bad: tuple[BadRow, ...]) -> None:
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "row"))
        writer.writerows((row.line, row.flaw.text, *map(quoted, row.fields)) for row in bad)


def _find(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    found = asyncio.run(_ask(given.number, settings))
    for match in found.matches:
        customer = match.customer
        why = f"{match.confidence} % {match.reason}"
        sys.stdout.write(f"{customer.id}  {customer.name}  {customer.company}  ({why})\n")
    if not found.matches:
        sys.stderr.write("nobody\n")
    return 0 if found.matches else 1


async def _ask(number: str, settings: CommandSettings) -> Found:
    site = Site(settings.site_database_url)
    try:
        return await find_by_number(site, number, region=settings.site.region)
    finally:
        await site.close()
