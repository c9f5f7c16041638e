"""The leg: one dialog from its INVITE to its end, with the session that carries its sound.

    inbound    new -> (ringing) -> allocating -> answering -> up -> ended
    outbound   new -> allocating -> inviting -> ringing -> up -> ended

Theory. A leg has two clocks that it does not own, the dialog at the gateway and the session at a worker, and either
may end first. The dialog decides: when it is over the leg is `ended` at once and the session is closed behind it;
when the session is lost the dialog is ended by us. Inputs that arrive after the end (a crossing BYE, a late digit,
the answer to a cancelled INVITE) are expected and change nothing; the gateway itself ACKs and BYEs a 200 that crossed
our CANCEL. An input that no peer and no race can produce raises IllegalTransition.

Answering needs a session's port, so `Accept` opens the session and the 200 leaves when it is there. With a late offer
(RFC 3261 section 13.2.1) the peer's media is known only with the ACK, and the leg is answered then.
"""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.commands import Accept, Dial, HangUp, LegCommand, Ring
from callcenter.calls.model import Direction, EndedBy, Ending, Leg, LegState, SessionState
from callcenter.calls.negotiation import accept, default_offer, negotiate
from callcenter.calls.ports import MediaDescription
from callcenter.kernel.errors import IllegalTransition

LegInput = LegCommand | ev.SignallingInput | ev.MediaInput
Step = tuple[Leg, list[fx.LegEffect]]

_ON_HOLD = {"sendonly", "inactive"}
_REFUSALS = {486: "busy", 600: "busy", 603: "declined", 408: "no_answer", 487: "cancelled", 488: "no_common_codec"}


@dataclass(frozen=True, slots=True)
class LegMachine:
    """`handle` is the only way a leg changes."""

    leg: Leg

    def handle(self, event: LegInput, *, now: datetime) -> Step:  # noqa: ARG002  # every machine has this shape
        """The leg after `event` and what must be done about it. `now` is unused: a leg has no timers of its own."""
        leg = self.leg
        match event:
            case ev.SessionClosed():
                return _session_gone(leg, event.stats, event.recording_ms)
            case ev.SessionLost():
                return _session_lost(leg)
            case ev.SessionOpened():
                return _session_opened(leg, event)
            case ev.SessionFailed() if leg.session is SessionState.OPEN:
                # It could not be bridged, but it is there and must be given back.
                return _hang_up(leg, HangUp(event.reason, 503), EndedBy.US) if leg.is_live else (leg, [])
            case ev.SessionFailed():
                gone = replace(leg, session=SessionState.CLOSED)
                return _hang_up(gone, HangUp(event.reason, 503), EndedBy.US) if leg.is_live else (gone, [])
        if not leg.is_live:
            return leg, []
        return _live(leg, event)


def _live(leg: Leg, event: LegInput) -> Step:
    match event:
        case HangUp():
            return _hang_up(leg, event, EndedBy.US)
        case ev.ByeArrived():
            return _end(leg, Ending(EndedBy.PEER, "hangup"))
        case ev.CancelArrived() if leg.direction is Direction.INBOUND and not _is_answered(leg):
            return _end(leg, Ending(EndedBy.PEER, "cancelled", 487))
        case ev.CancelArrived():
            return leg, []
        case ev.DialogLost():
            return _end(leg, Ending(EndedBy.LOST, "dialog_lost"))
        case ev.MediaSilent():
            return _hang_up(leg, HangUp("media_silent"), EndedBy.LOST)
        case ev.DigitPressed():
            if event.number <= leg.digits:
                return leg, []
            return replace(leg, digits=event.number), [fx.Pressed(event.number, event.digit)]
        case ev.ReinviteArrived():
            return _reinvited(leg, event.offer)
        case ev.AckArrived():
            return _acknowledged(leg, event.answer)
        case ev.MediaMoved():
            return _moved(leg, event.answer)
        case ev.Played() | ev.Recorded() | ev.RecordingFailed() | ev.CommandRefused():
            return leg, []
    return _inbound(leg, event) if leg.direction is Direction.INBOUND else _outbound(leg, event)


def _is_answered(leg: Leg) -> bool:
    return leg.state in {LegState.ANSWERING, LegState.UP}


def _illegal(leg: Leg, event: object) -> IllegalTransition:
    return IllegalTransition(f"{leg.direction} leg", leg.state, event)


# -- inbound ------------------------------------------------------------------------------------------------------


def _inbound(leg: Leg, event: LegInput) -> Step:
    match event, leg.state:
        case Ring(), LegState.NEW:
            return replace(leg, state=LegState.RINGING), [fx.SendRing()]
        case Ring(), _:
            return leg, []
        case Accept(), LegState.NEW | LegState.RINGING:
            if leg.offer is not None and negotiate(leg.offer, address="0.0.0.0", port=1) is None:  # noqa: S104  # only asks whether a codec is shared; the port is not known yet
                return _hang_up(leg, HangUp("no_common_codec", 488), EndedBy.US)
            near = event.near
            opening = replace(leg, state=LegState.ALLOCATING, session=SessionState.OPENING, near=near)
            return opening, [fx.OpenMedia(leg.offer, near)]
        case Accept(), _:
            return leg, []
    raise _illegal(leg, event)


def _answer(leg: Leg) -> Step:
    """The session is there: 200. With an offer the media is known at once, without one it comes with the ACK."""
    if leg.offer is None:
        local = default_offer(leg.address, leg.port)
        return replace(leg, state=LegState.ANSWERING), [fx.SendAnswer(local)]
    agreed = negotiate(leg.offer, address=leg.address, port=leg.port)
    if agreed is None:
        return _hang_up(leg, HangUp("no_common_codec", 488), EndedBy.US)
    up = replace(leg, state=LegState.ANSWERING, remote=leg.offer)
    return up, [fx.SendAnswer(agreed), fx.Answered()]


def _acknowledged(leg: Leg, answer: MediaDescription | None) -> Step:
    if leg.reoffered:
        settled = replace(leg, state=LegState.UP, reoffered=False)
        if answer is None or not accept(answer, default_offer(leg.address, leg.port)):
            return settled, []
        return replace(settled, remote=answer), [fx.ConnectMedia(answer), *_held(leg, answer)]
    if leg.state is not LegState.ANSWERING:
        return leg, []
    up = replace(leg, state=LegState.UP)
    if leg.remote is not None:
        return up, []
    if answer is None or not accept(answer, default_offer(leg.address, leg.port)):
        return _hang_up(up, HangUp("no_common_codec"), EndedBy.US)
    return replace(up, remote=answer), [fx.ConnectMedia(answer), fx.Answered()]


# -- outbound -----------------------------------------------------------------------------------------------------


def _outbound(leg: Leg, event: LegInput) -> Step:
    match event, leg.state:
        case Dial(), LegState.NEW:
            dialled = replace(
                leg, state=LegState.ALLOCATING, session=SessionState.OPENING, target=event.target, near=event.near
            )
            return dialled, [fx.OpenMedia(None, event.near)]
        case Accept(), _:
            return leg, []  # whom we ring is answered by himself
        case ev.Progressed(status=100), LegState.INVITING:
            return leg, [fx.Tried()]
        case ev.Progressed(), LegState.INVITING:
            return replace(leg, state=LegState.RINGING), [fx.Rang(event.status)]
        case ev.Progressed(), _:
            return leg, []
        case ev.InviteAccepted(), LegState.INVITING | LegState.RINGING:
            up = replace(leg, state=LegState.UP)
            answer = event.answer
            if answer is None or not accept(answer, default_offer(leg.address, leg.port)):
                return _hang_up(up, HangUp("no_common_codec"), EndedBy.US)
            return replace(up, remote=answer), [fx.ConnectMedia(answer), fx.Answered()]
        case ev.InviteRefused(), LegState.INVITING | LegState.RINGING:
            return _end(leg, Ending(EndedBy.PEER, _refusal(leg, event), event.status))
        case ev.InviteAccepted() | ev.InviteRefused(), LegState.UP:
            return leg, []
    raise _illegal(leg, event)


def _refusal(leg: Leg, refused: ev.InviteRefused) -> str:
    """The reason's name. A 408 before anything rang is a phone that cannot be reached (telephony.md section 2)."""
    if refused.status == 408 and leg.state is LegState.INVITING:
        return "unreachable"
    if refused.status in {404, 410, 480, 502, 503, 604}:
        return "unreachable"
    return _REFUSALS.get(refused.status, "refused")


# -- both ---------------------------------------------------------------------------------------------------------


def _session_opened(leg: Leg, opened: ev.SessionOpened) -> Step:
    if leg.session is not SessionState.OPENING:
        return leg, []
    there = replace(leg, session=SessionState.OPEN, worker=opened.worker, address=opened.address, port=opened.port)
    notice = fx.MediaOpened(opened.worker)
    if leg.state is not LegState.ALLOCATING:
        return replace(there, session=SessionState.CLOSING), [notice, fx.CloseMedia()]
    if leg.direction is Direction.INBOUND:
        after, effects = _answer(there)
        return after, [notice, *effects]
    if leg.target is None:
        raise _illegal(leg, opened)
    offer = default_offer(opened.address, opened.port)
    return replace(there, state=LegState.INVITING), [notice, fx.SendInvite(leg.target, offer)]


def _session_gone(leg: Leg, stats: ev.MediaStats | None, recording_ms: int | None) -> Step:
    """Closed by us, or by the worker on its own (alone too long): then the dialog ends with it."""
    if not leg.holds_session:
        return leg, []
    gone = replace(leg, session=SessionState.CLOSED)
    closed = fx.MediaClosed(stats, recording_ms)
    if not leg.is_live:
        return gone, [closed]
    after, effects = _hang_up(gone, HangUp("media_lost", 503), EndedBy.US)
    return after, [closed, *effects]


def _session_lost(leg: Leg) -> Step:
    return _session_gone(leg, None, None)


def _reinvited(leg: Leg, offer: MediaDescription | None) -> Step:
    """New media in the dialog. What cannot be agreed is refused and the call goes on as it was (section 14.2)."""
    if not _is_answered(leg):
        return leg, [fx.SendReject(491)]
    if offer is None:
        return replace(leg, reoffered=True), [fx.SendAnswer(default_offer(leg.address, leg.port))]
    agreed = negotiate(offer, address=leg.address, port=leg.port)
    if agreed is None:
        return leg, [fx.SendReject(488)]
    return replace(leg, remote=offer), [fx.ConnectMedia(offer), fx.SendAnswer(agreed), *_held(leg, offer)]


def _held(leg: Leg, now: MediaDescription) -> list[fx.LegEffect]:
    """Whether the peer stops listening to us with `now`, or begins to again (RFC 3264 section 8.4)."""
    before = leg.remote is not None and leg.remote.direction in _ON_HOLD
    after = now.direction in _ON_HOLD
    return [] if before == after else [fx.Held(after)]


def _moved(leg: Leg, answer: MediaDescription) -> Step:
    """What the peer answers to a refresh; nothing is told to the worker that it knows already."""
    if answer == leg.remote or not accept(answer, default_offer(leg.address, leg.port)):
        return leg, []
    return replace(leg, remote=answer), [fx.ConnectMedia(answer)]


def _hang_up(leg: Leg, command: HangUp, by: EndedBy) -> Step:
    farewell: fx.LegEffect
    status: int | None = None
    if _is_answered(leg):
        farewell = fx.SendBye(command.reason)
    elif leg.direction is Direction.INBOUND:
        farewell = fx.SendReject(command.status)
        status = command.status
    elif leg.state in {LegState.INVITING, LegState.RINGING}:
        farewell = fx.SendCancel()
    else:
        return _end(leg, Ending(by, command.reason))
    ended, effects = _end(leg, Ending(by, command.reason, status))
    return ended, [farewell, *effects]


def _end(leg: Leg, ending: Ending) -> Step:
    ended = fx.Ended(ending, answered=_is_answered(leg) and leg.remote is not None)
    over = replace(leg, state=LegState.ENDED, ending=ending)
    if leg.session is SessionState.OPEN:
        return replace(over, session=SessionState.CLOSING), [fx.CloseMedia(), ended]
    return over, [ended]
