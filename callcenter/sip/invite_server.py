"""INVITEs of a peer: new calls and re-INVITEs, their CANCEL, the ACK of our 2xx (RFC 3261 sections 9.2, 13.3, 14.2).

Whoever calls `open_call` has found out who the caller is. A repeated INVITE, CANCEL or ACK finds its transaction or
dialog and decides nothing twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from msgspec.structs import replace

from callcenter.calls.events import AckArrived, CancelArrived, DialogLost, InviteArrived, ReinviteArrived
from callcenter.calls.ports import MediaDescription
from callcenter.kernel.unit import Unit
from callcenter.sip.access import Caller
from callcenter.sip.composing import ALLOW, clean_text, contact
from callcenter.sip.core import Core
from callcenter.sip.dialog import Dialog, describe, from_invite
from callcenter.sip.hop import Hop
from callcenter.sip.message import Malformed, Request, parse_message
from callcenter.sip.sdp import SessionDescription, build_answer, build_offer, parse_sdp
from callcenter.sip.session_interval import agree, refuse_if_short
from callcenter.sip.timers import NEVER
from callcenter.sip.transaction import TICK, AckReceived, Send, Tick, Timeout
from callcenter.sip.transaction_server import Answer, InviteServer, start_answer
from callcenter.sip.transactions import DEFAULT_PORT, ServerTransaction

RETRY_AFTER_S = 2

EndDialog = Callable[[Unit, Dialog, str], None]
SendBye = Callable[[str], None]


@dataclass(slots=True)
class Pending:
    """An INVITE without a final answer."""

    transaction: ServerTransaction
    offer: SessionDescription | None


class Acceptance:
    """The repetition of one 2xx."""

    __slots__ = ("_owner", "armed_at", "hop", "leg", "machine")

    def __init__(self, owner: "InviteServing", leg: str, hop: Hop, machine: Answer) -> None:
        self._owner = owner
        self.leg = leg
        self.hop = hop
        self.machine = machine
        self.armed_at = NEVER

    @property
    def next_deadline(self) -> float | None:
        return self.machine.next_deadline

    def wake(self, now: float) -> None:
        self._owner.run_acceptance(self, TICK, now)


class InviteServing:
    """The server half of the user agent for INVITE. `end` sends a BYE; `send_bye` one that has waited for the ACK.

    `watch` sees to the session timers, once there is a call.
    """

    def __init__(self, core: Core, *, end: EndDialog, send_bye: SendBye, watch: Callable[[], None]) -> None:
        self._watch = watch
        self._core = core
        self._end = end
        self._send_bye = send_bye
        self._pending: dict[str, Pending] = {}
        self._acceptances: dict[str, Acceptance] = {}
        self._refused: WeakValueDictionary[str, ServerTransaction] = WeakValueDictionary()

    # -- what arrives ---------------------------------------------------------------------------------------------

    def open_call(self, request: Request, source: Hop, raw: bytes, caller: Caller) -> None:
        """A new call of somebody who may call. Raises Malformed for what is wrong with its body or Contact."""
        core = self._core
        peer = request.contact
        if peer is None or peer.uri.scheme not in ("sip", "sips"):
            raise Malformed("contact", answerable=request.answerable)
        refuse_if_short(request, core.session_rules)
        offer = core.offer_in(request)
        leg = core.ids()
        dialog = from_invite(request, leg, source, raw, trunk=caller.trunk, peer=peer)
        unit = core.open_unit()
        self._begin(unit, request, source, leg, offer)
        if offer is not None and offer.audio is not None:
            dialog = replace(dialog, remote_direction=offer.audio.direction)
        core.save(unit, dialog)
        arrived = InviteArrived(
            leg=leg,
            source_kind=caller.kind,
            source=caller.source,
            called=clean_text(request.uri.user or ""),
            caller=caller.number,
            caller_name=caller.name,
            offer=offer.audio if offer is not None else None,
        )
        core.deliver(unit, arrived)
        core.submit(unit)

    def reopen(self, request: Request, source: Hop, raw: bytes, dialog: Dialog) -> None:
        """A re-INVITE; the caller has checked who sent it and its CSeq."""
        core = self._core
        if dialog.state != "confirmed" or dialog.inbound_invite or dialog.outbound_invite:
            # One at a time: theirs is still open (RFC 3261 section 14.2), or ours is.
            glare = bool(dialog.outbound_invite) or dialog.awaits_ack
            core.refuse(request, source, 491 if glare else 500, "reinvite_pending", _soon(glare=glare))
            return
        refuse_if_short(request, core.session_rules)
        offer = core.offer_in(request)
        peer = request.contact
        unit = core.open_unit()
        self._begin(unit, request, source, dialog.leg, offer)
        dialog = replace(
            dialog,
            remote_cseq=request.cseq,
            invite_cseq=request.cseq,
            hop=source if source.reliable else dialog.hop,
            inbound_invite=raw,
            inbound_hop=source,
            late_offer=offer is None,
            remote_target=peer.uri.text if peer is not None else dialog.remote_target,
            remote_direction=offer.audio.direction if offer and offer.audio else dialog.remote_direction,
        )
        core.save(unit, dialog)
        core.deliver(unit, ReinviteArrived(dialog.leg, offer.audio if offer is not None else None))
        core.submit(unit)

    def _begin(self, unit: Unit, request: Request, source: Hop, leg: str, offer: SessionDescription | None) -> None:
        """100 leaves with the commit: whoever has it asks no more, so the call must outlive a crash from there on.

        That commit may be the one of the answer; then there is none (RFC 3261 section 17.2.1).
        """
        core = self._core
        transaction = core.transactions.serve(request, source, leg)
        pending = self._pending[leg] = Pending(transaction, offer)
        unit.after_commit(lambda: self._try(leg, pending), urgent=False)

    def _try(self, leg: str, pending: Pending) -> None:
        if self._pending.get(leg) is pending:
            transaction = pending.transaction
            self._core.transactions.respond(transaction, 100, self._core.response(transaction, 100))

    def acknowledge(self, request: Request, trusted: Callable[[Dialog], bool]) -> None:
        """An ACK: of a refusal (its transaction's matter) or of our 2xx. `trusted` tells whether the source may."""
        core = self._core
        transaction = core.transactions.find(request) or self._refusal_of(request)
        if transaction is not None:
            core.transactions.acknowledged(transaction)
        dialog = core.dialogs.get(request.to_tag or "")
        if dialog is None and transaction is not None:
            # Some phones (pyVoIP) invent the To tag of this ACK, and repeat the INVITE's branch: that tells as much.
            dialog = core.dialogs.get(transaction.leg)
        if dialog is None or not dialog.awaits_ack or not _is_of(request, dialog) or not trusted(dialog):
            if transaction is None:
                core.statistics.refuse("stray_ack")
            return
        self.forget(dialog.leg)
        unit = core.open_unit()
        late = dialog.late_offer
        dialog = replace(dialog, accepted=b"", inbound_invite=b"", inbound_hop=None, late_offer=False)
        core.save(unit, dialog)
        if dialog.bye:
            unit.after_commit(lambda: self._send_bye(dialog.leg))
        core.deliver(unit, AckArrived(dialog.leg, core.answer_in(request) if late else None))
        core.submit(unit)

    def _refusal_of(self, request: Request) -> ServerTransaction | None:
        """The INVITE whose refusal had the To tag of this ACK: some phones give such an ACK a branch of its own."""
        transaction = self._refused.get(request.to_tag or "")
        if transaction is None or transaction.request.call_id != request.call_id:
            return None
        return transaction if transaction.request.cseq == request.cseq else None

    def cancel(self, request: Request, source: Hop) -> None:
        """A CANCEL, answered for itself and for its INVITE (487)."""
        core = self._core
        transaction = core.transactions.find(request)
        if transaction is None or not _same_sender(transaction, request, source):
            core.refuse(request, source, 481, "cancel_unknown")
            return
        leg = transaction.leg
        dialog = core.dialogs.get(leg)
        pending = self._pending.get(leg)
        if dialog is None or pending is None or pending.transaction is not transaction:
            core.reply(request, source, 200, tag=leg or None)
            return
        unit = core.open_unit()
        unit.after_commit(lambda: core.reply(request, source, 200, tag=leg or None))
        self.conclude(unit, dialog, 487)
        if dialog.state == "early":
            core.deliver(unit, CancelArrived(leg))
        core.submit(unit)

    # -- what the room decides ------------------------------------------------------------------------------------

    def ring(self, unit: Unit, leg: str) -> None:
        """180, unless it is too late for that."""
        pending = self._pending.get(leg)
        dialog = self._core.dialogs.get(leg)
        if pending is None or dialog is None or dialog.state != "early":
            return
        transaction = pending.transaction
        mine = (("Contact", self._contact(transaction)),)
        data = self._core.response(transaction, 180, tag=dialog.local_tag, headers=mine)
        unit.after_commit(lambda: self._provisional(transaction, data))

    def _provisional(self, transaction: ServerTransaction, data: bytes) -> None:
        machine = transaction.machine
        if isinstance(machine, InviteServer) and machine.state == "proceeding":
            self._core.transactions.respond(transaction, 180, data)

    def answer(self, unit: Unit, leg: str, local: MediaDescription) -> None:
        """200 with the answer, or with our offer; repeated until the ACK. Too late (CANCEL, BYE): nothing."""
        core = self._core
        dialog = core.dialogs.get(leg)
        pending = self._pending.pop(leg, None)
        if dialog is None or pending is None:
            return
        dialog = describe(dialog, local)
        session, version = dialog.sdp_session, dialog.sdp_version
        if pending.offer is None:
            body = build_offer(local, session_id=session, version=version)
        else:
            body = build_answer(pending.offer, local, session_id=session, version=version)
        transaction = pending.transaction
        timer, told = agree(transaction.request, core.session_rules, unit.now)
        mine = (("Contact", self._contact(transaction)), ("Allow", ALLOW), *told)
        data = core.response(transaction, 200, tag=dialog.local_tag, headers=mine, body=body)
        core.save(unit, replace(dialog, state="confirmed", accepted=data, session=timer))
        self._watch()
        unit.after_commit(lambda: self._accept(leg, transaction, data))

    def _accept(self, leg: str, transaction: ServerTransaction, data: bytes) -> None:
        self._core.transactions.respond(transaction, 200, data)
        if leg in self._core.dialogs:
            self._repeat(leg, transaction.hop, data)

    def _repeat(self, leg: str, hop: Hop, data: bytes) -> None:
        acceptance = Acceptance(self, leg, hop, start_answer(data, now=self._core.timers.now()))
        self._acceptances[leg] = acceptance
        self._core.timers.arm(acceptance)

    def reject(self, unit: Unit, leg: str, status: int, retry_after_s: int | None) -> None:
        """A refusal of what is open: a new call is over with it, a re-INVITE leaves its call as it was."""
        dialog = self._core.dialogs.get(leg)
        if dialog is not None:
            self.conclude(unit, dialog, status, retry_after_s)

    def conclude(self, unit: Unit, dialog: Dialog, status: int, retry_after_s: int | None = None) -> None:
        """The final answer >= 300 of an open INVITE, if there is one; ends the dialog where it was not confirmed.

        Its row goes only after the answer has: a caller who was told 100 does not ask again.
        """
        core = self._core
        pending = self._pending.pop(dialog.leg, None)
        if pending is None:
            return
        transaction = pending.transaction
        if status == 503 and retry_after_s is None:
            # Without it a 503 means that we are broken (RFC 3261 section 21.5.4), not that we are full.
            retry_after_s = RETRY_AFTER_S
        headers = (("Retry-After", str(retry_after_s)),) if retry_after_s is not None else ()
        data = core.response(transaction, status, tag=dialog.local_tag, headers=headers)
        if dialog.state == "early":
            core.save(unit, replace(dialog, state="ended", refused=data))
            unit.after_commit(lambda: self._refuse(dialog.leg, transaction, status, data))
        else:
            core.save(unit, replace(dialog, refused=data))
            unit.after_commit(lambda: self._rerefuse(dialog.leg, transaction, status, data))

    def _refuse(self, leg: str, transaction: ServerTransaction, status: int, data: bytes) -> None:
        core = self._core
        self._refused[leg] = transaction
        core.transactions.respond(transaction, status, data)
        unit = core.open_unit()
        core.drop(unit, leg)
        core.submit(unit)

    def _rerefuse(self, leg: str, transaction: ServerTransaction, status: int, data: bytes) -> None:
        """A re-INVITE's refusal; the call stays. Until it has left it is kept: who was told 100 waits for it."""
        core = self._core
        core.transactions.respond(transaction, status, data)
        dialog = core.dialogs.get(leg)
        if dialog is not None and dialog.refused == data:
            unit = core.open_unit()
            core.save(unit, replace(dialog, inbound_invite=b"", inbound_hop=None, refused=b""))
            core.submit(unit)

    def _contact(self, transaction: ServerTransaction) -> str:
        return contact(self._core.transports.local_address(transaction.hop), transaction.hop)

    # -- the 2xx until its ACK ------------------------------------------------------------------------------------

    def run_acceptance(self, acceptance: Acceptance, event: Tick | AckReceived, now: float) -> None:
        """Give `event` to the machine and do what it says."""
        core = self._core
        acceptance.machine, effects = acceptance.machine.handle(event, now=now)
        core.timers.arm(acceptance)
        for effect in effects:
            match effect:
                case Send(data):
                    core.statistics.retransmitted += 1
                    core.transports.send(data, acceptance.hop)
                case Timeout():
                    self._lost(acceptance.leg)

    def _lost(self, leg: str) -> None:
        """No ACK came: the session is ended with a BYE (RFC 3261 section 13.3.1.4)."""
        core = self._core
        self._acceptances.pop(leg, None)
        dialog = core.dialogs.get(leg)
        if dialog is None or not dialog.awaits_ack:
            return
        unit = core.open_unit()
        dialog = replace(dialog, accepted=b"", inbound_invite=b"", inbound_hop=None)
        if dialog.bye:
            core.save(unit, dialog)
            unit.after_commit(lambda: self._send_bye(leg))
        else:
            self._end(unit, dialog, "no ACK")
            core.deliver(unit, DialogLost(leg, "no_ack"))
        core.submit(unit)

    def forget(self, leg: str) -> None:
        """The dialog is over by other means; nothing of its INVITE is repeated."""
        acceptance = self._acceptances.pop(leg, None)
        if acceptance is not None:
            self.run_acceptance(acceptance, AckReceived(), self._core.timers.now())

    # -- after a restart ------------------------------------------------------------------------------------------

    def restore(self, dialog: Dialog) -> None:
        """Take up an INVITE that was open, or whose 2xx had no ACK. A connection is gone with its process."""
        core = self._core
        source = dialog.inbound_hop
        if not dialog.inbound_invite or source is None:
            return
        request = parse_message(dialog.inbound_invite)
        assert isinstance(request, Request), "an INVITE was stored"
        transaction = core.transactions.serve(request, source, dialog.leg)
        if not core.transports.is_connected(source):
            transaction.hop = Hop(source.transport, source.address, request.via.port or DEFAULT_PORT)
        if dialog.refused and (dialog.state == "confirmed" or dialog.bye):
            self._rerefuse(dialog.leg, transaction, int(dialog.refused[8:11]), dialog.refused)
        elif dialog.refused:
            self._refuse(dialog.leg, transaction, int(dialog.refused[8:11]), dialog.refused)
        elif dialog.awaits_ack:
            core.transactions.respond(transaction, 200, dialog.accepted)
            self._repeat(dialog.leg, transaction.hop, dialog.accepted)
        else:
            offer = parse_sdp(request.body) if request.body else None
            self._pending[dialog.leg] = Pending(transaction, offer)
            core.transactions.respond(transaction, 100, core.response(transaction, 100))


def _is_of(request: Request, dialog: Dialog) -> bool:
    return (
        request.call_id == dialog.call_id
        and request.from_tag == (dialog.remote_tag or None)
        and request.cseq == dialog.invite_cseq
    )


def _same_sender(transaction: ServerTransaction, request: Request, source: Hop) -> bool:
    invite = transaction.request
    # A connection may have been lost and made anew since; over UDP the port counts too (security.md S16).
    there = transaction.source
    return (
        source.address == there.address
        and (source.port == there.port or source.reliable)
        and request.call_id == invite.call_id
        and request.from_tag == invite.from_tag
        and request.cseq == invite.cseq
    )


def _soon(*, glare: bool) -> tuple[tuple[str, str], ...]:
    return () if glare else (("Retry-After", "1"),)
