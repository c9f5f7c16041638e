"""Answers to offers, and what an offer that came to nothing leaves behind."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from acd import commands, events
from acd.machines import agent as agent_machine
from acd.machines import entry as entry_machine
from acd.machines import offer as offer_machine
from acd.machines.entry import Exclusion
from acd.machines.offer import Offer
from acd.state import State
from acd.steps import rings

Cause = Literal["rescinded", "declined", "missed_by_all", "timed_out", "busy", "unreachable", "error"]


def accept(state: State, input_: commands.OfferAccepted, now: datetime) -> None:
    offer = state.move_offer(input_.offer, offer_machine.Accept(input_.fence), input_, now)
    if offer is None or offer.state != "accepted":
        return
    others = [id_ for id_ in state.entries[offer.entry].pending if id_ != offer.id]
    rescinded = [rescind(state, id_, "answered_elsewhere", now) for id_ in others]
    state.move_entry(offer.entry, entry_machine.Answered(offer.agent), now)
    state.move_agent(offer.agent, agent_machine.Connect(offer.id), now)
    for other in rescinded:
        release(state, other, "rescinded", now)


def decline(state: State, input_: commands.OfferDeclined, now: datetime) -> None:
    offer = state.move_offer(input_.offer, offer_machine.Decline(input_.fence), input_, now)
    if offer is not None and offer.state == "declined":
        give_back(state, offer, "declined", now)


def fail(state: State, input_: commands.OfferFailed, now: datetime) -> None:
    offer = state.move_offer(input_.offer, offer_machine.Fail(input_.reason), input_, now)
    if offer is not None:
        give_back(state, offer, input_.reason, now)


def take_back(state: State, input_: commands.OfferTakenBack, now: datetime) -> None:
    if input_.offer in state.offers:
        end_offer(state, input_.offer, offer_machine.Rescind("restart"), "rescinded", now)
    else:
        state.refuse(input_.offer, input_, "stale_offer")


def end_offer(state: State, id_: str, event: offer_machine.OfferInput, cause: Cause, now: datetime) -> None:
    """End a pending offer; its caller goes back to his place, its agent is released."""
    offer, told = state.offers[id_].handle(event, now=now)
    state.told += told
    state.put_offer(offer)
    give_back(state, offer, cause, now)


def rescind(state: State, id_: str, reason: events.RescindReason, now: datetime) -> Offer:
    """Take a pending offer back; its entry and its agent are still to be told."""
    offer, told = state.offers[id_].handle(offer_machine.Rescind(reason), now=now)
    state.told += told
    state.put_offer(offer)
    return offer


def give_back(state: State, offer: Offer, cause: Cause, now: datetime) -> None:
    """The caller of an offer that is over goes back to his place, its agent is released."""
    entry = state.entries[offer.entry]
    exclude = None
    if cause != "rescinded":
        exclude = Exclusion(offer.agent, now + timedelta(seconds=state.policy.settings.exclusion_s))
    position = state.matcher.position(entry.queue, entry.place)
    state.move_entry(entry.id, entry_machine.Returned(offer.id, position, exclude), now)
    rings.widen_if_due(state, entry.id, now)
    release(state, offer, cause, now)


def release(state: State, offer: Offer, cause: Cause, now: datetime) -> None:
    """The agent of an offer that is over, unless something else has taken him meanwhile."""
    if state.agents[offer.agent].offer == offer.id:
        state.move_agent(offer.agent, agent_machine.Release(offer.id, cause, state.policy.settings), now)


def lapse(state: State, id_: str, now: datetime) -> None:
    cause: Cause = "timed_out" if state.offers[id_].alone else "missed_by_all"
    end_offer(state, id_, offer_machine.Lapse(), cause, now)


HANDLERS: dict[type, Callable[..., None]] = {
    commands.OfferAccepted: accept,
    commands.OfferDeclined: decline,
    commands.OfferFailed: fail,
    commands.OfferTakenBack: take_back,
}
