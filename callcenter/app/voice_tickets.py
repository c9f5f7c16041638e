"""Makes tickets of the voice messages that callers left: soon, and once each, however long the database is away."""

from dataclasses import replace
from datetime import timedelta

from callcenter.app.live import LiveSide
from callcenter.director.machines.voice_message import VoiceMessage
from tickets.commands import OpenTicket
from tickets.model import Priority
from tickets.service import TicketService

FILING = "voice_messages"
# Each message asks for itself; this finds what was refused while the database was away.
FILING_EVERY = timedelta(minutes=1)
BY = "system"
PRIORITIES: dict[str, Priority] = {"low": "low", "high": "high", "urgent": "urgent"}


class VoiceTickets:
    """A chore of the house; owned by the loop."""

    def __init__(self, live: LiveSide, tickets: TicketService) -> None:
        self._live = live
        self._tickets = tickets

    async def work(self) -> bool:
        """File what waits. Raises SiteUnavailable: what is left is filed when the database is back."""
        live = self._live
        for message in live.director.voice_messages.waiting():
            ticket = ticket_of(message)
            if ticket.queue is not None and not live.site.has_queue(ticket.queue):
                # Taken out of the policy since: the message must not wait for it, nor those after it.
                ticket = replace(ticket, queue=None)
            await self._tickets.open(ticket, by=BY)
            unit = live.open_unit()
            live.director.voice_messages.filed(unit, message.recording)
            live.submit(unit)
        return False


def ticket_of(message: VoiceMessage) -> OpenTicket:
    """The ticket of a message; its recording is that of the contact. The same message gives the same command."""
    length = "" if message.duration_ms is None else f" ({message.duration_ms // 1000} s)"
    return OpenTicket(
        subject=f"Voice message{length}",
        command_id=f"voice-{message.recording.rpartition('/')[2].removesuffix('.wav')}",
        text=f"Recording: {message.recording}",
        customer=message.customer,
        contact=message.contact,
        queue=message.queue or None,
        priority=PRIORITIES.get(message.priority, "normal"),
        category=message.category,
    )
