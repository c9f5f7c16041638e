"""What the director asks of a leg."""

import msgspec

from callcenter.calls.ports import Target


class Ring(msgspec.Struct, frozen=True):
    """180 to the caller of an inbound leg."""


class Accept(msgspec.Struct, frozen=True):
    """Answer an inbound leg as soon as it has a session; `near` is a leg whose worker it must share."""

    near: str | None = None


class Dial(msgspec.Struct, frozen=True):
    """Ring `target` on an outbound leg."""

    target: Target
    near: str | None = None


class HangUp(msgspec.Struct, frozen=True):
    """End the leg, in whatever way its state asks for: refuse with `status`, CANCEL or BYE."""

    reason: str
    status: int = 480


LegCommand = Ring | Accept | Dial | HangUp
