"""The consoles as the director sees them: its pops become frames of the console websocket."""

from callcenter.console.consoles import Consoles
from callcenter.console.protocol import Customer as CustomerCard
from callcenter.console.protocol import Pop as PopFrame
from callcenter.console.protocol import PopUpdated
from callcenter.director.ports import Customer, Pop


class ConsoleScreens:
    """Implements the director's `Screens`; handing over at once and never waiting."""

    def __init__(self, consoles: Consoles) -> None:
        self._consoles = consoles

    def pop(self, pop: Pop, *, update: bool) -> None:
        """Send the pop, or what is now known of its customer."""
        customer = _card(pop.customer)
        if update:
            self._consoles.update_pop(PopUpdated(pop.offer, customer, pop.matches))
            return
        self._consoles.pop(
            PopFrame(pop.offer, pop.contact, pop.queue, pop.agent, pop.caller, customer, pop.matches, pop.ring_until)
        )


def _card(customer: Customer | None) -> CustomerCard | None:
    if customer is None:
        return None
    company, language = customer.get("company"), customer.get("language")
    return CustomerCard(str(customer["id"]), str(customer["name"]), str(company or ""), str(language or ""))
