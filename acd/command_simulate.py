"""`callcenter simulate`: a scenario under the production core, with intervals, and policies side by side."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from acd.experiment import MOST_CALLS, Done, Progress, Results, run
from acd.laboratory.layout import as_document, as_table, side_by_side
from acd.laboratory.scenario import Scenario
from acd.laboratory.scenario_file import changed, read_scenario, with_policy
from acd.laboratory.summary import Summary, difference, summarised
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import ConfigError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

OWN = "scenario"
MOST_REPLICATIONS = 1_000_000
FIRST_TOLD_S = 2.0


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "simulate",
        help="run a scenario under the distributor and a virtual clock",
        description="Runs a scenario under the very core that routes calls, with a virtual clock, and prints service "
        "levels, waits and occupancy with 95 % confidence intervals. docs/laboratory.md explains them.",
    )
    parser.add_argument("scenario", metavar="SCENARIO", help="a file, or the name of one in CONFIG/scenarios")
    parser.add_argument(
        "--set",
        dest="changes",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="another value, as agents=12 or call_types.billing.patience_s=90; may be repeated",
    )
    parser.add_argument(
        "--replications", type=_count, metavar="N", help="how many times (default: until the figures are sure)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random numbers (default: 1)")
    parser.add_argument(
        "--policy",
        dest="policies",
        metavar="FILE",
        nargs="+",
        action="extend",
        default=[],
        help="other rules for the same callers: queues as in queues.yaml, and what the file says of call_types and "
        "groups; may be repeated",
    )
    parser.add_argument("--processes", type=_count, metavar="N", help="at once (default: one for each processor)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(handler=_simulate)


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_REPLICATIONS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_REPLICATIONS}")
    return value


def _simulate(given: argparse.Namespace) -> int:
    file = find(given.scenario, given.config)
    document = load(file)
    if not isinstance(document, dict):
        raise ConfigError(f"{file.name}: must be a mapping of keys to values")
    document = changed(file.name, document, _changes(given.changes))
    recorded = _recorded(file, document)
    policies = [read_scenario(file.name, document, recorded)]
    names = [OWN]
    for path in map(Path, given.policies):
        policies.append(read_scenario(path.name, with_policy(document, path.name, load(path)), recorded))
        names.append(path.stem)
    results = run(
        policies,
        seed=given.seed,
        replications=given.replications,
        processes=given.processes,
        progress=progress_on_stderr(),
    )
    periods = policies[0].period_names
    summaries = [summarised(outcomes, periods) for outcomes in results.outcomes]
    differences = [difference(outcomes, results.outcomes[0], periods) for outcomes in results.outcomes[1:]]
    report = _Report(policies[0], given.seed, results, names, summaries, differences)
    if given.json:
        sys.stdout.write(json.dumps(report.document(), indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(report.lines()) + "\n")
    return 0


def find(name: str, config: Path) -> Path:
    """The file of a scenario: as named, else in CONFIG/scenarios. Raises ConfigError when there is none."""
    folder = config / "scenarios"
    for path in (Path(name), folder / name, folder / f"{name}.yaml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml"))) or "none"
    raise ConfigError(f"{name}: there is no such scenario (in {folder}: {known})")


def load(path: Path) -> object:
    """A YAML document; raises ConfigError that names the file and the line."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigError(f"{path}: is not YAML{f' in line {mark.line + 1}' if mark else ''}") from error


def _recorded(file: Path, document: Mapping[str, object]) -> list[str]:
    """The lines of the calls that a scenario names, beside its own file."""
    named = document.get("calls")
    if not isinstance(named, str):
        return []
    try:
        return (file.parent / named).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{file.name}: calls: {named} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file.name}: calls: {named} is not UTF-8") from error


def _changes(given: list[str]) -> Mapping[str, object]:
    changes: dict[str, object] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {text}: must be KEY=VALUE")
        try:
            changes[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {key}: {value!r} is not a value") from error
    return changes


def progress_on_stderr() -> Progress:
    """A line on stderr that is overwritten on a terminal, and a line now and then elsewhere; with the time left."""
    clock, terminal = SystemClock(), sys.stderr.isatty()
    began = clock.now()

    def tell(done: Done) -> None:
        over = done.share >= 1
        if not (terminal or over or done.trials % max(1, (done.wanted or 200) // 10) == 0):
            return
        of = f" of {done.wanted}" if done.wanted else ""
        left = time_left((clock.now() - began).total_seconds(), done.share)
        line = f"replication {done.trials}{of}, {done.calls:,} calls{left}"
        sys.stderr.write(f"{line:<70}\r" if terminal and not over else f"{line.rstrip()}\n")
        sys.stderr.flush()

    return tell


def time_left(elapsed_s: float, share: float) -> str:
    """Words for how long the rest takes; none before it can be told."""
    if elapsed_s < FIRST_TOLD_S or not 0 < share < 1:
        return ""
    left_s = elapsed_s * (1 - share) / share
    return f", about {left_s / 60:.0f} min left" if left_s >= 90 else f", about {left_s:.0f} s left"


@dataclass(frozen=True, slots=True)
class _Report:
    """All that is printed; the first policy is the scenario's own."""

    scenario: Scenario
    seed: int
    results: Results
    names: list[str]
    summaries: list[Summary]
    differences: list[Summary]

    def document(self) -> dict[str, object]:
        found: dict[str, object] = {
            "scenario": self.scenario.name,
            "seed": self.seed,
            "replications": self.results.replications,
            "hours": self.scenario.hours,
            "warm_up_s": round(self.scenario.warm_up_s, 3),
            "calls": self.results.calls,
            "sure": self.results.sure,
            **as_document(self.summaries[0]),
        }
        if self.differences:
            found["policies"] = [
                {"name": name, **as_document(summary), "difference": as_document(minus)}
                for name, summary, minus in zip(self.names[1:], self.summaries[1:], self.differences, strict=True)
            ]
        return found

    def lines(self) -> Iterator[str]:
        scenario, results = self.scenario, self.results
        warm_up = f" after {scenario.warm_up_s / 3600:.1f} h of warm-up" if scenario.warm_up_s else ""
        yield (
            f"{scenario.name}: {results.replications} replications of {scenario.hours:g} h{warm_up}, "
            f"{results.calls:,} calls, seed {self.seed}; mean [95 % interval]"
        )
        if not results.sure:
            yield f"stopped at {MOST_CALLS:,} calls; for narrower intervals give --replications"
        yield ""
        if self.differences:
            yield from side_by_side(self.names, self.summaries, self.differences)
        else:
            yield from as_table(self.summaries[0])
