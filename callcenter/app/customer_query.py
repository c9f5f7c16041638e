"""The customer look-up over the site database."""

from callcenter.crm.model import Found, Match
from callcenter.crm.service import find_by_id, find_by_number
from callcenter.director.ports import CallerFound, Customer
from callcenter.kernel.site import Site
from callcenter.reporting.service import last_agent_of

MOST_CANDIDATES = 5


async def find_caller(
    site: Site, number: str, chosen: str | None, *, region: str, with_last_agent: bool = False
) -> CallerFound:
    """What a call is told of its caller; `with_last_agent` the customer has that key too, None if there was no agent.

    Raises SiteUnavailable.
    """
    found = await find_customer(site, number, chosen, region=region)
    if found.customer is None or not with_last_agent:
        return found
    last_agent = await last_agent_of(site, str(found.customer["id"]))
    return found._replace(customer={**found.customer, "last_agent": last_agent})


async def find_customer(site: Site, number: str, chosen: str | None, *, region: str) -> CallerFound:
    """The chosen customer, else the one of `number` if there is exactly one; else who it may be.

    Raises SiteUnavailable.
    """
    if chosen is not None:
        card = await find_by_id(site, chosen)
        return CallerFound() if card is None else CallerFound(card.as_mapping(), 1)
    return answer(await find_by_number(site, number, region=region))


def answer(found: Found) -> CallerFound:
    """What a call is told of who was found."""
    only = found.only
    if only is not None:
        return CallerFound(only.as_mapping(), 1)
    return CallerFound(None, len(found.matches), tuple(map(_candidate, found.matches[:MOST_CANDIDATES])))


def _candidate(match: Match) -> Customer:
    customer = match.customer
    return {
        "id": customer.id,
        "name": customer.name,
        "company": customer.company,
        "confidence": match.confidence,
        "reason": match.reason,
    }
