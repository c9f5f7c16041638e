"""`callcenter staff`: how many agents are needed, for one interval, for a day that is forecast, or by skill."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING

from acd.laboratory.day_model import learn, patience_of
from acd.laboratory.erlang import Required, Target, required
from callcenter.app.command_forecast import Expectation, add_history, as_document, expectation, starts, told
from callcenter.app.staff_by_skill import staff_by_skill
from callcenter.kernel.errors import InvalidInput
from callcenter.reporting.asking import written_day

if TYPE_CHECKING:
    from callcenter.app.command import Commands

VARIANTS = ("sl_abandons_negative", "sl_answered", "sl_sl2")


@dataclass(frozen=True, slots=True)
class Terms:
    """What callers and agents are like. Seconds; `patience_s` None: callers wait for ever (Erlang C)."""

    aht_s: float
    patience_s: float | None
    shrinkage: float


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "staff",
        help="how many agents are needed",
        description="How many agents are needed: for one interval (--calls --aht), or for each interval of a day "
        "that is forecast (--day), whose handle times and patience come from the same history. Erlang A; C where "
        "patience is unknown or 'forever'.",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--calls", type=_number(0), metavar="N", help="calls in the interval")
    which.add_argument("--scenario", metavar="FILE", help="several skills: agents by group, found by simulation")
    which.add_argument(
        "--day", type=written_day, metavar="YYYY-MM-DD", help="forecast that day from the days before it"
    )
    add_history(parser)
    parser.add_argument("--aht", type=_number(0, above=True), metavar="S", help="handle time with after-call work")
    parser.add_argument("--patience", type=_patience, metavar="S", help="mean patience, or 'forever'")
    parser.add_argument("--target-sl", type=_number(0, 0.9999), default=0.8, metavar="P", help="default: 0.8")
    parser.add_argument("--variant", choices=VARIANTS, default=VARIANTS[0], help="of the service level")
    parser.add_argument("--threshold", type=_number(0), default=20.0, metavar="S", help="default: 20")
    parser.add_argument(
        "--max-occupancy", type=_number(0, 1, above=True), default=1.0, metavar="P", help="default: 1"
    )
    parser.add_argument("--max-abandon", type=_number(0, 1, above=True), default=1.0, metavar="P", help="default: 1")
    parser.add_argument(
        "--shrinkage", type=_number(0, 0.99), default=0.0, metavar="P", help="part of paid time away from calls"
    )
    parser.add_argument("--period", metavar="HH:MM", help="of the scenario, only this period (default: all)")
    parser.add_argument(
        "--replications", type=_times, default=4, metavar="N", help="of each trial staffing (default: 4)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random numbers (default: 1)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(handler=_staff)


def _number(least: float, most: float = 1e7, *, above: bool = False) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value) or not least <= value <= most or (above and value == least):
            raise argparse.ArgumentTypeError(f"must be {'above' if above else 'from'} {least:g} to {most:g}")
        return value

    return read


def _times(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 2 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError("must be from 2 to 10000")
    return int(text)


def _patience(text: str) -> float:
    return float("inf") if text == "forever" else _number(0, above=True)(text)


def _staff(given: argparse.Namespace) -> int:
    target = Target(given.target_sl, given.threshold, given.variant, given.max_occupancy, given.max_abandon)
    if given.scenario is not None:
        return staff_by_skill(given, target)
    return _one(given, target) if given.day is None else _day(given, target)


def _one(given: argparse.Namespace, target: Target) -> int:
    if given.aht is None:
        raise InvalidInput("aht: is needed with --calls", data={"field": "aht"})
    patience = given.patience if given.patience is not None and isfinite(given.patience) else None
    terms = Terms(given.aht, patience, given.shrinkage)
    found = _required(given.calls, given.interval, terms, target)
    if given.json:
        asked = {**_terms(terms, target), "calls": given.calls, "interval_min": given.interval}
        print(json.dumps({**asked, **_plain(found)}, indent=2))
        return 0
    print(f"{given.calls:g} calls in {given.interval} min, {_words(terms)}: {_goal(target)}")
    print(f"\nagents at work   {found.agents}\nscheduled        {found.scheduled} (shrinkage {given.shrinkage:.0%})")
    print("\n".join(_lines(found)))
    return 0


def _day(given: argparse.Namespace, target: Target) -> int:
    expected = expectation(given)
    terms = _learnt(given, expected)
    found = [_required(calls, expected.interval_min, terms, target) for calls in expected.calls]
    hours = sum(each.scheduled for each in found) * expected.interval_min / 60
    if given.json:
        rows = [
            {"start": start, "calls": round(calls, 2), **_plain(each)}
            for start, calls, each in zip(starts(expected), expected.calls, found, strict=True)
        ]
        head = {**as_document(expected), **_terms(terms, target), "scheduled_hours": hours}
        print(json.dumps({**head, "by_interval": rows}, indent=2))
        return 0
    print(f"{expected.day:%A} {expected.day}: {sum(expected.calls):.0f} calls for agents, {_words(terms)}")
    print("\n".join([*told(expected), f"so that {_goal(target)}", ""]))
    print(f"{'from':<7}{'calls':>8}{'agents':>8}{'scheduled':>11}{'level':>8}{'abandon':>9}{'occupancy':>11}")
    for start, calls, each in zip(starts(expected), expected.calls, found, strict=True):
        level, told_ = each.expected.levels[target.variant], each.expected
        print(
            f"{start:<7}{calls:>8.1f}{each.agents:>8}{each.scheduled:>11}{level:>8.1%}"
            f"{told_.p_abandon:>9.1%}{told_.occupancy:>11.1%}"
        )
    print(f"\n{hours:.1f} scheduled agent hours")
    return 0


def _learnt(given: argparse.Namespace, expected: Expectation) -> Terms:
    """What was not said, from history: the handle time with its pause, and the mean patience as Erlang A has it."""
    calls = expected.history.calls
    handled = [call.handled_s for call in calls if call.handled_s is not None]
    if given.aht is None and not handled:
        raise InvalidInput("aht: history has no handle times, so it has to be said", data={"field": "aht"})
    aht_s = given.aht or sum(handled) / len(handled) + learn(calls).wrap_s
    leaving = patience_of(calls).tail_per_s
    patience = given.patience or (1 / leaving if leaving else float("inf"))
    return Terms(aht_s, patience if isfinite(patience) else None, given.shrinkage)


def _required(calls: float, interval_min: int, terms: Terms, target: Target) -> Required:
    load = calls / interval_min / 60 * terms.aht_s
    if load > 10_000:
        raise InvalidInput("calls: more than 10,000 agents' work", data={"field": "calls"})
    # A thousandth of an agent's work is nobody's.
    per_s = calls / interval_min / 60 if load > 1e-3 else 0.0
    return required(per_s, terms.aht_s, target, patience_s=terms.patience_s, shrinkage=terms.shrinkage)


def _plain(found: Required) -> dict[str, object]:
    numbers = {name: round(value, 6) if isfinite(value) else None for name, value in asdict(found.expected).items()}
    levels = {name: round(value, 6) for name, value in found.expected.levels.items()}
    return {"agents": found.agents, "scheduled": found.scheduled, **numbers, **levels}


def _terms(terms: Terms, target: Target) -> dict[str, object]:
    model = "erlang_c" if terms.patience_s is None else "erlang_a"
    return {"model": model, **asdict(terms), "target": asdict(target)}


def _words(terms: Terms) -> str:
    leave = "callers wait for ever (Erlang C)"
    if terms.patience_s is not None:
        leave = f"callers wait {terms.patience_s:.0f} s on average before they leave (Erlang A)"
    return f"handle time {terms.aht_s:.0f} s, {leave}"


def _goal(target: Target) -> str:
    parts = [f"{target.level:.0%} within {target.threshold_s:g} s ({target.variant})"]
    parts += [f"occupancy at most {target.max_occupancy:.0%}"] * (target.max_occupancy < 1)
    parts += [f"at most {target.max_abandon:.1%} leave"] * (target.max_abandon < 1)
    return ", ".join(parts)


def _lines(found: Required) -> list[str]:
    expected = found.expected
    return [
        *(f"{name:<22}{value:.1%}" for name, value in expected.levels.items()),
        f"{'p_wait':<22}{expected.p_wait:.1%}",
        f"{'p_abandon':<22}{expected.p_abandon:.1%}",
        f"{'mean_wait_s':<22}{expected.mean_wait_s:.1f}",
        f"{'asa_s':<22}{expected.asa_s:.1f}",
        f"{'occupancy':<22}{expected.occupancy:.1%}",
    ]
