"""One leg's SIP dialog as it is stored: everything that a restarted process needs to go on (RFC 3261 section 12).

Call-ID (of our calls), our tag and all our branches derive from the leg's id, so the response to a request that was
sent before a restart finds its way. A dialog is an immutable value; what changes it are the functions here.
It is a msgspec struct because each step of a call copies and stores it.

    uas   early --200--> confirmed (accepted: no ACK yet) --ACK--> confirmed --BYE--> ended
          early --refusal, CANCEL--> ended
    uac   early --2xx, ACK--> confirmed --BYE--> ended         early --final, CANCEL--> ended
"""

from collections.abc import Container
from typing import Literal

import msgspec
from msgspec.structs import replace

from callcenter.calls.ports import MediaDescription, Target
from callcenter.sip.hop import Hop
from callcenter.sip.message import Request, Response
from callcenter.sip.session_interval import Session
from callcenter.sip.transactions import COOKIE, DEFAULT_PORT
from callcenter.sip.values import NameAddr, parse_uri

Addresses = Container[tuple[str, int]]


class Dialog(msgspec.Struct, frozen=True, omit_defaults=True):
    """`local_uri` and `remote_uri` are URIs without angle brackets; tags, CSeqs and route set as in the RFC."""

    leg: str
    role: Literal["uac", "uas"]
    state: Literal["early", "confirmed", "ended"]
    call_id: str
    local_tag: str
    local_uri: str
    remote_uri: str
    remote_target: str
    hop: Hop
    """Where the peer's messages come from; over TCP a connection that may be gone."""
    remote_tag: str = ""
    local_name: str = ""
    local_cseq: int = 0
    remote_cseq: int = 0
    route_set: tuple[str, ...] = ()
    trunk: str = ""
    sdp_version: int = 0
    local_media: MediaDescription | None = None
    remote_direction: str = "sendrecv"
    invite_cseq: int = 0
    """CSeq of the last INVITE, whoever sent it: its ACK has the same."""
    inbound_invite: bytes = b""
    """The peer's INVITE while it is unanswered, or answered and not acknowledged."""
    inbound_hop: Hop | None = None
    late_offer: bool = False
    """That INVITE had no offer: ours is in the 2xx and the answer in the ACK."""
    accepted: bytes = b""
    """Our 2xx until its ACK."""
    refused: bytes = b""
    """Our final answer >= 300 between its commit and its sending."""
    outbound_invite: bytes = b""
    """Our INVITE until its final answer."""
    provisional: int = 0
    """The status of the last 1xx to it, 0 before one."""
    cancel_wanted: bool = False
    bye: bytes = b""
    """Our BYE until its answer; not sent while a 2xx of ours lacks its ACK."""
    bye_hop: Hop | None = None
    session: Session | None = None
    """The session timer of a call that is up."""
    session_wanted_s: int = 0
    """The interval that a 422 to our INVITE asked for."""

    @property
    def sdp_session(self) -> int:
        """The session id of our SDP, the same for the dialog's life."""
        return sdp_session(self.leg)

    @property
    def awaits_ack(self) -> bool:
        return bool(self.accepted)

    @property
    def invite_pending(self) -> bool:
        """The peer's INVITE has no final answer yet."""
        return bool(self.inbound_invite) and not self.accepted


def sdp_session(leg: str) -> int:
    """A number below 2**62 that only depends on the leg."""
    number = 0
    for byte in leg.encode():
        number = (number * 1000003 + byte) % (1 << 62)
    return number


def branch(leg: str, cseq: int, method: str) -> str:
    """The branch of our request: `method` is its method in lower case (cancel and non-2xx ACK use the INVITE's)."""
    return f"{COOKIE}{leg}-{cseq}-{method}"


def from_invite(request: Request, leg: str, source: Hop, raw: bytes, *, trunk: str, peer: NameAddr) -> Dialog:
    """The dialog of an INVITE that has been let in; `peer` is its Contact."""
    return Dialog(
        leg=leg,
        role="uas",
        state="early",
        call_id=request.call_id,
        local_tag=leg,
        local_uri=request.to_address.uri.text,
        remote_uri=request.from_address.uri.text,
        remote_target=peer.uri.text,
        hop=source,
        remote_tag=request.from_tag or "",
        remote_cseq=request.cseq,
        route_set=tuple(route.uri.text for route in request.record_route),
        trunk=trunk,
        invite_cseq=request.cseq,
        inbound_invite=raw,
        inbound_hop=source,
        late_offer=not request.body,
    )


def to_target(leg: str, target: Target, host: str) -> Dialog:
    """The dialog of a call of ours, before its INVITE is written; `host` is our own where the target names none."""
    return Dialog(
        leg=leg,
        role="uac",
        state="early",
        call_id=leg,
        local_tag=leg,
        local_uri=local_uri(target.from_user, target.from_host or host),
        local_name=target.from_name,
        remote_uri=target.uri,
        remote_target=target.uri,
        hop=Hop(target.transport, target.address, target.port),
        trunk=target.trunk,
        local_cseq=1,
        invite_cseq=1,
    )


_USER_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;?/")


def local_uri(user: str, host: str) -> str:
    """sip:user@host, escaped as RFC 3261 section 25.1 wants it; without a user where it is empty."""
    escaped = "".join(chr(c) if chr(c) in _USER_SAFE else f"%{c:02X}" for c in user.encode("utf-8", "replace"))
    return f"sip:{escaped}@{host}" if escaped else f"sip:{host}"


def learn_peer(dialog: Dialog, response: Response) -> Dialog:
    """Tag, target and route set of a 1xx or 2xx to our first INVITE (RFC 3261 section 12.1.2)."""
    contact = response.contact
    return replace(
        dialog,
        remote_tag=response.to_tag or "",
        remote_target=contact.uri.text if contact is not None else dialog.remote_target,
        route_set=tuple(route.uri.text for route in reversed(response.record_route)),
    )


def next_cseq(dialog: Dialog) -> Dialog:
    """The dialog with the CSeq of its next request."""
    return replace(dialog, local_cseq=dialog.local_cseq + 1)


def describe(dialog: Dialog, local: MediaDescription) -> Dialog:
    """The dialog after `local` has been put into an SDP of ours: a changed one gets the next version."""
    if local == dialog.local_media:
        return dialog
    return replace(dialog, local_media=local, sdp_version=dialog.sdp_version + 1)


def is_peer(dialog: Dialog, source: Hop, trunk: Addresses = ()) -> bool:
    """Whether a request in the dialog may come from `source`: the peer's address and, over UDP, a port of its own.

    The ports of a peer are those it has sent from, and those that its Contact and Route name at the same address.
    """
    if (source.address, source.port) in trunk:
        return True
    if source.address != dialog.hop.address:
        return False
    if source.transport != "udp" or source.port == dialog.hop.port:
        return True
    return any(
        uri.host == source.address and (uri.port or DEFAULT_PORT) == source.port
        for uri in map(parse_uri, (dialog.remote_target, *dialog.route_set))
    )


def next_hop(dialog: Dialog, trunk: Addresses = (), *, connected: bool = True) -> Hop:
    """Where the next request goes (RFC 3261 section 8.1.2), kept to addresses that the peer has shown to be its own.

    A Contact or Route at another address (a phone behind NAT, or one that would aim us at somebody) is not followed
    unless the trunk's configuration has it. `connected`: the dialog's TCP connection is still there.
    """
    if dialog.hop.reliable and connected:
        return dialog.hop
    uri = parse_uri(dialog.route_set[0] if dialog.route_set else dialog.remote_target)
    port = uri.port or DEFAULT_PORT
    if uri.host == dialog.hop.address or (uri.host, port) in trunk:
        return Hop(dialog.hop.transport, uri.host, port)
    return dialog.hop
