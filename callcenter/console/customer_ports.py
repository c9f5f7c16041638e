"""What the HTTP API needs of customers: the records, the choice of one for a contact, what happened with one.

Beside `callcenter.console.ports`, whose rules hold here too.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from callcenter.crm.bulk import ImportReport, Preview
from callcenter.crm.model import Change, CustomerCard, CustomerFields, CustomerRecord, CustomersPage, Found
from callcenter.crm.records import Search
from callcenter.identity.principal import Principal


class Customers(Protocol):
    """The records. `by` is the asking user's id."""

    async def search(self, query: Search) -> CustomersPage:
        """One page. Raises InvalidInput for a cursor that is none."""
        ...

    async def find(self, number: str) -> Found:
        """Whom the number may belong to."""
        ...

    async def show(self, customer: str) -> CustomerRecord | None:
        """The whole record, None when there is none."""
        ...

    async def history(self, customer: str) -> Sequence[Change]:
        """Who changed which fields, newest first."""
        ...

    async def create(self, fields: CustomerFields, *, by: str) -> CustomerRecord:
        """Raises InvalidInput with `field`, Conflict for a taken external id."""
        ...

    async def edit(self, customer: str, changes: Mapping[str, object], *, version: int, by: str) -> CustomerRecord:
        """Raises NotFound, Conflict for an older version or a taken external id, InvalidInput with `field`."""
        ...

    async def preview(self, text: bytes) -> Preview:
        """What the import of a CSV file would do. Raises InvalidInput for wrong columns, Overloaded."""
        ...

    async def bring_in(self, text: bytes, *, by: str) -> ImportReport:
        """Import a CSV file. Raises InvalidInput for wrong columns, Overloaded while another is under way."""
        ...

    def export(self) -> AsyncIterator[str]:
        """All customers as CSV, piece by piece."""
        ...

    def close(self) -> None:
        """Stop what is under way; nothing is asked any more."""
        ...


class ContactCustomers(Protocol):
    """Who a caller is, said by those who talk to him."""

    async def choose(self, contact: str, customer: str, *, asker: Principal) -> CustomerCard:
        """Set the customer of a contact that is live or wrapped up; returns when that is on disk.

        Raises NotFound for either, PermissionDenied to an agent whose contact it is not.
        """
        ...


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Things that happened, newest first: kind, id, at, and under the kind's name what lists show of it."""

    items: Sequence[Mapping[str, object]]
    next: str | None


class Timeline(Protocol):
    """Calls and tickets of a customer."""

    async def page(self, customer: str, *, after: str | None, limit: int) -> TimelinePage:
        """One page. Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class CustomerPorts:
    """All three."""

    records: Customers
    contacts: ContactCustomers
    timeline: Timeline
