"""Reads customers from CSV: each row is either usable or reported with its line and reason, none is dropped.

Columns by name in the first line: name (required), company, email, language, notes, numbers (several with `;`),
external_id, owner (the id of an agent). Text is UTF-8.
"""

import csv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from callcenter.crm.fields import LIMITS, Flaw, problem, read_numbers
from callcenter.crm.formulas import unquoted
from callcenter.crm.model import Number
from callcenter.kernel.errors import InvalidInput

COLUMNS = (*LIMITS, "numbers")
BETWEEN_NUMBERS = ";"


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A usable row."""

    line: int
    name: str
    company: str
    email: str
    language: str
    notes: str
    external_id: str | None
    numbers: tuple[Number, ...]
    owner: str = ""

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """What makes two rows the same customer: the external id, else name and number."""
        if self.external_id is not None:
            return (("external_id", self.external_id),)
        return tuple((self.name, number.e164) for number in self.numbers)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken. `fields` are the row's, to be written out for correction.

    `duplicate_of` is the earlier line that is the same customer.
    """

    line: int
    flaw: Flaw
    fields: tuple[str, ...]
    duplicate_of: int | None = None


def read_rows(lines: Iterable[str], *, region: str, agents: Collection[str] = ()) -> Iterator[CustomerRow | BadRow]:
    """The rows of a CSV text; `region` (ISO 3166) is that of numbers without a country code, `agents` are the ids of
    those who may own customers.

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
            yield BadRow(line, Flaw("no_csv", str(error)), ())
            continue
        if fields:
            yield _once(_row(line, head, fields, region, agents), fields, seen)


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
        flaw = Flaw("duplicate", f"is the same customer as line {first}", {"line": first})
        return BadRow(row.line, flaw, tuple(fields), first)
    seen.update((key, row.line) for key in row.keys)
    return row


def _row(line: int, head: list[str], fields: list[str], region: str, agents: Collection[str]) -> CustomerRow | BadRow:
    if len(fields) != len(head):
        text = f"has {len(fields)} fields, the first line has {len(head)}"
        return BadRow(line, Flaw("field_count", text, {"count": len(fields), "columns": len(head)}), tuple(fields))
    values = {name: unquoted(field.strip()) for name, field in zip(head, fields, strict=True)}
    written = map(unquoted, map(str.strip, values.get("numbers", "").split(BETWEEN_NUMBERS)))
    numbers, wrong = read_numbers(written, region=region)
    flaw = problem(values, agents) or wrong
    if flaw is not None:
        return BadRow(line, flaw, tuple(fields))
    texts = {name: values.get(name, "") for name in LIMITS}
    external_id = texts.pop("external_id") or None
    return CustomerRow(line, **texts, external_id=external_id, numbers=numbers)
