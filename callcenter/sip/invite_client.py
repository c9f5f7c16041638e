"""INVITEs of ours: calls, re-INVITEs, their CANCEL, and the ACK of every 2xx (RFC 3261 sections 9.1, 13.2, 14.1).

A challenge from a called party is a refusal and is not answered, unless whoever made this user agent gave it a secret
for that party (our own client has one, the server none); a redirection is not followed. The bytes of an
INVITE are stored before they are sent, so a restart sends the same ones again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from callcenter.calls.events import DialogLost, InviteAccepted, InviteRefused, MediaMoved, Progressed
from callcenter.calls.ports import MediaDescription, Target
from callcenter.kernel.unit import Unit
from callcenter.sip import composing
from callcenter.sip.core import Core
from callcenter.sip.dialog import Dialog, branch, describe, learn_peer, next_cseq, to_target
from callcenter.sip.hop import Hop
from callcenter.sip.message import Malformed, Response
from callcenter.sip.sdp import build_offer
from callcenter.sip.session_interval import Session, ask, conclude, longer
from callcenter.sip.timers import NEVER
from callcenter.sip.transaction import TIMEOUT

EndDialog = Callable[[Unit, Dialog, str], None]
Authorize = Callable[[Dialog, Response], tuple[str, str] | None]
"""The header field that answers a challenge to the dialog's INVITE, or None: then it stands as a refusal."""


@dataclass(frozen=True, slots=True)
class ReinviteEnded:
    """Our re-INVITE has its final answer; `answer` is None unless it is a 200 with SDP. Not for the room of calls."""

    leg: str
    status: int
    answer: MediaDescription | None


class Patience:
    """How long the 487 to a CANCEL is waited for (RFC 3261 section 9.1)."""

    __slots__ = ("_done", "armed_at", "next_deadline")

    def __init__(self, deadline: float, done: Callable[[], None]) -> None:
        self.next_deadline: float | None = deadline
        self.armed_at = NEVER
        self._done = done

    def wake(self, now: float) -> None:  # noqa: ARG002  # the timers' protocol
        self.next_deadline = None
        self._done()


class Outgoing:
    """One INVITE on its way, with the ACK that each 2xx got: by tag, as a fork may bring several."""

    __slots__ = ("acks", "cseq", "data", "hop", "leg")

    def __init__(self, dialog: Dialog, hop: Hop) -> None:
        self.leg = dialog.leg
        self.cseq = dialog.invite_cseq
        self.data = dialog.outbound_invite
        self.hop = hop
        self.acks: dict[str, tuple[bytes, Hop]] = {}


class InviteCalling:
    """The client half of the user agent for INVITE. `end` sends a BYE; `watch` sees to the session timers."""

    def __init__(
        self,
        core: Core,
        *,
        end: EndDialog,
        reinvited: Callable[[Unit, ReinviteEnded], None],
        authorize: Authorize | None,
        watch: Callable[[], None],
    ) -> None:
        self._watch = watch
        self._core = core
        self._authorize = authorize
        self._end = end
        self._reinvited = reinvited

    # -- what the room decides ------------------------------------------------------------------------------------

    def invite(self, unit: Unit, leg: str, target: Target, local: MediaDescription) -> None:
        """Call `target`; nothing if the leg is there already."""
        core = self._core
        if leg in core.dialogs:
            return
        hop = Hop(target.transport, target.address, target.port)
        host, _ = core.transports.local_address(hop)
        self._send(unit, describe(to_target(leg, target, host), local), hop)

    def reinvite(self, unit: Unit, leg: str, local: MediaDescription) -> bool:
        """Offer `local` in a call that is up; False where an INVITE is open in it or it is not up."""
        core = self._core
        dialog = core.dialogs.get(leg)
        if dialog is None or dialog.state != "confirmed" or dialog.inbound_invite or dialog.outbound_invite:
            return False
        dialog = describe(next_cseq(dialog), local)
        dialog = replace(dialog, invite_cseq=dialog.local_cseq, provisional=0)
        self._send(unit, dialog, core.next_hop(dialog))
        return True

    def refresh(self, unit: Unit, leg: str) -> bool:
        """Ask whether the peer is still there: a re-INVITE with what was said last (RFC 4028 section 7.4)."""
        dialog = self._core.dialogs.get(leg)
        if dialog is None or dialog.local_media is None:
            return False
        return self.reinvite(unit, leg, dialog.local_media)

    def _send(self, unit: Unit, dialog: Dialog, hop: Hop, extra: composing.Headers = ()) -> None:
        """INVITE with the description and CSeq that the dialog has now."""
        assert dialog.local_media is not None, "described before it is sent"
        here = self._core.transports.local_address(hop)
        body = build_offer(dialog.local_media, session_id=dialog.sdp_session, version=dialog.sdp_version)
        timer = ask(self._core.session_rules, wanted_s=dialog.session_wanted_s, session=dialog.session)
        data = composing.invite(dialog, local=here, hop=hop, body=body, extra=(*timer, *extra))
        dialog = replace(dialog, outbound_invite=data)
        self._core.save(unit, dialog)
        unit.after_commit(lambda: self._start(dialog, hop))

    def _start(self, dialog: Dialog, hop: Hop, *, resume: bool = False) -> None:
        outgoing = Outgoing(dialog, hop)
        self._core.transactions.call(
            branch(dialog.leg, dialog.invite_cseq, "invite"),
            "INVITE",
            dialog.outbound_invite,
            hop,
            on_response=partial(self._respond, outgoing),
            on_failure=partial(self._fail, outgoing),
            make_ack=partial(composing.refusal_ack, dialog.outbound_invite),
            resume=resume,
        )

    def cancel(self, unit: Unit, leg: str) -> None:
        """Give the call up: CANCEL now or with its first provisional response. One that is up gets BYE."""
        core = self._core
        dialog = core.dialogs.get(leg)
        if dialog is None or dialog.cancel_wanted or dialog.role != "uac":
            return
        if dialog.state == "confirmed":
            self._end(unit, dialog, "")
            return
        if dialog.state == "early":
            dialog = replace(dialog, cancel_wanted=True)
            core.save(unit, dialog)
            if dialog.provisional:
                unit.after_commit(lambda: self._send_cancel(dialog))

    def _send_cancel(self, dialog: Dialog) -> None:
        core = self._core
        name = branch(dialog.leg, dialog.invite_cseq, "invite")
        data = composing.cancel(dialog.outbound_invite)
        core.transactions.call(name, "CANCEL", data, dialog.hop, on_response=_ignore, on_failure=_ignore_failure)
        core.timers.arm(Patience(core.timers.now() + TIMEOUT, partial(self._give_up, dialog.leg)))

    def _give_up(self, leg: str) -> None:
        dialog = self._core.dialogs.get(leg)
        if dialog is not None and dialog.state == "early":
            self._core.transactions.abandon(branch(leg, dialog.invite_cseq, "invite"), "INVITE")
            self._refused(leg, 487, "cancelled")

    # -- what comes back ------------------------------------------------------------------------------------------

    def _respond(self, outgoing: Outgoing, response: Response) -> None:
        dialog = self._core.dialogs.get(outgoing.leg)
        if response.status >= 300:
            if dialog is not None and dialog.outbound_invite and dialog.invite_cseq == outgoing.cseq:
                self._refuse(dialog, response)
        elif response.status >= 200:
            self._succeed(outgoing, dialog, response)
        elif dialog is not None and dialog.state == "early":
            self._progress(dialog, response)

    def _progress(self, dialog: Dialog, response: Response) -> None:
        core = self._core
        first = not dialog.provisional
        if response.status == dialog.provisional and not response.body:
            return
        learned = replace(dialog, provisional=response.status)
        if response.to_tag is not None:
            learned = self._learn(learned, response)
        if response.status == 100:
            # Not worth a row: after a restart the same INVITE is sent again and absorbed.
            core.dialogs[dialog.leg] = replace(dialog, provisional=100)
            if first and not dialog.cancel_wanted:
                unit = core.open_unit()
                core.deliver(unit, Progressed(dialog.leg, 100, None))
                core.submit(unit)
        else:
            unit = core.open_unit()
            core.save(unit, learned)
            if not dialog.cancel_wanted:
                answer = core.answer_in(response)
                core.deliver(unit, Progressed(dialog.leg, response.status, answer))
            core.submit(unit)
        if first and dialog.cancel_wanted:
            self._send_cancel(dialog)

    def _learn(self, dialog: Dialog, response: Response) -> Dialog:
        try:
            return learn_peer(dialog, response)
        except Malformed as malformed:
            self._core.statistics.refuse(malformed.reason)
            return replace(dialog, remote_tag=response.to_tag or "")

    def _succeed(self, outgoing: Outgoing, dialog: Dialog | None, response: Response) -> None:
        """A 2xx: the first makes or keeps the dialog, a repetition gets its ACK again, a fork is ended at once."""
        core = self._core
        known = outgoing.acks.get(response.to_tag or "")
        if known is not None:
            core.statistics.retransmitted += 1
            core.transports.send(*known)
            return
        if dialog is None or dialog.state == "ended" or not dialog.outbound_invite:
            if dialog is not None:
                self._end_fork(outgoing, dialog, response)
            return
        if dialog.state == "confirmed":
            self._reaccepted(outgoing, dialog, response)
            return
        dialog = self._learn(replace(dialog, state="confirmed", outbound_invite=b"", provisional=0), response)
        unit = core.open_unit()
        dialog = self._timed(dialog, response, unit.now)
        core.save(unit, dialog)
        self._acknowledge(unit, outgoing, dialog)
        answer = core.answer_in(response)
        if dialog.cancel_wanted:
            self._end(unit, dialog, "cancelled")
            core.deliver(unit, InviteRefused(dialog.leg, 487, "cancelled"))
        else:
            core.deliver(unit, InviteAccepted(dialog.leg, answer))
        core.submit(unit)

    def _acknowledge(self, unit: Unit, outgoing: Outgoing, dialog: Dialog) -> None:
        core = self._core
        hop = core.next_hop(dialog)
        data = composing.ack(dialog, local=core.transports.local_address(hop), hop=hop)
        outgoing.acks[dialog.remote_tag] = (data, hop)
        unit.after_commit(lambda: core.transports.send(data, hop))

    def _end_fork(self, outgoing: Outgoing, dialog: Dialog, response: Response) -> None:
        """Another phone answered too (RFC 3261 section 13.2.2.4): ACK, then BYE. Nothing of it is stored."""
        core = self._core
        fork = self._learn(dialog, response)
        fork = next_cseq(replace(fork, invite_cseq=outgoing.cseq, local_cseq=outgoing.cseq))
        hop = core.next_hop(fork)
        here = core.transports.local_address(hop)
        data = composing.ack(fork, local=here, hop=hop)
        outgoing.acks[fork.remote_tag] = (data, hop)
        core.transports.send(data, hop)
        method = f"bye-{fork.remote_tag}"
        data = composing.in_dialog(fork, "BYE", local=here, hop=hop, cseq=fork.local_cseq, branch_method=method)
        name = branch(fork.leg, fork.local_cseq, method)
        core.transactions.call(name, "BYE", data, hop, on_response=_ignore, on_failure=_ignore_failure)

    def _refuse(self, dialog: Dialog, response: Response) -> None:
        if dialog.state != "early":
            self._rerefused(dialog, response.status)
        elif dialog.cancel_wanted:
            self._refused(dialog.leg, response.status, "cancelled")
        elif not self._proved(dialog, response) and not self._lengthened(dialog, response):
            self._refused(dialog.leg, response.status, "refused")

    def _proved(self, dialog: Dialog, response: Response) -> bool:
        """Whether the INVITE went out again with an answer to its first challenge (RFC 3261 section 22.2)."""
        if self._authorize is None or response.status not in (401, 407) or dialog.local_cseq > 1:
            return False
        proof = self._authorize(dialog, response)
        if proof is None:
            return False
        self._ask_again(dialog, (proof,))
        return True

    def _lengthened(self, dialog: Dialog, response: Response) -> bool:
        """Whether the INVITE went out again with the longer session interval that a 422 asked for (RFC 4028, 7.3)."""
        if response.status != 422 or dialog.session_wanted_s:
            return False
        try:
            wanted = longer(response, self._core.session_rules.interval_s)
        except Malformed as malformed:
            self._core.statistics.refuse(malformed.reason)
            return False
        if wanted is None:
            return False
        self._ask_again(replace(dialog, session_wanted_s=wanted), ())
        return True

    def _ask_again(self, dialog: Dialog, extra: composing.Headers) -> None:
        unit = self._core.open_unit()
        dialog = replace(next_cseq(dialog), remote_tag="", route_set=(), provisional=0)
        dialog = replace(dialog, remote_target=dialog.remote_uri, invite_cseq=dialog.local_cseq)
        self._send(unit, dialog, dialog.hop, extra)
        self._core.submit(unit)

    def _timed(self, dialog: Dialog, response: Response, now: datetime) -> Dialog:
        """The dialog with the session timer of its 2xx."""
        rules = self._core.session_rules
        try:
            timer = conclude(response, rules, now)
        except Malformed as malformed:
            self._core.statistics.refuse(malformed.reason)
            timer = Session(rules.interval_s, "us", now)
        self._watch()
        return replace(dialog, session=timer)

    def _fail(self, outgoing: Outgoing, reason: str) -> None:
        dialog = self._core.dialogs.get(outgoing.leg)
        if dialog is None or not dialog.outbound_invite or dialog.invite_cseq != outgoing.cseq:
            return
        status = 408 if reason == "timeout" else 503
        if dialog.state == "early":
            self._refused(dialog.leg, status, reason)
        else:
            self._rerefused(dialog, status)

    def _refused(self, leg: str, status: int, reason: str) -> None:
        core = self._core
        unit = core.open_unit()
        core.drop(unit, leg)
        core.deliver(unit, InviteRefused(leg, status, reason))
        core.submit(unit)

    # -- re-INVITE ------------------------------------------------------------------------------------------------

    def _reaccepted(self, outgoing: Outgoing, dialog: Dialog, response: Response) -> None:
        if response.to_tag != dialog.remote_tag:
            self._core.statistics.refuse("reinvite_tag")
            return
        core = self._core
        unit = core.open_unit()
        try:
            peer = response.contact
        except Malformed as malformed:
            core.statistics.refuse(malformed.reason)
            peer = None
        dialog = replace(dialog, outbound_invite=b"", remote_target=peer.uri.text if peer else dialog.remote_target)
        dialog = self._timed(dialog, response, unit.now)
        core.save(unit, dialog)
        self._acknowledge(unit, outgoing, dialog)
        answer = core.answer_in(response)
        if answer is not None:
            core.deliver(unit, MediaMoved(dialog.leg, answer))
        self._reinvited(unit, ReinviteEnded(dialog.leg, response.status, answer))
        core.submit(unit)

    def _rerefused(self, dialog: Dialog, status: int) -> None:
        """408 and 481 say that the dialog is no more (RFC 3261 section 12.2.1.2); others leave the call as it was."""
        core = self._core
        unit = core.open_unit()
        timer = dialog.session
        if timer is not None and status != 491:
            # Whoever refuses is there; after 491 the two have met, and the next look asks again.
            timer = replace(timer, since=unit.now)
        dialog = replace(dialog, outbound_invite=b"", session=timer)
        core.save(unit, dialog)
        self._reinvited(unit, ReinviteEnded(dialog.leg, status, None))
        if status in (408, 481):
            self._end(unit, dialog, "dialog lost")
            core.deliver(unit, DialogLost(dialog.leg, "timeout" if status == 408 else "unknown"))
        core.submit(unit)

    # -- after a restart ------------------------------------------------------------------------------------------

    def stray(self, response: Response) -> bool:
        """A 2xx whose transaction a restart has forgotten: its ACK may never have left, so it is sent (again)."""
        core = self._core
        dialog = core.dialogs.get(response.from_tag or "")
        if (
            response.cseq_method != "INVITE"
            or not 200 <= response.status < 300
            or dialog is None
            or dialog.state == "early"
            or dialog.outbound_invite
            or response.call_id != dialog.call_id
            or response.cseq != dialog.invite_cseq
            or response.via.branch != branch(dialog.leg, response.cseq, "invite")
        ):
            return False
        if response.to_tag == dialog.remote_tag:
            hop = core.next_hop(dialog)
            core.transports.send(composing.ack(dialog, local=core.transports.local_address(hop), hop=hop), hop)
        else:
            self._end_fork(Outgoing(dialog, dialog.hop), dialog, response)
        return True

    def restore(self, dialog: Dialog) -> None:
        """Send the same INVITE again, or wait on where it had rung; what was cancelled is cancelled again."""
        if not dialog.outbound_invite:
            return
        if dialog.state != "early":
            self._start(dialog, self._core.next_hop(dialog))
            return
        self._start(dialog, dialog.hop, resume=dialog.provisional > 0)
        if dialog.cancel_wanted and dialog.provisional:
            self._send_cancel(dialog)


def _ignore(response: Response) -> None:
    """Nothing hangs on this answer."""


def _ignore_failure(reason: str) -> None:
    """Nothing hangs on this request."""
