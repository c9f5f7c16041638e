"""Pops: what an agent sees of the caller, before the phone rings and while they talk (telephony.md section 2)."""

from collections.abc import Mapping

from msgspec.structs import replace

import ivr.events as ivr_in
from acd.routing_config import Preference
from callcenter.director.machines import incoming_call as ic
from callcenter.director.machines import offer_delivery as od
from callcenter.director.ports import CallerFound, Customer, Pop
from callcenter.director.rooms import Rooms, Steps, Surroundings
from callcenter.kernel.unit import Unit

_NOBODY = CallerFound()
_AGENTS: Mapping[Preference, str] = {"account_owner": "owner", "last_agent": "last_agent"}
"""Where a customer names the agent."""


class Pops:
    """Who the callers are, as far as that is known, and the screens that show it."""

    def __init__(self, rooms: Rooms, around: Surroundings, steps: Steps) -> None:
        self._rooms = rooms
        self._around = around
        self._steps = steps
        self._found: dict[str, CallerFound] = {}

    def customer_of(self, contact: str) -> str | None:
        """The id of the customer, where one is known."""
        return self._found.get(contact, _NOBODY).id

    def looked_up(self, contact: str) -> bool:
        """Whether it is known who the caller is, or that nobody knows."""
        return contact in self._found

    def preferred_in(self, queue: str, contact: str) -> tuple[str, ...]:
        """The agents whom the caller is to have first, in order, where `queue` sees to that and some are known."""
        customer = self._found.get(contact, _NOBODY).customer or {}
        wanted = (customer.get(_AGENTS[each]) for each in self._around.site.preferences(queue))
        return tuple(dict.fromkeys(str(agent) for agent in wanted if agent))

    def forget(self, contact: str) -> None:
        """The contact is over."""
        self._found.pop(contact, None)

    def found(self, unit: Unit, contact: str, found: CallerFound) -> None:
        """The look-up of the caller's number returned; an offer that is out already is told."""
        call = self._steps.processes.get(contact)
        if call is None or call.customer not in (None, found.id):
            return
        self._found[contact] = found
        unit.event("director.customer.found", contact, customer=found.id, matches=found.matches)
        if found.customer is not None:
            self._steps.flow(unit, contact, ivr_in.CustomerFound(dict(found.customer)))
        self._tell_screens(unit, contact, found)

    def choose(self, unit: Unit, contact: str, customer: Customer, *, by: str) -> None:
        """User `by` says who the caller is, in the call or after it; that stands against what the number says."""
        chosen = str(customer["id"])
        call = self._steps.processes.get(contact)
        if call is not None:
            self._steps.keep(unit, replace(call, customer=chosen))
            self._found[contact] = CallerFound(customer, 1)
        unit.event("director.customer.chosen", contact, customer=chosen, by=by)
        self._tell_screens(unit, contact, CallerFound(customer, 1))

    def send(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        """The pop of an offer that was made just now."""
        found = self.customer_of(delivery.contact)
        unit.event("director.pop.sent", delivery.contact, offer=delivery.offer, agent=delivery.agent, customer=found)
        self.show(unit, delivery)

    def show(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        """The same, for screens that may have lost it."""
        call = self._steps.processes[delivery.contact]
        customer, matches, candidates = self._found.get(delivery.contact, _NOBODY)
        pop = Pop(
            delivery.offer,
            delivery.contact,
            delivery.queue,
            delivery.agent,
            call.caller,
            call.caller_name,
            customer,
            matches,
            delivery.ring_until,
            candidates,
        )
        screens = self._around.screens
        unit.after_commit(lambda: screens.pop(pop))

    def show_talk(self, unit: Unit, call: ic.IncomingCall) -> None:
        """The pop of a talk again: the screens went with the process before, and its offer was over."""
        talking = (each for each in self._rooms.acd.core.agents.values() if each.contact == call.contact)
        agent = next(talking, None)
        if agent is not None and call.queue is not None:
            self.show(unit, od.OfferDelivery(call.entry, 0, call.contact, call.queue, agent.id, "phone", unit.now))

    def _tell_screens(self, unit: Unit, contact: str, found: CallerFound) -> None:
        screens = self._around.screens
        unit.after_commit(lambda: screens.customer_known(contact, found))
