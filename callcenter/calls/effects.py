"""What a leg's machine wants done: messages for the two ports, and notices for the director."""

import msgspec

from callcenter.calls.events import MediaStats
from callcenter.calls.model import Ending
from callcenter.calls.ports import MediaDescription, Target


class SendRing(msgspec.Struct, frozen=True):
    """180."""


class SendAnswer(msgspec.Struct, frozen=True):
    """200 with this SDP."""

    local: MediaDescription


class SendReject(msgspec.Struct, frozen=True):
    """A final answer >= 300."""

    status: int


class SendInvite(msgspec.Struct, frozen=True):
    """INVITE with our offer."""

    target: Target
    local: MediaDescription


class SendCancel(msgspec.Struct, frozen=True):
    """CANCEL, or its equivalent whatever has been heard so far."""


class SendBye(msgspec.Struct, frozen=True):
    """BYE."""

    reason: str


class OpenMedia(msgspec.Struct, frozen=True):
    """Take a session."""

    remote: MediaDescription | None
    near: str | None


class ConnectMedia(msgspec.Struct, frozen=True):
    """Tell the session its peer."""

    remote: MediaDescription


class CloseMedia(msgspec.Struct, frozen=True):
    """Give the session back."""


class Tried(msgspec.Struct, frozen=True):
    """The called side gave its first sign of life (100), it does not ring yet."""


class Rang(msgspec.Struct, frozen=True):
    """The called phone rings (first time only)."""

    status: int


class MediaOpened(msgspec.Struct, frozen=True):
    """The session exists."""

    worker: str


class Answered(msgspec.Struct, frozen=True):
    """The leg is answered and its media has somewhere to go."""


class Held(msgspec.Struct, frozen=True):
    """The peer's phone has put us on hold, or taken us back."""

    held: bool


class Ended(msgspec.Struct, frozen=True):
    """The dialog is over."""

    ending: Ending
    answered: bool


class MediaClosed(msgspec.Struct, frozen=True):
    """The session is gone; `stats` is None when its worker died with it."""

    stats: MediaStats | None
    recording_ms: int | None


class Pressed(msgspec.Struct, frozen=True):
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
