"""What happened with a customer, from several rooms, newest first.

Ids are UUIDv7, whose order is that in which things began: one id is the cursor for all kinds, and each source gives
its own newest below it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from callcenter.console.customer_ports import TimelinePage
from callcenter.crm.model import CustomerRecord
from callcenter.crm.records import show_customer
from callcenter.kernel.errors import InvalidInput, NotFound
from callcenter.kernel.site import Site
from callcenter.numbers import spellings
from callcenter.reporting.render import as_summary
from callcenter.reporting.service import calls_of_customer

Item = Mapping[str, object]
Source = Callable[[CustomerRecord, str | None, int], Awaitable[Sequence[Item]]]
"""(customer, after, limit) -> at most so many items with kind, id, at: ids below `after`, newest first."""


class CustomerTimeline:
    """Implements `console.customer_ports.Timeline` over sources."""

    def __init__(self, site: Site, sources: Sequence[Source]) -> None:
        self._site = site
        self._sources = sources

    async def page(self, customer: str, *, after: str | None, limit: int) -> TimelinePage:
        """One page. Raises NotFound, InvalidInput for a cursor that is none, SiteUnavailable."""
        if after is not None and not after.isalnum():
            raise InvalidInput("after is not what a page gave", data={"field": "after"})
        record = await show_customer(self._site, customer)
        if record is None:
            raise NotFound("There is no such customer.")
        found = [item for source in self._sources for item in await source(record, after, limit + 1)]
        found.sort(key=lambda item: str(item["id"]), reverse=True)
        page = found[:limit]
        return TimelinePage(page, str(page[-1]["id"]) if len(found) > limit else None)


def calls_source(site: Site, *, region: str) -> Source:
    """The calls of the customer, and those of his numbers that nobody else was found for."""

    async def calls(customer: CustomerRecord, after: str | None, limit: int) -> Sequence[Item]:
        callers = [form for number in customer.numbers for form in spellings(number.e164, region=region)]
        found = await calls_of_customer(site, customer.id, callers, after=after, limit=limit)
        summaries = [as_summary(call) for call in found]
        return [
            {"kind": "call", "id": summary["contact"], "at": summary["started_at"], "call": summary}
            for summary in summaries
        ]

    return calls
