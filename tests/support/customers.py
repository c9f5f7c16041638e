"""In-memory customers of the web application."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from callcenter.console.customer_ports import CustomerPorts, TimelinePage
from callcenter.console.ports import Principal
from callcenter.crm.bulk import ImportReport, Preview
from callcenter.crm.importing import read_rows
from callcenter.crm.model import (
    Change,
    CustomerCard,
    CustomerFields,
    CustomerRecord,
    CustomersPage,
    Found,
    Match,
    Number,
)
from callcenter.crm.records import Search
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import Conflict, NotFound, PermissionDenied

NOW = FakeClock().now()


def record(id_: str, fields: CustomerFields) -> CustomerRecord:
    """A customer whose numbers were written in full."""
    numbers = tuple(Number(raw, raw) for raw in fields.numbers)
    texts = (fields.name, fields.company, fields.email, fields.language, fields.notes, fields.external_id)
    return CustomerRecord(id_, *texts, numbers, 1, NOW, NOW, fields.owner)


@dataclass
class FakeCustomers:
    """By id; `asked` are the searches."""

    records: dict[str, CustomerRecord] = field(default_factory=dict)
    asked: list[Search] = field(default_factory=list)
    imported: list[tuple[bytes, str]] = field(default_factory=list)

    async def search(self, query: Search) -> CustomersPage:
        self.asked.append(query)
        found = [one for one in self.records.values() if one.name.lower().startswith(query.words.lower())]
        return CustomersPage(tuple(found[: query.limit]), None)

    async def find(self, number: str) -> Found:
        found = [one for one in self.records.values() if number in [each.e164 for each in one.numbers]]
        cards = [
            CustomerCard(one.id, one.name, one.company, one.email, one.language, None, one.owner) for one in found
        ]
        return Found(tuple(Match(card, 100 // len(cards), "exact_number") for card in cards))

    async def show(self, customer: str) -> CustomerRecord | None:
        return self.records.get(customer)

    async def history(self, customer: str) -> Sequence[Change]:
        return [Change(NOW, "user-ann", "created", ("name",))] if customer in self.records else []

    async def create(self, fields: CustomerFields, *, by: str) -> CustomerRecord:
        id_ = f"k{len(self.records) + 1}"
        self.records[id_] = record(id_, fields)
        return self.records[id_]

    async def edit(self, customer: str, changes: Mapping[str, object], *, version: int, by: str) -> CustomerRecord:
        before = self.records.get(customer)
        if before is None:
            raise NotFound("There is no such customer.")
        if before.version != version:
            raise Conflict("Somebody else changed this customer.", data={"version": before.version})
        texts = {name: value for name, value in changes.items() if name != "numbers"}
        after = replace(before, version=version + 1, **texts)  # type: ignore[arg-type]  # the route's schema types them
        self.records[customer] = after
        return after

    async def preview(self, text: bytes) -> Preview:
        rows = list(read_rows(text.decode().splitlines(keepends=True), region="GB"))
        return Preview(len(rows), ImportReport(len(rows), 0, ()), ())

    async def bring_in(self, text: bytes, *, by: str) -> ImportReport:
        self.imported.append((text, by))
        return (await self.preview(text)).report

    async def export(self) -> AsyncIterator[str]:
        yield "name\r\n"
        for one in self.records.values():
            yield f"{one.name}\r\n"

    def close(self) -> None:
        """Nothing is ever under way."""


@dataclass
class FakeContactCustomers:
    """Contact c1 is ann's."""

    customers: FakeCustomers
    chosen: dict[str, str] = field(default_factory=dict)

    async def choose(self, contact: str, customer: str, *, asker: Principal) -> CustomerCard:
        if contact != "c1":
            raise NotFound("There is no such contact.")
        if asker.agent != "ann" and "agents.control" not in asker.permissions:
            raise PermissionDenied("This is another agent's contact.")
        found = self.customers.records.get(customer)
        if found is None:
            raise NotFound("There is no such customer.")
        self.chosen[contact] = customer
        return CustomerCard(found.id, found.name, found.company, found.email, found.language, None)


@dataclass
class FakeTimeline:
    """The same call for everybody."""

    async def page(self, customer: str, *, after: str | None, limit: int) -> TimelinePage:
        return TimelinePage([{"kind": "call", "id": "c1", "at": "2026-03-02T09:00:00.000Z", "call": {}}], None)


@dataclass
class FakeCustomerPorts:
    """All three, with what they were told."""

    records: FakeCustomers = field(default_factory=FakeCustomers)
    timeline: FakeTimeline = field(default_factory=FakeTimeline)

    def __post_init__(self) -> None:
        self.contacts = FakeContactCustomers(self.records)

    def ports(self) -> CustomerPorts:
        """As the application takes them."""
        return CustomerPorts(self.records, self.contacts, self.timeline)
