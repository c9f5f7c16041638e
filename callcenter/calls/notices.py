"""What the room of calls tells the director, one value per thing that the director may have to act on."""

from typing import Literal

import msgspec

from callcenter.calls.model import Ending


class ContactReceived(msgspec.Struct, frozen=True):
    """A new inbound call, nothing done about it yet."""

    contact: str
    leg: str
    source_kind: Literal["trunk", "phone"]
    source: str
    called: str
    caller: str
    caller_name: str


class LegTried(msgspec.Struct, frozen=True):
    """Somebody works on an outbound leg, which does not ring yet."""

    contact: str
    leg: str


class LegRang(msgspec.Struct, frozen=True):
    """An outbound leg rings."""

    contact: str
    leg: str


class LegAnswered(msgspec.Struct, frozen=True):
    """A leg is answered and has media."""

    contact: str
    leg: str


class LegHeld(msgspec.Struct, frozen=True):
    """The phone of a leg has put the other side on hold (`held`), or taken it back."""

    contact: str
    leg: str
    held: bool


class LegEnded(msgspec.Struct, frozen=True):
    """A leg is over; `answered` says whether it ever was."""

    contact: str
    leg: str
    ending: Ending
    answered: bool


class LegPressed(msgspec.Struct, frozen=True):
    """A key was pressed on a leg."""

    contact: str
    leg: str
    number: int
    digit: str


class LegPlayed(msgspec.Struct, frozen=True):
    """The prompts of `command` have been heard."""

    contact: str
    leg: str
    command: str


class LegRecorded(msgspec.Struct, frozen=True):
    """The message of `command` is on disk."""

    contact: str
    leg: str
    command: str
    duration_ms: int


class LegRefused(msgspec.Struct, frozen=True):
    """The prompts or the message of `command` could not be begun."""

    contact: str
    leg: str
    command: str
    reason: str


class ContactClosed(msgspec.Struct, frozen=True):
    """Every dialog and every session of the contact is gone; it will not be heard of again."""

    contact: str


Notice = (
    ContactReceived
    | LegTried
    | LegRang
    | LegAnswered
    | LegHeld
    | LegEnded
    | LegPressed
    | LegPlayed
    | LegRecorded
    | LegRefused
    | ContactClosed
)
