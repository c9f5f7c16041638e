"""The words that the four transaction machines share: timers, inputs, effects (RFC 3261 section 17, RFC 6026).

A machine is a frozen dataclass with `handle(input, *, now) -> (next, effects)` and `next_deadline`. `now` is any
monotonic clock in seconds. A message stays with the caller: a machine sees its status and hands it back in `Deliver`.
"""

from dataclasses import dataclass

T1 = 0.5
"""Round-trip estimate in seconds; the first retransmission interval."""
T2 = 4.0
"""Longest retransmission interval of a request that is no INVITE and of a 2xx."""
T4 = 5.0
"""How long a message may stay in the network."""
TIMEOUT = 64 * T1
"""Timers B, D, F, H, J, L and M: after this long an answer no longer comes."""


@dataclass(frozen=True, slots=True)
class Tick:
    """`now` has moved; due timers fire. Early and late ticks are no-ops."""


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """A response whose branch and CSeq method match. `ack` answers it where it is final, >= 300, to an INVITE."""

    status: int
    ack: bytes = b""


@dataclass(frozen=True, slots=True)
class RequestRepeated:
    """The request of the server transaction arrived again."""


@dataclass(frozen=True, slots=True)
class AckReceived:
    """An ACK whose branch matches the INVITE."""


@dataclass(frozen=True, slots=True)
class Respond:
    """The user agent answers the request."""

    status: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TransportError:
    """The transport could not send."""


ClientInput = Tick | ResponseReceived | TransportError
ServerInput = Tick | RequestRepeated | AckReceived | Respond | TransportError


@dataclass(frozen=True, slots=True)
class Send:
    """Give `data` to the transport."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand the message of this input to the user agent."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """No final response (client) or no ACK (server) came."""


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """Nothing more can be sent."""


@dataclass(frozen=True, slots=True)
class Terminated:
    """Forget the machine; always the last effect."""


Effect = Send | Deliver | Timeout | TransportFailed | Terminated
TICK = Tick()
DELIVER = Deliver()
TERMINATED = Terminated()
