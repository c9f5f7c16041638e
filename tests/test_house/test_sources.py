"""Sizes, names, clocks and catches (docs/architecture.md and the house's style)."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.test_house.tree import PACKAGES, REPOSITORY, python_files, text_of, tracked

SOURCES = {".py", ".ts", ".svelte", ".js", ".css", ".md", ".sh", ".yaml", ".toml"}
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common"}

# Who may read a clock besides callcenter.kernel.clock: drivers whose time is the loop's or the packet's.
CLOCK_DRIVERS = (
    "callcenter/kernel/clock.py",
    "callcenter/kernel/journal",  # how long a commit took
    "callcenter/kernel/ids.py",  # UUIDv7 carries the time of its making
    "callcenter/media/",  # the 20 ms tick, RTP arrival, NTP stamps of RTCP
    "callcenter/sip/",  # transaction timers run on loop time
)
CLOCKS = {
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "monotonic_ns"),
    ("time", "perf_counter"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
}


def test_no_source_file_is_longer_than_600_lines() -> None:
    long = {str(path): count for path in tracked() if path.suffix in SOURCES and (count := _lines(path)) > 600}
    assert not long


def test_half_of_the_python_files_have_150_lines_or_fewer() -> None:
    assert statistics.median(_lines(path) for path in python_files(*PACKAGES)) <= 150


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [path for path in tracked() if {path.stem, *path.parts[:-1]} & VAGUE]


def test_only_drivers_with_a_time_of_their_own_read_a_clock() -> None:
    found = [
        f"{path}:{node.lineno} {name}.{attribute}"
        for path in python_files(*PACKAGES)
        if not str(path).startswith(CLOCK_DRIVERS)
        for node, name, attribute in _calls(path)
        if (name, attribute) in CLOCKS
    ]
    assert not found


def test_catch_all_clauses_say_why_they_are_a_drivers_edge() -> None:
    silent = [f"{path}:{line}" for path in python_files(*PACKAGES) for line in _silent_catches(path)]
    assert not silent


def test_every_switched_off_check_has_a_reason_beside_it() -> None:
    bare = re.compile(r"#\s*(?:noqa(?:: [A-Z0-9, ]+)?|type: ignore(?:\[[a-z, -]+\])?)\s*$")
    found = [
        f"{path}:{number}"
        for path in python_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if bare.search(line)
    ]
    assert not found


def test_every_package_module_says_what_it_decides() -> None:
    silent = [
        str(path)
        for path in python_files(*PACKAGES)
        if (REPOSITORY / path).stat().st_size and ast.get_docstring(ast.parse(text_of(path))) is None
    ]
    assert not silent


def _lines(path: Path) -> int:
    return text_of(path).count("\n")


def _calls(path: Path) -> Iterator[tuple[ast.Call, str, str]]:
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            yield node, name, node.func.attr


def _silent_catches(path: Path) -> Iterator[int]:
    """Handlers of everything that neither log nor raise: such a surprise would vanish."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            told = any(isinstance(inner, ast.Raise) or _is_log(inner) for inner in ast.walk(node))
            if not told:
                yield node.lineno


def _is_broad(caught: ast.expr | None) -> bool:
    return caught is None or (isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException"))


def _is_log(node: ast.AST) -> bool:
    logs = ("exception", "error", "warning", "critical")
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in logs
