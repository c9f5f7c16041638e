"""The frames of the console websocket, both ways (docs/console.md). JSON text, one frame a message, tagged by `type`.

Unknown fields and types from a client are refused: a console of another version reloads rather than half works.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.kernel.events import Envelope

CLOSE_UNAUTHENTICATED = 4401
CLOSE_SLOW = 4408
CLOSE_BAD_FRAME = 4400
CLOSE_SESSION_ENDED = 4403

Positions = Mapping[str, int]


class Auth(msgspec.Struct, frozen=True, tag="auth", forbid_unknown_fields=True):
    """First frame of a client, within 5 s."""

    ticket: str


class Hello(msgspec.Struct, frozen=True, tag="hello", forbid_unknown_fields=True):
    """Second frame of a client: the last event it has seen of each stream; empty asks for a snapshot."""

    positions: dict[str, int] = {}


ClientFrame = Auth | Hello


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The ticket was good. `heartbeat_s` tells how long a silence may last."""

    user: str
    name: str
    agent: str | None
    permissions: tuple[str, ...]
    heartbeat_s: float


class AgentRow(msgspec.Struct, frozen=True):
    """An agent as its last events left it. `next`: what it chose to be after its contact, save available.

    `held`: the caller of its contact hears music.
    """

    id: str
    state: str = "logged_out"
    reason: str | None = None
    contact: str | None = None
    since: str | None = None
    until: str | None = None
    next: str | None = None
    phone: bool = False
    console: bool = False
    held: bool = False


class ContactRow(msgspec.Struct, frozen=True):
    """A contact that has not ended. `stage`: arrived | flow | waiting | talking."""

    id: str
    stage: str
    since: datetime
    queue: str | None = None
    agent: str | None = None


class EntryRow(msgspec.Struct, frozen=True):
    """A contact that waits in a queue since `since`; a `callback` is to be called, nobody holds the line."""

    id: str
    contact: str
    queue: str
    since: datetime
    callback: bool = False


class OfferRow(msgspec.Struct, frozen=True):
    """A pending offer; `ring_until` as the event has it. `delivery`: phone rings at once, console asks first."""

    id: str
    contact: str
    entry: str
    queue: str
    agent: str
    ring_until: str | None
    delivery: str = "phone"


class Customer(msgspec.Struct, frozen=True):
    """What a card shows of a customer."""

    id: str
    name: str
    company: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()


class Candidate(msgspec.Struct, frozen=True):
    """A customer who it may be. `confidence` is 0..100; `reason` says how the number was read."""

    id: str
    name: str
    company: str
    confidence: int
    reason: str


class Pop(msgspec.Struct, frozen=True, tag="pop", omit_defaults=True):
    """Who calls, sent before the agent's phone rings. `customer` is None when the number fits none or several.

    `candidates` are left out where there are none, else the likeliest first.
    """

    offer: str
    contact: str
    queue: str
    agent: str
    caller: str
    customer: Customer | None
    matches: int
    ring_until: datetime
    candidates: tuple[Candidate, ...] = ()


class PopUpdated(msgspec.Struct, frozen=True, tag="pop_updated", omit_defaults=True):
    """The customer of a pop was found, or chosen by an agent, after it had been sent."""

    offer: str
    customer: Customer | None
    matches: int
    candidates: tuple[Candidate, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """Everything this console may see, as of `positions`; replaces what the client had."""

    positions: Positions
    agents: tuple[AgentRow, ...]
    contacts: tuple[ContactRow, ...]
    entries: tuple[EntryRow, ...]
    offers: tuple[OfferRow, ...]
    pops: tuple[Pop, ...]


class Event(msgspec.Struct, frozen=True, tag="event"):
    """One live event. Numbers may have gaps: events that the console may not see are left out."""

    event: Envelope


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Sent every `heartbeat_s`; `positions` says how far a console is that was sent nothing."""

    at: datetime
    positions: Positions


ServerFrame = Welcome | Snapshot | Event | Heartbeat | Pop | PopUpdated

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ClientFrame)


def encode_frame(frame: ServerFrame) -> str:
    """The text of a frame."""
    return _encoder.encode(frame).decode()


def decode_frame(text: str) -> Auth | Hello:
    """A client's frame; raises RemoteProtocolError("console_bad_frame")."""
    try:
        frame: Auth | Hello = _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise RemoteProtocolError("console_bad_frame") from error
    return frame
