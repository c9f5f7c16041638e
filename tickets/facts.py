"""What clocks are computed from: the facts of a ticket's history, in order, each with its aware UTC time."""

from dataclasses import dataclass
from datetime import datetime

from tickets.model import Author, MessageKind, Priority, Status, Terms


@dataclass(frozen=True, slots=True)
class Opened:
    """The ticket's beginning. Without `terms` nothing is promised."""

    at: datetime
    status: Status
    priority: Priority
    terms: Terms | None


@dataclass(frozen=True, slots=True)
class StatusChanged:
    at: datetime
    status: Status


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    at: datetime
    priority: Priority


@dataclass(frozen=True, slots=True)
class TermsChanged:
    """Another policy, another version of it, or none any more."""

    at: datetime
    terms: Terms | None


@dataclass(frozen=True, slots=True)
class MessageWritten:
    """`connected` is for calls: somebody was reached."""

    at: datetime
    kind: MessageKind
    author: Author
    connected: bool = False

    @property
    def is_human_answer(self) -> bool:
        """A public reply by a person, or a call that reached somebody. Auto-replies and notes are none."""
        return self.author == "agent" and (self.kind == "public_reply" or (self.kind == "call" and self.connected))


Fact = Opened | StatusChanged | PriorityChanged | TermsChanged | MessageWritten
