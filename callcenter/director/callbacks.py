"""Callbacks at work: runs their machines; who is called back, and in which contact, is theirs to say."""

from collections.abc import Iterable

import acd.commands as acd_in
import acd.events as acd_out
from callcenter.director.deliveries import Deliveries
from callcenter.director.dial_out import DialOut, WayOut
from callcenter.director.machines import callback as cb
from callcenter.director.machines import incoming_call as ic
from callcenter.director.machines.bridge import Bridge
from callcenter.director.pops import Pops
from callcenter.director.rooms import Rooms, Steps, Surroundings
from callcenter.kernel.unit import Unit

CALLBACK = "callback"


class Callbacks:
    """`pending` are those that are not over, by their present contact."""

    def __init__(
        self,
        rooms: Rooms,
        around: Surroundings,
        steps: Steps,
        *,
        pops: Pops,
        deliveries: Deliveries,
        dial_out: DialOut,
    ) -> None:
        self._pops = pops
        self._rooms = rooms
        self._around = around
        self._steps = steps
        self._deliveries = deliveries
        self._dial_out = dial_out
        self.pending: dict[str, cb.Callback] = {}

    # -- from callers --------------------------------------------------------------------------------------------

    def ask(self, unit: Unit, call: ic.IncomingCall, number: str, queue: str) -> bool:
        """Whether `number` will be called back, in `queue` or the one that the caller was in last.

        Who is to be called already keeps the place that he has.
        """
        stay = None if call.stay is None or call.stay.over else call.stay
        queue = queue or ("" if stay is None else stay.queue)
        if not self._around.site.has_queue(queue) or not self._dial_out.knows(number):
            return False
        if any(each.queue == queue and self._dial_out.same(each.number, number) for each in self.pending.values()):
            return True
        mine = stay is not None and stay.queue == queue
        agents = self._pops.preferred_in(queue, call.contact)
        contact = self._rooms.calls.new_contact_id()
        callback = cb.Callback(
            id=contact,
            contact=contact,
            origin=call.contact,
            number=number,
            queue=queue,
            since=unit.now if stay is None else stay.since,
            skills=stay.skills if stay is not None and mine else (),
            priority=50 if stay is None else stay.priority,
            language=self._rooms.language_of(call.contact),
            rules=self._around.site.queue_care(queue, "").callback,
            head_start_s=0 if stay is None else stay.head_start_s,
            preferred=agents[0] if agents else None,
            or_preferred=agents[1:],
        )
        self._keep(unit, callback)
        unit.event("director.callback.requested", contact, callback=contact, queue=queue, origin=call.contact)
        self._handle(unit, contact, cb.Begin())
        return contact in self.pending

    # -- from the distributor ------------------------------------------------------------------------------------

    def offered(self, unit: Unit, contact: str) -> bool:
        """An agent is offered `contact`; whether his phone must not ring yet: first the customer's does."""
        if contact in self.pending:
            self._handle(unit, contact, cb.Offered())
        return contact in self.pending

    def taken_out(self, unit: Unit, contact: str, reason: str, queue: str | None) -> bool:
        """The entry of `contact` has ended; whether that was a callback's."""
        found = contact in self.pending
        self._handle(unit, contact, cb.TakenOut(reason, queue))
        return found

    # -- from the call -------------------------------------------------------------------------------------------

    def reached(self, unit: Unit, contact: str) -> None:
        """The customer has answered."""
        self._handle(unit, contact, cb.Reached())

    def missed(self, unit: Unit, contact: str, reason: str) -> None:
        """The customer was not reached."""
        self._handle(unit, contact, cb.NotReached(reason))

    def tick(self, unit: Unit, contact: str) -> None:
        """The next try is due."""
        self._handle(unit, contact, cb.Tick(self._rooms.calls.new_contact_id()))

    # -- the machine ---------------------------------------------------------------------------------------------

    def _handle(self, unit: Unit, contact: str, event: cb.CallbackInput) -> None:
        before = self.pending.get(contact)
        if before is None:
            return
        after, effects = before.handle(event, now=unit.now)
        if after != before:
            self._forget(unit, before)
            if after.state is not cb.CallbackState.OVER:
                self._keep(unit, after)
        for effect in effects:
            self._run(unit, after, effect)

    def _run(self, unit: Unit, callback: cb.Callback, effect: cb.CallbackEffect) -> None:
        contact = callback.contact
        match effect:
            case cb.Enqueue():
                self._enqueue(unit, callback)
            case cb.CallCustomer():
                self._call(unit, callback)
            case cb.LeaveQueue():
                self._steps.distribute(unit, acd_in.EntryWithdrawn(callback.entry, "failed", "not_reached"))
            case cb.RingAgent():
                self._deliveries.customer_is_there(unit, contact)
            case cb.HangUp():
                self._rooms.calls.end(unit, contact, "system", "cancelled")
            case cb.Rested():
                retry_at = effect.until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                tries, reason = callback.tries, effect.reason
                unit.event(
                    "director.callback.rested",
                    contact,
                    callback=callback.id,
                    tries=tries,
                    reason=reason,
                    retry_at=retry_at,
                )
            case cb.Closed():
                reason, tries = effect.reason, callback.tries
                unit.event("director.callback.closed", contact, callback=callback.id, tries=tries, reason=reason)

    def _enqueue(self, unit: Unit, callback: cb.Callback) -> None:
        entry = acd_in.EntryQueued(
            callback.entry,
            callback.queue,
            callback.contact,
            callback.skills,
            callback.priority,
            callback.since,
            head_start_s=callback.head_start_s,
            preferred=callback.preferred,
            callback_s=callback.rules.ring_s,
            or_preferred=callback.or_preferred,
        )
        told = self._steps.distribute(unit, entry)
        refused = next((event for event in told if isinstance(event, acd_out.InputRefused)), None)
        if refused is not None:
            self._handle(unit, callback.contact, cb.TakenOut(refused.reason))

    def _call(self, unit: Unit, callback: cb.Callback) -> None:
        contact, number = callback.contact, callback.number
        way = self._dial_out.way_to(unit, contact, number, caller=None)
        if not isinstance(way, WayOut):
            self._handle(unit, contact, cb.NotReached(way, rung=False))
            return
        leg = self._rooms.calls.call_out(unit, contact, way.trunk, way.target, number=number)
        self._dial_out.placed(unit, contact, leg, way.trunk)
        unit.event("director.callback.called", contact, callback=callback.id, tries=callback.tries)
        care = self._around.site.queue_care(callback.queue, callback.language)
        call = ic.IncomingCall(
            contact,
            leg,
            number,
            "",
            way.target.from_user,
            phase=ic.Phase.CALLING,
            flow_waits_for="nothing",
            bridge=Bridge(care.record, care.announcement, care.music),
            queue=callback.queue,
            entries=callback.entries,
            ring_until=unit.now + callback.ring_time,
            stay=ic.Stay(
                callback.queue,
                callback.skills,
                callback.priority,
                callback.since,
                head_start_s=callback.head_start_s,
            ),
        )
        self._steps.keep(unit, call)
        self._around.look_up(contact, number, None)

    def _keep(self, unit: Unit, callback: cb.Callback) -> None:
        self.pending[callback.contact] = callback
        unit.save(CALLBACK, callback.contact, callback)
        self._around.set_alarm(CALLBACK, callback.contact, callback.next_deadline)

    def _forget(self, unit: Unit, callback: cb.Callback) -> None:
        del self.pending[callback.contact]
        unit.delete(CALLBACK, callback.contact)
        self._around.set_alarm(CALLBACK, callback.contact, None)

    # -- after a restart -----------------------------------------------------------------------------------------

    def restore(self, rows: Iterable[cb.Callback]) -> None:
        """Take the rows of the process before."""
        for callback in rows:
            self.pending[callback.contact] = callback
            self._around.set_alarm(CALLBACK, callback.contact, callback.next_deadline)

    def reconciled(self, unit: Unit) -> list[str]:
        """Every call has been resumed: whose call is gone is called again later. The contacts that wait here."""
        for contact, callback in list(self.pending.items()):
            if callback.state is cb.CallbackState.CALLING and contact not in self._steps.processes:
                self._handle(unit, contact, cb.NotReached("restart"))
        return [contact for contact, each in self.pending.items() if each.state is not cb.CallbackState.RESTING]
