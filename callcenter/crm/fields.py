"""What a customer's fields may hold, whether they come from a form or from a file. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from callcenter.crm.model import Number
from callcenter.numbers import normalise

LIMITS = {"name": 200, "company": 200, "email": 254, "language": 35, "notes": 10_000, "external_id": 100, "owner": 64}
NUMBERS_LIMIT = 2_000
RAW_LIMIT = 64
MOST_NUMBERS = 50
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why something cannot be kept: `code` and `data` for programs, `text` in English, the end of a sentence.

    `data` has the `field`, where it is about one, and what else the sentence needs.
    """

    code: str
    text: str
    data: Mapping[str, str | int] = field(default_factory=dict)


def problem(values: Mapping[str, str], agents: Collection[str]) -> Flaw | None:
    """The first field that cannot be kept; None when all can. `agents` are the ids of those who may be the owner."""
    if not values["name"]:
        return Flaw("no_name", "has no name", {"field": "name"})
    for name, value in values.items():
        if not value.isprintable() and (_CONTROL.search(value) or not _is_utf8(value)):
            return Flaw("no_text", f"{name} has control characters or is not UTF-8", {"field": name})
        if len(value) > (limit := LIMITS.get(name, NUMBERS_LIMIT)):
            return Flaw("too_long", f"{name} is longer than {limit} characters", {"field": name, "limit": limit})
    if values.get("email") and "@" not in values["email"]:
        return Flaw("no_at", "email has no @", {"field": "email"})
    if values.get("language") and not _LANGUAGE.fullmatch(values["language"]):
        return Flaw("no_language", "language is not a tag such as en or zh-CN", {"field": "language"})
    owner = values.get("owner")
    if owner and owner not in agents:
        return Flaw("no_agent", f"owner {owner!r} is not the id of an agent", {"field": "owner", "value": owner})
    return None


def read_numbers(written: Iterable[str], *, region: str) -> tuple[tuple[Number, ...], Flaw | None]:
    """The numbers, each form once and in order; and why they cannot be kept, if they cannot."""
    numbers: dict[str, Number] = {}
    flaw = None
    for raw in filter(None, map(str.strip, written)):
        form = normalise(raw, region=region).digits
        if form:
            numbers.setdefault(form, Number(form, raw[:RAW_LIMIT]))
        else:
            flaw = flaw or Flaw(
                "no_number", f"{raw!r} is not a telephone number", {"field": "numbers", "value": raw[:RAW_LIMIT]}
            )
    if len(numbers) > MOST_NUMBERS:
        flaw = flaw or Flaw(
            "too_many_numbers", f"has more than {MOST_NUMBERS} numbers", {"field": "numbers", "limit": MOST_NUMBERS}
        )
    return tuple(numbers.values()), flaw


def _is_utf8(value: str) -> bool:
    """False for what `surrogateescape` has let through."""
    return not any("\ud800" <= char <= "\udfff" for char in value)
