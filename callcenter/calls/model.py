"""What the room of calls remembers: contacts and their legs.

A `Contact` is one interaction; its legs are the SIP dialogs that belong to it. The whole contact is one state row, so
a restarted process finds its legs as the last committed unit left them. Both are msgspec structs, because each step
of a call copies and stores them: a copy costs a fortieth of a dataclass's, and defaults are left out of the row.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from callcenter.calls.ports import MediaDescription, Target


class LegState(StrEnum):
    """Where a leg is. `answering` is our 200 without its ACK; an ended leg may still wait for its session."""

    NEW = "new"
    ALLOCATING = "allocating"
    INVITING = "inviting"
    RINGING = "ringing"
    ANSWERING = "answering"
    UP = "up"
    ENDED = "ended"


class SessionState(StrEnum):
    """The leg's session on a media worker."""

    NONE = "none"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Role(StrEnum):
    """Whose leg it is: the customer's, an agent's, another phone's that a flow dialled, or one by a trunk."""

    CUSTOMER = "customer"
    AGENT = "agent"
    PHONE = "phone"
    OUTSIDE = "outside"


class EndedBy(StrEnum):
    """Who ended a leg: its peer, this server, or nobody we heard of."""

    PEER = "peer"
    US = "us"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a leg ended. `status` is the final SIP status where there was one."""

    by: EndedBy
    reason: str
    status: int | None = None


class Leg(msgspec.Struct, frozen=True, omit_defaults=True):
    """One dialog of a contact. `offer` is the peer's, `remote` what its media port was last told.

    `recording` is the file that ends with its session.
    """

    id: str
    contact: str
    direction: Direction
    role: Role
    endpoint: str
    state: LegState = LegState.NEW
    session: SessionState = SessionState.NONE
    worker: str | None = None
    address: str = ""
    port: int = 0
    offer: MediaDescription | None = None
    remote: MediaDescription | None = None
    target: Target | None = None
    near: str | None = None
    reoffered: bool = False
    digits: int = 0
    recording: str | None = None
    ending: Ending | None = None

    @property
    def is_live(self) -> bool:
        """The dialog is not over."""
        return self.state is not LegState.ENDED

    @property
    def has_media(self) -> bool:
        """Answered, with a peer to send to."""
        return self.state in {LegState.ANSWERING, LegState.UP} and self.remote is not None

    @property
    def holds_session(self) -> bool:
        """A worker has, or is about to have, a session for it."""
        return self.session in {SessionState.OPENING, SessionState.OPEN, SessionState.CLOSING}


class Bridge(msgspec.Struct, frozen=True, omit_defaults=True):
    """Two legs joined. `recording` is the file's path in the recordings folder; `held`: neither hears the other.

    `holders` are those who want it so: legs whose phone says it, and "" for the desk. `listener` hears the music.
    """

    customer: str
    agent: str
    recording: str | None = None
    held: bool = False
    holders: tuple[str, ...] = ()
    listener: str = ""


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One interaction and its legs; `ending` is how the interaction ended, known before the last leg is gone."""

    id: str
    source_kind: str
    source: str
    received_at: datetime
    legs: tuple[Leg, ...]
    bridge: Bridge | None = None
    recordings: int = 0
    ended_by: str | None = None
    reason: str = ""
    status: int | None = None
    close_by: datetime | None = None

    def leg(self, leg_id: str) -> Leg:
        """The leg of that id; KeyError if the contact has none."""
        for leg in self.legs:
            if leg.id == leg_id:
                return leg
        raise KeyError(leg_id)

    def with_leg(self, leg: Leg) -> "Contact":
        """The contact with `leg` put in the place of its former self, or added."""
        if any(each.id == leg.id for each in self.legs):
            return replace(self, legs=tuple(leg if each.id == leg.id else each for each in self.legs))
        return replace(self, legs=(*self.legs, leg))

    @property
    def live_legs(self) -> tuple[Leg, ...]:
        return tuple(leg for leg in self.legs if leg.is_live)

    @property
    def is_over(self) -> bool:
        """No dialog and no session is left."""
        return not any(leg.is_live or leg.holds_session for leg in self.legs)
