"""What the room of calls tells the director, one value per thing that the director may have to act on."""

from dataclasses import dataclass
from typing import Literal

from callcenter.calls.model import Ending


@dataclass(frozen=True, slots=True)
class ContactReceived:
    """A new inbound call, nothing done about it yet."""

    contact: str
    leg: str
    source_kind: Literal["trunk", "phone"]
    source: str
    called: str
    caller: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class LegTried:
    """Somebody works on an outbound leg, which does not ring yet."""

    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class LegRang:
    """An outbound leg rings."""

    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """A leg is answered and has media."""

    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class LegHeld:
    """The phone of a leg has put the other side on hold (`held`), or taken it back."""

    contact: str
    leg: str
    held: bool


@dataclass(frozen=True, slots=True)
class LegEnded:
    """A leg is over; `answered` says whether it ever was."""

    contact: str
    leg: str
    ending: Ending
    answered: bool


@dataclass(frozen=True, slots=True)
class LegPressed:
    """A key was pressed on a leg."""

    contact: str
    leg: str
    number: int
    digit: str


@dataclass(frozen=True, slots=True)
class LegPlayed:
    """The prompts of `command` have been heard."""

    contact: str
    leg: str
    command: str


@dataclass(frozen=True, slots=True)
class LegRecorded:
    """The message of `command` is on disk."""

    contact: str
    leg: str
    command: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class LegRefused:
    """The prompts or the message of `command` could not be begun."""

    contact: str
    leg: str
    command: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContactClosed:
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
