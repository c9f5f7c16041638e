"""Whether a flow's names lead anywhere and its walks end.

Targets, reach, loops, prompts in every language, queues, calendars, variables.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from ivr.errors import Problem
from ivr.expressions import TIME_FIELDS
from ivr.model import (
    CallbackNode,
    DialNode,
    Flow,
    GatherNode,
    HoursNode,
    Node,
    Prompt,
    PromptFile,
    QueueNode,
    SetNode,
    VoicemailNode,
)
from ivr.reading import did_you_mean
from ivr.references import paths_of, prompts_of
from ivr.speech import pieces_of

LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Known:
    """What a flow may refer to outside of itself. None: not checked here."""

    prompt: PromptFile | None = None
    prompts: Callable[[str], Collection[str]] | None = None
    queues: Collection[str] | None = None
    calendars: Collection[str] | None = None


def check(file: str, flow: Flow, known: Known) -> list[Problem]:
    """Every fault of reference or shape in `flow`."""
    checker = _Checker(file, flow, known)
    return [
        *checker.targets(),
        *checker.reach(),
        *checker.loops(),
        *checker.outside(),
        *checker.prompts(),
        *checker.variables(),
    ]


class _Checker:
    def __init__(self, file: str, flow: Flow, known: Known) -> None:
        self._file = file
        self._flow = flow
        self._known = known
        self._raw_nodes = flow.source.get("nodes")

    def _problem(self, node: str, branch: str, message: str) -> Problem:
        return Problem(self._file, node, branch, message)

    def _declared(self) -> Collection[str]:
        """Every node of the document, also those that could not be read: they are no second fault."""
        raw = self._raw_nodes
        return [str(name) for name in raw] if isinstance(raw, dict) else []

    def targets(self) -> Iterator[Problem]:
        declared = self._declared()
        if self._flow.start and self._flow.start not in declared:
            yield self._unknown("", "start", self._flow.start, declared)
        flow_error = self._flow.source.get("on_error")
        if isinstance(flow_error, str) and flow_error not in declared:
            yield self._unknown("", "on_error", flow_error, declared)
        for node in self._flow.nodes.values():
            for branch, target in _all_edges(node):
                if target and target not in declared and not (branch == "error" and target == flow_error):
                    yield self._unknown(node.name, branch, target, declared)

    def _unknown(self, node: str, branch: str, target: str, declared: Collection[str]) -> Problem:
        return self._problem(node, branch, f'unknown node "{target}"{did_you_mean(target, declared)}')

    def reach(self) -> Iterator[Problem]:
        seen: set[str] = set()
        waiting = [self._flow.start]
        while waiting:
            name = waiting.pop()
            node = self._flow.nodes.get(name)
            if name in seen:
                continue
            seen.add(name)
            if node is None and name in self._declared():
                return  # a node that could not be read hides what lies behind it
            if node is not None:
                waiting += [target for _, target in _all_edges(node)]
        for name in self._flow.nodes:
            if name not in seen:
                yield self._problem(name, "", "unreachable: no branch leads here from start")

    def loops(self) -> Iterator[Problem]:
        """A cycle of nodes that neither wait nor take input would never let go of the caller."""
        for cycle in _cycles({node.name: _busy_targets(node) for node in self._flow.nodes.values()}):
            nodes = " -> ".join([*cycle, cycle[0]])
            yield self._problem(cycle[0], "", f"loop without an exit ({nodes}): no caller input, wait or end in it")

    def outside(self) -> Iterator[Problem]:
        for node in self._flow.nodes.values():
            if isinstance(node, HoursNode):
                yield from self._named(node.name, "calendar", node.calendar, self._known.calendars)
            if isinstance(node, QueueNode | CallbackNode | VoicemailNode) and (node.queue or node.kind == "queue"):
                yield from self._named(node.name, "queue", node.queue, self._known.queues)
            if isinstance(node, SetNode) and LANGUAGE in node.values:
                language = node.values[LANGUAGE]
                if language not in self._flow.languages:
                    known = ", ".join(self._flow.languages)
                    yield self._problem(node.name, f"values.{LANGUAGE}", f"must be one of the flow's: {known}")

    def _named(self, node: str, key: str, name: str, known: Collection[str] | None) -> Iterator[Problem]:
        if name and known is not None and name not in known:
            yield self._problem(node, key, f'unknown {key} "{name}"{did_you_mean(name, known)}')

    def prompts(self) -> Iterator[Problem]:
        if self._known.prompt is None:
            return
        for node in self._flow.nodes.values():
            for key, prompts in prompts_of(node):
                for language in self._flow.languages:
                    for prompt in prompts:
                        yield from self._prompt(node.name, key, language, prompt)

    def _prompt(self, node: str, key: str, language: str, prompt: Prompt) -> Iterator[Problem]:
        find = self._known.prompt
        if find is None:
            return
        if isinstance(prompt, str):
            if find(language, prompt) is None:
                near = did_you_mean(prompt, self._known.prompts(language)) if self._known.prompts else ""
                yield self._problem(node, key, f'missing prompt "{prompt}" in language "{language}"{near}')
            return
        pieces = pieces_of(language)
        if not pieces:
            yield self._problem(node, key, f'say_{prompt.style}: no numbers in language "{language}"')
        for piece in sorted(pieces):
            if find(language, piece) is None:
                yield self._problem(node, key, f'missing prompt "{piece}" in language "{language}"')

    def variables(self) -> Iterator[Problem]:
        """Names that are read but never set, and fields that time does not have."""
        assigned = {node.into for node in self._flow.nodes.values() if isinstance(node, GatherNode)}
        for node in self._flow.nodes.values():
            if isinstance(node, SetNode):
                assigned.update(node.values)
        masked = {node.into for node in self._flow.nodes.values() if isinstance(node, GatherNode) and node.masked}
        for node in self._flow.nodes.values():
            for key, path in paths_of(node):
                yield from self._path(node.name, key, path, assigned)
                if isinstance(node, DialNode | CallbackNode) and path[0] == "vars" and path[-1] in masked:
                    yield self._problem(node.name, key, f'masked variable "{path[-1]}" may not be dialled')

    def _path(self, node: str, key: str, path: tuple[str, ...], assigned: Collection[str]) -> Iterator[Problem]:
        root, *rest = path
        name = ".".join(path)
        if root in ("caller", "called"):
            if rest:
                yield self._problem(node, key, f'"{root}" has no parts ("{name}")')
        elif len(rest) != 1:
            yield self._problem(node, key, f'"{name}": write {root}.NAME')
        elif root == "vars" and rest[0] not in assigned:
            yield self._problem(node, key, f'variable "{rest[0]}" is never set{did_you_mean(rest[0], assigned)}')
        elif root == "time" and rest[0] not in TIME_FIELDS:
            yield self._problem(node, key, f'time has no "{rest[0]}"{did_you_mean(rest[0], TIME_FIELDS)}')


def _all_edges(node: Node) -> Sequence[tuple[str, str]]:
    return (*node.edges(), ("error", node.on_error)) if node.on_error else node.edges()


def _busy_targets(node: Node) -> list[str]:
    """Where a node leads by itself; an error branch is bounded by the machine."""
    return [] if node.waits else [target for _, target in node.edges()]


def _cycles(graph: dict[str, list[str]]) -> Iterator[list[str]]:
    """One cycle for each depth-first back edge; colours: absent, on the path, done."""
    done: set[str] = set()
    for start, first in graph.items():
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in done:
            stack.append((start, iter(first)))
            path.append(start)
        while stack:
            target = next(stack[-1][1], None)
            if target is None:
                stack.pop()
                done.add(path.pop())
            elif target in path:
                yield path[path.index(target) :]
            elif target in graph and target not in done:
                stack.append((target, iter(graph[target])))
                path.append(target)
