"""Customers: records, search, look-up by number, import and export, timeline, and the choice of one for a contact."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import StreamingResponse

from callcenter.app.api.access import Asker, allow
from callcenter.app.api.customer_models import (
    CardOut,
    ChangeOut,
    CustomerChoice,
    CustomerEdit,
    CustomerList,
    CustomerOut,
    FoundOut,
    HistoryOut,
    ImportOut,
    NewCustomer,
    TimelineOut,
)
from callcenter.app.api.models import Identifier
from callcenter.console.customer_ports import CustomerPorts, Customers
from callcenter.crm.records import Search
from callcenter.kernel.errors import InvalidInput, NotFound

MAX_IMPORT = 8 * 1024 * 1024
IMPORT_PATH = "/api/customers/import"
CSV = "text/csv"

After = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]


def add_customer_routes(app: FastAPI, ports: CustomerPorts) -> None:
    """`/api/customers` and below, `/api/contacts/{contact}/customer`."""
    customers = ports.records
    # Before the routes with an id in their path, which would take these words for one.
    _add_file_routes(app, customers)

    @app.get("/api/customers", dependencies=allow("customers.read"), tags=["customers"])
    async def search(
        q: Annotated[str, Query(max_length=200)] = "", after: After = None, limit: Limit = 50
    ) -> CustomerList:
        """Those who have words that begin so in name, company, email, external id or number; without q the newest."""
        return CustomerList.of(await customers.search(Search(q, after, limit)))

    @app.post("/api/customers", dependencies=allow("customers.write"), status_code=201, tags=["customers"])
    async def create(customer: NewCustomer, asker: Asker) -> CustomerOut:
        """A new customer. 409 for an external id that another one has."""
        return CustomerOut.of(await customers.create(customer.fields(), by=asker.user))

    @app.get("/api/customers/lookup", dependencies=allow("customers.read"), tags=["customers"])
    async def find(number: Annotated[str, Query(max_length=100)]) -> FoundOut:
        """Whom a number belongs to, as a call would be told."""
        return FoundOut.of(await customers.find(number))

    @app.get("/api/customers/{customer}", dependencies=allow("customers.read"), tags=["customers"])
    async def show(customer: Identifier) -> CustomerOut:
        """The whole record."""
        record = await customers.show(customer)
        if record is None:
            raise NotFound("There is no such customer.")
        return CustomerOut.of(record)

    @app.patch("/api/customers/{customer}", dependencies=allow("customers.write"), tags=["customers"])
    async def edit(customer: Identifier, wish: CustomerEdit, asker: Asker) -> CustomerOut:
        """Change the named fields. 409 with the present `version` when somebody else was faster."""
        record = await customers.edit(customer, wish.changes(), version=wish.version, by=asker.user)
        return CustomerOut.of(record)

    @app.get("/api/customers/{customer}/history", dependencies=allow("customers.read"), tags=["customers"])
    async def history(customer: Identifier) -> HistoryOut:
        """Who changed which fields, newest first."""
        changes = await customers.history(customer)
        return HistoryOut(changes=[ChangeOut.model_validate(change) for change in changes])

    @app.get("/api/customers/{customer}/timeline", dependencies=allow("customers.read"), tags=["customers"])
    async def show_timeline(customer: Identifier, after: After = None, limit: Limit = 20) -> TimelineOut:
        """Calls and tickets, newest first."""
        page = await ports.timeline.page(customer, after=after, limit=limit)
        return TimelineOut(items=[dict(item) for item in page.items], next=page.next)

    @app.post("/api/contacts/{contact}/customer", dependencies=allow("customers.write"), tags=["customers"])
    async def choose(contact: Identifier, choice: CustomerChoice, asker: Asker) -> CardOut:
        """Say who the caller is, from the ringing to the end of the wrap-up. 403 for another agent's contact."""
        return CardOut.model_validate(await ports.contacts.choose(contact, choice.customer, asker=asker))


def _add_file_routes(app: FastAPI, customers: Customers) -> None:
    @app.post(
        IMPORT_PATH,
        dependencies=allow("customers.import"),
        tags=["customers"],
        max_body_size=MAX_IMPORT,
        openapi_extra={"requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string"}}}}},
    )
    async def import_file(request: Request, asker: Asker, preview: bool = False) -> ImportOut:
        """Create and update customers from a CSV body, UTF-8 with a line of column names; at most 8 MiB.

        With `preview` nothing is written. 503 while another file is being read.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CSV:
            raise InvalidInput("The body must be text/csv.", data={"field": "body"})
        text = await request.body()
        if preview:
            return ImportOut.of_preview(await customers.preview(text))
        return ImportOut.done(await customers.bring_in(text, by=asker.user))

    @app.get(
        "/api/customers/export",
        dependencies=allow("customers.import"),
        tags=["customers"],
        response_class=StreamingResponse,
        responses={200: {"content": {CSV: {}}}},
    )
    async def export_file() -> StreamingResponse:
        """All customers as CSV that the import takes back; cells that a spreadsheet would run begin with a quote."""
        pieces = customers.export()
        # The first piece before the answer begins: a database that is away is a 503 and not half a file.
        first = await anext(pieces)
        headers = {"Content-Disposition": 'attachment; filename="customers.csv"'}
        return StreamingResponse(_joined(first, pieces), media_type=f"{CSV}; charset=utf-8", headers=headers)


async def _joined(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for piece in rest:
        yield piece
