"""What a leg's machine wants done: messages for the two ports, and notices for the director."""

from dataclasses import dataclass

from callcenter.calls.events import MediaStats
from callcenter.calls.model import Ending
from callcenter.calls.ports import MediaDescription, Target


@dataclass(frozen=True, slots=True)
class SendRing:
    """180."""


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """200 with this SDP."""

    local: MediaDescription


@dataclass(frozen=True, slots=True)
class SendReject:
    """A final answer >= 300."""

    status: int


@dataclass(frozen=True, slots=True)
class SendInvite:
    """INVITE with our offer."""

    target: Target
    local: MediaDescription


@dataclass(frozen=True, slots=True)
class SendCancel:
    """CANCEL, or its equivalent whatever has been heard so far."""


@dataclass(frozen=True, slots=True)
class SendBye:
    """BYE."""

    reason: str


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """Take a session."""

    remote: MediaDescription | None
    near: str | None


@dataclass(frozen=True, slots=True)
class ConnectMedia:
    """Tell the session its peer."""

    remote: MediaDescription


@dataclass(frozen=True, slots=True)
class CloseMedia:
    """Give the session back."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The called side gave its first sign of life (100), it does not ring yet."""


@dataclass(frozen=True, slots=True)
class Rang:
    """The called phone rings (first time only)."""

    status: int


@dataclass(frozen=True, slots=True)
class MediaOpened:
    """The session exists."""

    worker: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The leg is answered and its media has somewhere to go."""


@dataclass(frozen=True, slots=True)
class Held:
    """The peer's phone has put us on hold, or taken us back."""

    held: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The dialog is over."""

    ending: Ending
    answered: bool


@dataclass(frozen=True, slots=True)
class MediaClosed:
    """The session is gone; `stats` is None when its worker died with it."""

    stats: MediaStats | None
    recording_ms: int | None


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key press, seen for the first time."""

    number: int
    digit: str


LegEffect = (
    SendRing
    | SendAnswer
    | SendReject
    | SendInvite
    | SendCancel
    | SendBye
    | OpenMedia
    | ConnectMedia
    | CloseMedia
    | Tried
    | Rang
    | MediaOpened
    | Answered
    | Held
    | Ended
    | MediaClosed
    | Pressed
)
