"""What the room of calls needs from the outside: a signalling gateway and a media engine.

Both are driven in units: a method records what must be stored (`unit.save`) at once and sends only after the commit
(`unit.after_commit`). What comes back is one of the inputs of `callcenter.calls.events`, delivered in a unit of its
own. Each port ships an in-memory fake in tests/support that passes the same contract test as the adapter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from callcenter.kernel.unit import Unit


class Codec(StrEnum):
    """Voice codecs of RFC 3551 that a worker speaks."""

    PCMU = "PCMU"
    PCMA = "PCMA"


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One audio stream as an SDP describes it (RFC 4566, 3264), already checked.

    `codecs` in order of preference as (payload type, codec); `telephone_event` is the RFC 4733 payload type or None.
    `direction` is the sender's own view (a=sendrecv|sendonly|recvonly|inactive). `ptime_ms` 10..60.
    """

    address: str
    port: int
    codecs: tuple[tuple[int, Codec], ...]
    telephone_event: int | None = None
    direction: str = "sendrecv"
    ptime_ms: int = 20


@dataclass(frozen=True, slots=True)
class Target:
    """Where an outbound leg rings: a request URI, how to reach it, and what the called party sees."""

    uri: str
    address: str
    port: int
    transport: str
    from_user: str
    from_name: str = ""
    from_host: str = ""
    trunk: str = ""
    """The trunk that it goes out by: its other addresses may speak in the dialog too."""


class Signalling(Protocol):
    """The SIP gateway as the room sees it. `leg` is the leg's id; Call-ID, tags and branches derive from it."""

    def ring(self, unit: Unit, leg: str) -> None:
        """180 on an inbound leg."""
        ...

    def answer(self, unit: Unit, leg: str, local: MediaDescription) -> None:
        """200 on an inbound INVITE or re-INVITE: the SDP answer, or our offer where there was none."""
        ...

    def reject(self, unit: Unit, leg: str, status: int, *, retry_after_s: int | None = None) -> None:
        """A final answer >= 300 on an inbound INVITE or re-INVITE."""
        ...

    def invite(self, unit: Unit, leg: str, target: Target, local: MediaDescription) -> None:
        """Start an outbound leg. Never sent twice with another CSeq; a restart repeats the identical bytes."""
        ...

    def cancel(self, unit: Unit, leg: str) -> None:
        """End an unanswered outbound leg: CANCEL after a provisional; a 200 that crosses it is ACKed and BYEd."""
        ...

    def bye(self, unit: Unit, leg: str, cause: str = "") -> None:
        """End an answered leg; `cause` goes into the Reason header."""
        ...


class Media(Protocol):
    """The media workers as the room sees them. A session is one leg's RTP endpoint and has the leg's id."""

    def open(self, unit: Unit, session: str, *, remote: MediaDescription | None, near: str | None = None) -> None:
        """Take a session on the least loaded worker, or on the worker of the session `near` (to be bridged with).

        Answered by SessionOpened or SessionFailed. Does not wait for the commit: it promises nothing.
        """
        ...

    def connect(self, unit: Unit, session: str, remote: MediaDescription) -> None:
        """Tell the peer's address, codec and telephone-event type, first known or changed."""
        ...

    def play(self, unit: Unit, session: str, command: str, prompts: Sequence[str], *, loop: bool = False) -> None:
        """Play WAV files (absolute paths) one after the other; replaces what plays. Answered by Played(command)."""
        ...

    def stop(self, unit: Unit, session: str) -> None:
        """Stop playing, echo or recording a message on this session."""
        ...

    def echo(self, unit: Unit, session: str) -> None:
        """Send the peer's own packets back."""
        ...

    def record(self, unit: Unit, session: str, command: str, path: str, *, max_s: float) -> None:
        """Record the caller's message (mono in a stereo file's left channel). Answered by Recorded(command)."""
        ...

    def bridge(self, unit: Unit, customer: str, agent: str, *, recording: str | None) -> None:
        """Join two sessions (of one worker); record stereo, customer left and agent right, where a path is given."""
        ...

    def hold(self, unit: Unit, listener: str, command: str, prompts: Sequence[str]) -> None:
        """Let the two of a bridge not hear each other and loop `prompts` to one of them; `bridge` again ends it."""
        ...

    def unbridge(self, unit: Unit, session: str) -> None:
        """Part the bridge that `session` is in and close its recording."""
        ...

    def close(self, unit: Unit, session: str) -> None:
        """Give the session back. Answered by SessionClosed with its statistics."""
        ...
