"""The director at work: hears the rooms, steps the processes, tells the rooms. All of it inside the caller's unit.

Each step stores the machine's next state before it runs an effect: an effect may come back here (the distributor
offers a caller the moment he is queued), and must then find the state that the step left.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import acd.commands as acd_in
import acd.events as acd_out
import ivr.commands as ivr_out
import ivr.events as ivr_in
from acd.service import AcdService
from callcenter.calls import notices
from callcenter.calls.model import EndedBy, Role
from callcenter.calls.service import HOLD, CallService
from callcenter.director.machines import bridge as br
from callcenter.director.machines import incoming_call as ic
from callcenter.director.machines import offer_delivery as od
from callcenter.director.ports import Customer, LookUp, Pop, Screens, SetAlarm, Site, TargetFor
from callcenter.kernel.errors import InvalidInput, NotFound
from callcenter.kernel.unit import Unit
from ivr.service import FlowService

PROCESS = "process"
DELIVERY = "delivery"
FLOW = "flow"
ACD = "acd"
MUSIC = "music"
RINGBACK = "ringback"
TRANSFER_RING_S = 30
TransferKind = Literal["phone", "queue", "number"]
_LOOPS = {br.WAITING, HOLD}  # where one cannot be had, there is silence
_OUTCOMES: dict[str, ivr_in.QueueOutcome] = {"overflowed": "timeout"}


@dataclass(frozen=True, slots=True)
class Rooms:
    """The three rooms between which the director stands."""

    calls: CallService
    flows: FlowService
    acd: AcdService


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What it needs beside them."""

    site: Site
    screens: Screens
    target_for: TargetFor
    look_up: LookUp
    set_alarm: SetAlarm


class Director:
    """One for each application. Owns no leg, no flow and no agent: only the processes between them."""

    def __init__(self, rooms: Rooms, surroundings: Surroundings) -> None:
        self._rooms = rooms
        self._around = surroundings
        self.processes: dict[str, ic.IncomingCall] = {}
        self.deliveries: dict[str, od.OfferDelivery] = {}
        self._offer_of_leg: dict[str, str] = {}
        self._customers: dict[str, tuple[Customer | None, int, tuple[Customer, ...]]] = {}

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
            case notices.LegPressed():
                if self._is_callers(notice.contact, notice.leg):
                    self.flow(unit, notice.contact, ivr_in.DigitPressed(notice.number, notice.digit))
            case notices.LegPlayed():
                if notice.command == br.ANNOUNCEMENT:
                    self.step(unit, notice.contact, ic.Announced())
                else:
                    self.flow(unit, notice.contact, ivr_in.PromptsPlayed(notice.command))
            case notices.LegRefused() if notice.command == br.ANNOUNCEMENT:
                self.step(unit, notice.contact, ic.Unannounced())
            case notices.LegRefused() if notice.command not in _LOOPS:
                self.flow(unit, notice.contact, ivr_in.CommandFailed(notice.command, notice.reason))
            case notices.LegRecorded():
                self.flow(unit, notice.contact, ivr_in.RecordingDone(notice.command, notice.duration_ms))
            case notices.ContactClosed():
                self._closed(unit, notice.contact)

    def _received(self, unit: Unit, notice: notices.ContactReceived) -> None:
        contact = notice.contact
        flow = self._around.site.flow_for(notice.source_kind, notice.source, notice.called)
        if flow is None:
            self._rooms.calls.end(unit, contact, "system", "refused", status=404)
            return
        self._keep(unit, ic.IncomingCall(contact, notice.leg, notice.caller, notice.caller_name, notice.called))
        if notice.source_kind == "phone":
            self._busy_agent(unit, contact, notice.source)
        if self._around.site.wants_customer(flow):
            self._around.look_up(contact, notice.caller, None)
        started = self._rooms.flows.start(unit, contact, flow, caller=notice.caller, called=notice.called)
        self._obey_all(unit, contact, started)

    def _leg_answered(self, unit: Unit, notice: notices.LegAnswered) -> None:
        offer = self._offer_of_leg.get(notice.leg)
        if offer is not None:
            self.deliver(unit, offer, od.PhoneAnswered())
        elif self._is_callers(notice.contact, notice.leg):
            self.step(unit, notice.contact, ic.CallerAnswered())
        else:
            self.step(unit, notice.contact, ic.OtherAnswered(notice.leg))

    def _leg_tried(self, unit: Unit, notice: notices.LegTried) -> None:
        offer = self._offer_of_leg.get(notice.leg)
        if offer is not None:
            self.deliver(unit, offer, od.Rang())
        else:
            self.step(unit, notice.contact, ic.OtherTried())

    def _leg_rang(self, unit: Unit, notice: notices.LegRang) -> None:
        offer = self._offer_of_leg.get(notice.leg)
        if offer is not None:
            self.deliver(unit, offer, od.Rang())
        else:
            self.step(unit, notice.contact, ic.OtherRang())

    def _leg_ended(self, unit: Unit, notice: notices.LegEnded) -> None:
        ending = notice.ending
        offer = self._offer_of_leg.pop(notice.leg, None)
        if offer is not None:
            self.deliver(unit, offer, od.PhoneGone(ending.reason))
            return
        self._free_agent(unit, notice.contact, notice.leg)
        if self._is_callers(notice.contact, notice.leg):
            by_peer = ending.by is EndedBy.PEER
            self.step(unit, notice.contact, ic.CallerEnded(ending.reason, ending.status, by_peer=by_peer))
        else:
            self.step(unit, notice.contact, ic.OtherEnded(notice.leg, ending.reason))

    def _closed(self, unit: Unit, contact: str) -> None:
        if self.processes.pop(contact, None) is not None:
            unit.delete(PROCESS, contact)
            self._around.set_alarm(PROCESS, contact, None)
        self._customers.pop(contact, None)

    def _is_callers(self, contact: str, leg: str) -> bool:
        call = self.processes.get(contact)
        return call is not None and call.leg == leg

    # -- the flow --------------------------------------------------------------------------------------------------

    def flow(self, unit: Unit, contact: str, event: ivr_in.Input) -> None:
        """Give the contact's flow an input and do what it asks for."""
        if contact in self.processes:
            self._obey_all(unit, contact, self._rooms.flows.handle(unit, contact, event))

    def _obey_all(self, unit: Unit, contact: str, commands: Sequence[ivr_out.Command]) -> None:
        for command in commands:
            call = self.processes.get(contact)
            if call is None or call.phase is ic.Phase.ENDED:
                break
            self._obey(unit, call, command)
        self._around.set_alarm(FLOW, "", self._rooms.flows.next_deadline())

    def _obey(self, unit: Unit, call: ic.IncomingCall, command: ivr_out.Command) -> None:
        calls = self._rooms.calls
        match command:
            case ivr_out.Answer():
                calls.accept(unit, call.leg)
            case ivr_out.Play():
                calls.play(unit, call.leg, command.command, command.files)
            case ivr_out.StopPlaying():
                calls.stop(unit, call.leg)
            case ivr_out.Echo():
                calls.echo(unit, call.leg)
            case ivr_out.Record():
                calls.record(unit, call.leg, command.command, max_s=command.max_s)
            case ivr_out.Dial():
                wanted = ic.DialWanted(
                    command.command,
                    command.target,
                    command.ring_s,
                    command.record,
                    command.announcement,
                    command.ringback,
                )
                self.step(unit, call.contact, wanted)
            case ivr_out.EnterQueue():
                run = self._rooms.flows.run_of(call.contact)
                care = self._around.site.queue_care(command.queue, run.language if run else "")
                queue = ic.QueueWanted(
                    command.command,
                    command.queue,
                    tuple(sorted(command.skills.items())),
                    command.priority,
                    care.record,
                    care.announcement,
                    command.music or care.music,
                )
                self.step(unit, call.contact, queue)
            case ivr_out.Hangup():
                self.step(unit, call.contact, ic.HangupWanted(command.reason, command.status))

    # -- the distributor -------------------------------------------------------------------------------------------

    def distribute(self, unit: Unit, command: acd_in.Input) -> Sequence[acd_out.Event]:
        """Give the distributor an input and act on what it says; its events are returned too."""
        events = self._rooms.acd.handle(unit, command)
        self._around.set_alarm(ACD, "", self._rooms.acd.next_deadline)
        for event in events:
            match event:
                case acd_out.OfferCreated():
                    self._offer(unit, event)
                case acd_out.OfferTimedOut():
                    self.deliver(unit, event.offer, od.Withdrawn("no_answer"))
                case acd_out.OfferRescinded():
                    self.deliver(unit, event.offer, od.Withdrawn(event.reason))
                case acd_out.OfferDeclined():
                    self.deliver(unit, event.offer, od.Withdrawn("declined"))
                case acd_out.EntryEnded():
                    self.step(unit, event.contact, ic.QueueEnded(_OUTCOMES.get(event.outcome, "failed")))
        return events

    def _offer(self, unit: Unit, event: acd_out.OfferCreated) -> None:
        delivery = od.OfferDelivery(
            event.offer, event.fence, event.contact, event.queue, event.agent, event.delivery, event.ring_until
        )
        self._keep_delivery(unit, delivery)
        self.deliver(unit, event.offer, od.Begin())

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

    def step(self, unit: Unit, contact: str, event: ic.CallInput) -> None:
        """One input for the contact's process; unknown contacts are over and need none."""
        call = self.processes.get(contact)
        if call is None:
            return
        after, effects = call.handle(event, now=unit.now)
        if after != call:
            self._keep(unit, after)
        for effect in effects:
            self._run(unit, after, effect)

    def _run(self, unit: Unit, call: ic.IncomingCall, effect: ic.CallEffect) -> None:
        calls, contact = self._rooms.calls, call.contact
        match effect:
            case ic.RingCaller():
                calls.ring(unit, call.leg)
            case ic.DialOther():
                self._dial_other(unit, call, effect.endpoint)
            case ic.DropOther():
                calls.hang_up(unit, effect.leg, effect.reason)
            case ic.SilenceCaller():
                calls.stop(unit, call.leg)
            case br.AcceptCaller():
                calls.accept(unit, call.leg, near=effect.near)
            case br.Sound():
                calls.play(unit, call.leg, effect.command, effect.files, loop=effect.loop)
            case br.Join():
                calls.bridge(unit, contact, call.leg, effect.other, record=effect.record)
            case ic.HoldCaller():
                calls.hold(unit, contact, effect.music)
            case ic.ResumeCaller():
                calls.resume(unit, contact)
            case ic.StartFlow():
                self._start_flow(unit, call, effect.flow)
            case ic.EndContact():
                calls.end(unit, contact, effect.by, effect.reason, status=effect.status)
            case _:
                self._tell(unit, contact, effect)

    def _tell(self, unit: Unit, contact: str, effect: ic.CallEffect) -> None:
        """The effects that are inputs of the flow or of the distributor."""
        match effect:
            case ic.Enqueue():
                entry = acd_in.EntryQueued(effect.entry, effect.queue, contact, effect.skills, effect.priority)
                for event in self.distribute(unit, entry):
                    if isinstance(event, acd_out.InputRefused):
                        self.step(unit, contact, ic.QueueEnded("failed"))
            case ic.Abandon():
                self.distribute(unit, acd_in.EntryAbandoned(effect.entry))
            case ic.TalkOver():
                self.distribute(unit, acd_in.ContactEnded(contact))
            case ic.FlowMedia():
                self.flow(unit, contact, ivr_in.MediaUp())
            case ic.FlowDial():
                self.flow(unit, contact, ivr_in.DialEnded(effect.command, effect.outcome))
            case ic.FlowQueue():
                self.flow(unit, contact, ivr_in.QueueLeft(effect.command, effect.outcome))
            case ic.FlowGone():
                self.flow(unit, contact, ivr_in.CallerGone())

    def _dial_other(self, unit: Unit, call: ic.IncomingCall, endpoint: str) -> None:
        target = self._around.target_for(endpoint, call.caller, call.caller_name)
        if target is None:
            self.step(unit, call.contact, ic.OtherEnded("", "unreachable"))
            return
        near = call.leg if call.answered else None
        leg = self._rooms.calls.dial(unit, call.contact, Role.PHONE, endpoint, target, near=near)
        self._busy_agent(unit, call.contact, endpoint)
        self.step(unit, call.contact, ic.OtherDialled(leg))

    def _keep(self, unit: Unit, call: ic.IncomingCall) -> None:
        self.processes[call.contact] = call
        unit.save(PROCESS, call.contact, call)
        self._around.set_alarm(PROCESS, call.contact, call.next_deadline)

    # -- what the agent asks for in the call ----------------------------------------------------------------------

    def call_of_agent(self, agent: str) -> ic.IncomingCall:
        """The call that `agent` is talking in. Raises NotFound."""
        state = self._rooms.acd.core.agents.get(agent)
        call = self.processes.get(state.contact or "") if state is not None else None
        if call is None or state is None or state.state != "on_contact" or not call.bridge.joined:
            raise NotFound("the agent is in no call", data={"agent": agent})
        return call

    def hang_up(self, unit: Unit, agent: str) -> None:
        """End the call for both. Raises NotFound."""
        call = self.call_of_agent(agent)
        if call.other is not None:
            self._rooms.calls.hang_up(unit, call.other, "hangup")

    def hold(self, unit: Unit, agent: str) -> None:
        """Music for the caller until `resume`. Raises NotFound."""
        call = self.call_of_agent(agent)
        self.step(unit, call.contact, ic.HoldWanted(self._sound(call.contact, MUSIC)))

    def resume_call(self, unit: Unit, agent: str) -> None:
        """Talk again. Raises NotFound."""
        self.step(unit, self.call_of_agent(agent).contact, ic.ResumeWanted())

    def transfer(self, unit: Unit, agent: str, kind: TransferKind, target: str) -> None:
        """Hand the caller on and leave (blind transfer). Raises NotFound for no call, InvalidInput for no target."""
        call = self.call_of_agent(agent)
        contact = call.contact
        wanted: ic.Transfer
        match kind:
            case "phone":
                if self._around.target_for(target, call.caller, call.caller_name) is None:
                    raise InvalidInput("no such phone, or it cannot be reached", data={"field": "target"})
                wanted = ic.TransferToPhone(target, TRANSFER_RING_S, self._sound(contact, RINGBACK))
            case "queue":
                if not self._around.site.has_queue(target):
                    raise InvalidInput("no such queue", data={"field": "target"})
                run = self._rooms.flows.run_of(contact)
                care = self._around.site.queue_care(target, run.language if run else "")
                wanted = ic.TransferToQueue(target, care.record, care.announcement, care.music)
            case "number":
                flow = self._around.site.flow_of_number(target)
                if flow is None:
                    raise InvalidInput("no such number", data={"field": "target"})
                wanted = ic.TransferToFlow(flow)
        unit.event("director.contact.transferred", contact, agent=agent, kind=kind, target=target)
        self.step(unit, contact, wanted)

    def answer_offer(self, unit: Unit, agent: str, offer: str, *, accept: bool) -> None:
        """What the agent pressed on the screen while the offer stands. Raises NotFound."""
        delivery = self.deliveries.get(offer)
        if delivery is None or delivery.agent != agent:
            raise NotFound("no such offer", data={"offer": offer})
        if accept:
            self.deliver(unit, offer, od.ScreenAccepted())
        else:
            self.distribute(unit, acd_in.OfferDeclined(offer, delivery.fence))

    def _start_flow(self, unit: Unit, call: ic.IncomingCall, flow: str) -> None:
        """Leave the flow that the caller is in, for another one that finds him answered."""
        flows, contact = self._rooms.flows, call.contact
        flows.handle(unit, contact, ivr_in.CallerGone())
        started = flows.start(unit, contact, flow, caller=call.caller, called=call.called)
        self._obey_all(unit, contact, started)
        self.flow(unit, contact, ivr_in.MediaUp())

    def _sound(self, contact: str, prompt: str) -> tuple[str, ...]:
        run = self._rooms.flows.run_of(contact)
        return self._around.site.sound(prompt, run.language if run else "")

    # -- deliveries ------------------------------------------------------------------------------------------------

    def deliver(self, unit: Unit, offer: str, event: od.DeliveryInput) -> None:
        """One input for an offer's delivery; unknown offers are over and need none."""
        delivery = self.deliveries.get(offer)
        if delivery is None:
            return
        after, effects = delivery.handle(event, now=unit.now)
        if after.state is od.DeliveryState.OVER or after.state is od.DeliveryState.ACCEPTED:
            self._forget_delivery(unit, after)
        elif after != delivery:
            self._keep_delivery(unit, after)
        for effect in effects:
            self._run_delivery(unit, after, effect)

    def _run_delivery(self, unit: Unit, delivery: od.OfferDelivery, effect: od.DeliveryEffect) -> None:
        match effect:
            case od.Pop():
                self._pop(unit, delivery)
            case od.DialAgent():
                self._dial_agent(unit, delivery)
            case od.AskVerdict():
                accepted = acd_in.OfferAccepted(delivery.offer, delivery.fence)
                events = self.distribute(unit, accepted)
                refused = any(isinstance(event, acd_out.InputRefused) for event in events)
                self.deliver(unit, delivery.offer, od.Verdict(accepted=not refused))
            case od.AgentReached():
                self.step(unit, delivery.contact, ic.OtherAnswered(effect.leg))
            case od.Fail():
                self._fail(unit, delivery, effect.reason)
            case od.Drop():
                self._rooms.calls.hang_up(unit, effect.leg, effect.reason)

    def _dial_agent(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        call = self.processes[delivery.contact]
        phone = self._around.site.phone_of_agent(delivery.agent)
        target = None if phone is None else self._around.target_for(phone, call.caller, call.caller_name)
        if phone is None or target is None:
            self.deliver(unit, delivery.offer, od.NotReachable())
            return
        leg = self._rooms.calls.dial(unit, call.contact, Role.AGENT, phone, target, near=call.leg)
        self._offer_of_leg[leg] = delivery.offer
        self.deliver(unit, delivery.offer, od.Dialled(leg))

    def _fail(self, unit: Unit, delivery: od.OfferDelivery, reason: str) -> None:
        offer, fence = delivery.offer, delivery.fence
        if reason in {"declined", "no_answer"}:
            self.distribute(unit, acd_in.OfferDeclined(offer, fence))
        elif reason == "busy":
            self.distribute(unit, acd_in.OfferFailed(offer, "busy"))
        else:
            self.distribute(unit, acd_in.OfferFailed(offer, "unreachable" if reason == "unreachable" else "error"))

    def _keep_delivery(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        self.deliveries[delivery.offer] = delivery
        unit.save(DELIVERY, delivery.offer, delivery)
        self._around.set_alarm(DELIVERY, delivery.offer, delivery.next_deadline)

    def _forget_delivery(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        self.deliveries.pop(delivery.offer, None)
        if delivery.leg is not None:
            self._offer_of_leg.pop(delivery.leg, None)
        unit.delete(DELIVERY, delivery.offer)
        self._around.set_alarm(DELIVERY, delivery.offer, None)

    # -- the pop ---------------------------------------------------------------------------------------------------

    def customer_found(
        self,
        unit: Unit,
        contact: str,
        customer: Customer | None,
        matches: int,
        candidates: tuple[Customer, ...] = (),
    ) -> None:
        """The look-up of the caller's number returned; an offer that is out already is told."""
        call = self.processes.get(contact)
        found = customer.get("id") if customer is not None else None
        if call is None or call.customer not in (None, found):
            return
        self._customers[contact] = (customer, matches, candidates)
        unit.event("director.customer.found", contact, customer=found, matches=matches)
        if customer is not None:
            self.flow(unit, contact, ivr_in.CustomerFound(dict(customer)))
        self._tell_screens(unit, contact)

    def _pop(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        customer, *_ = self._customers.get(delivery.contact, (None,))
        found = customer.get("id") if customer is not None else None
        unit.event("director.pop.sent", delivery.contact, offer=delivery.offer, agent=delivery.agent, customer=found)
        self._show(unit, delivery)

    def _show(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        call = self.processes[delivery.contact]
        customer, matches, candidates = self._customers.get(delivery.contact, (None, 0, ()))
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

    def _show_talk(self, unit: Unit, call: ic.IncomingCall) -> None:
        """The pop of a talk again: the screens went with the process before, and its offer was over."""
        talking = (each for each in self._rooms.acd.core.agents.values() if each.contact == call.contact)
        agent = next(talking, None)
        if agent is not None and call.queue is not None:
            self._show(unit, od.OfferDelivery(call.entry, 0, call.contact, call.queue, agent.id, "phone", unit.now))

    def _tell_screens(self, unit: Unit, contact: str) -> None:
        customer, matches, candidates = self._customers[contact]
        screens = self._around.screens
        unit.after_commit(lambda: screens.customer_known(contact, customer, matches, candidates))

    def choose_customer(self, unit: Unit, contact: str, customer: Customer, *, by: str) -> None:
        """User `by` says who the caller is, in the call or after it; that stands against what the number says."""
        chosen = str(customer["id"])
        call = self.processes.get(contact)
        if call is not None:
            self._keep(unit, replace(call, customer=chosen))
            self._customers[contact] = (customer, 1, ())
        unit.event("director.customer.chosen", contact, customer=chosen, by=by)
        screens = self._around.screens
        unit.after_commit(lambda: screens.customer_known(contact, customer, 1, ()))

    # -- time and restart ------------------------------------------------------------------------------------------

    def tick(self, unit: Unit, kind: str, id_: str) -> None:
        """The deadline that `set_alarm(kind, id_, at)` asked for has come."""
        match kind:
            case "process":
                self.step(unit, id_, ic.Tick())
            case "delivery":
                self.deliver(unit, id_, od.Tick())
            case "flow":
                for contact in self._rooms.flows.due(unit.now):
                    self.flow(unit, contact, ivr_in.Tick())
            case "acd":
                self.distribute(unit, acd_in.Tick())

    def restore(self, calls: Sequence[ic.IncomingCall], deliveries: Sequence[od.OfferDelivery]) -> None:
        """Take the rows of the process before; nothing is sent yet."""
        self.processes.update((call.contact, call) for call in calls)
        for delivery in deliveries:
            self.deliveries[delivery.offer] = delivery
            if delivery.leg is not None:
                self._offer_of_leg[delivery.leg] = delivery.offer

    def resume(self, unit: Unit, contact: str, going: Collection[str] = ()) -> None:
        """Say again what should be going on for a contact that lives on after a restart.

        `going` are the commands that a worker is still carrying out for the caller: prompts, messages.
        """
        call = self.processes[contact]
        self._around.set_alarm(PROCESS, contact, call.next_deadline)
        run = self._rooms.flows.run_of(contact)
        if run is not None and self._around.site.wants_customer(run.flow):
            self._around.look_up(contact, call.caller, call.customer)
        match call.phase:
            case ic.Phase.TALKING:
                self._rooms.calls.reassert_bridge(unit, contact, hold=self._sound(contact, MUSIC))
                self._show_talk(unit, call)
            case ic.Phase.DIALLING | ic.Phase.QUEUED if call.answered:
                for sound in call.bridge.sounds():
                    self._run(unit, call, sound)
        live = call.phase in {ic.Phase.TALKING, ic.Phase.DIALLING, ic.Phase.QUEUED}
        live = live or (run is not None and run.command in going)
        self.flow(unit, contact, ivr_in.Resumed(live=live))
        for delivery in [each for each in self.deliveries.values() if each.contact == contact]:
            self._around.set_alarm(DELIVERY, delivery.offer, delivery.next_deadline)
            if delivery.leg is None:
                self.deliver(unit, delivery.offer, od.Begin())
            else:
                # The screens went with the process before; the phone rings on.
                self._show(unit, delivery)

    def reconciled(self, unit: Unit) -> None:
        """Every contact has been resumed: offers and deliveries that have lost each other are ended."""
        offers = self._rooms.acd.core.offers
        for offer in sorted(offers.keys() - self.deliveries.keys()):
            self.distribute(unit, acd_in.OfferTakenBack(offer))
        for offer in sorted(self.deliveries.keys() - offers.keys()):
            self.deliver(unit, offer, od.Withdrawn("restart"))
        self.distribute(unit, acd_in.Reconciled(tuple(sorted(self._rooms.calls.contacts))))
