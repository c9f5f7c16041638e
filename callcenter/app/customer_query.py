"""The customer look-up over the site database."""

from callcenter.crm.service import find_by_number
from callcenter.director.ports import Customer
from callcenter.kernel.site import Site


async def find_customer(site: Site, number: str, *, region: str) -> tuple[Customer | None, int]:
    """The customer of `number` if there is exactly one, and how many there are. Raises SiteUnavailable."""
    found = await find_by_number(site, number, region=region)
    only = found.only
    return (None if only is None else only.as_mapping()), len(found.customers)
