"""The tickets room in the application: what it asks of the calls, and the escalations that nobody asks for.

Escalation is a chore of the house: once a minute, when a ticket has changed, and when an alarm says that the next due
time has come. Where several processes look, each step still fires once. With Celery workers (`redis_url`) it is their
work, and this process takes only what they have left lying: a broker that is gone delays a step, no more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

from callcenter.app.live import LiveSide
from callcenter.crm.model import CustomerRecord
from callcenter.kernel.site import Site
from tickets.listing import of_contact
from tickets.service import MOST, Surroundings, TicketService, next_escalation

CHORE = "escalation"
ALARM = ("tickets", CHORE)
# Other processes may change tickets too, and no alarm of ours hears of them.
ESCALATE_EVERY = timedelta(minutes=1)
# How long a step may lie due before this process does the workers' work.
LEFT_LYING = timedelta(minutes=2)


class TicketSide:
    """Owned by the loop. `wake` has `escalate` called soon."""

    def __init__(self, site: Site, live: LiveSide, *, wake: Callable[[], None], has_workers: bool = False) -> None:
        self._site = site
        self._live = live
        self._wake = wake
        self._since = LEFT_LYING if has_workers else timedelta()
        self.service = TicketService(
            site,
            live.clock,
            live.site.tickets,
            Surroundings(
                in_talk=self._in_talk,
                is_agent=lambda agent: live.site.roster.agent(agent) is not None,
                is_queue=lambda queue: live.site.roster.queue(queue) is not None,
                changed=wake,
            ),
        )

    async def escalate(self) -> bool:
        """Fire what is due and set the alarm for what comes next; true if there may be more at once."""
        fired = await self.service.escalate(since=self._since)
        due = await next_escalation(self._site, after=self._live.clock.now() - self._since)
        self._live.alarms.set(ALARM, due and due + self._since, self._wake)
        return len(fired) >= MOST

    async def of_customer(
        self, customer: CustomerRecord, after: str | None, limit: int
    ) -> Sequence[Mapping[str, object]]:
        """The tickets of a customer's timeline."""
        tickets = await self.service.of_customer(customer.id, after=after, limit=limit)
        return [
            {"kind": "ticket", "id": ticket.id, "at": ticket.created_at, "ticket": asdict(ticket)}
            for ticket in tickets
        ]

    async def of_contact(self, contact: str) -> Sequence[Mapping[str, object]]:
        """The tickets that a call's record names."""
        return await of_contact(self._site, contact)

    def _in_talk(self, contact: str) -> bool:
        """An agent and the customer are joined at this moment."""
        found = self._live.calls.contacts.get(contact)
        return found is not None and found.bridge is not None
