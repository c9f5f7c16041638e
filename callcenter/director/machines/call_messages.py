"""What reaches the process of a call, and what it wants done (`incoming_call`)."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.director.machines import bridge as br
from ivr.events import DialOutcome, QueueOutcome

# -- inputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerAnswered:
    """The caller's leg has media."""


@dataclass(frozen=True, slots=True)
class CallerEnded:
    """The caller's leg is over. `by_peer` is false where we or the network ended it."""

    reason: str
    status: int | None
    by_peer: bool


@dataclass(frozen=True, slots=True)
class DialWanted:
    """The flow wants `endpoint` rung."""

    command: str
    endpoint: str
    ring_s: int
    record: bool
    announcement: tuple[str, ...]
    ringback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueueWanted:
    """The flow puts the caller into a queue. `comfort` and `announce`: what he is told while he waits."""

    command: str
    queue: str
    skills: tuple[tuple[str, int], ...]
    priority: int
    record: bool
    announcement: tuple[str, ...]
    music: tuple[str, ...]
    comfort: tuple[str, ...] = ()
    announce: bool = True


@dataclass(frozen=True, slots=True)
class ExitWanted:
    """The caller pressed `key` to leave the queue; `for_callback`: to be called back."""

    key: str
    for_callback: bool


@dataclass(frozen=True, slots=True)
class HangupWanted:
    """The flow is done with the caller."""

    reason: str
    status: int


@dataclass(frozen=True, slots=True)
class OtherDialled:
    """The leg that the dial asked for exists."""

    leg: str


@dataclass(frozen=True, slots=True)
class OtherTried:
    """The dialled side gave a sign of life."""


@dataclass(frozen=True, slots=True)
class OtherRang:
    """The dialled phone rings."""


@dataclass(frozen=True, slots=True)
class OtherAnswered:
    """The dialled phone, or the agent whose acceptance stands, is up."""

    leg: str


@dataclass(frozen=True, slots=True)
class OtherEnded:
    """The other leg is over; `leg` is empty when there never was one (the endpoint has no address)."""

    leg: str
    reason: str


@dataclass(frozen=True, slots=True)
class QueueEnded:
    """The distributor gave the caller back without an agent."""

    outcome: QueueOutcome


@dataclass(frozen=True, slots=True)
class SentToQueue:
    """The distributor, or a supervisor, sends the waiting caller to another queue; he keeps his time."""

    queue: str
    record: bool
    announcement: tuple[str, ...]
    music: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SentToNumber:
    """The distributor sends the waiting caller to a number outside."""

    number: str
    ring_s: int
    ringback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SentToFlow:
    """The distributor sends the waiting caller to another flow."""

    flow: str


@dataclass(frozen=True, slots=True)
class Farewell:
    """The caller hears `files` and is hung up on: he waits no longer."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """Say `files` to the waiting caller, over his music."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What was said has been heard, or could not be said."""


@dataclass(frozen=True, slots=True)
class Unannounced:
    """The announcement could not be played."""


@dataclass(frozen=True, slots=True)
class Announced:
    """The announcement was heard to its end."""


@dataclass(frozen=True, slots=True)
class HoldWanted:
    """The agent puts the caller on hold, to the sound of `music`, or the phone of leg `by` its other side."""

    music: tuple[str, ...]
    by: str = ""


@dataclass(frozen=True, slots=True)
class ResumeWanted:
    """The agent takes the caller back, or the phone of leg `by` its other side."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class Back:
    """Where a caller returns whom nobody took: to the queue that he came by and there first to `agent`, who had him.

    One who came by no queue (None) has that agent's `phone` rung.
    """

    agent: str
    phone: str | None
    queue: str | None
    record: bool
    announcement: tuple[str, ...]
    music: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TransferToPhone:
    """The agent hands the caller to a phone of the site and leaves."""

    endpoint: str
    ring_s: int
    ringback: tuple[str, ...]
    back: Back | None = None


@dataclass(frozen=True, slots=True)
class TransferToQueue:
    """The agent hands the caller to a queue and leaves."""

    queue: str
    record: bool
    announcement: tuple[str, ...]
    music: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TransferToFlow:
    """The agent hands the caller to a number of the site, which is a flow, and leaves."""

    flow: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Transfer = TransferToPhone | TransferToQueue | TransferToFlow
CallInput = (
    CallerAnswered
    | CallerEnded
    | DialWanted
    | QueueWanted
    | HangupWanted
    | OtherDialled
    | OtherTried
    | OtherRang
    | OtherAnswered
    | OtherEnded
    | QueueEnded
    | ExitWanted
    | SentToQueue
    | SentToNumber
    | SentToFlow
    | Farewell
    | Tell
    | Told
    | Announced
    | Unannounced
    | HoldWanted
    | ResumeWanted
    | Transfer
    | Tick
)

# -- effects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RingCaller:
    """180."""


@dataclass(frozen=True, slots=True)
class DialOther:
    """Ring `endpoint`; OtherDialled or OtherEnded follows."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class DropOther:
    """End the other leg."""

    leg: str
    reason: str


@dataclass(frozen=True, slots=True)
class SilenceCaller:
    """Stop the waiting sound."""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Give the caller to the distributor as `entry`. `since`: the time that he keeps; None: his wait begins.

    `head_start_s` moves him forward without being a wait; `preferred` is the agent who has him first.
    """

    entry: str
    queue: str
    skills: tuple[tuple[str, int], ...]
    priority: int
    since: datetime | None = None
    head_start_s: int = 0
    preferred: str | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """The transfer came to nothing, for `reason`: the caller goes back to `queue`, None: to the agent's phone."""

    reason: str
    queue: str | None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the caller out of the queue: he pressed `key`."""

    entry: str
    key: str
    for_callback: bool


@dataclass(frozen=True, slots=True)
class CustomerReached:
    """Whom we called back has answered."""


@dataclass(frozen=True, slots=True)
class CustomerMissed:
    """Whom we called back did not answer, for `reason`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """Tell the distributor that its caller is gone."""

    entry: str


@dataclass(frozen=True, slots=True)
class TalkOver:
    """Tell the distributor that the conversation with its agent is over."""


@dataclass(frozen=True, slots=True)
class FlowMedia:
    """Tell the flow that the caller is answered."""


@dataclass(frozen=True, slots=True)
class FlowDial:
    """Tell the flow how its dial ended."""

    command: str
    outcome: DialOutcome


@dataclass(frozen=True, slots=True)
class FlowQueue:
    """Tell the flow how its queueing ended."""

    command: str
    outcome: QueueOutcome


@dataclass(frozen=True, slots=True)
class FlowGone:
    """Tell the flow that there is no caller any more."""


@dataclass(frozen=True, slots=True)
class EndContact:
    """End whatever legs are left and name who ended it."""

    by: str
    reason: str
    status: int | None


@dataclass(frozen=True, slots=True)
class HoldCaller:
    """Let neither hear the other; `music` for who is held."""

    music: tuple[str, ...]
    by: str = ""


@dataclass(frozen=True, slots=True)
class ResumeCaller:
    """Let them hear each other again, as far as `by` is concerned."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class StartFlow:
    """Put the caller into another flow, from its beginning."""

    flow: str


CallEffect = (
    RingCaller
    | DialOther
    | DropOther
    | SilenceCaller
    | Enqueue
    | Returned
    | Withdraw
    | CustomerReached
    | CustomerMissed
    | Abandon
    | TalkOver
    | FlowMedia
    | FlowDial
    | FlowQueue
    | FlowGone
    | EndContact
    | HoldCaller
    | ResumeCaller
    | StartFlow
    | br.AcceptCaller
    | br.Sound
    | br.Join
)
