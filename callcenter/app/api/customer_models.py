"""Bodies of the customer routes as the OpenAPI document has them."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from callcenter.app.api.models import FromFields, Payload
from callcenter.crm.bulk import ImportReport, Preview
from callcenter.crm.importing import BadRow
from callcenter.crm.model import CustomerFields, CustomerRecord, CustomersPage, Found

Text = Annotated[str, Field(max_length=10_000)]
Numbers = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=50)]


class NewCustomer(Payload):
    """A customer as somebody writes it; numbers in any form. `owner` is the id of an agent, or empty."""

    name: Text
    company: Text = ""
    email: Text = ""
    language: Text = ""
    notes: Text = ""
    external_id: Text | None = None
    owner: Text = ""
    numbers: Numbers = Field(default_factory=list)

    def fields(self) -> CustomerFields:
        """What the room takes."""
        return CustomerFields(**{**self.model_dump(), "numbers": tuple(self.numbers)})


class CustomerEdit(Payload):
    """The fields to change, and the version that was read. `numbers` replaces all of them."""

    version: int
    name: Text | None = None
    company: Text | None = None
    email: Text | None = None
    language: Text | None = None
    notes: Text | None = None
    external_id: Text | None = None
    owner: Text | None = None
    numbers: Numbers | None = None

    def changes(self) -> dict[str, object]:
        """What was named; null empties a field."""
        named = self.model_dump(exclude_unset=True, exclude={"version"})
        if "numbers" in named:
            named["numbers"] = tuple(named["numbers"] or ())
        return named


class NumberOut(FromFields):
    """`e164` is E.164, or a short number's digits; `raw` is as it was written."""

    e164: str
    raw: str


class CustomerOut(FromFields):
    """A whole customer."""

    id: str
    name: str
    company: str
    email: str
    language: str
    notes: str
    external_id: str | None
    owner: str
    numbers: list[NumberOut]
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, record: CustomerRecord) -> "CustomerOut":
        """The room's record as a body."""
        return cls.model_validate(record)


class CustomerList(BaseModel):
    """One page; `next` is the `after` of the one that follows."""

    customers: list[CustomerOut]
    next: str | None

    @classmethod
    def of(cls, page: CustomersPage) -> "CustomerList":
        """The room's page as a body."""
        return cls(customers=[CustomerOut.of(record) for record in page.customers], next=page.next)


class CardOut(FromFields):
    """What a call is told of a customer."""

    id: str
    name: str
    company: str
    email: str
    language: str
    external_id: str | None
    owner: str


class MatchOut(FromFields):
    """Somebody whose number it may be; `confidence` is 0..100."""

    customer: CardOut
    confidence: int
    reason: str


class FoundOut(FromFields):
    """Whom a number belongs to, the likeliest first."""

    match: Literal["none", "one", "many", "maybe"]
    matches: list[MatchOut]

    @classmethod
    def of(cls, found: Found) -> "FoundOut":
        """The room's answer as a body."""
        return cls.model_validate(found)


class ChangeOut(FromFields):
    """Who changed which fields."""

    at: datetime
    actor: str
    action: str
    fields: list[str]


class HistoryOut(BaseModel):
    """A customer's changes, newest first."""

    changes: list[ChangeOut]


class BadRowOut(FromFields):
    """A row that was not taken: where it begins, why, its fields; `duplicate_of` is the earlier line of the same.

    `code` is stable, `reason` says it in English, `data` has what differs: field, value, limit, line, count, columns.
    """

    line: int
    code: str
    reason: str
    data: dict[str, str | int]
    fields: list[str]
    duplicate_of: int | None


class RowOut(BaseModel):
    """A row as it will be. `customer` is whom it changes, null for a new one."""

    line: int
    customer: str | None
    name: str
    company: str
    email: str
    language: str
    notes: str
    external_id: str | None
    owner: str
    numbers: list[NumberOut]


class ImportOut(BaseModel):
    """What became, or with `preview` would become, of a file's rows: each is in exactly one of the three counts.

    `bad` has every row that was not taken, `duplicates` counts those of them that repeat an earlier line, `first` are
    the first 20 good rows of a preview.
    """

    preview: bool
    rows: int
    created: int
    updated: int
    not_taken: int
    duplicates: int
    bad: list[BadRowOut]
    first: list[RowOut]

    @classmethod
    def done(cls, report: ImportReport) -> "ImportOut":
        """The room's report as a body."""
        return cls(
            preview=False,
            rows=report.created + report.updated + len(report.bad),
            created=report.created,
            updated=report.updated,
            not_taken=len(report.bad),
            duplicates=sum(row.duplicate_of is not None for row in report.bad),
            bad=[_bad(row) for row in report.bad],
            first=[],
        )

    @classmethod
    def of_preview(cls, told: Preview) -> "ImportOut":
        """The room's preview as a body."""
        first = [RowOut(**asdict(shown.row), customer=shown.customer) for shown in told.first]
        return cls.done(told.report).model_copy(update={"preview": True, "first": first})


def _bad(row: BadRow) -> BadRowOut:
    """Bytes that are no UTF-8 are shown as question marks: JSON cannot carry them."""
    fields = [field.encode("utf-8", "replace").decode() for field in row.fields]
    flaw = row.flaw
    why = {"code": flaw.code, "reason": flaw.text, "data": dict(flaw.data)}
    return BadRowOut.model_validate({"line": row.line, **why, "fields": fields, "duplicate_of": row.duplicate_of})


class TimelineOut(BaseModel):
    """Calls and tickets, newest first. Each item has kind, id and at, and under its kind's name what lists show."""

    items: list[dict[str, Any]]
    next: str | None


class CustomerChoice(Payload):
    """Who the caller is."""

    customer: str = Field(min_length=1, max_length=32)
