"""What the director asks of a leg."""

from dataclasses import dataclass

from callcenter.calls.ports import Target


@dataclass(frozen=True, slots=True)
class Ring:
    """180 to the caller of an inbound leg."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer an inbound leg as soon as it has a session; `near` is a leg whose worker it must share."""

    near: str | None = None


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring `target` on an outbound leg."""

    target: Target
    near: str | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the leg, in whatever way its state asks for: refuse with `status`, CANCEL or BYE."""

    reason: str
    status: int = 480


LegCommand = Ring | Accept | Dial | HangUp
