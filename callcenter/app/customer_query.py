"""The customer look-up over the site database."""

from callcenter.app.customers import Answer
from callcenter.crm.model import Found, Match
from callcenter.crm.service import find_by_id, find_by_number
from callcenter.director.ports import Customer
from callcenter.kernel.site import Site
from callcenter.reporting.service import last_agent_of

MOST_CANDIDATES = 5


async def find_caller(
    site: Site, number: str, chosen: str | None, *, region: str, with_last_agent: bool = False
) -> Answer:
    """What a call is told of its caller; `with_last_agent` the customer has that key too, None if there was no agent.

    Raises SiteUnavailable.
    """
    customer, matches, candidates = await find_customer(site, number, chosen, region=region)
    if customer is not None and with_last_agent:
        customer = {**customer, "last_agent": await last_agent_of(site, str(customer["id"]))}
    return customer, matches, candidates


async def find_customer(site: Site, number: str, chosen: str | None, *, region: str) -> Answer:
    """The chosen customer, else the one of `number` if there is exactly one; else who it may be.

    Raises SiteUnavailable.
    """
    if chosen is not None:
        card = await find_by_id(site, chosen)
        return (None, 0, ()) if card is None else (card.as_mapping(), 1, ())
    return answer(await find_by_number(site, number, region=region))


def answer(found: Found) -> Answer:
    """What a call is told of who was found."""
    only = found.only
    if only is not None:
        return only.as_mapping(), 1, ()
    return None, len(found.matches), tuple(map(_candidate, found.matches[:MOST_CANDIDATES]))


def _candidate(match: Match) -> Customer:
    customer = match.customer
    return {
        "id": customer.id,
        "name": customer.name,
        "company": customer.company,
        "confidence": match.confidence,
        "reason": match.reason,
    }
