"""Customers as the room hands them out: cards for a call, whole records for people, matches for a number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Reason = Literal[
    "exact_number",  # as written, with its country code
    "national_form",  # read as the site's region dials it
    "plus_missing",  # read as an international number without its plus
    "as_written",  # the digits as they are: short numbers, or no number of any plan
    "extension_cut",  # what followed the number was left out
    "main_number",  # the last digits taken for an extension: perhaps
]


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """What a pop and a flow may know of a customer. `owner` is the id of an agent, or empty."""

    id: str
    name: str
    company: str
    email: str
    language: str
    external_id: str | None
    owner: str = ""

    def as_mapping(self) -> Mapping[str, str | int | bool | None]:
        """Plain values by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody whose number it may be. `confidence` is 0..100; of several who share a number each has its part."""

    customer: CustomerCard
    confidence: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a number belongs to, the likeliest first; at most MOST_MATCHES."""

    matches: tuple[Match, ...] = ()

    @property
    def match(self) -> Literal["none", "one", "many", "maybe"]:
        """`maybe` where only main numbers fit: one or several, none of them sure."""
        if not self.matches:
            return "none"
        if self.matches[0].reason == "main_number":
            return "maybe"
        return "one" if len(self.matches) == 1 else "many"

    @property
    def customers(self) -> tuple[CustomerCard, ...]:
        return tuple(match.customer for match in self.matches)

    @property
    def only(self) -> CustomerCard | None:
        """The customer, if there is exactly one."""
        return self.matches[0].customer if self.match == "one" else None


@dataclass(frozen=True, slots=True)
class Number:
    """`e164` is what is compared (or a short number's digits), `raw` what was written."""

    e164: str
    raw: str


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """All that is kept of a customer. `owner` is the id of the agent who looks after him, or empty.

    That agent may have left the site since: then he is nobody.
    """

    id: str
    name: str
    company: str
    email: str
    language: str
    notes: str
    external_id: str | None
    numbers: tuple[Number, ...]
    version: int
    created_at: datetime
    updated_at: datetime
    owner: str = ""


@dataclass(frozen=True, slots=True)
class CustomerFields:
    """What somebody wrote about a customer; `numbers` as written."""

    name: str
    company: str = ""
    email: str = ""
    language: str = ""
    notes: str = ""
    external_id: str | None = None
    numbers: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class CustomersPage:
    """`next` continues the list; None at its end."""

    customers: tuple[CustomerRecord, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a customer's history: names of fields only."""

    at: datetime
    actor: str
    action: Literal["created", "edited", "imported"]
    fields: tuple[str, ...]
