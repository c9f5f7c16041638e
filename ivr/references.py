"""What a node refers to: its prompts and the names that its expressions read."""

from collections.abc import Iterable, Iterator

from ivr.expressions import paths
from ivr.model import (
    BranchNode,
    CallbackNode,
    DialNode,
    Flow,
    GatherNode,
    MenuNode,
    Node,
    PlayNode,
    Prompt,
    QueueNode,
    RecordNode,
    Say,
    SetNode,
)

BEEP = "beep"
KeyedPath = tuple[str, tuple[str, ...]]


def prompts_of(node: Node) -> Iterator[tuple[str, tuple[Prompt, ...]]]:
    """(key, prompts) of everything that the node may play."""
    if isinstance(node, PlayNode | MenuNode | GatherNode | RecordNode):
        yield "prompts", node.prompts
    if isinstance(node, MenuNode | GatherNode):
        yield "invalid_prompts", node.invalid_prompts
        yield "timeout_prompts", node.timeout_prompts
    if isinstance(node, RecordNode) and node.beep:
        yield "beep", (BEEP,)
    if isinstance(node, DialNode):
        yield "announcement", node.announcement
        yield "ringback", node.ringback
    if isinstance(node, QueueNode):
        yield "music", node.music
        yield "comfort", node.comfort


def paths_of(node: Node) -> Iterator[KeyedPath]:
    """(key, name as its parts) of everything that the node's expressions read."""
    for key, prompts in prompts_of(node):
        for prompt in prompts:
            if isinstance(prompt, Say):
                yield from _keyed(key, prompt.what.paths())
    if isinstance(node, DialNode):
        yield from _keyed("target", node.target.paths())
    if isinstance(node, QueueNode):
        yield from _keyed("preferred", node.preferred.paths())
    if isinstance(node, CallbackNode):
        yield from _keyed("number", node.number.paths())
    if isinstance(node, BranchNode):
        for number, case in enumerate(node.cases, 1):
            yield from _keyed(f"case_{number}", paths(case.condition))
    if isinstance(node, SetNode):
        for name, value in node.values.items():
            if not isinstance(value, str | int | None):
                yield from _keyed(f"values.{name}", value.paths())


def _keyed(key: str, found: Iterable[tuple[str, ...]]) -> Iterator[KeyedPath]:
    for path in found:
        yield key, path


def may_read(flow: Flow, start: str, variable: str) -> bool:
    """Whether a walk from the node `start` can read `vars.variable` before a gather sets it again."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        node = flow.nodes.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if any(path == ("vars", variable) for _, path in paths_of(node)):
            return True
        if not (isinstance(node, GatherNode) and node.into == variable):
            waiting += [target for _, target in node.edges()]
    return False
