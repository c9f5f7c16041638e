"""The command line: `callcenter COMMAND`.

Rooms add their own commands by `register(commands)` in their module `command`; a handler takes the parsed arguments
and returns an exit code. It finds the settings as `arguments.settings` (Settings) and `arguments.config` (Path). Only
the module of the command that was asked for is imported, so that `run` starts at once.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from callcenter import __version__
from callcenter.app.settings import Settings, load_settings
from callcenter.kernel.errors import CallcenterError, ConfigError, InvalidInput

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

FOLDERS = {
    "--config": "the folder of settings.yaml (default: ./config)",
    "--data": "the folder that keeps everything (default: ./data)",
}
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFIG = 78
EXIT_INTERRUPTED = 130

# Command -> where it is registered. Order is that of `--help`.
MODULES = {
    "run": "callcenter.app.command_run",
    "status": "callcenter.app.status",
    "db": "callcenter.app.command_db",
    "user": "callcenter.app.command_identity",
    "phone": "callcenter.app.command_identity",
    "worker": "callcenter.app.command_worker",
    "calls": "callcenter.app.command_calls",
    "report": "callcenter.app.command_report",
    "forecast": "callcenter.app.command_forecast",
    "staff": "callcenter.app.command_staff",
    "what-if": "callcenter.app.command_what_if",
    "metrics": "callcenter.app.command_metrics",
    "queue-log": "callcenter.reporting.queue_log_command",
    "crm": "callcenter.app.command_crm",
    "flows": "callcenter.app.command_flows",
    "acd": "acd.command",
    "simulate": "acd.command_simulate",
    "demo": "callcenter.app.demo.command",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Expected failures are one line on stderr, never a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(words)
    given = parser.parse_args(words)
    handler: Callable[[argparse.Namespace], int] | None = getattr(given, "handler", None)
    if handler is None:
        parser.print_help()
        return EXIT_USAGE
    try:
        given.config = _config_folder(given.config)
        given.settings = _settings(given)
        return handler(given)
    except ConfigError as error:
        print("\n".join(f"callcenter: {line}" for line in error.message.splitlines()), file=sys.stderr)
        return EXIT_CONFIG
    except CallcenterError as error:
        print(f"callcenter: {error.message}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, InvalidInput) else EXIT_FAILED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; Python must not complain about it again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="callcenter",
        description="A self-hosted call-centre server.",
        epilog="callcenter COMMAND --help tells more.",
    )
    parser.add_argument("--version", action="version", version=f"callcenter {__version__}")
    for flag, what in FOLDERS.items():
        parser.add_argument(flag, metavar="DIR", help=what)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    asked = next((word for word in words if word in MODULES), None)
    modules = [MODULES[asked]] if asked else list(dict.fromkeys(MODULES.values()))
    for name in modules:
        importlib.import_module(name).register(commands)
    for each in commands.choices.values():
        _add_folders(each)
    return parser


def _add_folders(parser: argparse.ArgumentParser) -> None:
    """Let --config and --data stand after the command and its action too; SUPPRESS keeps the ones before it."""
    known = {flag for action in parser._actions for flag in action.option_strings}
    for flag, what in FOLDERS.items():
        if flag not in known:
            parser.add_argument(flag, metavar="DIR", default=argparse.SUPPRESS, help=what)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _add_folders(each)


def _config_folder(given: str | None) -> Path:
    """As said; else ./config; else the samples beside the source."""
    named = given or os.environ.get("CALLCENTER_CONFIG")
    if named:
        folder = Path(named).absolute()
        if not folder.is_dir():
            raise ConfigError(f"config: there is no folder {folder}")
        return folder
    here = Path("config").absolute()
    return here if here.is_dir() else Path(__file__).resolve().parents[2] / "config"


def _settings(given: argparse.Namespace) -> Settings:
    flags: dict[str, object] = {"data": given.data}
    if hasattr(given, "flags"):
        flags |= given.flags(given)
    return load_settings(given.config, os.environ, flags)
