"""What a customer's fields may hold, whether they come from a form or from a file. Pure."""

import re
from collections.abc import Iterable, Mapping

from callcenter.crm.model import Number
from callcenter.numbers import normalise

LIMITS = {"name": 200, "company": 200, "email": 254, "language": 35, "notes": 10_000, "external_id": 100}
NUMBERS_LIMIT = 2_000
RAW_LIMIT = 64
MOST_NUMBERS = 50
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def problem(values: Mapping[str, str]) -> tuple[str, str] | None:
    """The first field that cannot be kept and why, as the end of a sentence; None when all can."""
    if not values["name"]:
        return "name", "has no name"
    for name, value in values.items():
        if not value.isprintable() and (_CONTROL.search(value) or not _is_utf8(value)):
            return name, f"{name} has control characters or is not UTF-8"
        if len(value) > LIMITS.get(name, NUMBERS_LIMIT):
            return name, f"{name} is longer than {LIMITS.get(name, NUMBERS_LIMIT)} characters"
    if values.get("email") and "@" not in values["email"]:
        return "email", "email has no @"
    if values.get("language") and not _LANGUAGE.fullmatch(values["language"]):
        return "language", "language is not a tag such as en or zh-CN"
    return None


def read_numbers(written: Iterable[str], *, region: str) -> tuple[tuple[Number, ...], str | None]:
    """The numbers, each form once and in order; and why they cannot be kept, if they cannot."""
    numbers: dict[str, Number] = {}
    reason = None
    for raw in filter(None, map(str.strip, written)):
        form = normalise(raw, region=region).digits
        if form:
            numbers.setdefault(form, Number(form, raw[:RAW_LIMIT]))
        else:
            reason = reason or f"{raw!r} is not a telephone number"
    if len(numbers) > MOST_NUMBERS:
        reason = reason or f"has more than {MOST_NUMBERS} numbers"
    return tuple(numbers.values()), reason


def _is_utf8(value: str) -> bool:
    """False for what `surrogateescape` has let through."""
    return not any("\ud800" <= char <= "\udfff" for char in value)
