"""OfferDelivery: from an offer to the agent's voice.

    begun -> ringing -> (rang) -> answered -> accepted
                 \\-> refused / unreachable / withdrawn -> over

Theory. The record is on the agent's screen before the phone rings: the pop is handed to the console first, and only
then is the leg dialled; no console is waited for. The distributor owns the offer's deadline; this machine owns only
the three seconds in which a phone must give a sign of life. An answer is not an acceptance: the distributor is asked
whether the offer still stands (its fence), and an answer to an offer that ended is hung up, never half accepted
(acd.md section 2). With `console` delivery the phone is dialled when the agent accepts on the screen.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from callcenter.kernel.errors import IllegalTransition

SIGN_OF_LIFE = timedelta(seconds=3)


class DeliveryState(StrEnum):
    BEGUN = "begun"
    RINGING = "ringing"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    OVER = "over"


class Begin(msgspec.Struct, frozen=True):
    """The offer was made."""


class ScreenAccepted(msgspec.Struct, frozen=True):
    """The agent accepted on the console."""


class Dialled(msgspec.Struct, frozen=True):
    """The agent's leg exists."""

    leg: str


class NotReachable(msgspec.Struct, frozen=True):
    """The agent's phone has no address."""


class Rang(msgspec.Struct, frozen=True):
    """A provisional answer came."""


class PhoneAnswered(msgspec.Struct, frozen=True):
    """200."""


class Verdict(msgspec.Struct, frozen=True):
    """What the distributor says to the answer."""

    accepted: bool


class PhoneGone(msgspec.Struct, frozen=True):
    """The leg ended before it was accepted, for `reason` (docs/events.md)."""

    reason: str


class Withdrawn(msgspec.Struct, frozen=True):
    """The distributor ended the offer: timed out, rescinded."""

    reason: str


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


DeliveryInput = (
    Begin | ScreenAccepted | Dialled | NotReachable | Rang | PhoneAnswered | Verdict | PhoneGone | Withdrawn | Tick
)


class Pop(msgspec.Struct, frozen=True):
    """Show the customer's record to the agent."""


class DialAgent(msgspec.Struct, frozen=True):
    """Ring the agent's phone."""


class AskVerdict(msgspec.Struct, frozen=True):
    """Tell the distributor that the phone was answered; Verdict follows."""


class AgentReached(msgspec.Struct, frozen=True):
    """The offer is accepted and the agent's leg may be joined."""

    leg: str


class Fail(msgspec.Struct, frozen=True):
    """Tell the distributor that the offer failed: busy, unreachable, declined, no_answer or error."""

    reason: str


class Drop(msgspec.Struct, frozen=True):
    """End the agent's leg."""

    leg: str
    reason: str


DeliveryEffect = Pop | DialAgent | AskVerdict | AgentReached | Fail | Drop
_FAILURES = {"busy": "busy", "unreachable": "unreachable", "declined": "declined", "no_answer": "no_answer"}


class OfferDelivery(msgspec.Struct, frozen=True):
    """One offer on its way to one agent; a state row of its own."""

    offer: str
    fence: int
    contact: str
    queue: str
    agent: str
    delivery: str
    ring_until: datetime
    state: DeliveryState = DeliveryState.BEGUN
    leg: str | None = None
    sign_by: datetime | None = None

    @property
    def next_deadline(self) -> datetime | None:
        """When the phone must have given a sign of life."""
        return self.sign_by

    def handle(self, event: DeliveryInput, *, now: datetime) -> tuple["OfferDelivery", list[DeliveryEffect]]:
        """The delivery after `event` and what to do."""
        if self.state in {DeliveryState.OVER, DeliveryState.ACCEPTED}:
            if isinstance(event, Dialled):
                return self, [Drop(event.leg, "withdrawn")]
            return self, []
        match event, self.state:
            case Begin(), DeliveryState.BEGUN:
                dial: list[DeliveryEffect] = [] if self.delivery == "console" else [DialAgent()]
                return self, [Pop(), *dial]
            case ScreenAccepted(), DeliveryState.BEGUN:
                return self, [DialAgent()]
            case ScreenAccepted(), _:
                return self, []
            case Dialled(), DeliveryState.BEGUN:
                sign_by = now + SIGN_OF_LIFE
                return replace(self, state=DeliveryState.RINGING, leg=event.leg, sign_by=sign_by), []
            case NotReachable(), DeliveryState.BEGUN:
                return replace(self, state=DeliveryState.OVER), [Fail("unreachable")]
            case Rang(), DeliveryState.RINGING:
                return replace(self, sign_by=None), []
            case PhoneAnswered(), DeliveryState.RINGING:
                return replace(self, state=DeliveryState.ANSWERED, sign_by=None), [AskVerdict()]
            case Verdict(), DeliveryState.ANSWERED:
                return self._verdict(accepted=event.accepted)
            case PhoneGone(), _:
                return self._over(), [Fail(_FAILURES.get(event.reason, "error"))]
            case Withdrawn(), _:
                return self._over(), self._drop(event.reason)
            case Tick(), _:
                if self.sign_by is None or now < self.sign_by:
                    return self, []
                return self._over(), [*self._drop("unreachable"), Fail("unreachable")]
        raise IllegalTransition("OfferDelivery", self.state, event)

    def _verdict(self, *, accepted: bool) -> tuple["OfferDelivery", list[DeliveryEffect]]:
        if accepted and self.leg is not None:
            return replace(self, state=DeliveryState.ACCEPTED), [AgentReached(self.leg)]
        return self._over(), self._drop("withdrawn")

    def _over(self) -> "OfferDelivery":
        return replace(self, state=DeliveryState.OVER, sign_by=None)

    def _drop(self, reason: str) -> list[DeliveryEffect]:
        return [] if self.leg is None else [Drop(self.leg, reason)]
