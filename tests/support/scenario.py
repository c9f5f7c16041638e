"""SIPp scenarios, written by the line: what a caller or a phone does, in order.

    caller(play=tone, then=hang_up(after_ms=2000))
    phone(answer(), ...)

SIPp substitutes no keywords in the file that it plays, so scenarios are made for each run instead of kept as files.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

_HEAD = """
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: "Test" <sip:{user}@[local_ip]:[local_port]>;tag=[pid]f[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>{to_tag}
      Call-ID: [call_id]
      CSeq: {cseq}
      Contact: <sip:{user}@[local_ip]:[local_port];transport=[transport]>
      Max-Forwards: 70{extra}"""

_REPLY = """
      [last_Via:]
      [last_From:]
      [last_To:]{to_tag}
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:[local_ip]:[local_port];transport=[transport]>"""


@dataclass(frozen=True)
class Sound:
    """What a party's SDP offers and what it sends: a pcap, or nothing. `media` is the port that the SDP names."""

    pcap: Path | None = None
    payload_type: int = 0
    port: str = "[media_port]"
    direction: str = "sendrecv"

    @property
    def sdp(self) -> str:
        return f"""
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=- 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio {self.port} RTP/AVP {self.payload_type} 101
      a=rtpmap:101 telephone-event/8000
      a=ptime:20
      a={self.direction}
"""


NO_BODY = """
      Content-Length: 0

"""


def send(text: str, *, retransmit: bool = False, after_ms: int = 500, attributes: str = "") -> str:
    """A `send` of `text`; with `retransmit` it is repeated, for the first time `after_ms` later."""
    again = f' retrans="{after_ms}"' if retransmit else ""
    return f"<send{again}{attributes}><![CDATA[\n{text}]]></send>"


def receive(what: str, *, optional: bool = False, action: str = "", attributes: str = "") -> str:
    """A `recv` of a response ("200") or request ("BYE")."""
    kind = "response" if what.isdigit() else "request"
    option = ' optional="true"' if optional else ""
    return f'<recv {kind}="{what}"{option}{attributes}>{action}</recv>'


def request(
    method: str, *, user: str, cseq: int, body: str = NO_BODY, extra: str = "", in_dialog: bool = True
) -> str:
    """The text of a request of ours."""
    to_tag = "[peer_tag_param]" if in_dialog else ""
    head = _HEAD.format(user=user, to_tag=to_tag, cseq=f"{cseq} {method}", extra=extra)
    return f"      {method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0{head}{body}"


def reply(status: str, body: str = NO_BODY, *, tag: bool = True, cseq: str = "[last_CSeq:]") -> str:
    """The text of our answer to the last request; `cseq` where it answers an earlier one of that transaction."""
    head = _REPLY.format(to_tag=";tag=[pid]t[call_number]" if tag else "").replace("[last_CSeq:]", cseq)
    return f"      SIP/2.0 {status}{head}{body}"


def play(sound: Sound) -> str:
    """Start to send the pcap; the scenario goes on meanwhile."""
    if sound.pcap is None:
        return ""
    return f"<nop><action><exec play_pcap_audio={quoteattr(str(sound.pcap))}/></action></nop>"


def pause(milliseconds: int | None = None) -> str:
    """Wait; without a number as long as `-d` says."""
    return "<pause/>" if milliseconds is None else f'<pause milliseconds="{milliseconds}"/>'


PORT = (
    '<action><ereg regexp="m=audio ([0-9]+)" search_in="body" check_it="true" assign_to="1,2"/>'
    '<log message="PORT [$2]"/></action>'
)
CALLER = (
    '<action><ereg regexp="m=audio ([0-9]+)" search_in="body" check_it="true" assign_to="1,2"/>'
    '<log message="PORT [$2]"/>'
    '<ereg regexp="sip:[^>]+" search_in="hdr" header="Contact:" check_it="true" assign_to="3"/>'
    '<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="4"/>'
    '<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="5"/></action>'
)
_BYE_OF_CALLED = """
      BYE [$3] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From:[$5];tag=[pid]t[call_number]
      To:[$4]
      Call-ID: [call_id]
      CSeq: 2 BYE
      Max-Forwards: 70
      Content-Length: 0

"""
PROVISIONAL = "".join(receive(status, optional=True) for status in ("100", "180", "183"))


def scenario(*steps: str) -> str:
    """The document."""
    used = '<Reference variables="1"/>' if any("assign_to" in step for step in steps) else ""
    body = "\n".join(steps)
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="test">\n{body}\n{used}</scenario>\n'


def caller(
    sound: Sound | None = None,
    *,
    number: str = "+390612345678",
    late_offer: bool = False,
    hangs_up: bool = True,
    authenticate: bool = False,
) -> str:
    """INVITE, wait for the answer, play, talk for `-d`, BYE; or wait for the other's BYE."""
    sound = sound or Sound()
    body = NO_BODY if late_offer else sound.sdp
    steps, cseq = _invite(number, body, authenticate=authenticate)
    steps += [PROVISIONAL, receive("200", action=PORT)]
    steps += [send(request("ACK", user=number, cseq=cseq, body=sound.sdp if late_offer else NO_BODY)), play(sound)]
    steps += _end(number, cseq + 1, hangs_up=hangs_up)
    return scenario(*steps)


def _invite(number: str, body: str, *, authenticate: bool) -> tuple[list[str], int]:
    """INVITE, again with the challenge answered where `authenticate` is set; the steps and the last CSeq."""
    steps = [send(request("INVITE", user=number, cseq=1, body=body, in_dialog=False), retransmit=True)]
    if not authenticate:
        return steps, 1
    steps += [receive("100", optional=True), receive("401", attributes=' auth="true"')]
    steps += [send(request("ACK", user=number, cseq=1))]
    again = request("INVITE", user=number, cseq=2, body=body, extra="\n      [authentication]", in_dialog=False)
    return [*steps, send(again, retransmit=True)], 2


def refused_caller(
    status: str, *, number: str = "+390612345678", sound: Sound | None = None, authenticate: bool = False
) -> str:
    """INVITE that is answered with `status`."""
    steps, cseq = _invite(number, (sound or Sound()).sdp, authenticate=authenticate)
    return scenario(*steps, PROVISIONAL, receive(status), send(request("ACK", user=number, cseq=cseq)))


def cancelling_caller(*, number: str = "+390612345678", after_ms: int = 500) -> str:
    """INVITE, hears ringing, CANCEL `after_ms` later."""
    invite = request("INVITE", user=number, cseq=1, body=Sound().sdp, in_dialog=False)
    cancel = request("CANCEL", user=number, cseq=1, in_dialog=False).replace("[branch]", "[branch-4]")
    return scenario(
        send(invite, retransmit=True),
        receive("100", optional=True),
        receive("180"),
        pause(after_ms),
        send(cancel, retransmit=True),
        receive("200"),
        receive("487"),
        send(request("ACK", user=number, cseq=1).replace("[branch]", "[branch-7]")),
    )


def _end(user: str, cseq: int, *, hangs_up: bool) -> list[str]:
    if hangs_up:
        return [pause(), send(request("BYE", user=user, cseq=cseq), retransmit=True), receive("200")]
    return [receive("BYE"), send(reply("200 OK", tag=False))]


def phone(sound: Sound | None = None, *, ring_ms: int = 0, hangs_up: bool = False, asked_again: bool = False) -> str:
    """Ring, answer after `ring_ms`, play; wait for BYE, or BYE after `-d`.

    With `asked_again` an INVITE may come once more after the answer, as a server that has begun anew rightly sends
    it: SIPp gives the call up at one that it does not expect.
    """
    sound = sound or Sound()
    steps = [receive("INVITE", action=CALLER if hangs_up else PORT), send(reply("180 Ringing"))]
    if ring_ms:
        steps.append(pause(ring_ms))
    again = [receive("INVITE", optional=True)] if asked_again else []
    steps += [send(reply("200 OK", sound.sdp), retransmit=True), *again, receive("ACK"), play(sound)]
    if hangs_up:
        steps += [pause(), send(_BYE_OF_CALLED, retransmit=True), receive("200")]
    else:
        steps += [receive("BYE"), send(reply("200 OK", tag=False))]
    return scenario(*steps)


def refusing_phone(status: str, *, ring_ms: int = 0) -> str:
    """Ring, then refuse with `status` ("486 Busy Here")."""
    steps = [receive("INVITE"), send(reply("180 Ringing"))] if ring_ms else [receive("INVITE")]
    return scenario(*steps, pause(ring_ms), send(reply(status)), receive("ACK"))


def ringing_phone() -> str:
    """Rings until it is cancelled."""
    return scenario(
        receive("INVITE"),
        send(reply("180 Ringing")),
        receive("CANCEL"),
        send(reply("200 OK", tag=False)),
        send(reply("487 Request Terminated", cseq="CSeq: 1 INVITE")),
        receive("ACK"),
    )


def registration(user: str, *, expires_s: int = 600) -> str:
    """REGISTER with the challenge answered (SIPp's -au and -ap).

    Patient with a server that waits for its processor: to SIPp a second challenge, as the answer to a repeated
    request, is a mistake.
    """
    extra = f"\n      Expires: {expires_s}"
    first = request("REGISTER", user=user, cseq=1, extra=extra, in_dialog=False)
    second = request("REGISTER", user=user, cseq=2, extra=extra + "\n      [authentication]", in_dialog=False)
    return scenario(
        send(first, retransmit=True, after_ms=10_000),
        receive("401", attributes=' auth="true"'),
        send(second, retransmit=True, after_ms=10_000),
        receive("200"),
    ).replace("To: <sip:[service]@", f"To: <sip:{user}@")
