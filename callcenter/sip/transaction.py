"""The words that the four transaction machines share: timers, inputs, effects (RFC 3261 section 17, RFC 6026).

A machine is a frozen struct with `handle(input, *, now) -> (next, effects)` and `next_deadline`. `now` is any
monotonic clock in seconds. A message stays with the caller: a machine sees its status and hands it back in `Deliver`.
"""

import msgspec

T1 = 0.5
"""Round-trip estimate in seconds; the first retransmission interval."""
T2 = 4.0
"""Longest retransmission interval of a request that is no INVITE and of a 2xx."""
T4 = 5.0
"""How long a message may stay in the network."""
TIMEOUT = 64 * T1
"""Timers B, D, F, H, J, L and M: after this long an answer no longer comes."""


class Tick(msgspec.Struct, frozen=True):
    """`now` has moved; due timers fire. Early and late ticks are no-ops."""


class ResponseReceived(msgspec.Struct, frozen=True):
    """A response whose branch and CSeq method match. `ack` answers it where it is final, >= 300, to an INVITE."""

    status: int
    ack: bytes = b""


class RequestRepeated(msgspec.Struct, frozen=True):
    """The request of the server transaction arrived again."""


class AckReceived(msgspec.Struct, frozen=True):
    """An ACK whose branch matches the INVITE."""


class Respond(msgspec.Struct, frozen=True):
    """The user agent answers the request."""

    status: int
    data: bytes


class TransportError(msgspec.Struct, frozen=True):
    """The transport could not send."""


ClientInput = Tick | ResponseReceived | TransportError
ServerInput = Tick | RequestRepeated | AckReceived | Respond | TransportError


class Send(msgspec.Struct, frozen=True):
    """Give `data` to the transport."""

    data: bytes


class Deliver(msgspec.Struct, frozen=True):
    """Hand the message of this input to the user agent."""


class Timeout(msgspec.Struct, frozen=True):
    """No final response (client) or no ACK (server) came."""


class TransportFailed(msgspec.Struct, frozen=True):
    """Nothing more can be sent."""


class Terminated(msgspec.Struct, frozen=True):
    """Forget the machine; always the last effect."""


Effect = Send | Deliver | Timeout | TransportFailed | Terminated
TICK = Tick()
DELIVER = Deliver()
TERMINATED = Terminated()
