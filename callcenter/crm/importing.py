"""Reads customers from CSV: each row is either usable or reported with its line and reason, none is dropped.

Columns by name in the first line: name (required), company, email, language, notes, numbers (several with `;`),
external_id. Text is UTF-8.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from callcenter.kernel.errors import InvalidInput
from callcenter.numbers import normalise

LIMITS = {"name": 200, "company": 200, "email": 254, "language": 35, "notes": 10_000, "external_id": 100}
COLUMNS = (*LIMITS, "numbers")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A usable row. `numbers` are (form to look up by, as written), each form once."""

    line: int
    name: str
    company: str
    email: str
    language: str
    notes: str
    external_id: str | None
    numbers: tuple[tuple[str, str], ...]

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """What makes two rows the same customer: the external id, else name and number."""
        if self.external_id is not None:
            return (("external_id", self.external_id),)
        return tuple((self.name, e164) for e164, _ in self.numbers)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken. `fields` are the row's, to be written out for correction."""

    line: int
    reason: str
    fields: tuple[str, ...]


def read_rows(lines: Iterable[str], *, region: str) -> Iterator[CustomerRow | BadRow]:
    """The rows of a CSV text; `region` (ISO 3166) is that of numbers without a country code.

    Raises InvalidInput when the first line is not one of column names.
    """
    reader = csv.reader(lines, strict=True)
    try:
        head = [name.strip().lower().removeprefix("\ufeff") for name in next(reader, [])]
    except csv.Error as error:
        raise InvalidInput(f"line 1: {error}") from error
    _check_head(head)
    seen: dict[tuple[str, str], int] = {}
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, str(error), ())
            continue
        if fields:
            yield _once(_row(line, head, fields, region), fields, seen)


def _check_head(head: list[str]) -> None:
    unknown = [name for name in head if name not in COLUMNS]
    if unknown or "name" not in head or len(set(head)) != len(head):
        wrong = f"unknown column {unknown[0]!r}" if unknown else "column 'name' is missing or a column is there twice"
        raise InvalidInput(f"line 1: {wrong}; columns are {', '.join(COLUMNS)}")


def _once(row: CustomerRow | BadRow, fields: list[str], seen: dict[tuple[str, str], int]) -> CustomerRow | BadRow:
    if isinstance(row, BadRow):
        return row
    first = next((seen[key] for key in row.keys if key in seen), None)
    if first is not None:
        return BadRow(row.line, f"is the same customer as line {first}", tuple(fields))
    seen.update((key, row.line) for key in row.keys)
    return row


def _row(line: int, head: list[str], fields: list[str], region: str) -> CustomerRow | BadRow:
    if len(fields) != len(head):
        return BadRow(line, f"has {len(fields)} fields, the first line has {len(head)}", tuple(fields))
    values = {name: field.strip() for name, field in zip(head, fields, strict=True)}
    numbers: dict[str, str] = {}
    reason = _problem(values)
    for raw in filter(None, map(str.strip, values.get("numbers", "").split(";"))):
        number = normalise(raw, region=region)
        if number.digits:
            numbers.setdefault(number.digits, raw[:64])
        else:
            reason = reason or f"{raw!r} is not a telephone number"
    if reason:
        return BadRow(line, reason, tuple(fields))
    texts = {name: values.get(name, "") for name in LIMITS}
    external_id = texts.pop("external_id") or None
    return CustomerRow(line, **texts, external_id=external_id, numbers=tuple(numbers.items()))


def _problem(values: dict[str, str]) -> str | None:
    if not values["name"]:
        return "has no name"
    for name, value in values.items():
        if not value.isprintable() and (_CONTROL.search(value) or not _is_utf8(value)):
            return f"{name} has control characters or is not UTF-8"
        if len(value) > LIMITS.get(name, 2_000):
            return f"{name} is longer than {LIMITS.get(name, 2_000)} characters"
    if values.get("email") and "@" not in values["email"]:
        return "email has no @"
    if values.get("language") and not _LANGUAGE.fullmatch(values["language"]):
        return "language is not a tag such as en or zh-CN"
    return None


def _is_utf8(value: str) -> bool:
    """False for what `surrogateescape` has let through."""
    return not any("\ud800" <= char <= "\udfff" for char in value)
