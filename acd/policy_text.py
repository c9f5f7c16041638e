"""The policy as its administrator writes it: the texts of queues.yaml and agents.yaml, checked as the files are.

A mistake is told with its file, its key and the line that the key stands in, all of them at once.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from acd.config import AGENTS, QUEUES, Roster, parse
from callcenter.kernel.errors import ConfigError, InvalidInput

# Ten times as fast where libyaml is there.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_CHARACTERS = 1_000_000
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_WHERE = re.compile(r"(queues\.yaml|agents\.yaml): (.+?): (.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Texts:
    """Both documents, YAML or JSON (which is YAML)."""

    queues: str
    agents: str


@dataclass(frozen=True, slots=True)
class Problem:
    """`key` is empty where the text as a whole is wrong; `line` counts from 1, None where there is no such place."""

    file: str
    key: str
    message: str
    line: int | None


class PolicyInvalid(InvalidInput):
    """The texts do not make a policy; `data["errors"]` has each problem."""

    code = "policy_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [
            {"file": each.file, "key": each.key, "message": each.message, "line": each.line} for each in problems
        ]
        super().__init__(f"The policy has {len(errors)} mistakes.", data={"errors": errors})


def checked(texts: Texts) -> Roster:
    """The roster that `texts` say. Raises PolicyInvalid."""
    problems: list[Problem] = []
    documents = [_parsed(name, text, problems) for name, text in ((QUEUES, texts.queues), (AGENTS, texts.agents))]
    if problems:
        raise PolicyInvalid(problems)
    try:
        return parse(*documents)
    except ConfigError as error:
        raise PolicyInvalid(located(texts, error.data["errors"])) from error


def located(texts: Texts, errors: object) -> list[Problem]:
    """Mistakes as `acd.config.parse` tells them (`queues.yaml: queues[1].ring_s: what`) with their lines."""
    found = []
    for error in errors if isinstance(errors, list) else []:
        match = _WHERE.fullmatch(str(error))
        if match is None:
            found.append(Problem(QUEUES, "", str(error), None))
        else:
            file, key, message = match.groups()
            found.append(Problem(file, key, message, line_of(texts.queues if file == QUEUES else texts.agents, key)))
    return found


def line_of(text: str, key: str) -> int | None:
    """The line of `queues[1].ring_s`, or of the nearest thing around it that is there."""
    node = yaml.compose(text, Loader=LOADER)
    line = None if node is None else 1
    for name, index in _STEP.findall(key):
        found = _child(node, name, index)
        if found is None:
            break
        node, line = found
    return line


def _child(node: yaml.Node | None, name: str, index: str) -> tuple[yaml.Node, int] | None:
    if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
        item: yaml.Node = node.value[int(index)]
        return item, item.start_mark.line + 1
    if name and isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return value, key.start_mark.line + 1
    return None


def difference(before: Texts, after: Texts) -> str:
    """What changed, as a unified diff of both texts; empty when nothing did."""
    pairs = ((QUEUES, before.queues, after.queues), (AGENTS, before.agents, after.agents))
    return "".join(line for name, old, new in pairs for line in _diff(name, old, new))


def _diff(name: str, old: str, new: str) -> Iterator[str]:
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm=""):
        yield line + "\n"


def _parsed(name: str, text: str, problems: list[Problem]) -> object:
    if len(text) > MOST_CHARACTERS:
        problems.append(Problem(name, "", f"is longer than {MOST_CHARACTERS} characters", None))
        return None
    try:
        return yaml.load(text, Loader=LOADER)  # noqa: S506 - one of the two safe ones
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or "is no YAML"
        problems.append(Problem(name, "", what, None if mark is None else mark.line + 1))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problems.append(Problem(name, "", f"is no YAML ({type(error).__name__})", None))
    return None
