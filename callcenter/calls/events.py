"""What reaches the room of calls from its two ports. One value, one unit."""

from dataclasses import dataclass
from typing import Literal

from callcenter.calls.ports import MediaDescription


@dataclass(frozen=True, slots=True)
class InviteArrived:
    """A new call. `source_kind` says which config table vouches for it; `called` is the dialled number or user."""

    leg: str
    source_kind: Literal["trunk", "phone"]
    source: str
    called: str
    caller: str
    caller_name: str
    offer: MediaDescription | None


@dataclass(frozen=True, slots=True)
class ReinviteArrived:
    """The peer offers new media in the dialog (hold, resume, moved address). Answer or reject it."""

    leg: str
    offer: MediaDescription | None


@dataclass(frozen=True, slots=True)
class MediaMoved:
    """The peer's answer to a re-INVITE of ours (a session refresh): where its media is now, mostly as before."""

    leg: str
    answer: MediaDescription


@dataclass(frozen=True, slots=True)
class AckArrived:
    """Our 200 was acknowledged; `answer` is the peer's SDP where the offer was ours."""

    leg: str
    answer: MediaDescription | None


@dataclass(frozen=True, slots=True)
class CancelArrived:
    """The caller gave up before our final answer; the 487 has been seen to."""

    leg: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """A provisional response to our INVITE; 100 once, if it is the first sign of life."""

    leg: str
    status: int
    answer: MediaDescription | None


@dataclass(frozen=True, slots=True)
class InviteAccepted:
    """200 to our INVITE; the ACK has been seen to. `answer` is None when the SDP was missing or unusable."""

    leg: str
    answer: MediaDescription | None


@dataclass(frozen=True, slots=True)
class InviteRefused:
    """A final answer >= 300 to our INVITE, or none: `status` 408 with `reason` timeout, 503 with transport."""

    leg: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class ByeArrived:
    """The peer hung up."""

    leg: str


@dataclass(frozen=True, slots=True)
class DialogLost:
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


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The session's own RTP address, to be put into our SDP."""

    session: str
    worker: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """No session: no port free, no worker, bad file ..."""

    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """One key press (RFC 4733). `number` counts from 1 per session, so a repeated delivery is seen as such."""

    session: str
    number: int
    digit: str


@dataclass(frozen=True, slots=True)
class Played:
    """The last prompt of `command` has been sent."""

    session: str
    command: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The message of `command` ended (max_s reached or stopped) after `duration_ms`."""

    session: str
    command: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class MediaSilent:
    """No RTP from a peer that had sent some, for the watchdog's time (default 60 s)."""

    session: str


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """The prompts or the message of `command` could not be begun; the session goes on."""

    session: str
    command: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordingFailed:
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


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The session is gone. `recording_ms` is the length of the recording that it closed, None without one."""

    session: str
    stats: MediaStats
    recording_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SessionLost:
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
