"""The call records as the API asks for them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from callcenter.console.ports import CallFilter, CallPage
from callcenter.kernel.site import Site
from callcenter.reporting.render import as_document, as_summary
from callcenter.reporting.service import CallQuery, calls_list, calls_show, day_of, forms_of

TicketsOf = Callable[[str], Awaitable[Sequence[Mapping[str, object]]]]
"""contact -> its tickets, newest first: id and number."""


async def no_tickets(_contact: str) -> Sequence[Mapping[str, object]]:
    """For a site without any."""
    return ()


class CallRecords:
    """Implements `console.ports.Calls` over the site database; a whole record names the contact's tickets."""

    def __init__(
        self,
        site: Site,
        tickets_of: TicketsOf = no_tickets,
        *,
        zone: str = "UTC",
        region: str = "IT",
    ) -> None:
        """`zone` is that of days, `region` that of numbers."""
        self._site = site
        self._tickets_of = tickets_of
        self._zone = zone
        self._region = region

    async def list(self, query: CallFilter) -> CallPage:
        """One page, newest first. Raises InvalidInput, SiteUnavailable."""
        since, until = (query.since, query.until) if query.day is None else day_of(query.day, self._zone)
        page = await calls_list(
            self._site,
            CallQuery(
                since=since,
                until=until,
                agent=query.agent,
                queue=query.queue,
                result=query.result,
                callers=forms_of(query.caller, self._region) if query.caller else (),
                after=query.after,
                limit=query.limit,
            ),
        )
        return CallPage([as_summary(call) for call in page.calls], page.after)

    async def show(self, contact: str) -> Mapping[str, object] | None:
        """The whole record. Raises SiteUnavailable."""
        call = await calls_show(self._site, contact)
        return None if call is None else {**as_document(call), "tickets": await self._tickets_of(contact)}

    async def recordings(self, contact: str) -> Sequence[str]:
        """The files of the call's recordings. Raises SiteUnavailable."""
        call = await calls_show(self._site, contact)
        return () if call is None else [recording.file for recording in call.cdr.detail.recordings]
