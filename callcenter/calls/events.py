"""What reaches the room of calls from its two ports. One value, one unit."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from callcenter.calls.ports import MediaDescription


class InviteArrived(msgspec.Struct, frozen=True):
    """A new call. `source_kind` says which config table vouches for it; `called` is the dialled number or user."""

    leg: str
    source_kind: Literal["trunk", "phone"]
    source: str
    called: str
    caller: str
    caller_name: str
    offer: MediaDescription | None


class ReinviteArrived(msgspec.Struct, frozen=True):
    """The peer offers new media in the dialog (hold, resume, moved address). Answer or reject it."""

    leg: str
    offer: MediaDescription | None


class MediaMoved(msgspec.Struct, frozen=True):
    """The peer's answer to a re-INVITE of ours (a session refresh): where its media is now, mostly as before."""

    leg: str
    answer: MediaDescription


class AckArrived(msgspec.Struct, frozen=True):
    """Our 200 was acknowledged; `answer` is the peer's SDP where the offer was ours."""

    leg: str
    answer: MediaDescription | None


class CancelArrived(msgspec.Struct, frozen=True):
    """The caller gave up before our final answer; the 487 has been seen to."""

    leg: str


class Progressed(msgspec.Struct, frozen=True):
    """A provisional response to our INVITE; 100 once, if it is the first sign of life."""

    leg: str
    status: int
    answer: MediaDescription | None


class InviteAccepted(msgspec.Struct, frozen=True):
    """200 to our INVITE; the ACK has been seen to. `answer` is None when the SDP was missing or unusable."""

    leg: str
    answer: MediaDescription | None


class InviteRefused(msgspec.Struct, frozen=True):
    """A final answer >= 300 to our INVITE, or none: `status` 408 with `reason` timeout, 503 with transport."""

    leg: str
    status: int
    reason: str


class ByeArrived(msgspec.Struct, frozen=True):
    """The peer hung up."""

    leg: str


class DialogLost(msgspec.Struct, frozen=True):
    """The dialog is dead without a BYE of the peer: no ACK to our 200, 481 or silence to a request of ours."""

    leg: str
    reason: str


SignallingInput = (
    InviteArrived
    | ReinviteArrived
    | AckArrived
    | MediaMoved
    | CancelArrived
    | Progressed
    | InviteAccepted
    | InviteRefused
    | ByeArrived
    | DialogLost
)


class SessionOpened(msgspec.Struct, frozen=True):
    """The session's own RTP address, to be put into our SDP."""

    session: str
    worker: str
    address: str
    port: int


class SessionFailed(msgspec.Struct, frozen=True):
    """No session: no port free, no worker, bad file ..."""

    session: str
    reason: str


class DigitPressed(msgspec.Struct, frozen=True):
    """One key press (RFC 4733). `number` counts from 1 per session, so a repeated delivery is seen as such."""

    session: str
    number: int
    digit: str


class Played(msgspec.Struct, frozen=True):
    """The last prompt of `command` has been sent."""

    session: str
    command: str


class Recorded(msgspec.Struct, frozen=True):
    """The message of `command` ended (max_s reached or stopped) after `duration_ms`."""

    session: str
    command: str
    duration_ms: int


class MediaSilent(msgspec.Struct, frozen=True):
    """No RTP from a peer that had sent some, for the watchdog's time (default 60 s)."""

    session: str


class CommandRefused(msgspec.Struct, frozen=True):
    """The prompts or the message of `command` could not be begun; the session goes on."""

    session: str
    command: str
    reason: str


class RecordingFailed(msgspec.Struct, frozen=True):
    """The file could not be written on; the call goes on and its CDR says truncated."""

    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class MediaStats:
    """RTP statistics of one session at its end (RFC 3550).

    Jitter in microseconds, because the journal holds no floats; loss is of what we should have received.
    """

    packets_received: int = 0
    packets_sent: int = 0
    packets_lost: int = 0
    jitter_us: int = 0
    remote_packets_lost: int | None = None
    remote_jitter_us: int | None = None
    largest_gap_ms: int = 0


class SessionClosed(msgspec.Struct, frozen=True):
    """The session is gone. `recording_ms` is the length of the recording that it closed, None without one."""

    session: str
    stats: MediaStats
    recording_ms: int | None = None


class SessionLost(msgspec.Struct, frozen=True):
    """The worker died with the session in it."""

    session: str
    worker: str


MediaInput = (
    SessionOpened
    | SessionFailed
    | DigitPressed
    | Played
    | Recorded
    | MediaSilent
    | RecordingFailed
    | CommandRefused
    | SessionClosed
    | SessionLost
)
