"""Client transactions: how often a request is repeated, and when its silence becomes an answer.

RFC 3261 sections 17.1.1 (INVITE) and 17.1.2, with the Accepted state of RFC 6026 section 7.2. Over a reliable
transport nothing is repeated and a completed transaction ends at once.

    INVITE   calling --1xx--> proceeding --2xx--> accepted --M--> terminated
             calling, proceeding --3xx..6xx--> completed --D--> terminated        calling --B--> terminated
    other    trying --1xx--> proceeding --final--> completed --K--> terminated    trying, proceeding --F--> terminated
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
    ClientInput,
    Effect,
    ResponseReceived,
    Send,
    Tick,
    Timeout,
    TransportError,
    TransportFailed,
)


class InviteClient(msgspec.Struct, frozen=True):
    """An INVITE on its way. `resend_at` is timer A; `ends_at` is timer B, D or M."""

    request: bytes
    reliable: bool
    state: Literal["calling", "proceeding", "completed", "accepted", "terminated"] = "calling"
    interval: float = T1
    resend_at: float | None = None
    ends_at: float | None = None
    ack: bytes = b""

    @property
    def next_deadline(self) -> float | None:
        return _earliest(self.resend_at, self.ends_at)

    def handle(self, event: ClientInput, *, now: float) -> "tuple[InviteClient, list[Effect]]":
        """Raises IllegalTransition on an input that is none of a client's."""
        if self.state == "terminated":
            return self, []
        match event:
            case ResponseReceived():
                return self._respond(event, now)
            case Tick():
                return self._tick(now)
            case TransportError():
                # RFC 6026 section 7.2: in accepted nothing is sent by the transaction, so nothing can fail there.
                if self.state == "accepted":
                    return self, []
                return _ended(self), [TransportFailed(), TERMINATED]
        raise IllegalTransition("InviteClient", self.state, event)

    def _respond(self, event: ResponseReceived, now: float) -> "tuple[InviteClient, list[Effect]]":
        waiting = self.state in ("calling", "proceeding")
        if event.status < 200:
            if not waiting:
                return self, []
            return replace(self, state="proceeding", resend_at=None, ends_at=None), [DELIVER]
        if event.status < 300:
            if self.state == "completed":
                return self, []
            if waiting:
                return replace(self, state="accepted", resend_at=None, ends_at=now + TIMEOUT), [DELIVER]
            return self, [DELIVER]
        if waiting:
            if self.reliable:
                return _ended(self), [Send(event.ack), DELIVER, TERMINATED]
            done = replace(self, state="completed", resend_at=None, ends_at=now + TIMEOUT, ack=event.ack)
            return done, [Send(event.ack), DELIVER]
        return self, [Send(self.ack)] if self.state == "completed" else []

    def _tick(self, now: float) -> "tuple[InviteClient, list[Effect]]":
        if self.ends_at is not None and now >= self.ends_at:
            return _ended(self), [Timeout(), TERMINATED] if self.state == "calling" else [TERMINATED]
        if self.resend_at is None or now < self.resend_at:
            return self, []
        wait = self.interval * 2
        return replace(self, interval=wait, resend_at=now + wait), [Send(self.request)]


class RequestClient(msgspec.Struct, frozen=True):
    """Any other request on its way. `resend_at` is timer E; `ends_at` is timer F or K."""

    request: bytes
    reliable: bool
    state: Literal["trying", "proceeding", "completed", "terminated"] = "trying"
    interval: float = T1
    resend_at: float | None = None
    ends_at: float | None = None

    @property
    def next_deadline(self) -> float | None:
        return _earliest(self.resend_at, self.ends_at)

    def handle(self, event: ClientInput, *, now: float) -> "tuple[RequestClient, list[Effect]]":
        """Raises IllegalTransition on an input that is none of a client's."""
        if self.state == "terminated":
            return self, []
        match event:
            case ResponseReceived(status=status):
                return self._respond(status, now)
            case Tick():
                return self._tick(now)
            case TransportError():
                if self.state == "completed":
                    return self, []
                return _request_ended(self), [TransportFailed(), TERMINATED]
        raise IllegalTransition("RequestClient", self.state, event)

    def _respond(self, status: int, now: float) -> "tuple[RequestClient, list[Effect]]":
        if self.state == "completed":
            return self, []
        if status < 200:
            return replace(self, state="proceeding"), [DELIVER]
        if self.reliable:
            return _request_ended(self), [DELIVER, TERMINATED]
        return replace(self, state="completed", resend_at=None, ends_at=now + T4), [DELIVER]

    def _tick(self, now: float) -> "tuple[RequestClient, list[Effect]]":
        if self.ends_at is not None and now >= self.ends_at:
            return _request_ended(self), [TERMINATED] if self.state == "completed" else [Timeout(), TERMINATED]
        if self.resend_at is None or now < self.resend_at:
            return self, []
        wait = T2 if self.state == "proceeding" else min(self.interval * 2, T2)
        return replace(self, interval=wait, resend_at=now + wait), [Send(self.request)]


def start_invite(request: bytes, *, reliable: bool, now: float) -> tuple[InviteClient, list[Effect]]:
    """Send an INVITE."""
    resend_at = None if reliable else now + T1
    return InviteClient(request, reliable, resend_at=resend_at, ends_at=now + TIMEOUT), [Send(request)]


def resume_invite(request: bytes, *, reliable: bool) -> InviteClient:
    """An INVITE that had its provisional response before a restart: wait, send nothing."""
    return InviteClient(request, reliable, state="proceeding")


def start_request(request: bytes, *, reliable: bool, now: float) -> tuple[RequestClient, list[Effect]]:
    """Send any other request (never an ACK, which has no transaction of its own)."""
    resend_at = None if reliable else now + T1
    return RequestClient(request, reliable, resend_at=resend_at, ends_at=now + TIMEOUT), [Send(request)]


def _ended(machine: InviteClient) -> InviteClient:
    return replace(machine, state="terminated", resend_at=None, ends_at=None)


def _request_ended(machine: RequestClient) -> RequestClient:
    return replace(machine, state="terminated", resend_at=None, ends_at=None)


def _earliest(first: float | None, second: float | None) -> float | None:
    if first is None:
        return second
    return first if second is None or first <= second else second
