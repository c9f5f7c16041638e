"""What is wrong with flow documents, all of it at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.kernel.errors import ConfigError, NotFound


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault. `node` and `branch` (or key) are empty where the whole document is meant."""

    file: str
    node: str
    branch: str
    message: str

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.file, self.node, self.branch) if part)
        return f"{where}: {self.message}"


class FlowsInvalid(ConfigError):
    """At least one flow document is wrong; `problems` has every fault of every file."""

    code = "flows_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = "\n".join(str(problem) for problem in problems)
        super().__init__(lines, data={"problems": [str(problem) for problem in problems]})
        self.problems = tuple(problems)


class UnknownFlow(NotFound):
    """No flow of that name."""

    code = "unknown_flow"
