"""Logs say what happened and never to whom: static messages, and fields that no caller, name or digit fits in."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.test_house.tree import PACKAGES, python_files, text_of

LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
# Counts, durations, ids of our own, and words of our own: configuration, reasons and codes.
FIELDS = {
    *("behind_s", "contacts", "epoch", "events", "missing", "rows", "sessions", "site_epoch", "units"),
    *("chore", "code", "edge", "flow", "node", "reason", "release", "session", "ticket", "trunk", "worker"),
}
# Run by hand when prompts are made; it knows of no call.
EXEMPT = {Path("ivr/synthesise.py")}


def lines() -> Iterator[tuple[str, ast.Call]]:
    """Each call of a module's `log`, and where it is."""
    for path in python_files(*PACKAGES):
        if path in EXEMPT:
            continue
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id in {"log", "logger", "logging"}:
                    yield f"{path}:{node.lineno}", node


def fields_of(call: ast.Call) -> list[str]:
    """The keys of `extra`, which is written out in the call."""
    keys: list[str] = []
    for keyword in call.keywords:
        if keyword.arg == "extra":
            assert isinstance(keyword.value, ast.Dict), "extra must be written out where it is logged"
            keys += [str(key.value) if isinstance(key, ast.Constant) else "?" for key in keyword.value.keys]
        else:
            assert keyword.arg == "exc_info"
    return keys


def test_every_message_is_static() -> None:
    found = list(lines())
    assert len(found) > 30
    varying = [
        where
        for where, call in found
        if len(call.args) != 1
        or not isinstance(call.args[0], ast.Constant)
        or not isinstance(call.args[0].value, str)
    ]
    assert varying == []


def test_every_field_is_known_to_hold_nothing_personal() -> None:
    strange = [(where, key) for where, call in lines() for key in fields_of(call) if key not in FIELDS]
    assert strange == []


def test_every_module_logs_through_its_own_logger() -> None:
    odd = [
        str(path)
        for path in python_files(*PACKAGES)
        if path.as_posix() != "callcenter/app/logs.py"
        for line in text_of(path).splitlines()
        if "getLogger" in line and line != "log = logging.getLogger(__name__)"
    ]
    assert odd == []
