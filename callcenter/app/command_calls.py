"""`callcenter calls`: the records with their tickets, and `import`, which keeps another system's log beside them."""

import argparse
import asyncio
import csv
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from acd.call_logs import Kept, keep
from acd.laboratory.technion import FLAGS, Log, read
from callcenter.app.call_log_file import name_of, opened, zone_of
from callcenter.app.journal_log import read_journal
from callcenter.app.settings import Settings
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from callcenter.reporting import command as reporting
from tickets.listing import of_contact

if TYPE_CHECKING:
    from callcenter.app.command import Commands

SHOWN = 20


def register(commands: "Commands") -> None:
    """Add the command."""
    actions = reporting.register(commands, of_contact)
    importing = actions.add_parser(
        "import",
        help="take in the call log of another system",
        description="Take in a call log. Odd rows are kept and flagged, rows that cannot be read are rejected; the "
        "same file taken in again changes nothing. `callcenter report` and `callcenter what-if` read it.",
    )
    importing.add_argument("file", type=Path, help="the log, plain or gzip")
    importing.add_argument(
        "--format",
        choices=["technion", "journal"],
        required=True,
        help="technion: a bank's log, with tabs; journal: the live.db of a site of this product",
    )
    importing.add_argument("--zone", metavar="ZONE", help="the IANA zone of the log's clock (default: the site's)")
    importing.add_argument(
        "--report", type=Path, metavar="FILE", help="every flagged or rejected row (default: DATA/imports/NAME.csv)"
    )
    importing.add_argument("--json", action="store_true", help="print the report, every row of it, as JSON")
    importing.set_defaults(handler=_import)


def _import(given: argparse.Namespace) -> int:
    settings: Settings = given.settings
    zone = zone_of(given.zone or settings.site.zone)
    name = name_of(given.file)
    if given.format == "journal":
        log = read_journal(given.file, name)
    else:
        with opened(given.file) as lines:
            log = read(lines, file=name, zone=zone)
    if not log.calls:
        for row in log.rejected[:SHOWN]:
            print(f"line {row.line}: {row.reason}", file=sys.stderr)
        raise InvalidInput(f"{given.file}: no row of it can be read", data={"field": "file"})
    kept = asyncio.run(_keep(settings, name, zone.key, log))
    where = given.report or settings.data_dir / "imports" / f"{name}.csv"
    _write_report(where, log)
    if given.json:
        print(json.dumps(_document(name, zone.key, log, kept), indent=2, ensure_ascii=False))
    else:
        _print(log, kept, where)
    return 1 if log.rejected else 0


async def _keep(settings: Settings, name: str, zone: str, log: Log) -> Kept:
    await migrate(settings.site_database_url, settings.data_dir)
    site = Site(settings.site_database_url)
    try:
        return await keep(site, name, zone, log.calls, _progress(len(log.calls)))
    finally:
        await site.close()


def _progress(total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if sys.stderr.isatty():
            print(
                f"\r{done} of {total} calls written", end="\n" if done == total else "", file=sys.stderr, flush=True
            )

    return tell


def _rows(log: Log) -> list[tuple[int, str, str]]:
    """(line, verdict, why) of each flagged or rejected row in the order of the file."""
    rows = [(row.line, "rejected", row.reason) for row in log.rejected]
    rows += [(int(call.source.rpartition(":")[2]), "flagged", " ".join(call.flags)) for call in log.flagged]
    return sorted(rows)


def _write_report(path: Path, log: Log) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("line", "verdict", "why"))
            writer.writerows(_rows(log))
    except OSError as error:
        raise InvalidInput(f"report: {path}: {error.strerror}", data={"field": "report"}) from error


def _print(log: Log, kept: Kept, where: Path) -> None:
    for row in log.rejected[:SHOWN]:
        print(f"line {row.line}: {row.reason}", file=sys.stderr)
    if len(log.rejected) > SHOWN:
        print(f"... and {len(log.rejected) - SHOWN} more", file=sys.stderr)
    for flag, count in sorted(_flags(log).items()):
        print(f"{count:>7}  {flag}: {FLAGS[flag]}")
    print(
        f"{len(log.calls)} calls ({kept.new} new, {kept.changed} changed, {kept.unchanged} as they were, "
        f"{kept.removed} no longer in the file), {len(log.flagged)} of them flagged; "
        f"{len(log.rejected)} rows rejected"
    )
    print(f"every flagged or rejected row: {where}")


def _flags(log: Log) -> Counter[str]:
    return Counter(flag for call in log.calls for flag in call.flags)


def _document(name: str, zone: str, log: Log, kept: Kept) -> dict[str, object]:
    return {
        "file": name,
        "zone": zone,
        "calls": len(log.calls),
        "new": kept.new,
        "changed": kept.changed,
        "unchanged": kept.unchanged,
        "removed": kept.removed,
        "flagged": len(log.flagged),
        "rejected": len(log.rejected),
        "flags": dict(sorted(_flags(log).items())),
        "rows": [{"line": line, "verdict": verdict, "why": why} for line, verdict, why in _rows(log)],
    }
