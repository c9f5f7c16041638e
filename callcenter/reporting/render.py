"""Call records as plain values for JSON (times RFC 3339 in UTC with milliseconds), and as text for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.reporting.cdr import Cdr, CdrDetail, PathStep
from callcenter.reporting.service import Call

_CONTROL = dict.fromkeys((*range(32), *range(127, 160)), "?")


def as_summary(call: Call) -> dict[str, object]:
    """A call as lists show it."""
    cdr, person = call.cdr, call.person
    head = {field.name: plain(getattr(cdr, field.name)) for field in fields(Cdr) if field.name != "detail"}
    recording = next((recording.file for recording in cdr.detail.recordings), None)
    who = {"caller": person.caller, "caller_name": person.caller_name, "called": person.called}
    return {**head, **who, "recording": recording}


def as_document(call: Call) -> dict[str, object]:
    """The whole record. `digits` of a path step is how many were typed, or "***" where the node is masked."""
    detail = {field.name: plain(getattr(call.cdr.detail, field.name)) for field in fields(CdrDetail)}
    detail["path"] = [_step(step) for step in call.cdr.detail.path]
    collected = dict(call.person.collected or {})
    recording = next(iter(call.cdr.detail.recordings), None)
    return {**as_summary(call), "recording": plain(recording), **detail, "collected": collected}


def plain(value: object) -> Any:
    """Dataclasses, tuples, times and enums as what JSON knows."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def _step(step: PathStep) -> dict[str, object]:
    known: dict[str, object] = plain(step)
    masked = known.pop("masked")
    return {**known, "digits": "***" if masked and step.digits else step.digits}


def as_table(calls: Sequence[Call], zone: str) -> str:
    """One line a call, times in `zone`: named, as the command may have read another configuration than the server."""
    head = (f"STARTED ({zone})", "CALL", "FROM", "TO", "QUEUE", "AGENT", "WAIT", "TALK", "RESULT", "REASON")
    rows = [_line(call, ZoneInfo(zone)) for call in calls]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "".join(line.rstrip() + "\n" for line in lines)


def _line(call: Call, zone: ZoneInfo) -> tuple[str, ...]:
    cdr, person = call.cdr, call.person
    started = cdr.started_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if cdr.started_at else "-"
    wait = "-" if cdr.wait_ms is None else _seconds(cdr.wait_ms)
    cells = (started, cdr.contact, person.caller, person.called, cdr.queue, cdr.agent, wait, _seconds(cdr.talk_ms))
    return tuple(_safe(cell) for cell in (*cells, cdr.result.value, cdr.reason))


def as_text(document: Mapping[str, object]) -> str:
    """A whole record, for reading; times in UTC, as in the packet captures that it is compared with."""
    lines = [f"{name}: {_safe(value)}" for name, value in document.items() if not isinstance(value, list | dict)]
    for name, value in document.items():
        if isinstance(value, list) and value:
            lines.append(f"{name}:")
            lines.extend(f"  {_pairs(item)}" for item in value)
        elif isinstance(value, dict) and value:
            lines.append(f"{name}: {_pairs(value)}")
    return "".join(line + "\n" for line in lines)


def _pairs(item: Mapping[str, object]) -> str:
    return "  ".join(f"{key}={_safe(value)}" for key, value in item.items() if value is not None)


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.1f}s"


def _safe(value: object) -> str:
    """Text that came from callers must not drive the terminal."""
    return "-" if value is None else str(value).translate(_CONTROL)
