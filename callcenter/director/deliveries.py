"""Deliveries: the offers that are on their way to an agent's screen and phone, run as their machines say."""

from collections.abc import Iterable

import acd.commands as acd_in
import acd.events as acd_out
from callcenter.calls.model import Role
from callcenter.director.machines import call_messages as msg
from callcenter.director.machines import offer_delivery as od
from callcenter.director.pops import Pops
from callcenter.director.rooms import Rooms, Steps, Surroundings
from callcenter.kernel.errors import NotFound
from callcenter.kernel.unit import Unit

DELIVERY = "delivery"


class Deliveries:
    """`pending` are the offers that are neither accepted nor over, by offer."""

    def __init__(self, rooms: Rooms, around: Surroundings, steps: Steps, pops: Pops) -> None:
        self._rooms = rooms
        self._around = around
        self._steps = steps
        self._pops = pops
        self.pending: dict[str, od.OfferDelivery] = {}
        self._offer_of_leg: dict[str, str] = {}

    def offer_of(self, leg: str) -> str | None:
        """The offer that rings this leg."""
        return self._offer_of_leg.get(leg)

    def begin(self, unit: Unit, event: acd_out.OfferCreated, *, customer_first: bool = False) -> None:
        """The distributor made an offer. `customer_first`: the agent's phone rings once the customer is there."""
        # Until then the agent has what one has who accepts on the screen: the record, and no ringing phone.
        how = "console" if customer_first else event.delivery
        delivery = od.OfferDelivery(
            event.offer, event.fence, event.contact, event.queue, event.agent, how, event.ring_until
        )
        self._keep(unit, delivery)
        self.deliver(unit, event.offer, od.Begin())

    def customer_is_there(self, unit: Unit, contact: str) -> None:
        """Whom we called back has answered: ring the agent who is reserved for him."""
        for offer in [each.offer for each in self.pending.values() if each.contact == contact]:
            self.deliver(unit, offer, od.ScreenAccepted())

    def deliver(self, unit: Unit, offer: str, event: od.DeliveryInput) -> None:
        """One input for an offer's delivery; unknown offers are over and need none."""
        delivery = self.pending.get(offer)
        if delivery is None:
            return
        after, effects = delivery.handle(event, now=unit.now)
        if after.state is od.DeliveryState.OVER or after.state is od.DeliveryState.ACCEPTED:
            self._forget(unit, after)
        elif after != delivery:
            self._keep(unit, after)
        for effect in effects:
            self._run(unit, after, effect)

    def _run(self, unit: Unit, delivery: od.OfferDelivery, effect: od.DeliveryEffect) -> None:
        match effect:
            case od.Pop():
                self._pops.send(unit, delivery)
            case od.DialAgent():
                self._dial_agent(unit, delivery)
            case od.AskVerdict():
                accepted = acd_in.OfferAccepted(delivery.offer, delivery.fence)
                events = self._steps.distribute(unit, accepted)
                refused = any(isinstance(event, acd_out.InputRefused) for event in events)
                self.deliver(unit, delivery.offer, od.Verdict(accepted=not refused))
            case od.AgentReached():
                self._steps.step(unit, delivery.contact, msg.OtherAnswered(effect.leg))
            case od.Fail():
                self._fail(unit, delivery, effect.reason)
            case od.Drop():
                self._rooms.calls.hang_up(unit, effect.leg, effect.reason)

    def _dial_agent(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        call = self._steps.processes[delivery.contact]
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
            self._steps.distribute(unit, acd_in.OfferDeclined(offer, fence))
        elif reason == "busy":
            self._steps.distribute(unit, acd_in.OfferFailed(offer, "busy"))
        else:
            self._steps.distribute(
                unit, acd_in.OfferFailed(offer, "unreachable" if reason == "unreachable" else "error")
            )

    def answer(self, unit: Unit, agent: str, offer: str, *, accept: bool) -> None:
        """What the agent pressed on the screen while the offer stands. Raises NotFound."""
        delivery = self.pending.get(offer)
        if delivery is None or delivery.agent != agent:
            raise NotFound("no such offer", data={"offer": offer})
        if accept:
            self.deliver(unit, offer, od.ScreenAccepted())
        else:
            self._steps.distribute(unit, acd_in.OfferDeclined(offer, delivery.fence))

    def _keep(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        self.pending[delivery.offer] = delivery
        unit.save(DELIVERY, delivery.offer, delivery)
        self._around.set_alarm(DELIVERY, delivery.offer, delivery.next_deadline)

    def _forget(self, unit: Unit, delivery: od.OfferDelivery) -> None:
        self.pending.pop(delivery.offer, None)
        if delivery.leg is not None:
            self._offer_of_leg.pop(delivery.leg, None)
        unit.delete(DELIVERY, delivery.offer)
        self._around.set_alarm(DELIVERY, delivery.offer, None)

    # -- after a restart -------------------------------------------------------------------------------------------

    def restore(self, deliveries: Iterable[od.OfferDelivery]) -> None:
        """Take the rows of the process before; nothing is sent yet."""
        for delivery in deliveries:
            self.pending[delivery.offer] = delivery
            if delivery.leg is not None:
                self._offer_of_leg[delivery.leg] = delivery.offer

    def resume(self, unit: Unit, contact: str) -> None:
        """Go on with what rings for a contact that lives on."""
        for delivery in [each for each in self.pending.values() if each.contact == contact]:
            self._around.set_alarm(DELIVERY, delivery.offer, delivery.next_deadline)
            if delivery.leg is None:
                self.deliver(unit, delivery.offer, od.Begin())
            else:
                # The screens went with the process before; the phone rings on.
                self._pops.show(unit, delivery)
