"""Figures as a document (JSON) and as a table for people."""

from collections.abc import Iterator, Mapping, Sequence

from acd.laboratory.interval import Estimate
from acd.laboratory.summary import Figures, Summary
from acd.laboratory.tally import METRIC_NAMES

_DIGITS = 9
_SHARES = {name for name in METRIC_NAMES if name.startswith(("p_", "sl_"))} | {"occupancy"}
_TITLES = {"by_type": "call type", "by_group": "group", "by_period": "period"}
_IN_TABLES = {
    "by_type": ("offered", "p_wait", "mean_wait_s", "sl_answered", "p_abandon", "p_blocked"),
    "by_group": ("served", "asa_s", "sl_answered", "occupancy"),
    "by_period": ("offered", "mean_wait_s", "sl_answered", "p_abandon", "occupancy"),
}


def as_document(summary: Summary) -> dict[str, object]:
    """`overall`, `by_type`, `by_group`, `by_period`, each metric as {mean, low, high}."""
    return {
        "overall": _figures(summary.overall),
        "by_type": {name: _figures(each) for name, each in summary.by_type.items()},
        "by_group": {name: _figures(each) for name, each in summary.by_group.items()},
        "by_period": {name: _figures(each) for name, each in summary.by_period.items()},
    }


def _figures(figures: Figures) -> dict[str, object]:
    return {name: _estimate(figures[name]) for name in METRIC_NAMES}


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    return {
        "mean": _rounded(estimate.mean),
        "low": _rounded(estimate.low),
        "high": _rounded(estimate.high),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def as_table(summary: Summary) -> Iterator[str]:
    """Lines: overall with intervals, then a table for each way to cut it that has more than one row."""
    for name in METRIC_NAMES:
        yield f"{name:21} {_told(name, summary.overall[name])}"
    for part, title in _TITLES.items():
        figures: Mapping[str, Figures] = getattr(summary, part)
        if len(figures) > 1:
            yield ""
            yield from _cut(title, figures, _IN_TABLES[part])


def side_by_side(names: Sequence[str], summaries: Sequence[Summary], differences: Sequence[Summary]) -> Iterator[str]:
    """Lines: each metric under each policy, and its difference to the first with the interval."""
    yield f"{'':21} " + " ".join(f"{name:>34.34}" for name in names)
    for metric in METRIC_NAMES:
        yield f"{metric:21} " + " ".join(f"{_told(metric, each.overall[metric]):>34}" for each in summaries)
    for name, each in zip(names[1:], differences, strict=True):
        yield ""
        yield f"{name} minus {names[0]}, on the same callers; * where 0 is outside of the interval"
        for metric in METRIC_NAMES:
            found = each.overall[metric]
            yield f"{metric:21} {_told(metric, found)}{_mark(found)}"
        yield from _differing_types(each)


def _differing_types(difference: Summary) -> Iterator[str]:
    if len(difference.by_type) > 1:
        for type_, figures in difference.by_type.items():
            for metric in ("mean_wait_s", "sl_answered", "p_abandon"):
                found = figures[metric]
                yield f"  {type_} {metric:19} {_told(metric, found)}{_mark(found)}"


def _mark(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return ""
    return " *" if found.low > 0 or found.high < 0 else ""


def _cut(title: str, figures: Mapping[str, Figures], metrics: Sequence[str]) -> Iterator[str]:
    wide = max(len(title), *(len(name) for name in figures))
    yield f"{title:{wide}} " + " ".join(f"{metric:>20}" for metric in metrics)
    for name, each in figures.items():
        yield f"{name:{wide}} " + " ".join(f"{_short(metric, each[metric]):>20}" for metric in metrics)


def _told(metric: str, found: Estimate) -> str:
    if found.mean is None:
        return "-"
    if found.low is None or found.high is None:
        return _number(metric, found.mean)
    return f"{_number(metric, found.mean)} [{_number(metric, found.low)}, {_number(metric, found.high)}]"


def _short(metric: str, found: Estimate) -> str:
    if found.mean is None:
        return "-"
    half = found.half_width
    return _number(metric, found.mean) + ("" if half is None else f" ± {_number(metric, half)}")


def _number(metric: str, value: float) -> str:
    return f"{value:.5f}" if metric in _SHARES else f"{value:.2f}"
