"""`callcenter what-if`: a day that has been, under other rules, on the core that routes real calls."""

import argparse
import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from acd.command_simulate import load, progress_on_stderr
from acd.experiment import Results, run
from acd.laboratory.day_model import DayModel, assumptions, learn
from acd.laboratory.day_policy import read_policy
from acd.laboratory.day_report import Figures, figures
from acd.laboratory.layout import as_document, side_by_side
from acd.laboratory.summary import Summary, difference, summarised
from acd.laboratory.verdict import as_document as verdict_document
from acd.laboratory.verdict import in_words, judged
from acd.laboratory.what_if import DayPolicy, DayTrials, hours_of
from callcenter.app.command_report import add_day, fetch
from callcenter.app.day_calls import DayCalls, Wanted
from callcenter.app.settings import Settings
from callcenter.app.shift_file import read_shifts
from callcenter.kernel.errors import ConfigError, InvalidInput

if TYPE_CHECKING:
    from callcenter.app.command import Commands

NEAR = timedelta(weeks=4)
PLAIN = "first come, first served"


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "what-if",
        help="a day that has been, under other rules",
        description="Run the callers of a day through the distributor under one or more policies: the same callers, "
        "patience and handle times for each. Differences are to the first policy; with a single one, to "
        "first come, first served. docs/what-if.md says what a policy file has and what is assumed.",
    )
    add_day(parser)
    parser.add_argument(
        "--policy", action="append", default=[], metavar="FILE", help="rules to try, or a name in CONFIG/policies"
    )
    parser.add_argument("--replications", type=_count, default=100, metavar="N", help="how many times (default: 100)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random numbers (default: 1)")
    parser.add_argument(
        "--handling", choices=["agent", "pooled"], default="agent", help="handle times at each agent's pace, or alike"
    )
    parser.add_argument("--threshold", type=float, default=20.0, metavar="S", help="of service levels (default: 20)")
    parser.add_argument("--shifts", type=Path, metavar="FILE", help="who is there: a CSV of agent,from,until (HH:MM)")
    parser.add_argument("--processes", type=_count, metavar="N", help="at once (default: one for each processor)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(handler=_what_if)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError("must be from 1 to 100000")
    return int(text)


@dataclass(frozen=True, slots=True)
class Day:
    """The day as it was, and what is learnt of it."""

    midnight: datetime
    origin: str
    logged: Figures
    model: DayModel


@dataclass(frozen=True, slots=True)
class Tried:
    """All policies, tried; `differences` are to the first of them."""

    names: list[str]
    results: Results
    summaries: list[Summary]
    differences: list[Summary]


def _what_if(given: argparse.Namespace) -> int:
    if not 0 <= given.threshold <= 86_400:
        raise InvalidInput("threshold: must be from 0 to 86400", data={"field": "threshold"})
    day = _learnt(given)
    policies = [read_policy(path.name, load(path), day.model) for path in _files(given)]
    if len(policies) < 2:
        policies.insert(0, replace(read_policy(PLAIN, None, day.model), name=PLAIN))
    tried = _tried(given, day, policies)
    if given.json:
        print(json.dumps(_document(given, day, tried), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(given, day, tried)))
    return 0


def _files(given: argparse.Namespace) -> list[Path]:
    folder = given.config / "policies"
    found = []
    for name in given.policy:
        path = next((path for path in (Path(name), folder / f"{name}.yaml") if path.is_file()), None)
        if path is None:
            known = ", ".join(sorted(each.stem for each in folder.glob("*.yaml"))) or "none"
            raise ConfigError(f"policy: there is no {name} (in {folder}: {known})")
        found.append(path)
    return found


def _learnt(given: argparse.Namespace) -> Day:
    settings: Settings = given.settings
    file = given.file.removesuffix(".gz") if given.file else None
    one = Wanted(given.day, given.day, settings.site.zone, given.source, file)
    found = asyncio.run(fetch(settings, one))
    wide = replace(one, first=given.day - NEAR, last=given.day + NEAR, source=found.source)
    near = asyncio.run(fetch(settings, wide))
    model = learn(found.calls, [call for call in near.calls if _day_of(call.at, near) != given.day])
    midnight = datetime.combine(given.day, time.min, found.zone)
    if given.shifts:
        model = replace(model, stretches=tuple(read_shifts(given.shifts, midnight)))
    if not model.arrivals:
        raise InvalidInput(f"day: nobody asked for an agent on {given.day}", data={"field": "day"})
    if not model.stretches:
        raise InvalidInput(
            f"day: no agent is named on {given.day}: say who is there by --shifts", data={"field": "day"}
        )
    return Day(midnight, found.origin, figures(found.calls, given.threshold), model)


def _day_of(at: datetime, calls: DayCalls) -> object:
    return at.astimezone(calls.zone).date()


def _tried(given: argparse.Namespace, day: Day, policies: list[DayPolicy]) -> Tried:
    trials = [
        DayTrials(day.model, policy, day.midnight, given.handling, given.threshold, hours_of(day.midnight))
        for policy in policies
    ]
    results = run(
        trials,
        seed=given.seed,
        replications=given.replications,
        processes=given.processes,
        progress=progress_on_stderr(),
    )
    first = results.outcomes[0]
    return Tried(
        names=[policy.name for policy in policies],
        results=results,
        summaries=[summarised(outcomes, ()) for outcomes in results.outcomes],
        differences=[difference(outcomes, first, ()) for outcomes in results.outcomes[1:]],
    )


def _handled(given: argparse.Namespace) -> str:
    if given.handling == "pooled":
        return "handle times are drawn from all agents' of the call type"
    return "handle times are drawn from the call type's, times the pace of the agent who takes the call"


def _document(given: argparse.Namespace, day: Day, tried: Tried) -> dict[str, object]:
    logged = day.logged
    return {
        "day": given.day.isoformat(),
        "source": day.origin,
        "seed": given.seed,
        "replications": tried.results.replications,
        "threshold_s": given.threshold,
        "handling": given.handling,
        "assumptions": [*assumptions(day.model), _handled(given)],
        "logged": {
            "offered": logged.offered,
            "served": logged.served,
            "abandoned": logged.queue_abandons,
            "asa_s": logged.mean_wait_s,
            **logged.levels,
        },
        "policies": [
            {"name": name, **as_document(summary)} for name, summary in zip(tried.names, tried.summaries, strict=True)
        ],
        "differences": [
            {"name": name, "minus": tried.names[0], **as_document(each), "verdict": verdict_document(judged(each))}
            for name, each in zip(tried.names[1:], tried.differences, strict=True)
        ],
    }


def _lines(given: argparse.Namespace, day: Day, tried: Tried) -> Iterable[str]:
    logged = day.logged
    times = f"{tried.results.replications} replications, seed {given.seed}"
    yield f"{given.day} of {day.origin}: {times}; mean [95 % interval]"
    yield ""
    yield "assumed:"
    yield from (f"- {line}" for line in [*assumptions(day.model), _handled(given)])
    yield ""
    asa = "-" if logged.mean_wait_s is None else f"{logged.mean_wait_s:.1f}"
    yield f"the log itself: served {logged.served}, abandoned {logged.queue_abandons}, asa_s {asa}, " + ", ".join(
        f"{name} {logged.levels[name]:.3f}"
        for name in ("sl_answered", "sl_sl2", "sl_abandons_negative")
        if logged.levels[name] is not None
    )
    yield ""
    yield from side_by_side(tried.names, tried.summaries, tried.differences)
    for name, each in zip(tried.names[1:], tried.differences, strict=True):
        yield ""
        yield f"{name} against {tried.names[0]}: " + "; ".join(in_words(judged(each)))
