"""Recovery: the processes of the run before taken up again (architecture.md section 2). Nothing is sent twice."""

from collections.abc import Collection, Sequence

import acd.commands as acd_in
import ivr.events as ivr_in
from callcenter.director.call_control import MUSIC
from callcenter.director.machines import bridge as br
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic
from callcenter.director.machines import offer_delivery as od
from callcenter.director.machines.trunk_use import TrunkUse
from callcenter.director.rooms import Rooms, Surroundings
from callcenter.director.service import PROCESS, Director
from callcenter.director.sound_watch import UNKNOWN_S
from callcenter.kernel.unit import Unit


class Recovery:
    """What a restart does to the director: `restore`, `resume` for each contact that lives, `reconciled`."""

    def __init__(self, director: Director, rooms: Rooms, around: Surroundings) -> None:
        self._director = director
        self._rooms = rooms
        self._around = around

    def restore(
        self, calls: Sequence[ic.IncomingCall], deliveries: Sequence[od.OfferDelivery], uses: Sequence[TrunkUse] = ()
    ) -> None:
        """Take the rows of the process before; nothing is sent yet."""
        self._director.processes.update((call.contact, call) for call in calls)
        self._director.deliveries.restore(deliveries)
        self._director.dial_out.restore(uses)

    def resume(self, unit: Unit, contact: str, going: Collection[str] = ()) -> None:
        """Say again what should be going on for a contact that lives on after a restart.

        `going` are the commands that a worker is still carrying out for the caller: prompts, messages.
        """
        call = self._director.processes[contact]
        self._around.set_alarm(PROCESS, contact, call.next_deadline)
        run = self._rooms.flows.run_of(contact)
        if run is not None and self._around.site.wants_customer(run.flow):
            self._around.look_up(contact, call.caller, call.customer)
        match call.phase:
            case ic.Phase.TALKING:
                music = self._around.site.sound(MUSIC, self._rooms.language_of(contact))
                self._rooms.calls.reassert_bridge(unit, contact, hold=music)
                self._director.pops.show_talk(unit, call)
            case ic.Phase.DIALLING | ic.Phase.QUEUED if call.answered:
                for sound in call.bridge.sounds():
                    self._director.run(unit, call, sound)
            case ic.Phase.LEAVING if br.MESSAGE in going:
                self._director.sounds.begun(contact, br.MESSAGE, UNKNOWN_S, now=unit.now)
            case ic.Phase.LEAVING:
                self._director.step(unit, contact, msg.Told())
        # His flow has none of these: it waits for what becomes of him.
        live = call.phase in {ic.Phase.TALKING, ic.Phase.DIALLING, ic.Phase.QUEUED, ic.Phase.LEAVING}
        live = live or (run is not None and run.command in going)
        if run is not None and run.command in going:
            self._director.sounds.begun(contact, run.command, UNKNOWN_S, now=unit.now)
        self._director.flow(unit, contact, ivr_in.Resumed(live=live))
        self._director.deliveries.resume(unit, contact)

    def reconciled(self, unit: Unit) -> None:
        """Every contact has been resumed: offers and deliveries that have lost each other are ended."""
        offers, pending = self._rooms.acd.core.offers, self._director.deliveries.pending
        for offer in sorted(offers.keys() - pending.keys()):
            self._director.distribute(unit, acd_in.OfferTakenBack(offer))
        for offer in sorted(pending.keys() - offers.keys()):
            self._director.deliveries.deliver(unit, offer, od.Withdrawn("restart"))
        contacts = self._rooms.calls.contacts.values()
        self._director.voice_messages.reconciled(unit, self._rooms.calls.contacts)
        self._director.dial_out.reconciled(unit, [leg.id for contact in contacts for leg in contact.live_legs])
        self._director.waiting.reconciled(unit)
        for contact, call in list(self._director.processes.items()):
            waits = call.phase is ic.Phase.QUEUED and call.bridge.other is None
            if waits and call.entry not in self._rooms.acd.core.entries:
                # His place went with the policy that the site was restarted with.
                self._director.step(unit, contact, msg.QueueEnded("timeout"))
        alive = {*self._rooms.calls.contacts, *self._director.callbacks.reconciled(unit)}
        self._director.distribute(unit, acd_in.Reconciled(tuple(sorted(alive))))
