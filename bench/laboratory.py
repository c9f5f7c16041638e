"""How many calls a second the laboratory simulates, in one process, in CPU time.

    python -m bench.laboratory [--calls N] [--profile]

`pool`: 14 agents, one queue. `site`: config/scenarios/multi_skill.yaml. `bank`: days of bank_day.yaml beside it.
The core alone is the same run without the world around it: its inputs are recorded first, then handed in again.
"""

import argparse
import cProfile
import gc
import pstats
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import yaml

from acd import commands, events
from acd.core import Distributor
from acd.experiment import streams_of
from acd.laboratory import world
from acd.laboratory.scenario import Scenario
from acd.laboratory.scenario_file import changed, read_scenario

SCENARIOS = Path(__file__).resolve().parents[1] / "config" / "scenarios"
Recorded = list[tuple[commands.Input, datetime]]


class _Recorder(Distributor):
    """A core that remembers its inputs."""

    recorded: Recorded

    def handle(self, input_: commands.Input, *, now: datetime) -> list[events.Event]:
        self.recorded.append((input_, now))
        return super().handle(input_, now=now)


def scenario(name: str, calls: int) -> Scenario:
    document = yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8"))
    if name == "mmn":
        document = changed(name, document, {"hours": calls / 200, "start_empty": True})
    return read_scenario(name, document)


def trials(found: Scenario, calls: int) -> Iterator[tuple[int, float]]:
    """(calls, CPU seconds) of trial after trial until there were `calls`."""
    done = number = 0
    while done < calls:
        begin = time.process_time()
        outcome = world.World(found.trial(streams_of(1, number))).run()
        yield outcome.calls, time.process_time() - begin
        done += outcome.calls
        number += 1


def core_alone(found: Scenario) -> tuple[int, float]:
    """(calls, CPU seconds) of the core in one trial."""
    recorded = _Recorder.recorded = []
    kept = world.Distributor
    world.Distributor = _Recorder  # type: ignore[misc]  # the bench listens in
    try:
        outcome = world.World(found.trial(streams_of(1, 0))).run()
    finally:
        world.Distributor = kept  # type: ignore[misc]  # as it was
    core = Distributor()
    gc.collect()
    begin = time.process_time()
    for number, (input_, now) in enumerate(recorded):
        core.handle(input_, now=now)
        if number % world.INPUTS_BETWEEN_CLEARING == 0:
            core.take_touched()
    return outcome.calls, time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description="simulated calls per CPU second, one process")
    parser.add_argument("--calls", type=int, default=20_000, help="calls simulated of each scenario")
    parser.add_argument("--profile", action="store_true", help="say where the time of `pool` goes")
    given = parser.parse_args()
    if given.profile:
        profile = cProfile.Profile()
        profile.runcall(lambda: list(trials(scenario("mmn", given.calls), given.calls)))
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        return
    print(f"{'':6} {'calls':>8} {'calls/s':>9} {'core alone':>11}")
    for title, name in (("pool", "mmn"), ("site", "multi_skill"), ("bank", "bank_day")):
        found = scenario(name, given.calls)
        runs = list(trials(found, given.calls))
        calls, seconds = sum(calls for calls, _ in runs), sum(seconds for _, seconds in runs)
        core_calls, core_seconds = core_alone(found)
        print(f"{title:6} {calls:8} {calls / seconds:9.0f} {core_calls / core_seconds:11.0f}")


if __name__ == "__main__":
    main()
