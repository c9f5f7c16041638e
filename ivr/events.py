"""What reaches a flow run. One value, one unit; late and repeated ones are expected (architecture.md section 4)."""

from typing import Literal

import msgspec

DialOutcome = Literal["answered", "busy", "no_answer", "declined", "unreachable", "failed"]
QueueOutcome = Literal["answered", "timeout", "full", "no_agents", "cancelled", "failed"]


class Started(msgspec.Struct, frozen=True):
    """The call is here; first input of every run."""


class MediaUp(msgspec.Struct, frozen=True):
    """The caller's leg is answered and its session can play, by our Answer or because a dial was answered."""


class PromptsPlayed(msgspec.Struct, frozen=True):
    """The last file of Play(command) has been sent."""

    command: str


class DigitPressed(msgspec.Struct, frozen=True):
    """One key press; `number` counts from 1 per caller's session, so a repeated delivery is seen as such."""

    number: int
    digit: str


class DialEnded(msgspec.Struct, frozen=True):
    """Dial(command) is over. `answered`: they talked and the called side left; the caller is still there."""

    command: str
    outcome: DialOutcome


class QueueLeft(msgspec.Struct, frozen=True):
    """EnterQueue(command) is over. `answered`: an agent talked and left; the caller is still there."""

    command: str
    outcome: QueueOutcome


class CallbackTaken(msgspec.Struct, frozen=True):
    """AskCallback(command) was answered. `taken`: he will be called; else his number cannot be."""

    command: str
    taken: bool


class RecordingDone(msgspec.Struct, frozen=True):
    """Record(command) ended by its limit, the caller's key or silence."""

    command: str
    duration_ms: int


class CommandFailed(msgspec.Struct, frozen=True):
    """Play, Record or Echo of `command` could not be done; `reason` is a short stable name."""

    command: str
    reason: str


class CustomerFound(msgspec.Struct, frozen=True):
    """The customer's record for `customer.x` in expressions: plain values only."""

    customer: dict[str, str | int | bool | None]


class CallerGone(msgspec.Struct, frozen=True):
    """The caller hung up, cancelled or was lost."""


class Tick(msgspec.Struct, frozen=True):
    """Time has passed; a no-op before `next_deadline`."""


class Resumed(msgspec.Struct, frozen=True):
    """The application restarted. `live`: the dial, queue entry, recording or prompt that is waited for goes on."""

    live: bool = False


Input = (
    Started
    | MediaUp
    | PromptsPlayed
    | DigitPressed
    | DialEnded
    | QueueLeft
    | CallbackTaken
    | RecordingDone
    | CommandFailed
    | CustomerFound
    | CallerGone
    | Tick
    | Resumed
)
