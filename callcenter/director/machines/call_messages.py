"""What reaches the process of a call, and what it wants done (`incoming_call`)."""

from datetime import datetime

import msgspec

from callcenter.director.machines import bridge as br
from ivr.events import DialOutcome, QueueOutcome

# -- inputs ---------------------------------------------------------------------------------------------------------


class CallerAnswered(msgspec.Struct, frozen=True):
    """The caller's leg has media."""


class CallerEnded(msgspec.Struct, frozen=True):
    """The caller's leg is over. `by_peer` is false where we or the network ended it."""

    reason: str
    status: int | None
    by_peer: bool


class DialWanted(msgspec.Struct, frozen=True):
    """The flow wants `endpoint` rung."""

    command: str
    endpoint: str
    ring_s: int
    record: bool
    announcement: tuple[str, ...]
    ringback: tuple[str, ...]


class QueueWanted(msgspec.Struct, frozen=True):
    """The flow puts the caller into a queue. `comfort` and `announce`: what he is told while he waits.

    `head_start_s` and `preferred` are as the distributor has them.
    """

    command: str
    queue: str
    skills: tuple[tuple[str, int], ...]
    priority: int
    record: bool
    announcement: tuple[str, ...]
    music: tuple[str, ...]
    comfort: tuple[str, ...] = ()
    announce: bool = True
    head_start_s: int = 0
    preferred: str | None = None


class ExitWanted(msgspec.Struct, frozen=True):
    """The caller pressed `key` to leave the queue; `for_callback`: to be called back."""

    key: str
    for_callback: bool


class HangupWanted(msgspec.Struct, frozen=True):
    """The flow is done with the caller."""

    reason: str
    status: int


class OtherDialled(msgspec.Struct, frozen=True):
    """The leg that the dial asked for exists."""

    leg: str


class OtherTried(msgspec.Struct, frozen=True):
    """The dialled side gave a sign of life."""


class OtherRang(msgspec.Struct, frozen=True):
    """The dialled phone rings."""


class OtherAnswered(msgspec.Struct, frozen=True):
    """The dialled phone, or the agent whose acceptance stands, is up."""

    leg: str


class OtherEnded(msgspec.Struct, frozen=True):
    """The other leg is over; `leg` is empty when there never was one (the endpoint has no address)."""

    leg: str
    reason: str


class QueueEnded(msgspec.Struct, frozen=True):
    """The distributor gave the caller back without an agent."""

    outcome: QueueOutcome


class SentToQueue(msgspec.Struct, frozen=True):
    """The distributor, or a supervisor, sends the waiting caller to another queue; he keeps his time."""

    queue: str
    record: bool
    announcement: tuple[str, ...]
    music: tuple[str, ...]


class SentToNumber(msgspec.Struct, frozen=True):
    """The distributor sends the waiting caller to a number outside."""

    number: str
    ring_s: int
    ringback: tuple[str, ...]


class SentToFlow(msgspec.Struct, frozen=True):
    """The distributor sends the waiting caller to another flow."""

    flow: str


class Farewell(msgspec.Struct, frozen=True):
    """The caller hears `files` and is hung up on: he waits no longer."""

    files: tuple[str, ...]


class Tell(msgspec.Struct, frozen=True):
    """Say `files` to the waiting caller, over his music."""

    files: tuple[str, ...]


class Told(msgspec.Struct, frozen=True):
    """What was said has been heard, or could not be said."""


class Unannounced(msgspec.Struct, frozen=True):
    """The announcement could not be played."""


class Announced(msgspec.Struct, frozen=True):
    """The announcement was heard to its end."""


class HoldWanted(msgspec.Struct, frozen=True):
    """The agent puts the caller on hold, to the sound of `music`, or the phone of leg `by` its other side."""

    music: tuple[str, ...]
    by: str = ""


class ResumeWanted(msgspec.Struct, frozen=True):
    """The agent takes the caller back, or the phone of leg `by` its other side."""

    by: str = ""


class Back(msgspec.Struct, frozen=True):
    """Where a caller returns whom nobody took: to the queue that he came by and there first to `agent`, who had him.

    One who came by no queue (None) has that agent's `phone` rung.
    """

    agent: str
    phone: str | None
    queue: str | None
    record: bool
    announcement: tuple[str, ...]
    music: tuple[str, ...]


class TransferToPhone(msgspec.Struct, frozen=True):
    """The agent hands the caller to a phone of the site and leaves."""

    endpoint: str
    ring_s: int
    ringback: tuple[str, ...]
    back: Back | None = None


class TransferToQueue(msgspec.Struct, frozen=True):
    """The agent hands the caller to a queue and leaves."""

    queue: str
    record: bool
    announcement: tuple[str, ...]
    music: tuple[str, ...]


class TransferToFlow(msgspec.Struct, frozen=True):
    """The agent hands the caller to a number of the site, which is a flow, and leaves."""

    flow: str


class Tick(msgspec.Struct, frozen=True):
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


class RingCaller(msgspec.Struct, frozen=True):
    """180."""


class DialOther(msgspec.Struct, frozen=True):
    """Ring `endpoint`; OtherDialled or OtherEnded follows."""

    endpoint: str


class DropOther(msgspec.Struct, frozen=True):
    """End the other leg."""

    leg: str
    reason: str


class SilenceCaller(msgspec.Struct, frozen=True):
    """Stop the waiting sound."""


class Enqueue(msgspec.Struct, frozen=True):
    """Give the caller to the distributor as `entry`. `since`: the time that he keeps; None: his wait begins.

    `head_start_s`, what he has waited before, moves him forward without being a wait; `granted_s`, which the flow
    gives him, comes on top. `preferred` is the agent who has him first.
    """

    entry: str
    queue: str
    skills: tuple[tuple[str, int], ...]
    priority: int
    since: datetime | None = None
    head_start_s: int = 0
    preferred: str | None = None
    granted_s: int = 0


class Returned(msgspec.Struct, frozen=True):
    """The transfer came to nothing, for `reason`: the caller goes back to `queue`, None: to the agent's phone."""

    reason: str
    queue: str | None


class Withdraw(msgspec.Struct, frozen=True):
    """Take the caller out of the queue: he pressed `key`."""

    entry: str
    key: str
    for_callback: bool


class CustomerReached(msgspec.Struct, frozen=True):
    """Whom we called back has answered."""


class CustomerMissed(msgspec.Struct, frozen=True):
    """Whom we called back did not answer, for `reason`."""

    reason: str


class Abandon(msgspec.Struct, frozen=True):
    """Tell the distributor that its caller is gone."""

    entry: str


class TalkOver(msgspec.Struct, frozen=True):
    """Tell the distributor that the conversation with its agent is over."""


class FlowMedia(msgspec.Struct, frozen=True):
    """Tell the flow that the caller is answered."""


class FlowDial(msgspec.Struct, frozen=True):
    """Tell the flow how its dial ended."""

    command: str
    outcome: DialOutcome


class FlowQueue(msgspec.Struct, frozen=True):
    """Tell the flow how its queueing ended."""

    command: str
    outcome: QueueOutcome


class FlowGone(msgspec.Struct, frozen=True):
    """Tell the flow that there is no caller any more."""


class EndContact(msgspec.Struct, frozen=True):
    """End whatever legs are left and name who ended it."""

    by: str
    reason: str
    status: int | None


class HoldCaller(msgspec.Struct, frozen=True):
    """Let neither hear the other; `music` for who is held."""

    music: tuple[str, ...]
    by: str = ""


class ResumeCaller(msgspec.Struct, frozen=True):
    """Let them hear each other again, as far as `by` is concerned."""

    by: str = ""


class StartFlow(msgspec.Struct, frozen=True):
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
