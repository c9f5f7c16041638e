"""Requests inside a dialog: who may send them, in which order, and BYE both ways (RFC 3261 sections 12.2, 15).

A request is the peer's if both tags and the Call-ID are, and if it comes from an address of the peer's (security.md
S16): somebody who has seen a call can still not end it from elsewhere.
"""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from callcenter.calls.events import ByeArrived, CancelArrived
from callcenter.kernel.unit import Unit
from callcenter.sip import composing
from callcenter.sip.composing import ALLOW, SDP
from callcenter.sip.core import Core
from callcenter.sip.dialog import Dialog, branch, is_peer, next_cseq
from callcenter.sip.hop import Hop
from callcenter.sip.invite_server import InviteServing
from callcenter.sip.message import Request, Response

UNDERSTOOD = frozenset({"INFO", "MESSAGE", "NOTIFY", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"})
CAPABILITIES = (("Allow", ALLOW), ("Accept", SDP))


class InDialog:
    """Whatever has a To tag of ours and is no INVITE, and the end of a dialog from our side."""

    def __init__(self, core: Core, *, watch: Callable[[], None]) -> None:
        self._core = core
        self.serving = InviteServing(core, end=self.end, send_bye=self.send_bye, watch=watch)

    # -- what arrives ---------------------------------------------------------------------------------------------

    def is_trusted(self, source: Hop, dialog: Dialog) -> bool:
        """Whether `source` is the dialog's peer."""
        if is_peer(dialog, source, self._core.trunk_addresses(dialog)):
            return True
        self._core.statistics.refuse("spoofed")
        return False

    def receive(self, request: Request, source: Hop, raw: bytes) -> None:
        """A request with a To tag that repeats no transaction; no ACK, no CANCEL."""
        core = self._core
        dialog = core.dialogs.get(request.to_tag or "")
        if dialog is None or request.call_id != dialog.call_id or (request.from_tag or "") != dialog.remote_tag:
            core.refuse(request, source, 481, "no_dialog")
            return
        if not self.is_trusted(source, dialog):
            core.refuse(request, source, 403, "spoofed_request")
            return
        if request.cseq <= dialog.remote_cseq:
            core.refuse(request, source, 500, "cseq_order")
            return
        if request.method == "INVITE":
            self.serving.reopen(request, source, raw, dialog)
        elif request.method == "BYE":
            self._bye_arrived(request, source, dialog)
        else:
            # In memory only: an answer that decides nothing touches no disk.
            core.dialogs[dialog.leg] = replace(dialog, remote_cseq=request.cseq)
            if request.method == "OPTIONS":
                core.reply(request, source, 200, CAPABILITIES)
            else:
                core.refuse(request, source, 405 if request.method in UNDERSTOOD else 501, "method")

    def _bye_arrived(self, request: Request, source: Hop, dialog: Dialog) -> None:
        core = self._core
        transaction = core.transactions.serve(request, source, dialog.leg)
        unit = core.open_unit()
        self.serving.conclude(unit, dialog, 487)
        self.serving.forget(dialog.leg)
        core.drop(unit, dialog.leg)
        data = core.response(transaction, 200)
        unit.after_commit(lambda: core.transactions.respond(transaction, 200, data))
        if dialog.state == "early":
            core.deliver(unit, CancelArrived(dialog.leg) if dialog.role == "uas" else ByeArrived(dialog.leg))
        elif dialog.state == "confirmed":
            core.deliver(unit, ByeArrived(dialog.leg))
        core.submit(unit)

    # -- BYE of ours ----------------------------------------------------------------------------------------------

    def end(self, unit: Unit, dialog: Dialog, cause: str) -> None:
        """BYE in a confirmed dialog; it waits for the ACK of a 2xx of ours (RFC 3261 section 15)."""
        core = self._core
        if dialog.state != "confirmed":
            return
        if dialog.invite_pending:
            self.serving.conclude(unit, dialog, 487)
            dialog = core.dialogs[dialog.leg]
        if dialog.outbound_invite:
            core.transactions.abandon(branch(dialog.leg, dialog.invite_cseq, "invite"), "INVITE")
        hop = core.next_hop(dialog)
        dialog = next_cseq(replace(dialog, state="ended", outbound_invite=b"", bye_hop=hop))
        here = core.transports.local_address(hop)
        dialog = replace(dialog, bye=composing.bye(dialog, local=here, hop=hop, cause=cause))
        core.save(unit, dialog)
        if not dialog.awaits_ack:
            unit.after_commit(lambda: self.send_bye(dialog.leg))

    def send_bye(self, leg: str) -> None:
        """Put the stored BYE on its way."""
        dialog = self._core.dialogs.get(leg)
        if dialog is None or not dialog.bye or dialog.bye_hop is None:
            return
        self._core.transactions.call(
            branch(leg, dialog.local_cseq, "bye"),
            "BYE",
            dialog.bye,
            dialog.bye_hop,
            on_response=partial(self._bye_answered, leg),
            on_failure=partial(self._bye_failed, leg),
        )

    def _bye_answered(self, leg: str, response: Response) -> None:
        # Any final answer ends the dialog; a challenge is not answered (security.md S7).
        if response.status >= 200:
            self._over(leg)

    def _bye_failed(self, leg: str, reason: str) -> None:
        self._core.statistics.refuse(f"bye_{reason}")
        self._over(leg)

    def _over(self, leg: str) -> None:
        unit = self._core.open_unit()
        self._core.drop(unit, leg)
        self._core.submit(unit)

    def restore(self, dialog: Dialog) -> None:
        """Send a BYE whose answer had not come, unless it waits for an ACK."""
        if dialog.bye and not dialog.awaits_ack:
            self.send_bye(dialog.leg)
