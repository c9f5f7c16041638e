"""Waiting: what becomes of callers in queues, as the distributor and their own keys have it.

They are told their place over the music, sent on where their queue says so, and find their place again when they were
cut off and call back at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

import acd.commands as acd_in
import acd.events as acd_out
import ivr.commands as ivr_out
import ivr.events as ivr_in
from acd.model import Outcome
from callcenter.director.callbacks import Callbacks
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic
from callcenter.director.pops import Pops
from callcenter.director.rooms import Rooms, Steps, Surroundings
from callcenter.kernel.unit import Unit
from callcenter.numbers.number import normalise

LOST_PLACE = "lost_place"
HELD_PLACE = "held_place"
LOOK_UP = timedelta(seconds=0.5)
"""The longest that a caller is kept from a queue that wants to know who he is."""
CALLBACK_AGREED = "callback-agreed"
RINGBACK = "ringback"
OUTSIDE_RING_S = 40
_OUTCOMES: dict[str, ivr_in.QueueOutcome] = {
    "length": "full",
    "expected_wait": "full",
    "waited": "timeout",
    "max_wait": "timeout",
    "no_agents": "no_agents",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class LostPlace:
    """The place of one who was cut off; his if he calls again before `until`. It has his number: it goes with it."""

    contact: str
    caller: str
    queue: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class HeldPlace:
    """One who is queued as soon as it is known who he is, or at `until`."""

    contact: str
    place: msg.Enqueue
    until: datetime


class Waiting:
    """One for each director. `lost` are the places that may be taken up again, `held` those not taken yet."""

    def __init__(self, rooms: Rooms, around: Surroundings, steps: Steps, callbacks: Callbacks, pops: Pops) -> None:
        self._pops = pops
        self.held: dict[str, HeldPlace] = {}
        self._rooms = rooms
        self._around = around
        self._steps = steps
        self._callbacks = callbacks
        self.lost: dict[str, LostPlace] = {}
        self._of: dict[tuple[str, str], str] = {}

    # -- into the queue ------------------------------------------------------------------------------------------

    def enqueue(self, unit: Unit, contact: str, effect: msg.Enqueue) -> None:
        """Give the caller to the distributor; a queue that has somebody for him hears first who he is."""
        unknown = effect.preferred is None and not self._pops.looked_up(contact)
        if unknown and self._around.site.preferences(effect.queue):
            place = HeldPlace(contact, effect, unit.now + LOOK_UP)
            unit.save(HELD_PLACE, contact, place)
            self._hold(place)
        else:
            self._enter(unit, contact, effect)

    def customer_known(self, unit: Unit, contact: str) -> None:
        """The look-up of the caller has returned, or is waited for no longer."""
        held = self.held.pop(contact, None)
        if held is None:
            return
        unit.delete(HELD_PLACE, contact)
        self._around.set_alarm(HELD_PLACE, contact, None)
        call = self._steps.processes.get(contact)
        if call is not None and (call.phase, call.entry) == (ic.Phase.QUEUED, held.place.entry):
            self._enter(unit, contact, held.place)

    def _hold(self, place: HeldPlace) -> None:
        self.held[place.contact] = place
        self._around.set_alarm(HELD_PLACE, place.contact, place.until)

    def _enter(self, unit: Unit, contact: str, effect: msg.Enqueue) -> None:
        """In the place that is his."""
        since, head_start_s = effect.since, effect.head_start_s
        lost = self._place_again(unit, contact, effect)
        if lost is not None:
            # His place to the millisecond, but the time before this call is no part of its wait.
            head_start_s, rest = divmod(unit.now - lost, timedelta(seconds=1))
            since = unit.now - rest
        agents = (effect.preferred,) if effect.preferred else self._pops.preferred_in(effect.queue, contact)
        entry = acd_in.EntryQueued(
            effect.entry,
            effect.queue,
            contact,
            effect.skills,
            effect.priority,
            since,
            head_start_s=head_start_s + effect.granted_s,
            preferred=agents[0] if agents else None,
            or_preferred=agents[1:],
        )
        for event in self._steps.distribute(unit, entry):
            if isinstance(event, acd_out.InputRefused):
                self._steps.step(unit, contact, msg.QueueEnded("failed"))

    def _place_again(self, unit: Unit, contact: str, effect: msg.Enqueue) -> datetime | None:
        """Since when one who was cut off has waited, if he has called back in time."""
        call = self._steps.processes[contact]
        found = self.lost.get(self._of.get((call.caller, effect.queue), ""))
        if found is None or effect.since is not None or effect.head_start_s or found.until <= unit.now:
            return None
        self._forget(unit, found.contact)
        unit.event("director.place.resumed", contact, queue=effect.queue, origin=found.contact)
        if call.stay is not None:
            self._steps.keep(unit, replace(call, stay=replace(call.stay, since=found.since)))
        return found.since

    def abandoned(self, unit: Unit, contact: str) -> None:
        """The caller is gone; his place stays for a while, where his queue says so."""
        call = self._steps.processes[contact]
        if call.stay is None or normalise(call.caller, region=self._around.site.dial_out.region).kind == "withheld":
            return
        stay = call.stay
        seconds = self._around.site.queue_care(stay.queue, "").resume_s
        if seconds:
            until = unit.now + timedelta(seconds=seconds)
            place = LostPlace(contact, call.caller, stay.queue, stay.since, until)
            unit.save(LOST_PLACE, contact, place)
            self._keep(place)

    def tick(self, unit: Unit, contact: str) -> None:
        """Too late to take the place up again."""
        place = self.lost.get(contact)
        if place is not None and place.until <= unit.now:
            self._forget(unit, contact)

    def _keep(self, place: LostPlace) -> None:
        self.lost[place.contact] = place
        self._of[place.caller, place.queue] = place.contact
        self._around.set_alarm(LOST_PLACE, place.contact, place.until)

    def _forget(self, unit: Unit, contact: str) -> None:
        place = self.lost.pop(contact)
        if self._of.get((place.caller, place.queue)) == contact:
            del self._of[place.caller, place.queue]
        unit.delete(LOST_PLACE, contact)
        self._around.set_alarm(LOST_PLACE, contact, None)

    def restore(self, places: Iterable[LostPlace], held: Iterable[HeldPlace] = ()) -> None:
        """Take the rows of the process before."""
        for place in places:
            self._keep(place)
        for each in held:
            self._hold(each)

    def reconciled(self, unit: Unit) -> None:
        """Every contact has been resumed: who was kept from a queue goes into it."""
        for contact in sorted(self.held):
            self.customer_known(unit, contact)

    # -- in the queue --------------------------------------------------------------------------------------------

    def announced(self, unit: Unit, event: acd_out.EntryAnnounced) -> None:
        """Say to the caller what the distributor has to say."""
        call = self._steps.processes.get(event.contact)
        if call is None:
            return
        site, language = self._around.site, self._rooms.language_of(event.contact)
        files: tuple[str, ...] = ()
        if call.announce:
            files = site.place_sounds(event.position, event.wait_s, language)
        if event.comfort:
            files += call.comfort or site.queue_care(event.queue, language).comfort
        if files:
            self._steps.step(unit, event.contact, msg.Tell(files))

    # -- out of the queue ----------------------------------------------------------------------------------------

    def withdraw(self, unit: Unit, effect: msg.Withdraw) -> None:
        """The caller has pressed a key that leads out."""
        outcome: Outcome = "callback" if effect.for_callback else "overflowed"
        self._steps.distribute(unit, acd_in.EntryWithdrawn(effect.entry, outcome, "key", effect.key))

    def ask_callback(self, unit: Unit, call: ic.IncomingCall, asked: ivr_out.AskCallback) -> None:
        """The flow wants the caller called back; it is told whether he will be."""
        taken = self._callbacks.ask(unit, call, asked.number, asked.queue)
        self._steps.flow(unit, call.contact, ivr_in.CallbackTaken(asked.command, taken))

    def left(self, unit: Unit, event: acd_out.EntryEnded) -> None:
        """The distributor has let the caller go: to where its rule says, or back to his flow."""
        kind, _, name = (event.target or "").partition(":")
        queue = name if kind == "queue" else None
        if self._callbacks.taken_out(unit, event.contact, event.reason or event.outcome, queue):
            return
        call = self._steps.processes.get(event.contact)
        if call is not None:
            self._steps.step(unit, event.contact, self._on(unit, call, event, kind, name))

    def _on(
        self, unit: Unit, call: ic.IncomingCall, event: acd_out.EntryEnded, kind: str, name: str
    ) -> msg.CallInput:
        site, language = self._around.site, self._rooms.language_of(call.contact)
        back = msg.QueueEnded(_OUTCOMES.get(event.reason or "", "failed"))
        match kind:
            case "queue" if site.has_queue(name):
                care = site.queue_care(name, language)
                return msg.SentToQueue(name, care.record, care.announcement, care.music)
            case "flow" | "voicemail":
                flow = site.flow_named(name or kind)
                return back if flow is None else msg.SentToFlow(flow)
            case "number":
                return msg.SentToNumber(name, OUTSIDE_RING_S, site.sound(RINGBACK, language))
            case "callback" if self._callbacks.ask(unit, call, call.caller, event.queue):
                return msg.Farewell(site.sound(CALLBACK_AGREED, language))
            case "announcement":
                return msg.Farewell(site.sound(name, language))
        return back
