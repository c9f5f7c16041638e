"""Offer: one agent reserved for one caller (acd.md section 1)."""

# Theory. An offer is a lease: it ends by itself at `ring_until`, whatever becomes of the phone, the console or the
# message that should have told us. It is pending once and ends once; its id and its fence (which count the offers of
# its entry) are never used again, so an answer that comes late finds no pending offer, or another fence, and is
# refused. Nobody is ever half reserved: the distributor frees the agent and returns the caller in the same step. It
# keeps whether other phones rang for the same caller: what a whole team let ring is no miss of anyone.
#
#   pending --Accept(fence)--> accepted        --Fail--> failed
#           --Decline(fence)-> declined        --Rescind--> rescinded
#           --Tick >= ring_until--> timed_out        --Accompany--> pending, not alone

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from acd import events
from acd.machines.frozen import replaced
from acd.model import Delivery, FailureReason, OfferState
from callcenter.kernel.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Accept:
    fence: int


@dataclass(frozen=True, slots=True)
class Decline:
    fence: int


@dataclass(frozen=True, slots=True)
class Fail:
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class Rescind:
    reason: events.RescindReason


@dataclass(frozen=True, slots=True)
class Accompany:
    """Another phone rings for the same caller."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """Time has gone on."""


OfferInput = Accept | Decline | Fail | Rescind | Accompany | Lapse
Step = tuple["Offer", list[events.Event]]


@dataclass(frozen=True)
class Offer:
    """`ring_until` is the end of the lease; `alone`: no other phone has rung for the caller meanwhile."""

    id: str
    fence: int
    entry: str
    contact: str
    queue: str
    agent: str
    delivery: Delivery
    created_at: datetime
    ring_until: datetime
    state: OfferState = "pending"
    alone: bool = True

    @property
    def next_deadline(self) -> datetime | None:
        return self.ring_until if self.state == "pending" else None

    def handle(self, event: OfferInput, *, now: datetime) -> Step:
        """The offer after `event`, and what happened. Raises IllegalTransition once it has ended."""
        transition = TRANSITIONS.get((self.state, type(event)))
        if transition is None:
            raise IllegalTransition("offer", self.state, event)
        return transition(self, event, now)


def _accept(offer: Offer, event: Accept, _now: datetime) -> Step:
    if event.fence != offer.fence:
        return offer, [events.InputRefused(offer.id, "OfferAccepted", "stale_offer")]
    return replaced(offer, state="accepted"), [events.OfferAccepted(offer.contact, offer.id, offer.agent)]


def _decline(offer: Offer, event: Decline, _now: datetime) -> Step:
    if event.fence != offer.fence:
        return offer, [events.InputRefused(offer.id, "OfferDeclined", "stale_offer")]
    return replaced(offer, state="declined"), [events.OfferDeclined(offer.contact, offer.id, offer.agent)]


def _fail(offer: Offer, event: Fail, _now: datetime) -> Step:
    failed = events.OfferFailed(offer.contact, offer.id, offer.agent, event.reason)
    return replaced(offer, state="failed"), [failed]


def _rescind(offer: Offer, event: Rescind, _now: datetime) -> Step:
    rescinded = events.OfferRescinded(offer.contact, offer.id, offer.agent, event.reason)
    return replaced(offer, state="rescinded"), [rescinded]


def _accompany(offer: Offer, _event: Accompany, _now: datetime) -> Step:
    return replaced(offer, alone=False), []


def _lapse(offer: Offer, _event: Lapse, now: datetime) -> Step:
    if now < offer.ring_until:
        return offer, []
    return replaced(offer, state="timed_out"), [events.OfferTimedOut(offer.contact, offer.id, offer.agent)]


TRANSITIONS: dict[tuple[OfferState, type], Callable[..., Step]] = {
    ("pending", Accept): _accept,
    ("pending", Decline): _decline,
    ("pending", Fail): _fail,
    ("pending", Rescind): _rescind,
    ("pending", Accompany): _accompany,
    ("pending", Lapse): _lapse,
}
