"""One leg's RTP endpoint in the worker: who may send to it, what becomes of a packet, what it is sent.

The source is learned from the address that the SDP named and locked with the first good packet (telephony.md
section 4, security.md S1, S2): the port may be another (NAT), the address may not. Only the very address and port of
the SDP may take over from a source that matched by address alone. Everything else is dropped and counted.

A leg that has nothing to hear is sent nothing: its own packets keep its NAT open, and RTCP goes out every 5 s.
"""

import socket
from collections import Counter
from collections.abc import Callable

from callcenter.kernel.errors import RemoteProtocolError
from callcenter.media import rtcp
from callcenter.media.g711 import PCMU, STATIC_TYPES, convert
from callcenter.media.outgoing import Outgoing
from callcenter.media.prompts import Player
from callcenter.media.protocol import Remote, SessionState
from callcenter.media.reception import Reception
from callcenter.media.recording import Recording
from callcenter.media.rtp import Packet, parse
from callcenter.media.telephone_event import KeyPresses, duration_of
from callcenter.media.timeline import Side

TELEPHONE_EVENT = "telephone-event"
OUR_TELEPHONE_EVENT = 101
"""The payload type that our offers name."""

Source = tuple[str, int]
Send = Callable[[bytes, Source], object]


def _can_be_sent_to(remote: Remote) -> bool:
    # Only a plain IPv4 address: a name would be looked up for each packet, and 0.0.0.0 (hold of old) is ourselves.
    try:
        return remote.port != 0 and any(socket.inet_pton(socket.AF_INET, remote.address))
    except OSError:
        return False


class Session:
    """State of one endpoint; `send` and `send_control` are its two sockets' sendto."""

    def __init__(
        self, id_: str, address: str, port: int, send: Send, send_control: Send, *, clock: int,
        drops: Counter[str], digit: Callable[["Session", str], None],
    ) -> None:  # fmt: skip
        self.id = id_
        self.address = address
        self.port = port
        self._send = send
        self._send_control = send_control
        self._drops = drops
        self._digit = digit
        self.last_command = 0
        self.remote: Remote | None = None
        self.destination: Source | None = None
        self.locked: Source | None = None
        self.kinds: list[str | None] = [None] * 128
        self.codec = PCMU
        self.payload_type = 0
        self.telephone_event: int | None = None
        self.sends = False
        self.hears = False
        self.outgoing = Outgoing(clock)
        self.reception = Reception()
        self.keys = KeyPresses()
        self.digits = 0
        self.player: Player | None = None
        self.pending: object = None
        self.finished: str | None = None
        self.play_phase = 0
        self.second = 0
        self.visits = 0
        self.echo = False
        self.sink: Session | None = None
        self.customer: Session | None = None
        self.agent: Session | None = None
        self.recording: Recording | None = None
        self.side: Side | None = None
        self.message: str | None = None
        self.message_until = 0
        self.command: str | None = None
        self.recording_ms: int | None = None
        self.silence_told = False
        self.remote_lost: int | None = None
        self.remote_jitter: int | None = None
        self.round_trip_us: int | None = None
        self._last_sr = 0
        self._last_sr_at = 0
        self._reported = 0

    # -- the peer -------------------------------------------------------------------------------------------------

    def connect(self, remote: Remote, clock: int) -> None:
        """Take the peer's description, first or changed; a changed address or port unlocks the source."""
        before = self.remote
        if before is None or (before.address, before.port) != (remote.address, remote.port):
            self.locked = None
            self.destination = (remote.address, remote.port) if _can_be_sent_to(remote) else None
        self.remote = remote
        self.kinds = [None] * 128
        for payload_type, codec in STATIC_TYPES.items():
            self.kinds[payload_type] = codec
        self.kinds[OUR_TELEPHONE_EVENT] = TELEPHONE_EVENT
        for payload_type, codec in remote.codecs:
            self.kinds[payload_type & 0x7F] = codec
        if remote.telephone_event is not None:
            self.kinds[remote.telephone_event & 0x7F] = TELEPHONE_EVENT
        if remote.codecs:
            self.payload_type, self.codec = remote.codecs[0]
        self.telephone_event = remote.telephone_event
        # The direction is the peer's own view: one that only sends, or neither, is not sent to.
        self.sends = remote.direction in ("sendrecv", "recvonly")
        self.hears = remote.direction in ("sendrecv", "sendonly")
        self.silence_told = False
        self.reception.resume(clock)

    def _acceptable(self, source: Source) -> bool:
        remote = self.remote
        if remote is None:
            self._drops["not_connected"] += 1
            return False
        if source[0] != remote.address or (self.locked is not None and source[1] != remote.port):
            self._drops["foreign_source"] += 1
            return False
        return True

    # -- packets in -----------------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Source, clock: int) -> None:
        """One datagram on the RTP port. Never raises for what a peer may send; drops are counted by reason."""
        if source != self.locked and not self._acceptable(source):
            return
        try:
            packet = parse(data)
            kind = self.kinds[packet[1]]
            if kind is None or not self.hears:
                self._drops["payload_type" if kind is None else "on_hold"] += 1
                return
            if kind == TELEPHONE_EVENT:
                self._key(packet, source, clock)
                return
        except RemoteProtocolError as error:
            self._drops[error.reason] += 1
            return
        if source != self.locked:
            self.locked = self.destination = source
        _, _, sequence, timestamp, ssrc, payload = packet
        self.reception.heard(ssrc, sequence, timestamp, clock)
        side = self.side
        if side is not None and self.recording is not None:
            side.place(ssrc, timestamp, payload, kind, clock - self.recording.start)
        sink = self.sink
        if sink is not None:
            sink.relay(kind, packet, clock)

    def _key(self, packet: Packet, source: Source, clock: int) -> None:
        marker, _, sequence, timestamp, ssrc, payload = packet
        key = self.keys.packet(ssrc, timestamp, payload, clock, marker=bool(marker))
        if source != self.locked:
            self.locked = self.destination = source
        # The timestamp of an event is that of its start: only its sequence number tells of loss.
        self.reception.heard(ssrc, sequence, timestamp + duration_of(payload), clock)
        if self.side is not None and self.recording is not None:
            self.side.press(ssrc, timestamp, duration_of(payload), clock - self.recording.start)
        if key is not None:
            self.digits += 1
            self._digit(self, key)
        if self.sink is not None:
            self.sink.relay(TELEPHONE_EVENT, packet, clock)

    def receive_control(self, data: bytes, source: Source, clock: int, ntp: int) -> None:
        """One datagram on the RTCP port; `ntp` is the present time as RTCP writes it."""
        if self.destination is None or source[0] != self.destination[0]:
            self._drops["rtcp_foreign_source"] += 1
            return
        try:
            compound = rtcp.parse(data)
        except RemoteProtocolError as error:
            self._drops[error.reason] += 1
            return
        if compound.byes:
            self._drops["rtcp_bye"] += compound.byes
        for report in compound.reports:
            if report.sender is not None and report.ssrc == self.reception.ssrc:
                self._last_sr, self._last_sr_at = rtcp.middle(report.sender.ntp), clock
            for block in report.blocks:
                if block.ssrc == self.outgoing.ssrc:
                    self.remote_lost = max(0, block.cumulative_lost)
                    self.remote_jitter = block.jitter
                    if block.last_sr:
                        trip = rtcp.middle(ntp) - block.last_sr - block.delay_since_last_sr & 0xFFFFFFFF
                        self.round_trip_us = trip * 1_000_000 >> 16 if trip < 1 << 24 else self.round_trip_us

    # -- packets out ----------------------------------------------------------------------------------------------

    def relay(self, kind: str, packet: Packet, clock: int) -> None:
        """Send on what the other leg said; what plays here has precedence."""
        if not self.sends or self.player is not None or self.destination is None:
            return
        payload = packet[5]
        if kind == self.codec:
            payload_type = self.payload_type
        elif kind == TELEPHONE_EVENT:
            if self.telephone_event is None:
                return
            payload_type = self.telephone_event
        else:
            payload = convert(payload, kind, self.codec)
            payload_type = self.payload_type
        ours = self.outgoing.relay(packet, payload_type, payload, clock)
        if ours is None:
            self._drops["before_bridge"] += 1
            return
        try:
            self._send(ours, self.destination)
        except OSError:
            self._drops["send_failed"] += 1

    def play(self, clock: int) -> bool:
        """Send the next 20 ms of what plays; False when it has ended. Waits for a peer that is not known yet."""
        player = self.player
        if player is None or self.destination is None:
            return True
        frame = player.next(self.codec)
        if frame is None:
            return False
        if not self.sends:
            player.started = False
            return True
        if player.started:
            packet = self.outgoing.next(self.payload_type, frame)
        else:
            player.started = True
            packet = self.outgoing.first(self.payload_type, frame, clock)
        try:
            self._send(packet, self.destination)
        except OSError:
            self._drops["send_failed"] += 1
        return True

    def report(self, clock: int, ntp: int, cname: bytes) -> None:
        """Send our RTCP report: an SR if we have sent since the last one, else an RR."""
        if self.destination is None:
            return
        delay = (clock - self._last_sr_at) * 65536 // 8000 if self._last_sr else 0
        block = self.reception.report(self._last_sr, delay & 0xFFFFFFFF)
        sender = None
        out = self.outgoing
        if out.packets != self._reported:
            self._reported = out.packets
            sender = rtcp.SenderInfo(ntp, out.at(clock), out.packets, out.octets)
        elif block is None:
            return
        try:
            self._send_control(
                rtcp.build(out.ssrc, sender, block, cname), (self.destination[0], self.destination[1] + 1)
            )
        except OSError:
            self._drops["send_failed"] += 1

    # -- what it is doing -----------------------------------------------------------------------------------------

    def is_silent(self, clock: int, limit: int) -> bool:
        """Nothing came for `limit` samples from a peer that had sent and is not on hold."""
        return (
            self.reception.received > 0
            and self.remote is not None
            and self.remote.direction == "sendrecv"
            and clock - self.reception.last_arrival > limit
        )

    def state(self) -> SessionState:
        """What a new application is told."""
        recorder = self if self.agent is not None else self.customer
        path = recorder.recording.path if recorder is not None and recorder.recording is not None else None
        return SessionState(
            self.id, self.address, self.port, self.last_command,
            playing=self.command, looping=self.player is not None and self.player.loop, echo=self.echo,
            message=self.message,
            customer=self.customer.id if self.customer is not None else None,
            agent=self.agent.id if self.agent is not None else None,
            recording=str(path) if path is not None else None,
            digits=self.digits, remote=self.remote,
        )  # fmt: skip
