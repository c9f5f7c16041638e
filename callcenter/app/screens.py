"""The consoles as the director sees them: its pops become frames of the console websocket."""

from callcenter.console.consoles import Consoles
from callcenter.console.protocol import Candidate
from callcenter.console.protocol import Customer as CustomerCard
from callcenter.console.protocol import Pop as PopFrame
from callcenter.director.ports import CallerFound, Customer, Pop


class ConsoleScreens:
    """Implements the director's `Screens`; handing over at once and never waiting."""

    def __init__(self, consoles: Consoles) -> None:
        self._consoles = consoles

    def pop(self, pop: Pop) -> None:
        """Send the pop."""
        customer = None if pop.customer is None else _card(pop.customer)
        candidates = tuple(map(_candidate, pop.candidates))
        self._consoles.pop(
            PopFrame(
                pop.offer,
                pop.contact,
                pop.queue,
                pop.agent,
                pop.caller,
                customer,
                pop.matches,
                pop.ring_until,
                candidates,
            )
        )

    def customer_known(self, contact: str, found: CallerFound) -> None:
        """Put what was found, or whom an agent chose, on the pops of the contact."""
        card = None if found.customer is None else _card(found.customer)
        self._consoles.update_pops(contact, card, found.matches, tuple(map(_candidate, found.candidates)))


def _candidate(customer: Customer) -> Candidate:
    name, company = str(customer["name"]), str(customer["company"])
    return Candidate(str(customer["id"]), name, company, int(customer["confidence"] or 0), str(customer["reason"]))


def _card(customer: Customer) -> CustomerCard:
    company, language = customer.get("company"), customer.get("language")
    return CustomerCard(str(customer["id"]), str(customer["name"]), str(company or ""), str(language or ""))
