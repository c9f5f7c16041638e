"""Bridge: bringing two legs together.

    waiting: caller up? announcement heard? other leg up?  --all three-->  joined

Theory. Three things come in any order: the caller's leg is answered, the announcement that the call is recorded has
been heard to its end, the other leg is answered. Only when all are there are the legs joined, and the recording
starts with the join, so nothing is recorded that was not announced (telephony.md section 2). Until then he hears the
announcement and then the waiting sound (ringback or music), looped. A caller who is not answered yet is answered when
the other leg is.
"""

import msgspec
from msgspec.structs import replace

ANNOUNCEMENT = "announcement"
WAITING = "waiting"
MESSAGE = "message"


class CallerUp(msgspec.Struct, frozen=True):
    """The caller's leg is answered."""


class Announced(msgspec.Struct, frozen=True):
    """The announcement has been played to its end."""


class Unannounced(msgspec.Struct, frozen=True):
    """The announcement could not be played: they are joined without it and nothing is recorded."""


class OtherUp(msgspec.Struct, frozen=True):
    """The other leg is answered."""

    leg: str


class OtherGone(msgspec.Struct, frozen=True):
    """The other leg left before the join; the bridge waits for another."""


class AcceptCaller(msgspec.Struct, frozen=True):
    """Answer the caller, on the worker of leg `near`."""

    near: str


class Sound(msgspec.Struct, frozen=True):
    """Play `files` to the caller; a loop is the waiting sound, otherwise it is the announcement."""

    command: str
    files: tuple[str, ...]
    loop: bool


class Join(msgspec.Struct, frozen=True):
    """Put the caller and `other` together."""

    other: str
    record: bool


BridgeInput = CallerUp | Announced | Unannounced | OtherUp | OtherGone
BridgeEffect = AcceptCaller | Sound | Join


class Bridge(msgspec.Struct, frozen=True):
    """`announcing` is true from the first sound of the announcement to its end."""

    record: bool = False
    announcement: tuple[str, ...] = ()
    waiting_sound: tuple[str, ...] = ()
    caller_up: bool = False
    announcing: bool = False
    announced: bool = False
    other: str | None = None
    joined: bool = False

    def handle(self, event: BridgeInput) -> tuple["Bridge", list[BridgeEffect]]:
        """The bridge after `event`; repeats change nothing."""
        match event:
            case CallerUp():
                return self._caller_up()
            case Announced():
                return replace(self, announcing=False, announced=True)._go_on(sounding=False)
            case Unannounced():
                return replace(self, record=False, announcing=False, announced=True)._go_on(sounding=False)
            case OtherUp():
                return self._other_up(event.leg)
            case OtherGone():
                return replace(self, other=None, joined=False), []

    def sounds(self) -> list[Sound]:
        """What the waiting caller should be hearing, for a restart that must say it again."""
        if not self.caller_up or self.joined:
            return []
        if self.announcement and not self.announced:
            return [Sound(ANNOUNCEMENT, self.announcement, loop=False)]
        return [Sound(WAITING, self.waiting_sound, loop=True)] if self.waiting_sound else []

    @property
    def takes_messages(self) -> bool:
        """Whether the caller hears the waiting sound and nothing else, so that something may be said to him."""
        return self.caller_up and self.announced and self.other is None

    def _caller_up(self) -> tuple["Bridge", list[BridgeEffect]]:
        if self.caller_up:
            return self, []
        up = replace(self, caller_up=True)
        if self.announcement and not self.announced:
            return replace(up, announcing=True), [Sound(ANNOUNCEMENT, self.announcement, loop=False)]
        return replace(up, announced=True)._go_on(sounding=False)

    def _other_up(self, leg: str) -> tuple["Bridge", list[BridgeEffect]]:
        there = replace(self, other=leg)
        if not self.caller_up:
            return there, [AcceptCaller(leg)]
        return there._go_on(sounding=True)

    def _go_on(self, *, sounding: bool) -> tuple["Bridge", list[BridgeEffect]]:
        if self.joined:
            return self, []
        if self.caller_up and self.announced and self.other is not None:
            return replace(self, joined=True), [Join(self.other, self.record)]
        if self.caller_up and self.announced and self.waiting_sound and not sounding:
            return self, [Sound(WAITING, self.waiting_sound, loop=True)]
        return self, []
