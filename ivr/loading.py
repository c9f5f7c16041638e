"""The folder of flow documents: one YAML file each, all read, all checked, every fault reported at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ivr.checks import Known, check
from ivr.errors import FlowsInvalid, Problem
from ivr.model import Flow
from ivr.prompts import PromptFolder
from ivr.reading import read_flow


@dataclass(frozen=True, slots=True)
class Report:
    """What a folder holds: the flows that could be read, and every fault, sorted by file and node."""

    flows: Mapping[str, Flow]
    problems: tuple[Problem, ...]

    def lines(self) -> list[str]:
        """For a terminal: each fault on a line of its own, else what was found."""
        if self.problems:
            return [str(problem) for problem in self.problems]
        return [f"{flow.name}: {len(flow.nodes)} nodes, version {flow.version}" for flow in self.flows.values()]


def check_folder(
    folder: Path,
    *,
    prompts: PromptFolder | None = None,
    queues: Collection[str] | None = None,
    calendars: Collection[str] | None = None,
) -> Report:
    """Read and check every `*.yaml` of `folder`. What is None is not checked (a flow author without a site)."""
    known = Known(
        prompt=prompts.find if prompts else None,
        prompts=(lambda language: prompts.ids([language])) if prompts else None,
        queues=queues,
        calendars=calendars,
    )
    flows: dict[str, Flow] = {}
    problems: list[Problem] = []
    files = sorted(folder.glob("*.yaml"))
    if not files:
        problems.append(Problem(str(folder), "", "", "holds no flow (*.yaml)"))
    for path in files:
        flow = _read_file(path, problems)
        if flow is None:
            continue
        problems += check(path.name, flow, known)
        if flow.name in flows:
            problems.append(Problem(path.name, "", "name", f'"{flow.name}" is also the name of another file\'s flow'))
        flows[flow.name] = flow
    return Report(flows, tuple(sorted(set(problems))))


def load_flows(
    folder: Path,
    *,
    prompts: PromptFolder | None = None,
    queues: Collection[str] | None = None,
    calendars: Collection[str] | None = None,
) -> dict[str, Flow]:
    """The flows of `folder` by name; raises FlowsInvalid with every fault of every file."""
    report = check_folder(folder, prompts=prompts, queues=queues, calendars=calendars)
    if report.problems:
        raise FlowsInvalid(report.problems)
    return dict(report.flows)


def _read_file(path: Path, problems: list[Problem]) -> Flow | None:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problems.append(Problem(path.name, "", "", f"not YAML: {' '.join(str(error).split())}"))
        return None
    return read_flow(path.name, raw, problems)


class _UniqueKeys(yaml.SafeLoader):
    """YAML as it is, but a node written twice is an error and not the last one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[object] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)
