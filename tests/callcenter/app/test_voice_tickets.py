"""Voice messages become tickets, whatever has become of their queue."""

from types import SimpleNamespace
from typing import cast

from callcenter.app.live import LiveSide
from callcenter.app.voice_tickets import VoiceTickets
from callcenter.director.voice_messages import VoiceMessages
from callcenter.kernel.site import Site
from callcenter.kernel.unit import Unit
from ivr.commands import Record
from tests.tickets.conftest import START, Desk
from tickets.commands import TicketFilter


async def test_a_message_for_a_queue_that_is_gone_is_filed_and_so_are_those_after_it(site: Site) -> None:
    desk = Desk(site)
    messages = VoiceMessages(customer_of=lambda contact: None)
    for path, contact, queue in (("1.wav", "c1", "nowhere"), ("2.wav", "c2", "billing")):
        messages.begin(Unit(START), contact, path, Record("f1", 60, "voicemail", "high", queue))
        messages.ended(Unit(START), contact, 5000)
    live = SimpleNamespace(
        director=SimpleNamespace(voice_messages=messages),
        site=SimpleNamespace(has_queue={"billing"}.__contains__),
        open_unit=lambda: Unit(START),
        submit=lambda unit: None,
    )
    await VoiceTickets(cast("LiveSide", live), desk.service).work()
    tickets = (await desk.service.list(TicketFilter())).tickets
    assert [(ticket.contact, ticket.queue) for ticket in tickets] == [("c2", "billing"), ("c1", None)]
    assert messages.waiting() == ()
