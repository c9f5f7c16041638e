"""The director at work: hears the rooms, steps the processes, tells the rooms. All of it inside the caller's unit.

Each step stores the machine's next state before it runs an effect: an effect may come back here (the distributor
offers a caller the moment he is queued), and must then find the state that the step left.
"""

from collections.abc import Sequence
from datetime import timedelta

import acd.commands as acd_in
import acd.events as acd_out
import ivr.events as ivr_in
from callcenter.calls import notices
from callcenter.calls.model import EndedBy, Role
from callcenter.calls.service import HOLD
from callcenter.director.call_control import MUSIC, CallControl
from callcenter.director.callbacks import Callbacks
from callcenter.director.deliveries import Deliveries
from callcenter.director.dial_out import DialOut, WayOut
from callcenter.director.flow_orders import FlowOrders
from callcenter.director.machines import bridge as br
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import incoming_call as ic
from callcenter.director.machines import offer_delivery as od
from callcenter.director.machines.trunk_use import Refusal
from callcenter.director.pops import Pops
from callcenter.director.ports import CallerFound
from callcenter.director.rooms import Rooms, Surroundings
from callcenter.director.sound_watch import SoundWatch
from callcenter.director.voice_messages import VoiceMessages
from callcenter.director.waiting import Waiting
from callcenter.kernel.unit import Unit

PROCESS = "process"
ACD = "acd"
_LOOPS = {br.WAITING, HOLD}  # where one cannot be had, there is silence


class Director:
    """One for each application. Owns no leg, no flow and no agent: only the processes between them.

    `pops`, `deliveries` and `control` are its parts; `processes` are the calls that are not over, by contact.
    """

    def __init__(self, rooms: Rooms, surroundings: Surroundings) -> None:
        self._rooms = rooms
        self._around = surroundings
        self.processes: dict[str, ic.IncomingCall] = {}
        self.pops = Pops(rooms, surroundings, self)
        self.deliveries = Deliveries(rooms, surroundings, self, self.pops)
        self.dial_out = DialOut(
            surroundings.site.dial_out,
            hang_up=rooms.calls.hang_up,
            is_up=surroundings.trunk_up,
            set_alarm=surroundings.set_alarm,
        )
        self.control = CallControl(rooms, surroundings, self, self.dial_out)
        self.callbacks = Callbacks(
            rooms, surroundings, self, pops=self.pops, deliveries=self.deliveries, dial_out=self.dial_out
        )
        self.waiting = Waiting(rooms, surroundings, self, self.callbacks, self.pops)
        self.sounds = SoundWatch(surroundings.set_alarm)
        self.voice_messages = VoiceMessages(customer_of=self.pops.customer_of)
        self._flow_orders = FlowOrders(
            rooms, surroundings, self, self.waiting, voice_messages=self.voice_messages, sounds=self.sounds
        )

    # -- from the room of calls ------------------------------------------------------------------------------------

    def noticed(self, unit: Unit, notice: notices.Notice) -> None:
        """A notice of the room of calls."""
        match notice:
            case notices.ContactReceived():
                self._received(unit, notice)
            case notices.LegAnswered():
                self._leg_answered(unit, notice)
            case notices.LegTried():
                self._leg_tried(unit, notice)
            case notices.LegRang():
                self._leg_rang(unit, notice)
            case notices.LegEnded():
                self._leg_ended(unit, notice)
            case notices.LegHeld():
                self._held(unit, notice)
            case notices.LegPressed():
                if self._is_the_flows(notice.contact, notice.leg):
                    self.flow(unit, notice.contact, ivr_in.DigitPressed(notice.number, notice.digit))
            case notices.LegPlayed():
                self.sounds.over(notice.contact, notice.command)
                if notice.command == br.ANNOUNCEMENT:
                    self.step(unit, notice.contact, msg.Announced())
                elif notice.command == br.MESSAGE:
                    self.step(unit, notice.contact, msg.Told())
                else:
                    self.flow(unit, notice.contact, ivr_in.PromptsPlayed(notice.command))
            case notices.LegRefused() if notice.command == br.ANNOUNCEMENT:
                self.step(unit, notice.contact, msg.Unannounced())
            case notices.LegRefused() if notice.command == br.MESSAGE:
                self.step(unit, notice.contact, msg.Told())
            case notices.LegRefused() if notice.command not in _LOOPS:
                self.flow(unit, notice.contact, ivr_in.CommandFailed(notice.command, notice.reason))
            case notices.LegRecorded():
                self.sounds.over(notice.contact, notice.command)
                self.voice_messages.ended(unit, notice.contact, notice.duration_ms)
                self.flow(unit, notice.contact, ivr_in.RecordingDone(notice.command, notice.duration_ms))
            case notices.ContactClosed():
                self._closed(unit, notice.contact)

    def _watch(self, unit: Unit, contact: str, sound: br.Sound) -> None:
        self.sounds.over(contact)
        if not sound.loop:
            self.sounds.begun(contact, sound.command, self._around.site.sound_s(sound.files), now=unit.now)

    def _sound_lost(self, unit: Unit, contact: str) -> None:
        """A worker has not told the end of what it plays: the caller goes on as if it could not be had."""
        command, call = self.sounds.lost(contact, now=unit.now), self.processes.get(contact)
        if command is not None and call is not None:
            unit.event("director.sound.lost", contact, command=command)
            self.noticed(unit, notices.LegRefused(contact, call.leg, command, "end_not_told"))

    def _received(self, unit: Unit, notice: notices.ContactReceived) -> None:
        contact = notice.contact
        flow = self._around.site.flow_for(notice.source_kind, notice.source, notice.called)
        if flow is None:
            self._rooms.calls.end(unit, contact, "system", "refused", status=404)
            return
        call = ic.IncomingCall(contact, notice.leg, notice.caller, notice.caller_name, notice.called)
        self.keep(unit, call)
        if notice.source_kind == "phone":
            self._busy_agent(unit, contact, notice.source)
        if self._around.site.wants_customer(flow):
            self._around.look_up(contact, notice.caller, None)
        self._flow_orders.start(unit, call, flow)

    def _leg_answered(self, unit: Unit, notice: notices.LegAnswered) -> None:
        offer = self.deliveries.offer_of(notice.leg)
        if offer is not None:
            self.deliveries.deliver(unit, offer, od.PhoneAnswered())
        elif self._is_callers(notice.contact, notice.leg):
            self.step(unit, notice.contact, msg.CallerAnswered())
        else:
            self.step(unit, notice.contact, msg.OtherAnswered(notice.leg))

    def _leg_tried(self, unit: Unit, notice: notices.LegTried) -> None:
        offer = self.deliveries.offer_of(notice.leg)
        if offer is not None:
            self.deliveries.deliver(unit, offer, od.Rang())
        elif not self._is_callers(notice.contact, notice.leg):
            self.step(unit, notice.contact, msg.OtherTried())

    def _leg_rang(self, unit: Unit, notice: notices.LegRang) -> None:
        offer = self.deliveries.offer_of(notice.leg)
        if offer is not None:
            self.deliveries.deliver(unit, offer, od.Rang())
        elif not self._is_callers(notice.contact, notice.leg):
            self.step(unit, notice.contact, msg.OtherRang())

    def _leg_ended(self, unit: Unit, notice: notices.LegEnded) -> None:
        ending = notice.ending
        self.dial_out.ended(unit, notice.leg)
        offer = self.deliveries.offer_of(notice.leg)
        if offer is not None:
            self.deliveries.deliver(unit, offer, od.PhoneGone(ending.reason))
            return
        self._free_agent(unit, notice.contact, notice.leg)
        if self._is_callers(notice.contact, notice.leg):
            by_peer = ending.by is EndedBy.PEER
            self.step(unit, notice.contact, msg.CallerEnded(ending.reason, ending.status, by_peer=by_peer))
        else:
            self.step(unit, notice.contact, msg.OtherEnded(notice.leg, ending.reason))

    def _held(self, unit: Unit, notice: notices.LegHeld) -> None:
        """A phone's own hold key does what the desk's does, to whoever is at the other end."""
        if notice.held:
            music = self._around.site.sound(MUSIC, self._rooms.language_of(notice.contact))
            self.step(unit, notice.contact, msg.HoldWanted(music, notice.leg))
        else:
            self.step(unit, notice.contact, msg.ResumeWanted(notice.leg))

    def _closed(self, unit: Unit, contact: str) -> None:
        if self.processes.pop(contact, None) is not None:
            unit.delete(PROCESS, contact)
            self._around.set_alarm(PROCESS, contact, None)
        self.sounds.over(contact)
        self.voice_messages.ended(unit, contact, None)
        self.pops.forget(contact)

    def _is_callers(self, contact: str, leg: str) -> bool:
        call = self.processes.get(contact)
        return call is not None and call.leg == leg

    def _is_the_flows(self, contact: str, leg: str) -> bool:
        """Whether a key on `leg` is for the caller's flow: not while he talks, or is about to."""
        call = self.processes.get(contact)
        return call is not None and call.leg == leg and call.bridge.other is None

    # -- the flow --------------------------------------------------------------------------------------------------

    def flow(self, unit: Unit, contact: str, event: ivr_in.Input) -> None:
        """Give the contact's flow an input and do what it asks for."""
        if contact in self.processes:
            self._flow_orders.obey(unit, contact, self._rooms.flows.handle(unit, contact, event))

    # -- the distributor -------------------------------------------------------------------------------------------

    def distribute(self, unit: Unit, command: acd_in.Input) -> Sequence[acd_out.Event]:
        """Give the distributor an input and act on what it says; its events are returned too."""
        events = self._rooms.acd.handle(unit, command)
        self._around.set_alarm(ACD, "", self._rooms.acd.next_deadline)
        for event in events:
            match event:
                case acd_out.OfferCreated():
                    first = self.callbacks.offered(unit, event.contact)
                    if event.offer in self._rooms.acd.core.offers:
                        self.deliveries.begin(unit, event, customer_first=first)
                case acd_out.OfferTimedOut():
                    self.deliveries.deliver(unit, event.offer, od.Withdrawn("no_answer"))
                case acd_out.OfferRescinded():
                    self.deliveries.deliver(unit, event.offer, od.Withdrawn(event.reason))
                case acd_out.OfferDeclined():
                    self.deliveries.deliver(unit, event.offer, od.Withdrawn("declined"))
                case acd_out.EntryAnnounced():
                    self.waiting.announced(unit, event)
                case acd_out.EntryEnded():
                    self.waiting.left(unit, event)
        return events

    def _busy_agent(self, unit: Unit, contact: str, user: str) -> None:
        """A call that came through no queue makes the agent whose phone it is on_contact (acd.md section 2)."""
        agent = self._around.site.agent_of_phone(user)
        if agent is not None:
            self.distribute(unit, acd_in.ContactStarted(agent, contact))

    def _free_agent(self, unit: Unit, contact: str, leg_id: str) -> None:
        """The leg of a phone that took part without a queue is over: so is its agent's contact."""
        held = self._rooms.calls.contact(contact)
        leg = held.leg(leg_id)
        if leg.role is Role.AGENT or (leg.role is Role.CUSTOMER and held.source_kind != "phone"):
            return
        agent = self._around.site.agent_of_phone(leg.endpoint)
        state = self._rooms.acd.core.agents.get(agent or "")
        if state is not None and state.direct and state.contact == contact:
            self.distribute(unit, acd_in.ContactEnded(contact, state.id))

    # -- processes -------------------------------------------------------------------------------------------------

    def step(self, unit: Unit, contact: str, event: msg.CallInput) -> None:
        """One input for the contact's process; unknown contacts are over and need none."""
        call = self.processes.get(contact)
        if call is None:
            return
        after, effects = call.handle(event, now=unit.now)
        if after != call:
            self.keep(unit, after)
        for effect in effects:
            self.run(unit, after, effect)

    def run(self, unit: Unit, call: ic.IncomingCall, effect: msg.CallEffect) -> None:
        """Do what a step of `call` wants."""
        calls, contact = self._rooms.calls, call.contact
        match effect:
            case msg.RingCaller():
                calls.ring(unit, call.leg)
            case msg.DialOther():
                self._dial_other(unit, call, effect.endpoint)
            case msg.DropOther():
                calls.hang_up(unit, effect.leg, effect.reason)
            case msg.SilenceCaller():
                calls.stop(unit, call.leg)
            case br.AcceptCaller():
                calls.accept(unit, call.leg, near=effect.near)
            case br.Sound():
                calls.play(unit, call.leg, effect.command, effect.files, loop=effect.loop)
                self._watch(unit, contact, effect)
            case br.Join():
                self.sounds.over(contact)
                calls.bridge(unit, contact, call.leg, effect.other, record=effect.record)
            case msg.HoldCaller():
                calls.hold(unit, contact, effect.music, by=effect.by)
            case msg.ResumeCaller():
                calls.resume(unit, contact, by=effect.by)
            case msg.StartFlow():
                self._flow_orders.change(unit, call, effect.flow)
            case msg.EndContact():
                calls.end(unit, contact, effect.by, effect.reason, status=effect.status)
            case _:
                self._tell(unit, contact, effect)

    def _tell(self, unit: Unit, contact: str, effect: msg.CallEffect) -> None:
        """The effects that are inputs of the flow or of the distributor."""
        match effect:
            case msg.Enqueue():
                self.waiting.enqueue(unit, contact, effect)
            case msg.Returned():
                unit.event("director.contact.returned", contact, reason=effect.reason, queue=effect.queue)
            case msg.Withdraw():
                self.waiting.withdraw(unit, effect)
            case msg.CustomerReached():
                self.callbacks.reached(unit, contact)
            case msg.CustomerMissed():
                self.callbacks.missed(unit, contact, effect.reason)
            case msg.Abandon():
                self.waiting.abandoned(unit, contact)
                self.distribute(unit, acd_in.EntryAbandoned(effect.entry))
            case msg.TalkOver():
                self.distribute(unit, acd_in.ContactEnded(contact))
            case msg.FlowMedia():
                self.flow(unit, contact, ivr_in.MediaUp())
            case msg.FlowDial():
                self.flow(unit, contact, ivr_in.DialEnded(effect.command, effect.outcome))
            case msg.FlowQueue():
                self.flow(unit, contact, ivr_in.QueueLeft(effect.command, effect.outcome))
            case msg.FlowGone():
                self.flow(unit, contact, ivr_in.CallerGone())

    def _dial_other(self, unit: Unit, call: ic.IncomingCall, endpoint: str) -> None:
        calls, near = self._rooms.calls, call.leg if call.answered else None
        target = self._around.target_for(endpoint, call.caller, call.caller_name)
        if target is not None:
            leg = calls.dial(unit, call.contact, Role.PHONE, endpoint, target, near=near)
            self._busy_agent(unit, call.contact, endpoint)
        elif self._around.site.has_phone(endpoint):
            self.step(unit, call.contact, msg.OtherEnded("", "unreachable"))
            return
        else:
            way = self.dial_out.way_to(unit, call.contact, endpoint, caller=call.caller)
            if not isinstance(way, WayOut):
                self.step(unit, call.contact, msg.OtherEnded("", "unreachable"))
                return
            leg = calls.dial(unit, call.contact, Role.OUTSIDE, way.trunk, way.target, near=near)
            self.dial_out.placed(unit, call.contact, leg, way.trunk)
        self.step(unit, call.contact, msg.OtherDialled(leg))

    def call_out(self, unit: Unit, number: str, flow: str, *, ring_s: int) -> str | Refusal:
        """Ring `number` of the outside; who answers is put into `flow`. The new contact, or why nobody is rung.

        The contact ends by itself when the number is busy, refuses or has rung for `ring_s` seconds.
        """
        contact = self._rooms.calls.new_contact_id()
        way = self.dial_out.way_to(unit, contact, number, caller=None)
        if not isinstance(way, WayOut):
            return way
        leg = self._rooms.calls.call_out(unit, contact, way.trunk, way.target, number=number)
        self.dial_out.placed(unit, contact, leg, way.trunk)
        until = unit.now + timedelta(seconds=ring_s)
        calling = ic.IncomingCall(
            contact, leg, number, "", way.target.from_user, phase=ic.Phase.CALLING, flow=flow, ring_until=until
        )
        self.keep(unit, calling)
        if self._around.site.wants_customer(flow):
            self._around.look_up(contact, number, None)
        return contact

    def customer_found(self, unit: Unit, contact: str, found: CallerFound) -> None:
        """The look-up of the contact's caller has returned."""
        self.pops.found(unit, contact, found)
        self.waiting.customer_known(unit, contact)

    def keep(self, unit: Unit, call: ic.IncomingCall) -> None:
        """The contact's process is now this."""
        self.processes[call.contact] = call
        unit.save(PROCESS, call.contact, call)
        self._around.set_alarm(PROCESS, call.contact, call.next_deadline)

    # -- time ------------------------------------------------------------------------------------------------------

    def tick(self, unit: Unit, kind: str, id_: str) -> None:
        """The deadline that `set_alarm(kind, id_, at)` asked for has come."""
        match kind:
            case "process":
                self.step(unit, id_, msg.Tick())
            case "delivery":
                self.deliveries.deliver(unit, id_, od.Tick())
            case "sound":
                self._sound_lost(unit, id_)
            case "trunk_use":
                self.dial_out.tick(unit, id_)
            case "callback":
                self.callbacks.tick(unit, id_)
            case "lost_place":
                self.waiting.tick(unit, id_)
            case "held_place":
                self.waiting.customer_known(unit, id_)
            case "flow":
                for contact in self._rooms.flows.due(unit.now):
                    self.flow(unit, contact, ivr_in.Tick())
            case "acd":
                self.distribute(unit, acd_in.Tick())
