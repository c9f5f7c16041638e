"""`callcenter flows`: check the flows of config/ as the server will at its start."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from acd.config import load as load_roster
from callcenter.calendars import load_calendars
from ivr.loading import check_folder
from ivr.prompts import PromptFolder

if TYPE_CHECKING:
    from callcenter.app.command import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("flows", help="check the flows of config/")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    validate = actions.add_parser("validate", help="name every fault with its file, node and branch")
    validate.add_argument("folder", nargs="?", metavar="DIR", help="flows of another folder (default: CONFIG/flows)")
    validate.set_defaults(handler=_validate)


def _validate(given: argparse.Namespace) -> int:
    config: Path = given.config
    report = check_folder(
        Path(given.folder) if given.folder else config / "flows",
        prompts=PromptFolder(config / "prompts"),
        queues=[queue.name for queue in load_roster(config).queues],
        calendars=load_calendars(config / "calendars"),
    )
    print("\n".join(report.lines()))
    return 1 if report.problems else 0
