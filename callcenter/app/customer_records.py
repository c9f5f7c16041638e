"""The customers as the API asks for them.

A file is read and written in a thread with a loop and a connection of its own: thousands of rows must not hold up
the loop that calls run on. One file at a time.
"""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from callcenter.crm import bulk, records
from callcenter.crm.importing import BadRow, CustomerRow, read_rows
from callcenter.crm.model import Change, CustomerFields, CustomerRecord, CustomersPage, Found
from callcenter.crm.service import find_by_number
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Overloaded
from callcenter.kernel.site import Site

RETRY_S = 5
Rows = Iterator[CustomerRow | BadRow]
T = TypeVar("T")


class CustomerRecords:
    """Implements `console.customer_ports.Customers` over the site database."""

    def __init__(
        self, site: Site, clock: Clock, *, region: str, agents: Callable[[], Collection[str]] = tuple
    ) -> None:
        """`region` (ISO 3166) is that of numbers without a country code; `agents` gives the ids of all agents."""
        self._site = site
        self._clock = clock
        self._region = region
        self._agents = agents
        self._busy = False
        self._closing = threading.Event()

    async def search(self, query: records.Search) -> CustomersPage:
        """One page. Raises InvalidInput, SiteUnavailable."""
        return await records.search_customers(self._site, query)

    async def find(self, number: str) -> Found:
        """Whom the number may belong to. Raises SiteUnavailable."""
        return await find_by_number(self._site, number, region=self._region)

    async def show(self, customer: str) -> CustomerRecord | None:
        """The whole record. Raises SiteUnavailable."""
        return await records.show_customer(self._site, customer)

    async def history(self, customer: str) -> Sequence[Change]:
        """Who changed which fields. Raises SiteUnavailable."""
        return await records.changes_of(self._site, customer)

    async def create(self, fields: CustomerFields, *, by: str) -> CustomerRecord:
        """Raises InvalidInput, Conflict, SiteUnavailable."""
        return await records.create_customer(
            self._site, fields, region=self._region, actor=by, now=self._clock.wall(), agents=self._agents()
        )

    async def edit(self, customer: str, changes: Mapping[str, object], *, version: int, by: str) -> CustomerRecord:
        """Raises NotFound, Conflict, InvalidInput, SiteUnavailable."""
        return await records.edit_customer(
            self._site,
            customer,
            changes,
            version=version,
            region=self._region,
            actor=by,
            now=self._clock.wall(),
            agents=self._agents(),
        )

    async def preview(self, text: bytes) -> bulk.Preview:
        """What the import would do. Raises InvalidInput, Overloaded, SiteUnavailable."""
        return await self._apart(lambda site: bulk.preview_customers(site, self._rows(text)))

    async def bring_in(self, text: bytes, *, by: str) -> bulk.ImportReport:
        """The import. Raises InvalidInput, Overloaded, Conflict, SiteUnavailable."""
        now = self._clock.wall()
        return await self._apart(lambda site: bulk.import_customers(site, self._rows(text), now=now, actor=by))

    def export(self) -> AsyncIterator[str]:
        """All customers as CSV. Raises SiteUnavailable."""
        return bulk.export_customers(self._site, region=self._region)

    def close(self) -> None:
        """Stop reading a file that is under way: its rest is not taken."""
        self._closing.set()

    def _rows(self, text: bytes) -> Rows:
        lines = io.StringIO(text.decode("utf-8-sig", errors="surrogateescape"), newline="")
        for row in read_rows(lines, region=self._region, agents=self._agents()):
            if self._closing.is_set():
                raise Overloaded("The server is stopping; import the file again.")
            yield row

    async def _apart(self, work: Callable[[Site], Awaitable[T]]) -> T:
        if self._busy:
            raise Overloaded("Another file is being read.", data={"retry_after_s": RETRY_S})
        self._busy = True
        try:
            return await asyncio.to_thread(lambda: asyncio.run(_alone(self._site.url, work)))
        finally:
            self._busy = False


async def _alone(url: str, work: Callable[[Site], Awaitable[T]]) -> T:
    site = Site(url, pool_size=1)
    try:
        return await work(site)
    finally:
        await site.close()
