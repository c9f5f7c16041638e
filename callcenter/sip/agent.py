"""The user agent: sorts messages by what they want, and is the room of calls' `Signalling` (RFC 3261 section 8.2).

Decides the order in which a request is looked at: repetition, Max-Forwards, dialog, then method; a new call is
proved, then admitted. Nothing that is refused here touches the disk.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from callcenter.calls.ports import MediaDescription, Target
from callcenter.kernel.codec import decode
from callcenter.kernel.ids import IdSource, new_id
from callcenter.kernel.unit import Unit
from callcenter.sip.access import Access, Caller, phone_caller, trunk_caller
from callcenter.sip.core import Core, Room
from callcenter.sip.dialog import Dialog
from callcenter.sip.digest import MD5
from callcenter.sip.directory import Directory, Trunk
from callcenter.sip.hop import Hop, Transports
from callcenter.sip.in_dialog import CAPABILITIES, UNDERSTOOD, InDialog
from callcenter.sip.invite_client import Authorize, InviteCalling, ReinviteEnded
from callcenter.sip.limits import SourceLimits, TokenBucket, TurnedAway
from callcenter.sip.message import Malformed, Request, Response, parse_message
from callcenter.sip.registrar import Bindings, Limits
from callcenter.sip.registration import PresenceChanged, Registration
from callcenter.sip.session_interval import SessionRules
from callcenter.sip.session_sweep import SessionSweep
from callcenter.sip.statistics import Statistics
from callcenter.sip.timers import CallAt, Timers
from callcenter.sip.transactions import Transactions
from callcenter.sip.trunk_health import Health
from callcenter.sip.trunk_probes import TrunkProbes

Admit = Callable[[], int | None]
"""None: take the call. A number: refuse it with 503 and this many seconds in Retry-After."""
Rows = Iterable[tuple[str, bytes]]

# A cheap look before the parser's; what it misses is merely limited.
_BRANCH = re.compile(rb";branch=([!-+\--:<-~]{1,200})")
_TO_TAG = re.compile(rb"\r\nTo:[^\r\n]*>;tag=([!-:<-~]{1,200})")

SOURCE_RATE = 50.0
SOURCE_BURST = 200.0
COURTESY_RATE = 200.0
DRAIN_RETRY_S = 60
AWAY_RETRY_S = 1


class UserAgent:
    """One SIP user agent: registrar, caller and called. One thread: the loop's. Implements `Signalling`."""

    def __init__(
        self,
        *,
        transports: Transports,
        now: Callable[[], float],
        call_at: CallAt,
        room: Room,
        directory: Directory,
        admit: Admit | None = None,
        limits: SourceLimits | None = None,
        registrar: Limits | None = None,
        presence_changed: PresenceChanged | None = None,
        reinvited: Callable[[Unit, ReinviteEnded], None] | None = None,
        authorize: Authorize | None = None,
        secret: bytes | None = None,
        algorithms: Sequence[str] = (MD5,),
        ids: IdSource = new_id,
        session_rules: SessionRules | None = None,
    ) -> None:
        """`now` and `call_at` are the loop's `time` and `call_at`; `secret` makes the nonces, fresh at each start.

        `algorithms` are the digests that phones are asked for, in this order; proof by any that we know is taken.
        Without `authorize` no challenge is ever answered (security.md S7): the server has none.
        """
        self.timers = Timers(now, call_at)
        self._core = Core(
            transports=transports,
            timers=self.timers,
            room=room,
            directory=directory,
            ids=ids,
            session_rules=session_rules,
        )
        self._access = Access(lambda: self._core.directory, secret or os.urandom(32), now, algorithms=algorithms)
        self._admit = admit or _admit_all
        self._limits = SourceLimits(rate=SOURCE_RATE, burst=SOURCE_BURST) if limits is None else limits
        self._turned_away = TurnedAway()
        self._courtesy = TokenBucket(COURTESY_RATE, COURTESY_RATE, now())
        self._in_dialog = InDialog(self._core, watch=self._watch_sessions)
        self._serving = self._in_dialog.serving
        self._calling = InviteCalling(
            self._core,
            end=self._in_dialog.end,
            reinvited=reinvited or _ignore,
            authorize=authorize,
            watch=self._watch_sessions,
        )
        self._probes = TrunkProbes(self._core)
        self._sessions = SessionSweep(self._core, end=self._in_dialog.end, refresh=self._calling.refresh)
        self.registration = Registration(
            self._core, self._access, limits=registrar or Limits(), presence_changed=presence_changed
        )
        self._watches_trunks = False
        self.draining = False

    def _watch_sessions(self) -> None:
        self._sessions.start()

    # -- looking --------------------------------------------------------------------------------------------------

    @property
    def statistics(self) -> Statistics:
        return self._core.statistics

    @property
    def directory(self) -> Directory:
        """Trunks and phones; assign another one to change them. The realm stays that of the start."""
        return self._core.directory

    @directory.setter
    def directory(self, directory: Directory) -> None:
        self._core.directory = directory
        if self._watches_trunks:
            self._probes.start()

    def watch_trunks(self) -> None:
        """Send OPTIONS to the trunks of the directory that want it; once the transports are there."""
        self._watches_trunks = True
        self._probes.start()

    def trunk_healths(self) -> dict[str, tuple[Health, datetime | None]]:
        """Whether the trunks that are asked answer, and since when."""
        return self._probes.healths()

    def trunk_answers(self, trunk: str) -> bool:
        """False where it is known not to."""
        return self._probes.healths().get(trunk, ("unknown", None))[0] != "down"

    @property
    def dialogs(self) -> dict[str, Dialog]:
        """The dialogs that are not over, by leg. To be read only."""
        return self._core.dialogs

    @property
    def transactions(self) -> Transactions:
        """For requests that belong to no dialog (a client's REGISTER)."""
        return self._core.transactions

    @property
    def transaction_count(self) -> int:
        return len(self._core.transactions)

    def target_for(self, user: str, *, from_user: str, from_name: str = "", from_host: str = "") -> Target | None:
        """Where the phone `user` rings (`Registration.target_for`)."""
        return self.registration.target_for(user, from_user=from_user, from_name=from_name, from_host=from_host)

    # -- what arrives ---------------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Hop) -> None:
        """One datagram, or one message of a stream, from `source`. Raises only what is a bug."""
        core = self._core
        core.statistics.received += 1
        trunk = core.directory.trunk_at(source)
        now = core.timers.now()
        within = trunk is not None or self._is_expected(data) or self._limits.admit(source.address, now)
        if not within and not self._courtesy.admit(now):
            core.statistics.refuse("source_silenced")
            return
        try:
            message = parse_message(data)
            if isinstance(message, Response):
                self._respond(message)
            elif within:
                self._request(message, source, data, trunk)
            else:
                if message.method == "INVITE":
                    self._turned_away.add(message.call_id, message.via.branch, now)
                core.refuse(message, source, 503, "source_limit", (("Retry-After", str(AWAY_RETRY_S)),))
        except Malformed as malformed:
            core.refuse_malformed(malformed, source)

    def _is_expected(self, data: bytes) -> bool:
        """Whether `data` answers a request of ours or names a dialog of ours: calls that are up are never limited."""
        if data.startswith(b"SIP/"):
            found = _BRANCH.search(data)
            return found is not None and self._core.transactions.awaits(found[1].decode())
        found = _TO_TAG.search(data)
        return found is not None and found[1].decode() in self._core.dialogs

    def receive_malformed(self, malformed: Malformed, source: Hop) -> None:
        """What a stream's framer could not cut into messages; the connection is closed by its driver."""
        self._core.statistics.received += 1
        self._core.refuse_malformed(malformed, source)

    def transport_failed(self, hop: Hop) -> None:
        """Nothing could be sent to `hop`: what waits for an answer from there ends as refused (503)."""
        self._core.transactions.transport_failed(hop)

    def _respond(self, response: Response) -> None:
        if not self._core.transactions.receive(response) and not self._calling.stray(response):
            self._core.statistics.refuse("stray_response")

    def _request(self, request: Request, source: Hop, raw: bytes, trunk: Trunk | None) -> None:
        core, method = self._core, request.method
        if method == "ACK":
            self._serving.acknowledge(request, lambda dialog: self._in_dialog.is_trusted(source, dialog))
            return
        if method == "CANCEL":
            self._serving.cancel(request, source)
            return
        transaction = core.transactions.find(request)
        if transaction is not None:
            core.transactions.repeated(transaction)
        elif request.max_forwards == 0 and method != "OPTIONS":
            core.refuse(request, source, 483, "max_forwards_0")
        elif request.to_tag is not None:
            self._in_dialog.receive(request, source, raw)
        elif core.transactions.is_merged(request):
            core.refuse(request, source, 482, "merged")
        else:
            self._first(request, source, raw, trunk)

    def _first(self, request: Request, source: Hop, raw: bytes, trunk: Trunk | None) -> None:
        """A request outside any dialog."""
        core = self._core
        match request.method:
            case "INVITE":
                self._invite(request, source, raw, trunk)
            case "REGISTER":
                self.registration.receive(request, source)
            case "OPTIONS":
                core.reply(request, source, 200, CAPABILITIES)
            case "BYE":
                core.refuse(request, source, 481, "no_dialog")
            case method:
                core.refuse(request, source, 405 if method in UNDERSTOOD else 501, "method")

    def _invite(self, request: Request, source: Hop, raw: bytes, trunk: Trunk | None) -> None:
        core = self._core
        caller = trunk_caller(request, trunk) if trunk is not None else self._prove(request, source)
        if caller is None:
            return
        now = core.timers.now()
        if self._turned_away.has(request.call_id, request.via.branch, now):
            core.refuse(request, source, 503, "turned_away", (("Retry-After", str(AWAY_RETRY_S)),))
            return
        retry_after_s = DRAIN_RETRY_S if self.draining else self._admit()
        if retry_after_s is not None:
            reason = "draining" if self.draining else "overload"
            self._turned_away.add(request.call_id, request.via.branch, now)
            core.refuse(request, source, 503, reason, (("Retry-After", str(retry_after_s)),))
            return
        self._serving.open_call(request, source, raw, caller)

    def _prove(self, request: Request, source: Hop) -> Caller | None:
        proof = self._access.prove(request, source, self._core.now())
        if proof.phone is not None:
            return phone_caller(request, proof.phone)
        headers = [("WWW-Authenticate", challenge) for challenge in proof.challenges]
        self._core.refuse(request, source, 401, proof.reason, headers)
        return None

    # -- Signalling -----------------------------------------------------------------------------------------------

    def ring(self, unit: Unit, leg: str) -> None:
        self._serving.ring(unit, leg)

    def answer(self, unit: Unit, leg: str, local: MediaDescription) -> None:
        self._serving.answer(unit, leg, local)

    def reject(self, unit: Unit, leg: str, status: int, *, retry_after_s: int | None = None) -> None:
        self._serving.reject(unit, leg, status, retry_after_s)

    def invite(self, unit: Unit, leg: str, target: Target, local: MediaDescription) -> None:
        self._calling.invite(unit, leg, target, local)

    def cancel(self, unit: Unit, leg: str) -> None:
        self._calling.cancel(unit, leg)

    def bye(self, unit: Unit, leg: str, cause: str = "") -> None:
        """BYE; where the call was never answered, what fits there: a refusal or CANCEL."""
        dialog = self._core.dialogs.get(leg)
        if dialog is None:
            return
        if dialog.state == "confirmed":
            self._in_dialog.end(unit, dialog, cause)
        elif dialog.role == "uac":
            self._calling.cancel(unit, leg)
        else:
            self._serving.reject(unit, leg, 480, None)

    def reinvite(self, unit: Unit, leg: str, local: MediaDescription) -> bool:
        """Offer new media; `reinvited` is told how it ended. False where the dialog cannot take it now."""
        return self._calling.reinvite(unit, leg, local)

    # -- restart and end ------------------------------------------------------------------------------------------

    def restore(self, dialog_rows: Rows, binding_rows: Rows) -> None:
        """Go on with the state rows ("dialog", "binding") of the process before, as `JournalReader.states` has them.

        Call once, before the first `receive`: open INVITEs are taken up, what may not have been sent is sent.
        Raises msgspec.ValidationError for a row of another shape.
        """
        self.registration.restore(decode(blob, Bindings) for _, blob in binding_rows)
        dialogs = [decode(blob, Dialog) for _, blob in dialog_rows]
        self._core.dialogs.update({dialog.leg: dialog for dialog in dialogs})
        for dialog in dialogs:
            self._serving.restore(dialog)
            self._calling.restore(dialog)
            self._in_dialog.restore(dialog)
        self._sessions.start()

    def close(self) -> None:
        """Forget all timers. Nothing is sent."""
        self.timers.close()


def _admit_all() -> int | None:
    return None


def _ignore(unit: Unit, ended: ReinviteEnded) -> None:
    """Nobody asked."""
