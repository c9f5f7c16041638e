"""An agent says who the caller is: the choice joins the contact, its screens and its record."""

from acd.service import AcdService
from callcenter.app.committing import committed
from callcenter.app.live import LiveSide
from callcenter.console.ports import Principal
from callcenter.crm.model import CustomerCard
from callcenter.crm.service import find_by_id
from callcenter.director.service import Director
from callcenter.kernel.errors import NotFound, PermissionDenied
from callcenter.kernel.site import Site

ANY_CONTACT = "agents.control"


class ContactCustomerChoice:
    """Implements `console.customer_ports.ContactCustomers`. Owned by the loop's thread."""

    def __init__(self, site: Site, live: LiveSide) -> None:
        self._site = site
        self._live = live

    async def choose(self, contact: str, customer: str, *, asker: Principal) -> CustomerCard:
        """Set it. Raises NotFound, PermissionDenied, SiteUnavailable."""
        live = self._live
        check_choice(live.director, live.acd, contact, asker)
        card = await find_by_id(self._site, customer)
        if card is None:
            raise NotFound("There is no such customer.", data={"customer": customer})
        unit = live.open_unit()
        live.director.pops.choose(unit, contact, card.as_mapping(), by=asker.user)
        await committed(unit, live.submit)
        return card


def check_choice(director: Director, acd: AcdService, contact: str, asker: Principal) -> None:
    """Agents speak for the contact that rings them, that they have or that they wrap up; supervisors for any.

    Raises NotFound for a contact that nobody has any more, PermissionDenied.
    """
    holders = {agent.id for agent in acd.core.agents.values() if agent.contact == contact}
    holders |= {delivery.agent for delivery in director.deliveries.pending.values() if delivery.contact == contact}
    if not holders and contact not in director.processes:
        raise NotFound("There is no such contact.", data={"contact": contact})
    if asker.agent not in holders and ANY_CONTACT not in asker.permissions:
        raise PermissionDenied("This is another agent's contact.", data={"contact": contact})
