"""Runs trials of a scenario, in as many processes as there are, and gathers what they came to.

A trial's chance hangs on the seed and its number alone, and trials are gathered in the order of their numbers, so the
result is the same whatever the number of processes.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from signal import SIG_DFL, SIGINT, signal
from typing import Protocol

from acd.laboratory.chance import Generator, Streams
from acd.laboratory.summary import summarised, sureness
from acd.laboratory.tally import Outcome
from acd.laboratory.trial import Trial
from acd.laboratory.world import World

# Without a wish, trials are added by this many until the figures are sure, or this many calls have been simulated.
BATCH = 20
MOST_CALLS = 3_000_000
MOST_TRIALS = 2_000


@dataclass(frozen=True, slots=True)
class Done:
    """How far it is. `wanted` is None where the figures say when it is enough. `share`: how much of the work is done
    as far as that can be told, 0 as long as it cannot, 1 at the end.
    """

    trials: int
    wanted: int | None
    calls: int
    share: float


Progress = Callable[[Done], None]


@dataclass(frozen=True, slots=True)
class Results:
    """`outcomes[p][n]`: trial n under policy p; the same n had the same callers. `sure`: no more were wanted."""

    outcomes: tuple[tuple[Outcome, ...], ...]
    sure: bool

    @property
    def replications(self) -> int:
        return len(self.outcomes[0])

    @property
    def calls(self) -> int:
        return sum(outcome.calls for policy in self.outcomes for outcome in policy)


class Rehearsal(Protocol):
    """What can be run again and again: a scenario, or a day of a log, under one policy."""

    def trial(self, streams: Streams) -> Trial:
        """One run, its chance taken from `streams`."""
        ...


def silent(_done: Done) -> None:
    """Progress that nobody looks at."""


def streams_of(seed: int, trial: int) -> Streams:
    """The random streams of one trial, one for each purpose."""

    def stream(purpose: str) -> Generator:
        # Random seeds itself with a text by SHA-512, the same on any machine. Nothing here is a secret.
        return Random(f"{seed}/{trial}/{purpose}")  # noqa: S311 simulated chance, not cryptography

    return stream


def run_trial(policies: Sequence[Rehearsal], seed: int, trial: int) -> tuple[Outcome, ...]:
    """Trial number `trial` under each policy, with the same random numbers."""
    return tuple(World(each.trial(streams_of(seed, trial))).run() for each in policies)


def run(
    policies: Sequence[Rehearsal],
    *,
    seed: int,
    replications: int | None = None,
    processes: int | None = None,
    progress: Progress = silent,
) -> Results:
    """All trials of each of `policies` (one scenario under several policies).

    Without `replications` there are as many as it takes. Raises NeverServed as a trial does.
    """
    gathered: list[tuple[Outcome, ...]] = []
    calls = 0
    sure = False
    gain = 0.0
    with _mapped(policies, seed, processes or os.cpu_count() or 1) as mapped:
        while not sure:
            least = len(gathered)
            for outcomes in mapped(range(least, replications or least + BATCH)):
                gathered.append(outcomes)
                calls += sum(outcome.calls for outcome in outcomes)
                share = len(gathered) / replications if replications else _share(len(gathered), calls, gain)
                progress(Done(len(gathered), replications, calls, share))
            if replications:
                return Results(tuple(zip(*gathered, strict=True)), sure=True)
            surest = min(_sureness(gathered, place) for place in range(len(policies)))
            sure, gain = surest >= 1, surest / len(gathered)
            if calls >= MOST_CALLS or len(gathered) >= MOST_TRIALS:
                break
    progress(Done(len(gathered), None, calls, 1.0))
    return Results(tuple(zip(*gathered, strict=True)), sure)


def _share(trials: int, calls: int, gain: float) -> float:
    """`gain` is what a trial adds to it, 0 as long as nobody knows; whichever limit comes first ends it."""
    return min(0.99, max(trials * gain, calls / MOST_CALLS, trials / MOST_TRIALS)) if gain else 0.0


def _sureness(gathered: Sequence[tuple[Outcome, ...]], place: int) -> float:
    return sureness(summarised([outcomes[place] for outcomes in gathered], ()).overall)


_Mapped = Callable[[range], Iterator[tuple[Outcome, ...]]]


@contextmanager
def _mapped(policies: Sequence[Rehearsal], seed: int, processes: int) -> Iterator[_Mapped]:
    if processes == 1:
        yield lambda numbers: (run_trial(policies, seed, number) for number in numbers)
        return
    # Spawned, not forked: whoever asks may have threads.
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (tuple(policies), seed)) as pool:
        try:
            yield lambda numbers: pool.map(_one, numbers)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_task: tuple[tuple[Rehearsal, ...], int] = ((), 0)


def _begin(policies: tuple[Rehearsal, ...], seed: int) -> None:
    global _task  # noqa: PLW0603 what a worker process is told once
    _task = policies, seed
    # Ctrl-C reaches the whole group: end at once and without a word, the parent has the word.
    signal(SIGINT, SIG_DFL)


def _one(number: int) -> tuple[Outcome, ...]:
    policies, seed = _task
    return run_trial(policies, seed, number)
