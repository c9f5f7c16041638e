"""What the consoles see right after a restart: the live view made from the rooms' rows instead of from events.

The rooms may be ahead of the last committed event; the events that follow then repeat what the view already has, and
each of them sets rather than counts, so view and events come to the same.
"""

from collections.abc import Iterable
from datetime import datetime

from acd.core import Distributor
from callcenter.calls.model import Contact
from callcenter.console.live import BUSY_STATES, LiveView
from callcenter.console.protocol import AgentRow, ContactRow, EntryRow, OfferRow


def view_of(core: Distributor, contacts: Iterable[Contact], *, position: int) -> LiveView:
    """The view as of journal number `position`."""
    view = LiveView()
    view.position = position
    contacts = tuple(contacts)
    held = {contact.id for contact in contacts if contact.bridge is not None and contact.bridge.held}
    for agent in core.agents.values():
        view.agents[agent.id] = AgentRow(
            id=agent.id,
            state=agent.state,
            reason=agent.reason,
            contact=None if agent.state == "logged_out" else agent.contact,
            since=_wire(agent.since),
            until=_wire(agent.until if agent.state == "wrap_up" else agent.rests_until),
            next=agent.next.state if agent.state in BUSY_STATES and agent.next.state != "available" else None,
            phone=agent.phone,
            console=agent.console,
            held=agent.state == "on_contact" and agent.contact in held,
        )
    for entry in core.entries.values():
        view.entries[entry.id] = EntryRow(entry.id, entry.contact, entry.queue, entry.enqueued_at, entry.is_callback)
    for offer in core.offers.values():
        view.offers[offer.id] = OfferRow(
            offer.id, offer.contact, offer.entry, offer.queue, offer.agent, _wire(offer.ring_until), offer.delivery
        )
    queues = {entry.contact: entry.queue for entry in core.entries.values()}
    agents = {agent.contact: agent.id for agent in core.agents.values() if agent.state == "on_contact"}
    for contact in contacts:
        stage = "waiting" if contact.id in queues else "flow" if contact.bridge is None else "talking"
        view.contacts[contact.id] = ContactRow(
            contact.id, stage, contact.received_at, queues.get(contact.id), agents.get(contact.id)
        )
    return view


def _wire(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
