"""The driver of the transaction machines: finds a message's transaction, runs effects, keeps their timers.

Matching is RFC 3261 sections 17.1.3 and 17.2.3 (with the fall-back for peers of before RFC 3261), merged requests
section 8.2.2.2. All of it lives in memory: what must outlive the process is in the dialog.
"""

from collections.abc import Callable

from callcenter.sip.hop import Hop, Transports
from callcenter.sip.message import Request, Response
from callcenter.sip.statistics import Statistics
from callcenter.sip.timers import NEVER, Timers
from callcenter.sip.transaction import (
    TICK,
    AckReceived,
    ClientInput,
    Deliver,
    RequestRepeated,
    Respond,
    ResponseReceived,
    Send,
    ServerInput,
    Terminated,
    Timeout,
    TransportError,
)
from callcenter.sip.transaction_client import (
    InviteClient,
    RequestClient,
    resume_invite,
    start_invite,
    start_request,
)
from callcenter.sip.transaction_server import InviteServer, RequestServer
from callcenter.sip.values import Via

COOKIE = "z9hG4bK"
DEFAULT_PORT = 5060
ServerKey = tuple[str, ...]
MergeKey = tuple[str, str, int, str]
OnResponse = Callable[[Response], None]
OnFailure = Callable[[str], None]
MakeAck = Callable[[Response], bytes]


def server_key(request: Request) -> ServerKey:
    """What a request and its repetitions share; an ACK and a CANCEL ask for their INVITE's.

    Call-ID and CSeq number are part of it, as some phones use a branch twice (after a challenge, for instance).
    """
    via = request.via
    method = "INVITE" if request.method in ("ACK", "CANCEL") else request.method
    call = (request.call_id, str(request.cseq), method)
    if via.branch is not None and via.branch.startswith(COOKIE) and via.branch != COOKIE:
        return (via.branch, via.host.lower(), str(via.port or DEFAULT_PORT), *call)
    return (request.uri.text, request.from_tag or "", via.text, *call)


def reply_hop(via: Via, source: Hop) -> Hop:
    """Where responses go (RFC 3261 section 18.2.2, RFC 3581); maddr is not honoured."""
    if source.reliable or via.rport:
        return source
    return Hop(source.transport, source.address, via.port or DEFAULT_PORT)


class ServerTransaction:
    """A request of a peer's that is being answered. `leg` is set where it belongs to a dialog."""

    __slots__ = (
        "__weakref__",
        "_owner",
        "armed_at",
        "hop",
        "key",
        "leg",
        "machine",
        "merge_key",
        "request",
        "source",
    )

    def __init__(self, owner: "Transactions", request: Request, source: Hop, leg: str) -> None:
        self._owner = owner
        self.request = request
        self.source = source
        self.leg = leg
        self.hop = reply_hop(request.via, source)
        self.key = server_key(request)
        self.merge_key: MergeKey | None = None
        reliable = source.reliable
        self.machine: InviteServer | RequestServer = (
            InviteServer(reliable) if request.method == "INVITE" else RequestServer(reliable)
        )
        self.armed_at = NEVER

    @property
    def next_deadline(self) -> float | None:
        return self.machine.next_deadline

    def wake(self, now: float) -> None:
        self._owner.run_server(self, TICK, now)


class ClientTransaction:
    """A request of ours that awaits its answer."""

    __slots__ = ("_owner", "abandoned", "armed_at", "hop", "key", "machine", "make_ack", "on_failure", "on_response")

    def __init__(
        self,
        owner: "Transactions",
        key: tuple[str, str],
        hop: Hop,
        machine: InviteClient | RequestClient,
        *,
        on_response: OnResponse,
        on_failure: OnFailure,
        make_ack: MakeAck | None,
    ) -> None:
        self._owner = owner
        self.key = key
        self.hop = hop
        self.machine = machine
        self.on_response = on_response
        self.on_failure = on_failure
        self.make_ack = make_ack
        self.abandoned = False
        self.armed_at = NEVER

    @property
    def next_deadline(self) -> float | None:
        return None if self.abandoned else self.machine.next_deadline

    def wake(self, now: float) -> None:
        self._owner.run_client(self, TICK, now)


class Transactions:
    """All transactions of one user agent."""

    def __init__(self, transports: Transports, timers: Timers, statistics: Statistics) -> None:
        self._transports = transports
        self._timers = timers
        self._statistics = statistics
        self._servers: dict[ServerKey, ServerTransaction] = {}
        self._merged: dict[MergeKey, ServerTransaction] = {}
        self._clients: dict[tuple[str, str], ClientTransaction] = {}

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    # -- server side ----------------------------------------------------------------------------------------------

    def find(self, request: Request) -> ServerTransaction | None:
        """The transaction that `request` repeats, or (ACK, CANCEL) whose INVITE it is about."""
        return self._servers.get(server_key(request))

    def is_merged(self, request: Request) -> bool:
        """Another copy of this request came by another way (482)."""
        return request.to_tag is None and _merge_key(request) in self._merged

    def serve(self, request: Request, source: Hop, leg: str = "") -> ServerTransaction:
        """Begin to answer `request`."""
        transaction = ServerTransaction(self, request, source, leg)
        self._servers[transaction.key] = transaction
        if request.to_tag is None:
            transaction.merge_key = _merge_key(request)
            self._merged[transaction.merge_key] = transaction
        return transaction

    def respond(self, transaction: ServerTransaction, status: int, data: bytes) -> None:
        """Send an answer, to be repeated as the machine has it."""
        self.run_server(transaction, Respond(status, data), self._timers.now())

    def repeated(self, transaction: ServerTransaction) -> None:
        """The request came again."""
        self.run_server(transaction, RequestRepeated(), self._timers.now())

    def acknowledged(self, transaction: ServerTransaction) -> None:
        """An ACK in the INVITE's own transaction came."""
        self.run_server(transaction, AckReceived(), self._timers.now())

    def run_server(self, transaction: ServerTransaction, event: ServerInput, now: float) -> None:
        """Give `event` to the machine and do what it says."""
        machine = transaction.machine
        transaction.machine, effects = machine.handle(event, now=now)
        for effect in effects:
            match effect:
                case Send(data):
                    if not isinstance(event, Respond):
                        self._statistics.retransmitted += 1
                    self._transports.send(data, transaction.hop)
                case Timeout():
                    self._statistics.refuse("no_ack_to_refusal")
                case Terminated():
                    self._forget_server(transaction)
        self._timers.arm(transaction)

    def _forget_server(self, transaction: ServerTransaction) -> None:
        if self._servers.get(transaction.key) is transaction:
            del self._servers[transaction.key]
        key = transaction.merge_key
        if key is not None and self._merged.get(key) is transaction:
            del self._merged[key]

    # -- client side ----------------------------------------------------------------------------------------------

    def call(
        self,
        branch: str,
        method: str,
        data: bytes,
        hop: Hop,
        *,
        on_response: OnResponse,
        on_failure: OnFailure,
        make_ack: MakeAck | None = None,
        resume: bool = False,
    ) -> None:
        """Send a request. `on_failure` gets "timeout" or "transport"; with `resume` nothing is sent (INVITE only)."""
        now = self._timers.now()
        machine: InviteClient | RequestClient
        if resume:
            machine = resume_invite(data, reliable=hop.reliable)
        elif method == "INVITE":
            machine, _ = start_invite(data, reliable=hop.reliable, now=now)
        else:
            machine, _ = start_request(data, reliable=hop.reliable, now=now)
        key = (branch, method)
        transaction = ClientTransaction(
            self, key, hop, machine, on_response=on_response, on_failure=on_failure, make_ack=make_ack
        )
        self._clients[key] = transaction
        if not resume:
            self._transports.send(data, hop)
        self._timers.arm(transaction)

    def receive(self, response: Response) -> bool:
        """Give `response` to its transaction; False where there is none."""
        transaction = self._clients.get((response.via.branch or "", response.cseq_method))
        if transaction is None:
            return False
        ack = b""
        if response.status >= 300 and transaction.make_ack is not None:
            ack = transaction.make_ack(response)
        self.run_client(transaction, ResponseReceived(response.status, ack), self._timers.now(), response)
        return True

    def awaits(self, branch: str) -> bool:
        """Whether a request of ours with this branch may still be answered."""
        return any((branch, method) in self._clients for method in ("INVITE", "BYE", "CANCEL"))

    def abandon(self, branch: str, method: str) -> None:
        """Forget a request whose answer is no longer waited for."""
        transaction = self._clients.pop((branch, method), None)
        if transaction is not None:
            transaction.abandoned = True

    def transport_failed(self, hop: Hop) -> None:
        """Nothing can be sent to `hop`."""
        for transaction in [each for each in self._clients.values() if each.hop == hop]:
            self.run_client(transaction, TransportError(), self._timers.now())

    def run_client(
        self, transaction: ClientTransaction, event: ClientInput, now: float, response: Response | None = None
    ) -> None:
        """Give `event` to the machine and do what it says."""
        machine = transaction.machine
        transaction.machine, effects = machine.handle(event, now=now)
        ended = bool(effects) and isinstance(effects[-1], Terminated)
        if ended and self._clients.get(transaction.key) is transaction:
            del self._clients[transaction.key]
        self._timers.arm(transaction)
        for effect in effects:
            match effect:
                case Send(data):
                    if response is None:
                        self._statistics.retransmitted += 1
                    self._transports.send(data, transaction.hop)
                case Deliver() if response is not None:
                    transaction.on_response(response)
                case Timeout():
                    transaction.on_failure("timeout")
                case Terminated():
                    pass
                case _:
                    transaction.on_failure("transport")


def _merge_key(request: Request) -> MergeKey:
    return (request.call_id, request.from_tag or "", request.cseq, request.method)
