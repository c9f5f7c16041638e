"""Calendars from `config/calendars/*.yaml`: zone, weekly intervals, dated exceptions.

zone: Europe/Rome
weekly: {mon-fri: ["09:00-13:00", "14:00-18:00"], sat: ["09:00-24:00"]}
exceptions: {2026-12-25: [], 2026-12-24: ["09:00-12:00"]}
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import yaml

from callcenter.calendars.calendar import Calendar, CalendarInvalid, Interval, calendar

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_INTERVAL = re.compile(r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)")
_KEYS = {"zone", "weekly", "exceptions"}


def load_calendars(folder: Path) -> dict[str, Calendar]:
    """Every calendar of `folder` by its file's name; raises CalendarInvalid with every fault of every file."""
    calendars: dict[str, Calendar] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            calendars[path.stem] = read_calendar(path.stem, yaml.safe_load(path.read_text(encoding="utf-8")))
        except (CalendarInvalid, yaml.YAMLError) as error:
            faults.append(f"{path.name}: {error}")
    if faults:
        raise CalendarInvalid("\n".join(faults))
    return calendars


def read_calendar(name: str, raw: object) -> Calendar:
    """The calendar of a parsed document; raises CalendarInvalid."""
    if not isinstance(raw, dict):
        raise CalendarInvalid(f"{name}: must be a mapping with zone and weekly")
    faults = [f"{key}: is not a key of a calendar" for key in raw if key not in _KEYS]
    weekly = _weekly(raw.get("weekly") or {}, faults)
    exceptions = _exceptions(raw.get("exceptions") or {}, faults)
    if faults:
        raise CalendarInvalid("; ".join(f"{name}: {fault}" for fault in faults))
    return calendar(name, str(raw.get("zone", "")), weekly, exceptions)


def _weekly(raw: object, faults: list[str]) -> Mapping[int, list[Interval]]:
    weekly: dict[int, list[Interval]] = {}
    for key, value in _items("weekly", raw, faults):
        days = _days(str(key).lower())
        if not days:
            faults.append(f"weekly.{key}: is no weekday or range of weekdays ({', '.join(WEEKDAYS)}, mon-fri)")
        for day in days:
            if day in weekly:
                faults.append(f"weekly.{key}: {WEEKDAYS[day]} is given twice")
            weekly[day] = _intervals(f"weekly.{key}", value, faults)
    return weekly


def _days(key: str) -> list[int]:
    first, dash, last = (part.strip() for part in key.partition("-"))
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        return []
    start = WEEKDAYS.index(first)
    count = (WEEKDAYS.index(last) - start) % 7 if dash else 0
    return [(start + step) % 7 for step in range(count + 1)]


def _exceptions(raw: object, faults: list[str]) -> Mapping[date, list[Interval]]:
    exceptions: dict[date, list[Interval]] = {}
    for key, value in _items("exceptions", raw, faults):
        day = _date(key)
        if day is None:
            faults.append(f"exceptions.{key}: is no date (2026-12-25)")
        elif day in exceptions:
            faults.append(f"exceptions.{key}: is given twice")
        else:
            exceptions[day] = _intervals(f"exceptions.{key}", value, faults)
    return exceptions


def _date(key: object) -> date | None:
    if isinstance(key, date) and not isinstance(key, datetime):
        return key
    try:
        return date.fromisoformat(str(key))
    except ValueError:
        return None


def _items(where: str, raw: object, faults: list[str]) -> list[tuple[object, object]]:
    if isinstance(raw, dict):
        return list(raw.items())
    faults.append(f"{where}: must be a mapping")
    return []


def _intervals(where: str, raw: object, faults: list[str]) -> list[Interval]:
    intervals: list[Interval] = []
    if not isinstance(raw, list):
        faults.append(f'{where}: must be a list of intervals such as "09:00-18:00"')
        return intervals
    for item in raw:
        match = _INTERVAL.fullmatch(item.strip()) if isinstance(item, str) else None
        numbers = [int(part) for part in match.groups()] if match else []
        if not numbers or numbers[1] > 59 or numbers[3] > 59:
            faults.append(f'{where}: {item!r} is no interval such as "09:00-18:00"')
        else:
            intervals.append((numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]))
    return intervals
