"""Server transactions: what a repeated request gets, and how long its final answer is repeated.

RFC 3261 sections 17.2.1 (INVITE) and 17.2.2, with the Accepted state of RFC 6026 section 7.1. The user agent repeats
its 2xx itself (`Answer` below, RFC 3261 section 13.3.1.4), over every transport, until the ACK.

    INVITE   proceeding --2xx--> accepted --L--> terminated
             proceeding --3xx..6xx--> completed --ACK--> confirmed --I--> terminated    completed --H--> terminated
    other    trying --1xx--> proceeding --final--> completed --J--> terminated
"""

from typing import Literal

import msgspec
from msgspec.structs import replace

from callcenter.kernel.errors import IllegalTransition
from callcenter.sip.transaction import (
    DELIVER,
    T1,
    T2,
    T4,
    TERMINATED,
    TIMEOUT,
    AckReceived,
    Effect,
    RequestRepeated,
    Respond,
    Send,
    ServerInput,
    Tick,
    Timeout,
    TransportError,
    TransportFailed,
)


class InviteServer(msgspec.Struct, frozen=True):
    """An INVITE being answered. `resend_at` is timer G; `ends_at` is timer H, I or L."""

    reliable: bool
    state: Literal["proceeding", "completed", "confirmed", "accepted", "terminated"] = "proceeding"
    response: bytes = b""
    interval: float = T1
    resend_at: float | None = None
    ends_at: float | None = None

    @property
    def next_deadline(self) -> float | None:
        if self.resend_at is None:
            return self.ends_at
        return self.resend_at if self.ends_at is None or self.resend_at <= self.ends_at else self.ends_at

    def handle(self, event: ServerInput, *, now: float) -> "tuple[InviteServer, list[Effect]]":
        """Raises IllegalTransition when a second final answer of another class is tried."""
        match event:
            case Respond():
                return self._respond(event, now)
            case RequestRepeated():
                resend = self.state in ("proceeding", "completed") and self.response
                return self, [Send(self.response)] if resend else []
            case AckReceived():
                return self._ack(now)
            case Tick():
                return self._tick(now)
            case TransportError():
                if self.state in ("accepted", "confirmed", "terminated"):
                    return self, []
                return _ended(self), [TransportFailed(), TERMINATED]
        raise IllegalTransition("InviteServer", self.state, event)

    def _respond(self, event: Respond, now: float) -> "tuple[InviteServer, list[Effect]]":
        send = Send(event.data)
        if self.state == "proceeding":
            if event.status < 200:
                return replace(self, response=event.data), [send]
            if event.status < 300:
                return replace(self, state="accepted", response=event.data, ends_at=now + TIMEOUT), [send]
            resend_at = None if self.reliable else now + T1
            done = replace(self, state="completed", response=event.data, resend_at=resend_at, ends_at=now + TIMEOUT)
            return done, [send]
        if self.state == "accepted" and 200 <= event.status < 300:
            return self, [send]
        raise IllegalTransition("InviteServer", self.state, event)

    def _ack(self, now: float) -> "tuple[InviteServer, list[Effect]]":
        if self.state == "accepted":
            return self, [DELIVER]
        if self.state != "completed":
            return self, []
        if self.reliable:
            return _ended(self), [TERMINATED]
        return replace(self, state="confirmed", resend_at=None, ends_at=now + T4), []

    def _tick(self, now: float) -> "tuple[InviteServer, list[Effect]]":
        if self.ends_at is not None and now >= self.ends_at:
            return _ended(self), [Timeout(), TERMINATED] if self.state == "completed" else [TERMINATED]
        if self.resend_at is None or now < self.resend_at:
            return self, []
        wait = min(self.interval * 2, T2)
        return replace(self, interval=wait, resend_at=now + wait), [Send(self.response)]


class RequestServer(msgspec.Struct, frozen=True):
    """Any other request being answered. `ends_at` is timer J."""

    reliable: bool
    state: Literal["trying", "proceeding", "completed", "terminated"] = "trying"
    response: bytes = b""
    ends_at: float | None = None

    @property
    def next_deadline(self) -> float | None:
        return self.ends_at

    def handle(self, event: ServerInput, *, now: float) -> "tuple[RequestServer, list[Effect]]":
        """Raises IllegalTransition when a second final answer is tried, or an ACK comes."""
        match event:
            case Respond():
                return self._respond(event, now)
            case RequestRepeated():
                resend = self.state in ("proceeding", "completed")
                return self, [Send(self.response)] if resend else []
            case Tick():
                if self.ends_at is None or now < self.ends_at:
                    return self, []
                return replace(self, state="terminated", ends_at=None), [TERMINATED]
            case TransportError():
                if self.state == "terminated":
                    return self, []
                return replace(self, state="terminated", ends_at=None), [TransportFailed(), TERMINATED]
        raise IllegalTransition("RequestServer", self.state, event)

    def _respond(self, event: Respond, now: float) -> "tuple[RequestServer, list[Effect]]":
        if self.state not in ("trying", "proceeding"):
            raise IllegalTransition("RequestServer", self.state, event)
        send = Send(event.data)
        if event.status < 200:
            return replace(self, state="proceeding", response=event.data), [send]
        if self.reliable:
            return replace(self, state="terminated", response=event.data), [send, TERMINATED]
        return replace(self, state="completed", response=event.data, ends_at=now + TIMEOUT), [send]


class Answer(msgspec.Struct, frozen=True):
    """Our 2xx until its ACK: repeated at T1, doubling to T2; given up after 64*T1 (RFC 3261 section 13.3.1.4)."""

    data: bytes
    resend_at: float
    ends_at: float
    interval: float = T1
    open: bool = True

    @property
    def next_deadline(self) -> float | None:
        return min(self.resend_at, self.ends_at) if self.open else None

    def handle(self, event: Tick | AckReceived, *, now: float) -> "tuple[Answer, list[Effect]]":
        """Timeout means that the dialog is to be ended with a BYE."""
        if not self.open:
            return self, []
        if isinstance(event, AckReceived):
            return replace(self, open=False), [TERMINATED]
        if now >= self.ends_at:
            return replace(self, open=False), [Timeout(), TERMINATED]
        if now < self.resend_at:
            return self, []
        wait = min(self.interval * 2, T2)
        return replace(self, interval=wait, resend_at=now + wait), [Send(self.data)]


def start_answer(data: bytes, *, now: float) -> Answer:
    """The 2xx has just gone out."""
    return Answer(data, resend_at=now + T1, ends_at=now + TIMEOUT)


def _ended(machine: InviteServer) -> InviteServer:
    return replace(machine, state="terminated", resend_at=None, ends_at=None)
