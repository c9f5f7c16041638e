"""docs/events.md names what the code tells, no more and no less."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.test_house.tree import PACKAGES, python_files, text_of

TYPE = re.compile(r"[a-z]+\.[a-z_]+\.[a-z_]+")
# What takes a type as an argument: a unit, the outbox, a ticket's record.
TELLING = {"event", "record", "tell", "_record"}


def told(tree: ast.Module) -> Iterator[str]:
    """Types that are arguments of a call that tells, or the TYPE of a fact's class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in TELLING:
                yield from (text for argument in node.args for text in constants(argument))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "TYPE":
            yield from constants(node.value)


def constants(node: ast.AST | None) -> list[str]:
    found = [] if node is None else [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return [text for text in found if isinstance(text, str) and TYPE.fullmatch(text)]


def documented() -> list[str]:
    rows = [line.split("|")[1] for line in text_of(Path("docs/events.md")).splitlines() if line.startswith("| ")]
    return [name.strip() for row in rows for name in row.split(",") if TYPE.fullmatch(name.strip())]


def test_every_event_that_the_code_tells_is_documented_and_nothing_else() -> None:
    code = {type_ for path in python_files(*PACKAGES) for type_ in told(ast.parse(text_of(path)))}
    assert len(code) > 40
    assert code == set(documented())


def test_no_event_is_documented_twice() -> None:
    names = documented()
    assert sorted(names) == sorted(set(names))
