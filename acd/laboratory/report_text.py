"""A day's report as one JSON document and as text for a terminal. Seconds, rounded to the millisecond."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from acd.laboratory.day_report import DayReport, Figures

_COLUMNS = (
    ("calls", "calls"),
    ("served", "served"),
    ("queue_abandons", "abandons"),
    ("mean_wait_s", "wait s"),
    ("longest_wait_s", "longest s"),
    ("mean_handle_s", "handle s"),
)
_LEVEL = "sl_abandons_negative"


def as_document(report: DayReport) -> dict[str, object]:
    """What `--json` prints: the day's figures at the top, then the parts."""
    return {
        **_plain(report.total),
        "agents": len(report.agents),
        "busiest_hour": {"hour": report.busiest_hour, "calls": report.busiest_hour_calls},
        "by_hour": [{"hour": hour, **_plain(part)} for hour, part in report.by_hour],
        "by_type": {name: _plain(part) for name, part in report.by_type},
        "by_priority": {str(priority): _plain(part) for priority, part in report.by_priority},
        "by_agent": [
            {
                "agent": each.agent,
                "served": each.served,
                "handle_times": each.handle_times,
                "mean_handle_s": _rounded(each.mean_handle_s),
            }
            for each in report.agents
        ],
        "flags": dict(report.flags),
    }


def as_text(report: DayReport, *, kind: str = "type") -> str:
    """The same for reading; `kind` is the word for what calls are told apart by."""
    total = report.total
    lines = [
        f"calls             {total.calls}",
        f"served            {total.served} by {len(report.agents)} agents",
        f"queue abandons    {total.queue_abandons} ({total.short_abandons} of them within 6 s)",
        f"left before       {total.left_in_menu} (neither served nor given up in a queue)",
        f"phantoms          {total.phantoms}",
    ]
    if report.busiest_hour is not None:
        hour = report.busiest_hour
        lines.append(f"busiest hour      {hour:02}:00-{hour + 1:02}:00 with {report.busiest_hour_calls} calls")
    lines += [
        f"mean wait         {_cell(total.mean_wait_s)} s of the served, zeros included",
        f"                  {_cell(total.mean_wait_of_abandoned_s)} s of those who gave up; "
        f"longest {_cell(total.longest_wait_s)} s",
        f"mean handle time  {_cell(total.mean_handle_s)} s of {total.handle_times} served calls that have one",
        f"abandon rate      {_percent(total.abandon_rate)}",
        *(f"{name:<22}{_percent(value)}" for name, value in total.levels.items()),
        "",
        *_table("hour", ((f"{hour:02}", part) for hour, part in report.by_hour)),
        "",
        *_table(kind, report.by_type),
        "",
        *_table("priority", ((str(priority), part) for priority, part in report.by_priority)),
        "",
        f"{'agent':<16}{'served':>9}{'handle s':>11}",
        *(f"{_safe(each.agent):<16}{each.served:>9}{_cell(each.mean_handle_s):>11}" for each in report.agents),
    ]
    if report.flags:
        lines += ["", "flags: " + ", ".join(f"{name} {count}" for name, count in report.flags)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _table(head: str, rows: Iterable[tuple[str, Figures]]) -> Sequence[str]:
    lines = [f"{head:<16}" + "".join(f"{title:>11}" for _, title in _COLUMNS) + f"{_LEVEL:>22}"]
    for name, part in rows:
        cells = "".join(f"{_cell(getattr(part, field)):>11}" for field, _ in _COLUMNS)
        lines.append(f"{_safe(name):<16}{cells}{_percent(part.levels[_LEVEL]):>22}")
    return lines


def _plain(part: Figures) -> dict[str, object]:
    values: dict[str, object] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(value, Mapping):
            values |= {name: _rounded(level, 6) for name, level in value.items()}
        else:
            values[field.name] = _rounded(value, 6 if field.name == "abandon_rate" else 3)
    return values


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return round(value, digits) if isinstance(value, float) else value


def _cell(value: float | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.1f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _safe(text: str) -> str:
    """Names come from files: they must not drive the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
