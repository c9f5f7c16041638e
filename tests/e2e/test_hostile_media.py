"""Attacks on the sound of calls that are up (security.md S1, S2, S17, S18), and broken RTP and RTCP in between.

The call is a bridge of two legs, recorded; caller, phone and attackers have addresses of their own. What an attacker
sends is a tone that nobody else makes, so a leak shows in what the parties receive and in the recording.
"""

import json
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import tone
from tests.support.hostile import ATTACKER, PHONE, PORTS, TRUNK, HostileServer, hostile_server
from tests.support.server import eventually
from tests.support.sip_party import Address, Call, Party, Sound, offer, rtp

pytestmark = pytest.mark.e2e

EVIL_HZ, CALLER_HZ, PHONE_HZ = 2100, 400, 1000
EVIL = tone.frames(EVIL_HZ, 0.02)[0]
MAX_LEAK = 5


@dataclass
class Talk:
    """A recorded bridge and both its ends."""

    server: HostileServer
    trunk: Party
    call: Call
    caller: Sound
    phone: Sound
    phone_leg: Address

    def hear(self, seconds: float) -> None:
        """Let both talk for so long, measured in packets that have come to both."""
        wanted = [len(end.heard) + int(seconds * 50) for end in (self.caller, self.phone)]
        eventually(
            "both hear each other",
            lambda: len(self.caller.heard) >= wanted[0] and len(self.phone.heard) >= wanted[1],
            within_s=seconds + 10,
        )

    def leaked(self) -> int:
        """Packets of the attacker that reached either end."""
        return sum(packet.payload == EVIL for end in (self.caller, self.phone) for packet in end.heard)

    def drops(self) -> dict[str, int]:
        """Of the worker, which an application that waits for it in vain leaves out."""
        told = eventually(
            "the worker tells",
            lambda: next((m for m in [self.server.status()["media"]] if m["packets_received"]), None),
        )
        return dict(told["drops"])

    def end(self) -> Path:
        """Hang up; the recording."""
        assert self.call.is_up()
        assert self.call.hang_up().status == 200
        eventually("the call is over", lambda: not self.server.status()["calls"])
        return sorted((self.server.data / "recordings").rglob("*.wav"))[-1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("media")) as running:
        yield running


@pytest.fixture
def trunk(server: HostileServer) -> Iterator[Party]:
    with Party(server.sip, TRUNK) as party:
        yield party


@pytest.fixture
def talk(server: HostileServer, trunk: Party) -> Iterator[Talk]:
    """The caller says 400 Hz, the phone 1 kHz; neither has sent anything yet."""
    caller = Sound((TRUNK[0], 24910), tone.frames(CALLER_HZ, 0.02)[0], ssrc=0xCA11)
    phone = Sound((PHONE[0], 24920), tone.frames(PHONE_HZ, 0.02)[0], ssrc=0xF0E)
    with Party(server.sip, PHONE) as party, caller, phone:
        call = Call(trunk, "300", f"talk{time.monotonic_ns()}", "talker")
        trunk.send(call.request("INVITE", body=offer(caller.local)))
        rings = party.wait(lambda answer: answer.text.startswith("INVITE "), "the INVITE at the phone")
        contact = f"Contact: <sip:m1@{PHONE[0]}:{PHONE[1]}>\r\n"
        party.send(rings.as_reply("200 OK", tag="phone", body=offer(phone.local), extra=contact))
        answer = trunk.final(call.call_id)
        assert answer.status == 200
        call.answered(answer)
        yield Talk(server, trunk, call, caller, phone, rings.media)


def flood(sockets: list[socket.socket], ports: range, rounds: int, *, ssrc: int = 0xE1) -> None:
    """The attacker's tone to each of the ports, from each of the sockets."""
    for number in range(rounds):
        for attacker in sockets:
            for port in ports:
                attacker.sendto(rtp(EVIL, number, ssrc=ssrc), ("127.0.0.1", port))


def attackers() -> list[socket.socket]:
    """Sockets of a stranger, one of them on the caller's own port number."""
    found = []
    for address in ((ATTACKER, 24910), (ATTACKER, 24911), ("127.0.0.29", 24920)):
        attacker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        attacker.bind(address)
        found.append(attacker)
    return found


def heard_by(attacker: socket.socket) -> int:
    """How many packets came to an attacker's socket."""
    attacker.setblocking(False)
    count = 0
    while True:
        try:
            attacker.recv(2048)
        except (BlockingIOError, ConnectionRefusedError):
            return count
        count += 1


def test_sprayed_and_injected_sound_reaches_nobody(talk: Talk) -> None:
    """S1 and S2: before the parties have said anything, while they talk, at every port, from three sources."""
    sockets = attackers()
    try:
        flood(sockets, range(*PORTS), 2)
        talk.caller.start(talk.call.media)
        talk.phone.start(talk.phone_leg)
        talk.hear(0.5)
        ports = range(min(talk.call.media[1], talk.phone_leg[1]), max(talk.call.media[1], talk.phone_leg[1]) + 2)
        for _ in range(10):
            flood(sockets, ports, 5)
            # The very stream of the caller, guessed right: SSRC, sequence and timestamp are no proof.
            flood(sockets, ports, 5, ssrc=talk.caller.ssrc)
            talk.hear(0.1)
        stolen = sum(map(heard_by, sockets))
        leaked = talk.leaked()
    finally:
        for attacker in sockets:
            attacker.close()
    drops = talk.drops()
    left, right = tone.read_stereo(talk.end())
    print(f"\nleaked {leaked}, stolen {stolen}, {drops}")
    assert leaked < MAX_LEAK
    assert stolen < MAX_LEAK
    assert drops["foreign_source"] > 500
    for side, hertz in ((left, CALLER_HZ), (right, PHONE_HZ)):
        middle = side[len(side) // 3 :]
        assert tone.power_db(middle, hertz) - tone.power_db(middle, EVIL_HZ) > 30


def test_another_port_of_the_callers_address_does_not_take_a_locked_leg(talk: Talk) -> None:
    talk.caller.start(talk.call.media)
    talk.phone.start(talk.phone_leg)
    talk.hear(0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as neighbour:
        neighbour.bind((TRUNK[0], 24912))
        flood([neighbour], range(talk.call.media[1], talk.call.media[1] + 1), 50)
        talk.hear(0.5)
        assert heard_by(neighbour) == 0
    assert talk.leaked() == 0
    talk.end()


def rtcp(kind: int, count: int, *words: int) -> bytes:
    return struct.pack(f">BBH{len(words)}I", 0x80 | count, kind, len(words), *words)


def test_rtcp_bye_and_malformed_rtcp_end_nothing(talk: Talk) -> None:
    """S17: from the peer's own RTCP port and from a stranger's; counted by reason."""
    talk.caller.start(talk.call.media)
    talk.phone.start(talk.phone_leg)
    talk.hear(0.3)
    before = talk.drops()
    leg = (talk.call.media[0], talk.call.media[1] + 1)
    bye = rtcp(201, 0, talk.caller.ssrc) + rtcp(203, 1, talk.caller.ssrc)
    broken = [b"", b"\x80", b"\x80\xc9\xff\xff", rtcp(201, 31, 1), rtcp(99, 0, 1), rtcp(203, 1, 1) + rtcp(201, 0, 1)]
    for source in ((TRUNK[0], 24911), (ATTACKER, 24911)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            control.bind(source)
            for data in [bye] * 5 + broken:
                control.sendto(data, leg)
            # The same to the port of the sound: what is RTCP is no RTP.
            for data in [bye] * 5 + broken:
                control.sendto(data, talk.call.media)
    talk.hear(0.5)
    drops = talk.drops()
    counted = {reason: drops[reason] - before.get(reason, 0) for reason in drops}
    print(f"\n{counted}")
    assert counted["rtcp_bye"] == 5
    assert counted["rtcp_foreign_source"] == 5 + len(broken)
    assert {"rtcp_short", "rtcp_length", "rtcp_type", "rtcp_order"} <= counted.keys()
    talk.end()


SEEDS = (
    rtp(b"\xd5" * 160, 7),
    rtp(struct.pack(">BBH", 5, 0x8A, 800), 8, kind=101),
    b"\x90" + rtp(b"\x00\x00\x00\x01abcd" + b"\xd5" * 160, 9)[1:],
    b"\xb1" + rtp(b"\xd5" * 160 + b"\x04", 10)[1:],
    rtcp(200, 1, 1, *range(11)) + rtcp(202, 1, 1, 0x01026162, 0),
    rtcp(201, 0, 1) + rtcp(203, 1, 1),
    rtcp(205, 1, 1, 2, 3),
)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A packet with bytes changed, cut, put in or doubled."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + draw(st.binary(max_size=40)) + data[at:]
            case _:
                data = (data + data[at:])[:1900]
    return data


def test_broken_packets_of_peer_and_stranger_leave_the_call_up(talk: Talk) -> None:
    talk.caller.start(talk.call.media)
    talk.phone.start(talk.phone_leg)
    talk.hear(0.3)
    control = (talk.call.media[0], talk.call.media[1] + 1)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own_control,
    ):
        stranger.bind((ATTACKER, 24913))
        own_control.bind((TRUNK[0], 24911))
        sent = 0

        @settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
        @given(data=broken())
        def attack(data: bytes) -> None:
            nonlocal sent
            sent += 1
            talk.caller.send(data)
            own_control.sendto(data, control)
            own_control.sendto(data, talk.call.media)
            stranger.sendto(data, talk.call.media)
            stranger.sendto(data, control)
            if sent % 16 == 0:
                # As many as a worker reads of one socket in a step: none is lost on the way there.
                time.sleep(0.01)

        attack()
    print(f"\n{sent} packets, each from five sockets; {talk.drops()}")
    talk.hear(0.5)
    path = talk.end()
    left, right = tone.read_stereo(path)
    assert abs(len(left) - len(right)) < 8000
    assert all(talk.server.memory_mb(pid) < 150 for pid in talk.server.workers())
    talk.server.assert_calm()


# -- S18: key presses ---------------------------------------------------------------------------------------------


def press(sound: Sound, key: int, timestamp: int, *, drift: int = 0, marker: bool = True) -> None:
    """100 ms of a key, its end three times; with `drift` each packet has another timestamp, as some phones do."""
    for step in range(1, 9):
        payload = struct.pack(">BBH", key, 0x8A if step >= 6 else 0x0A, min(step, 6) * 160)
        kind = 101 | (0x80 if step == 1 and marker else 0)
        moment = timestamp + drift * min(step - 1, 5)
        packet = rtp(payload, 2000 + timestamp // 160 + step, timestamp=moment, ssrc=sound.ssrc, kind=kind)
        sound.send(packet)
        if step in {2, 7}:
            sound.send(packet)
        time.sleep(0.02)


def collected(server: HostileServer) -> str:
    """The digits that the flow `digits` got, when the record is there."""
    calls = json.loads(server.callcenter("calls", "list", "--json"))["calls"]
    found = [call["contact"] for call in calls if call["flow"] == "digits" and call["ended_at"]]
    if not found:
        return ""
    shown = json.loads(server.callcenter("calls", "show", found[0], "--json"))
    return str(shown["collected"].get("account", ""))


def test_one_press_is_one_digit_however_it_is_sent(server: HostileServer, trunk: Party) -> None:
    with Sound((TRUNK[0], 24930), tone.frames(CALLER_HZ, 0.02)[0]) as sound:
        call = trunk.call("400", sound.local)
        sound.start(call.media)
        eventually("the prompt plays", lambda: len(sound.heard) > 10)
        press(sound, 1, 100_000)
        press(sound, 2, 110_000, drift=160)
        press(sound, 2, 120_000, drift=160, marker=False)
        # Neither from elsewhere, nor from another port of the same address.
        for source in ((ATTACKER, 24930), (TRUNK[0], 24931)):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.bind(source)
                for number in range(5):
                    event = struct.pack(">BBH", 9, 0x8A, 800)
                    stranger.sendto(rtp(event, number, timestamp=200_000 + 1000 * number, kind=229), call.media)
        press(sound, 3, 130_000)
        press(sound, 11, 140_000)
        ended = trunk.wait(lambda answer: answer.text.startswith("BYE "), "the flow to end the call")
        trunk.send(ended.as_reply("200 OK"))
    eventually("the call is over", lambda: not server.status()["calls"])
    assert eventually("the call record", lambda: collected(server)) == "1223"
