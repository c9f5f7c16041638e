"""After a restart: what the rows say, compared with what workers and gateway still have (architecture.md section 2).

A restart reconciles, it never replays effects. The order: rooms take their rows; the gateway takes its own and
repeats what it owes; the workers are attached and what they kept is delivered, which may need the gateway; each
contact is brought in line and told to go on; offers that lost their delivery are taken back. An empty journal passes
through here too and finds nothing.
"""

from collections.abc import Collection, Mapping

import acd.commands as acd_in
from acd.service import Rows
from callcenter.app.live import LiveSide
from callcenter.calls import events as ev
from callcenter.calls.model import Contact
from callcenter.director.callbacks import CALLBACK
from callcenter.director.deliveries import DELIVERY
from callcenter.director.dial_out import TRUNK_USE
from callcenter.director.machines.callback import Callback
from callcenter.director.machines.incoming_call import IncomingCall
from callcenter.director.machines.offer_delivery import OfferDelivery
from callcenter.director.machines.trunk_use import TrunkUse
from callcenter.director.machines.voice_message import VoiceMessage
from callcenter.director.service import PROCESS
from callcenter.director.voice_messages import VOICE_MESSAGE
from callcenter.director.waiting import HELD_PLACE, LOST_PLACE, HeldPlace, LostPlace
from callcenter.kernel.codec import decode
from callcenter.kernel.journal_file import JournalReader
from ivr.service import DOCUMENT, RUN


async def restart(live: LiveSide) -> int:
    """Bring the live side to where the process before left it; the number of contacts that go on.

    Raises msgspec.ValidationError for a row of another version: then the data needs the release that wrote it.
    """
    reader = JournalReader(live.journal_path)
    try:
        lost = _take_rows(live, reader)
        live.agent.restore(list(reader.states("dialog")), list(reader.states("binding")))
    finally:
        reader.close()
    await live.media.start()
    _announce_phones(live)
    _reconcile(live, lost)
    return len(live.calls.contacts)


def _take_rows(live: LiveSide, reader: JournalReader) -> tuple[str, ...]:
    unit = live.open_unit()
    live.calls.restore(decode(blob, Contact) for _, blob in reader.states("contact"))
    live.recovery.restore(
        [decode(blob, IncomingCall) for _, blob in reader.states(PROCESS)],
        [decode(blob, OfferDelivery) for _, blob in reader.states(DELIVERY)],
        [decode(blob, TrunkUse) for _, blob in reader.states(TRUNK_USE)],
    )
    live.director.callbacks.restore(decode(blob, Callback) for _, blob in reader.states(CALLBACK))
    live.director.waiting.restore(
        (decode(blob, LostPlace) for _, blob in reader.states(LOST_PLACE)),
        (decode(blob, HeldPlace) for _, blob in reader.states(HELD_PLACE)),
    )
    live.director.voice_messages.restore(decode(blob, VoiceMessage) for _, blob in reader.states(VOICE_MESSAGE))
    restored = live.flows.restore(unit, reader.states(DOCUMENT), reader.states(RUN))
    rows = Rows(*(reader.states(kind) for kind in ("agent", "entry", "offer", "care", "estimate")))
    live.acd.start(unit, live.site.roster.policy, epoch=live.journal.epoch, rows=rows)
    live.submit(unit)
    return restored.lost


def _announce_phones(live: LiveSide) -> None:
    """Tell the distributor which agents' phones can be rung; consoles come back and say so themselves."""
    unit = live.open_unit()
    reachable = live.agent.registration.reachable_users()
    for agent in live.site.roster.agents:
        live.director.distribute(
            unit, acd_in.PresenceChanged(agent.id, phone=agent.phone in reachable, console=False)
        )
    live.submit(unit)


def _reconcile(live: LiveSide, lost: tuple[str, ...]) -> None:
    sessions = {
        found.session: ev.SessionOpened(found.session, found.worker, found.address, found.port)
        for found in live.media.sessions()
    }
    legs = {leg.id for contact in live.calls.contacts.values() for leg in contact.legs}
    for session in sorted(sessions.keys() - legs):
        unit = live.open_unit()
        live.media.close(unit, session)
        live.submit(unit)
    going: dict[str, set[str]] = {}
    for found in live.media.sessions():
        going[found.session] = {command for command in (found.playing, found.message) if command is not None}
    for contact in sorted(live.calls.contacts):
        _reconcile_contact(live, contact, sessions, going, is_lost=contact in lost)
    unit = live.open_unit()
    live.recovery.reconciled(unit)
    live.submit(unit)


def _reconcile_contact(
    live: LiveSide,
    contact: str,
    sessions: Mapping[str, ev.SessionOpened],
    going: Mapping[str, Collection[str]],
    *,
    is_lost: bool,
) -> None:
    """One contact, in a unit of its own: what is wrong with it must keep no other caller waiting."""

    def bring_in_line() -> None:
        live.calls.reconcile(unit, contact, sessions, live.agent.dialogs)
        call = live.director.processes.get(contact)
        if is_lost:
            live.calls.end(unit, contact, "system", "error", status=500)
        elif call is not None:
            live.recovery.resume(unit, contact, going.get(call.leg, ()))
        else:
            live.calls.end(unit, contact, "system", "restart", status=503)

    unit = live.open_unit()
    live.run("restart", bring_in_line)
    live.submit(unit)
