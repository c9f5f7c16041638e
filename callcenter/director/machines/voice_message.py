"""VoiceMessage: what a caller leaves for us, from the tone to the ticket.

    recording --ended--> left --filed--> (gone)
        \\--too short--> (gone)

Theory. Most callers end their message by hanging up, so it is the recording's end that counts and not what the flow
does next; where nobody tells that end (a worker died), the contact's end stands for it. A message that was left is a
row until somebody has made a ticket of it, however long the site database is away: none is lost and none filed twice.
"""

from dataclasses import dataclass, replace
from typing import Literal

TOO_SHORT_MS = 1000


@dataclass(frozen=True, slots=True)
class Ended:
    """The recording ended after `duration_ms`; None: nobody knows."""

    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class Filed:
    """There is a ticket."""


@dataclass(frozen=True, slots=True)
class VoiceMessage:
    """One message; a state row named by its recording. `customer`: an id, where he is known."""

    recording: str
    contact: str
    category: str
    priority: str
    queue: str
    state: Literal["recording", "left", "over"] = "recording"
    duration_ms: int | None = None
    customer: str | None = None

    def handle(self, event: Ended | Filed) -> "VoiceMessage":
        """The message after `event`; repeats change nothing."""
        match event:
            case Ended() if self.state == "recording":
                short = event.duration_ms is not None and event.duration_ms < TOO_SHORT_MS
                return replace(self, state="over" if short else "left", duration_ms=event.duration_ms)
            case Filed() if self.state == "left":
                return replace(self, state="over")
        return self
