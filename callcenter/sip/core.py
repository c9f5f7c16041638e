"""What the parts of the user agent share: the dialogs, the transactions, the unit's life and stateless answers.

One received message is one unit. What leaves the process is an action of that unit and so comes after its commit;
what decides nothing (100, repetitions, OPTIONS, refusals) is sent at once and saves nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from callcenter.calls.events import SignallingInput
from callcenter.calls.ports import MediaDescription
from callcenter.kernel.errors import RemoteProtocolError
from callcenter.kernel.ids import IdSource, new_id
from callcenter.kernel.unit import Unit
from callcenter.sip.composing import ALLOW, SDP
from callcenter.sip.dialog import Dialog, next_hop
from callcenter.sip.directory import Directory
from callcenter.sip.hop import Hop, Transports
from callcenter.sip.message import Answerable, Malformed, Message, Request
from callcenter.sip.sdp import SessionDescription, parse_sdp
from callcenter.sip.session_interval import SessionRules
from callcenter.sip.statistics import Statistics
from callcenter.sip.timers import Timers
from callcenter.sip.transactions import ServerTransaction, Transactions, reply_hop
from callcenter.sip.writer import build_response

STATE = "dialog"
Headers = Iterable[tuple[str, str]]
Deliver = Callable[[Unit, SignallingInput], None]


@dataclass(frozen=True, slots=True)
class Room:
    """How an input becomes a unit and reaches the room of calls."""

    open_unit: Callable[[], Unit]
    submit: Callable[[Unit], None]
    deliver: Deliver


class Core:
    """Shared by the parts of one user agent; `dialogs` holds those that are not over, by leg."""

    def __init__(
        self,
        *,
        transports: Transports,
        timers: Timers,
        room: Room,
        directory: Directory,
        ids: IdSource = new_id,
        session_rules: SessionRules | None = None,
    ) -> None:
        self.session_rules = session_rules or SessionRules()
        self.transports = transports
        self.timers = timers
        self.open_unit = room.open_unit
        self.submit = room.submit
        self.deliver = room.deliver
        self.directory = directory
        self.ids = ids
        self.statistics = Statistics()
        self.transactions = Transactions(transports, timers, self.statistics)
        self.dialogs: dict[str, Dialog] = {}

    def now(self) -> datetime:
        """The journal's time."""
        return self.open_unit().now

    # -- state ----------------------------------------------------------------------------------------------------

    def save(self, unit: Unit, dialog: Dialog) -> None:
        """The dialog is now this."""
        self.dialogs[dialog.leg] = dialog
        unit.save(STATE, dialog.leg, dialog)

    def drop(self, unit: Unit, leg: str) -> None:
        """The dialog is over."""
        if self.dialogs.pop(leg, None) is not None:
            unit.delete(STATE, leg)

    # -- routes ---------------------------------------------------------------------------------------------------

    def trunk_addresses(self, dialog: Dialog) -> tuple[tuple[str, int], ...]:
        """Where else the dialog's peer may speak from; none for a phone."""
        trunk = self.directory.trunks.get(dialog.trunk)
        return trunk.addresses if trunk is not None else ()

    def next_hop(self, dialog: Dialog) -> Hop:
        connected = self.transports.is_connected(dialog.hop)
        return next_hop(dialog, self.trunk_addresses(dialog), connected=connected)

    # -- answers --------------------------------------------------------------------------------------------------

    def response(
        self,
        transaction: ServerTransaction,
        status: int,
        *,
        tag: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
    ) -> bytes:
        """The bytes of an answer to the transaction's request."""
        source = transaction.source
        return build_response(
            transaction.request,
            status,
            received=(source.address, source.port),
            to_tag=tag,
            headers=headers,
            body=body,
            content_type=SDP if body else None,
        )

    def reply(
        self, request: Request | Answerable, source: Hop, status: int, headers: Headers = (), tag: str | None = None
    ) -> None:
        """Answer at once and remember nothing; a repeated request gets an equal answer (RFC 3261 section 8.2.7)."""
        data = build_response(
            request,
            status,
            received=(source.address, source.port),
            to_tag=tag or _stateless_tag(request),
            headers=headers,
        )
        self.transports.send(data, reply_hop(request.via, source))

    def refuse(
        self, request: Request | Answerable, source: Hop, status: int, reason: str, headers: Headers = ()
    ) -> None:
        """`reply` with a status >= 300, counted under `reason`. An ACK is counted and not answered."""
        self.statistics.refuse(reason)
        if request.method != "ACK":
            if status == 405:
                headers = (*headers, ("Allow", ALLOW))
            self.reply(request, source, status, headers)

    def refuse_malformed(self, malformed: Malformed, source: Hop) -> None:
        """What the parser found, or a later look into a header."""
        if malformed.answerable is None:
            self.statistics.refuse(malformed.reason)
        else:
            self.refuse(malformed.answerable, source, malformed.status, malformed.reason, malformed.extra)

    # -- session descriptions -------------------------------------------------------------------------------------

    def offer_in(self, request: Request) -> SessionDescription | None:
        """The offer of an INVITE, None where it has no body; Malformed 415, 400 or 488 where it cannot be taken."""
        if not request.body:
            return None
        if request.content_type != SDP:
            accept = (("Accept", SDP),)
            raise Malformed("content_type", status=415, answerable=request.answerable, extra=accept)
        try:
            offer = parse_sdp(request.body)
        except RemoteProtocolError as error:
            raise Malformed(error.reason, answerable=request.answerable) from error
        if offer.audio is None:
            raise Malformed("sdp_no_audio", status=488, answerable=request.answerable)
        return offer

    def answer_in(self, message: Message) -> MediaDescription | None:
        """The description in a response or ACK, None where there is none that can be used."""
        if not message.body or message.content_type != SDP:
            return None
        try:
            return parse_sdp(message.body).audio
        except RemoteProtocolError as error:
            self.statistics.refuse(error.reason)
            return None


def _stateless_tag(request: Request | Answerable) -> str:
    identity = f"{request.via.branch} {request.headers.get('call-id')} {request.headers.get('from')}"
    return blake2b(identity.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
