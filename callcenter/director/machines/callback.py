"""Callback: a caller who keeps his place in the queue without staying on the line (acd.md section 3).

    waiting --an agent is offered--> calling --he answers--> over (an ordinary call in its queue from here on)
       ^                                |  \\-- nobody answers, tries are left --> resting --time--> waiting
       |                                \\---- nobody answers any more -----------------------------> over
       any --taken out of the queue--> over, or waiting in the queue that he was moved to

Theory. His place waits in the distributor like any other, since when he first began to wait. An offer to an agent is
what makes us call: the agent is reserved while the customer's phone rings, sees who it is, and his own phone rings
when the customer answers. So nobody who is called back is told to wait for somebody to become free. Each try is a
contact of its own, with a record of its own; the row of this machine is all that is needed to go on after a crash.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.kernel.errors import IllegalTransition


class CallbackState(StrEnum):
    WAITING = "waiting"
    CALLING = "calling"
    RESTING = "resting"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """How often and how long a customer is called. Seconds."""

    tries: int = 3
    retry_s: int = 600
    ring_s: int = 25


FORBIDDEN = "forbidden"
NO_LINE = timedelta(seconds=30)
"""Until the next try when no line was free: that was no try, and somebody waits for it."""

DEFAULTS = CallbackRules()


# -- inputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """It was asked for."""


@dataclass(frozen=True, slots=True)
class Offered:
    """An agent is offered the contact."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The customer has answered."""


@dataclass(frozen=True, slots=True)
class NotReached:
    """The customer was not reached, for `reason` (docs/events.md). Not `rung`: the trunks would not, or could not."""

    reason: str
    rung: bool = True


@dataclass(frozen=True, slots=True)
class TakenOut:
    """The distributor ended the entry, not for us. `queue`: where a supervisor sent it."""

    reason: str
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. `contact` is the id of the next try, should it come to one."""

    contact: str


CallbackInput = Begin | Offered | Reached | NotReached | TakenOut | Tick


# -- effects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Give the entry its place in the queue."""


@dataclass(frozen=True, slots=True)
class CallCustomer:
    """Ring the customer for as long as the rules say."""


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    """Take the entry out of the queue: nobody was reached. The agent keeps his place."""


@dataclass(frozen=True, slots=True)
class RingAgent:
    """The customer is there: ring the agent who is reserved for him."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Stop ringing the customer."""


@dataclass(frozen=True, slots=True)
class Rested:
    """Say that the next try is at `until`, and why."""

    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """Say that it is over: reached, not_reached, forbidden, cancelled, or what ended the entry."""

    reason: str


CallbackEffect = Enqueue | CallCustomer | LeaveQueue | RingAgent | HangUp | Rested | Closed
Step = tuple["Callback", list[CallbackEffect]]


@dataclass(frozen=True, slots=True)
class Callback:
    """`id` stays the same over the tries, `contact` is the present one. `since`: when he began to wait.

    `head_start_s` is what his flow gave him, `preferred` and `or_preferred` are the agents whom he is to have first,
    as the distributor has them, `origin` is the contact in which it was asked for. The number leaves with the row
    when it is over.
    """

    id: str
    contact: str
    origin: str
    number: str
    queue: str
    since: datetime
    skills: tuple[tuple[str, int], ...] = ()
    priority: int = 50
    language: str = ""
    rules: CallbackRules = DEFAULTS
    state: CallbackState = CallbackState.WAITING
    entries: int = 1
    tries: int = 0
    retry_at: datetime | None = None
    head_start_s: int = 0
    preferred: str | None = None
    or_preferred: tuple[str, ...] = ()

    @property
    def entry(self) -> str:
        """The id of the present place in the queue."""
        return f"{self.contact}-q{self.entries}"

    @property
    def ring_time(self) -> timedelta:
        """How long the customer is rung."""
        return timedelta(seconds=self.rules.ring_s)

    @property
    def next_deadline(self) -> datetime | None:
        """When the next try is due."""
        return self.retry_at

    def handle(self, event: CallbackInput, *, now: datetime) -> Step:
        """The callback after `event` and what to do, in order."""
        match event, self.state:
            case _, CallbackState.OVER:
                return self, []
            case Begin(), CallbackState.WAITING:
                return self, [Enqueue()]
            case Offered(), CallbackState.WAITING:
                return replace(self, state=CallbackState.CALLING, tries=self.tries + 1), [CallCustomer()]
            case Offered(), CallbackState.CALLING:
                return self, []  # to another agent: the customer's phone rings already
            case Reached(), CallbackState.CALLING:
                return self._over(), [Closed("reached"), RingAgent()]
            case NotReached(), CallbackState.CALLING:
                return self._not_reached(event, now)
            case TakenOut(), CallbackState.WAITING | CallbackState.CALLING:
                return self._taken_out(event, now)
            case Tick(), CallbackState.RESTING:
                return self._again(event.contact, now)
            case Tick() | Reached() | NotReached() | TakenOut(), _:
                return self, []
        raise IllegalTransition("Callback", self.state, event)

    def _over(self) -> "Callback":
        return replace(self, state=CallbackState.OVER, retry_at=None)

    def _not_reached(self, event: NotReached, now: datetime) -> Step:
        if event.reason == FORBIDDEN:
            return self._over(), [LeaveQueue(), Closed(FORBIDDEN)]
        if not event.rung:
            return self._rest(event.reason, now + NO_LINE, tries=self.tries - 1)
        if self.tries >= self.rules.tries:
            return self._over(), [LeaveQueue(), Closed("not_reached")]
        return self._rest(event.reason, now + timedelta(seconds=self.rules.retry_s), tries=self.tries)

    def _rest(self, reason: str, until: datetime, *, tries: int) -> Step:
        resting = replace(self, state=CallbackState.RESTING, retry_at=until, tries=tries)
        return resting, [LeaveQueue(), Rested(reason, until)]

    def _taken_out(self, event: TakenOut, now: datetime) -> Step:
        calling = self.state is CallbackState.CALLING
        quiet: list[CallbackEffect] = [HangUp()] if calling else []
        if event.queue is None:
            return self._over(), [*quiet, Closed(event.reason)]
        moved = replace(self, queue=event.queue)
        if calling:
            # The call that is out belongs to a place that is gone: he is called anew from there, and it was no try.
            resting = replace(moved, state=CallbackState.RESTING, retry_at=now, tries=self.tries - 1)
            return resting, [*quiet, Rested(event.reason, now)]
        return replace(moved, entries=self.entries + 1), [Enqueue()]

    def _again(self, contact: str, now: datetime) -> Step:
        if self.retry_at is None or now < self.retry_at:
            return self, []
        again = replace(self, state=CallbackState.WAITING, contact=contact, entries=1, retry_at=None)
        return again, [Enqueue()]
