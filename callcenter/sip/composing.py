"""How the requests of a dialog are written (RFC 3261 sections 8.1.1, 9.1, 12.2.1.1, 13.2.2.4, 17.1.1.3).

The same dialog gives the same bytes, before a restart and after it.
"""

from collections.abc import Sequence

from callcenter.sip.dialog import Dialog, branch
from callcenter.sip.hop import Hop
from callcenter.sip.message import Request, Response, parse_message
from callcenter.sip.writer import build_request, quote

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS"
SDP = "application/sdp"
MAX_FORWARDS = "70"
MAX_TEXT = 128

Address = tuple[str, int]
Headers = Sequence[tuple[str, str]]


def clean_text(value: str) -> str:
    """What a peer calls itself, fit to be stored and shown: printable, valid UTF-8, at most 128 characters."""
    printable = "".join(c for c in value if c.isprintable())
    return printable.encode("utf-8", "replace").decode()[:MAX_TEXT].strip()


def contact(local: Address, hop: Hop) -> str:
    """Our Contact towards `hop`."""
    host, port = local
    return f"<sip:{host}:{port}>" if hop.transport == "udp" else f"<sip:{host}:{port};transport={hop.transport}>"


def in_dialog(
    dialog: Dialog,
    method: str,
    *,
    local: Address,
    hop: Hop,
    cseq: int,
    branch_method: str | None = None,
    headers: Headers = (),
    body: bytes = b"",
) -> bytes:
    """A request of `dialog` with `cseq` to `hop`; `local` is our address as that hop knows it."""
    host, port = local
    name = branch(dialog.leg, cseq, branch_method or method.lower())
    mine = f"<{dialog.local_uri}>;tag={dialog.local_tag}"
    if dialog.local_name:
        mine = f"{quote(clean_text(dialog.local_name))} {mine}"
    theirs = f"<{dialog.remote_uri}>;tag={dialog.remote_tag}" if dialog.remote_tag else f"<{dialog.remote_uri}>"
    fields = [
        ("Via", f"SIP/2.0/{hop.transport.upper()} {host}:{port};branch={name};rport"),
        *(("Route", f"<{uri}>") for uri in dialog.route_set),
        ("Max-Forwards", MAX_FORWARDS),
        ("From", mine),
        ("To", theirs),
        ("Call-ID", dialog.call_id),
        ("CSeq", f"{cseq} {method}"),
        *headers,
    ]
    if body:
        fields.append(("Content-Type", SDP))
    return build_request(method, dialog.remote_target, headers=fields, body=body)


def invite(dialog: Dialog, *, local: Address, hop: Hop, body: bytes, extra: Headers = ()) -> bytes:
    """INVITE or re-INVITE with the dialog's present CSeq."""
    headers = (("Contact", contact(local, hop)), ("Allow", ALLOW), *extra)
    return in_dialog(dialog, "INVITE", local=local, hop=hop, cseq=dialog.local_cseq, headers=headers, body=body)


def ack(dialog: Dialog, *, local: Address, hop: Hop, body: bytes = b"") -> bytes:
    """The ACK of a 2xx: a transaction of its own, the INVITE's CSeq number."""
    return in_dialog(dialog, "ACK", local=local, hop=hop, cseq=dialog.invite_cseq, body=body)


def bye(dialog: Dialog, *, local: Address, hop: Hop, cause: str) -> bytes:
    """BYE with the dialog's present CSeq; `cause` becomes the Reason text (RFC 3326)."""
    headers = (("Reason", f"SIP;cause=200;text={quote(clean_text(cause))}"),) if cause else ()
    return in_dialog(dialog, "BYE", local=local, hop=hop, cseq=dialog.local_cseq, headers=headers)


def refusal_ack(request: bytes, response: Response) -> bytes:
    """The ACK of a final answer >= 300 to the INVITE `request` (RFC 3261 section 17.1.1.3)."""
    return _beside(request, "ACK", response.headers.get("to") or "")


def cancel(request: bytes) -> bytes:
    """The CANCEL of the INVITE `request` (RFC 3261 section 9.1)."""
    return _beside(request, "CANCEL", None)


def _beside(data: bytes, method: str, to: str | None) -> bytes:
    request = parse_message(data)
    assert isinstance(request, Request), "the stored INVITE is a request of ours"
    fields = request.headers
    kept = [("Via", request.via.text)]
    kept += [("Route", route) for route in fields.getlist("route")]
    kept += [
        ("Max-Forwards", MAX_FORWARDS),
        ("From", fields.get("from") or ""),
        ("To", to or fields.get("to") or ""),
        ("Call-ID", request.call_id),
        ("CSeq", f"{request.cseq} {method}"),
    ]
    return build_request(method, request.uri.text, headers=kept)
