"""Every message of the SIP corpora, sent to the running server over UDP and TCP by a stranger and by a trunk.

The bar is security.md section A. A message is looked at alone: what the server counts is read before and after it, an
OPTIONS from elsewhere is asked for in between, and all that leaves for the attacker's address is in a capture.
"""

import contextlib
import json
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.capture import Capture
from tests.support.hostile import (
    ATTACKER,
    EMPTY_TRUNK,
    PATIENCE,
    PROBE_S,
    PROBER,
    TRUNK,
    HostileServer,
    Probe,
    hostile_server,
)
from tests.support.server import eventually
from tests.support.shared import shared_path
from tests.support.sip_material import bodies, loose, protos
from tests.support.sip_party import Call, Party

pytestmark = pytest.mark.e2e

MAX_DATAGRAM = 65507
# What may be said to a stranger (security.md section A); 200 to an OPTIONS only.
TO_STRANGERS = frozenset({100, 400, 401, 405, 413, 414, 415, 416, 420, 481, 483, 500, 501, 505, 513})
REASON = re.compile(r"[a-z][a-z0-9_]*")
NEVER_ANSWERED = re.compile(rb"\s*(SIP/|ACK\s)", re.IGNORECASE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("corpus")) as running:
        yield running


@pytest.fixture(scope="module")
def probe(server: HostileServer) -> Iterator[Probe]:
    with Party(server.sip, (PROBER, 0)) as party:
        yield Probe(party, server)


def corpus(read: str) -> dict[str, bytes]:
    folder = shared_path("corpus/sip")
    if read == "protos":
        return protos(folder / "protos_register.tar.gz")
    if read == "loose":
        return loose(folder)
    return {f"{name} in INVITE": around(body) for name, body in bodies(folder).items()}


def around(body: bytes) -> bytes:
    """An INVITE that is sound but for its session description."""
    with Party(("127.0.0.1", 5060), (ATTACKER, 0)) as party:
        return party.request("INVITE", body=body)


class Attack:
    """Sends messages and judges each by what the server's counters and journal did meanwhile."""

    def __init__(self, server: HostileServer, probe: Probe) -> None:
        self.server = server
        self.probe = probe
        self.wrong: list[str] = []
        self.sent = 0

    def one(self, name: str, data: bytes, deliver: Any) -> None:
        """Deliver a message (again where the probe after it was late: a slow message is slow each time)."""
        for attempt in range(PATIENCE):
            before = self.server.status()
            deliver(data)
            took = self.probe.once()
            after = self.server.status()
            self.sent += 1
            self._judge(name, data, before, after)
            if took <= PROBE_S:
                return
            self.probe.late += attempt == 0
        self.wrong.append(f"{name}: the probe after it took more than {PROBE_S} s {PATIENCE} times")

    def _judge(self, name: str, data: bytes, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        sip = {key: after["sip"][key] - before["sip"][key] for key in ("received", "sent", "dialogs")}
        refused = sum(after["sip"]["refusals"].values()) - sum(before["sip"]["refusals"].values())
        # One of each was the probe's.
        received, sent = sip["received"] - 1, sip["sent"] - 1
        if after["surprises"] or after["calls"] or sip["dialogs"]:
            self.wrong.append(f"{name}: surprises {after['surprises']}, calls {after['calls']}, {sip}")
        if after["journal"]["last_seq"] != before["journal"]["last_seq"]:
            self.wrong.append(f"{name}: something was journalled")
        if sent and NEVER_ANSWERED.match(data) and received <= 1:
            self.wrong.append(f"{name}: a response or ACK drew an answer")
        if not received and not refused:
            self.wrong.append(f"{name}: never arrived")
        # An OPTIONS may be answered 200, which is no refusal.
        if refused < received and not (data.startswith(b"OPTIONS") and refused + sent >= received):
            self.wrong.append(f"{name}: {received} received, {refused} refused by name")


def attack_by_tcp(server: HostileServer, data: bytes, address: str = ATTACKER) -> None:
    """A connection of its own; what comes back is read until the server has nothing more to say."""
    with socket.socket() as connection:
        connection.bind((address, 0))
        connection.settimeout(5)
        connection.connect(server.sip)
        # The server may close before it has heard all: what it said until then is in the capture.
        with contextlib.suppress(ConnectionError, OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("read", ["loose", "bodies", "protos"])
def test_corpus_of_a_stranger_makes_nothing(
    server: HostileServer, probe: Probe, tmp_path: Path, read: str, transport: str
) -> None:
    messages = corpus(read)
    attack = Attack(server, probe)
    pid = server.application()[0]
    filter_ = f"host {ATTACKER} and port {server.sip[1]}"
    with Capture(tmp_path / "attack.pcap", filter_) as capture, Party(server.sip, (ATTACKER, 5060)) as attacker:
        for name, data in messages.items():
            if transport == "tcp":
                attack.one(name, data, lambda data: attack_by_tcp(server, data))
            elif len(data) <= MAX_DATAGRAM:
                attack.one(name, data, attacker.send)
    statuses = {
        int(status)
        for packet in capture.packets()
        if packet.source == server.sip
        for status in re.findall(rb"(?m)^SIP/2\.0 (\d{3}) ", packet.payload)
    }
    print(f"\n{read} {transport}: {attack.sent} messages, answers {sorted(statuses)}; {probe.told()}")
    assert attack.wrong == []
    assert statuses <= TO_STRANGERS | {200}
    reasons = server.status()["sip"]["refusals"]
    assert all(REASON.fullmatch(reason) for reason in reasons), reasons
    assert server.rows() == []
    assert server.application()[0] == pid
    assert json.loads(server.callcenter("calls", "list", "--json"))["calls"] == []
    server.assert_calm()


# RFC 4475 section 3.1.2 (syntax), and those of 3.3 that no element may take up.
INVALID_INVITES = (
    *("badinv01", "clerr", "ncl", "ltgtruri", "lwsruri", "lwsstart", "trws", "quotbal", "mismatch01", "scalar02"),
    *("insuf", "bext01", "unkscm", "novelsc", "multi01", "mcl01", "badvers", "zeromf", "cparam01", "baddn"),
)


def from_trunk(data: bytes) -> bytes:
    """The message as a peer that knows its way would send it: answers come back to where it was sent from."""
    return re.sub(rb"(?i)(\r\n(?:via|v)[ \t]*:[^\r\n,]*)", rb"\1;rport", data, count=1)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_invalid_messages_of_a_trunk_make_no_call(server: HostileServer, probe: Probe, transport: str) -> None:
    folder = shared_path("corpus/sip/rfc4475")
    attack = Attack(server, probe)
    with Party(server.sip, TRUNK) as trunk:
        for name in INVALID_INVITES:
            data = (folder / f"{name}.dat").read_bytes()
            if transport == "tcp":
                attack.one(name, data, lambda data: attack_by_tcp(server, data, TRUNK[0]))
            else:
                attack.one(name, data, trunk.send)
    assert attack.wrong == []
    server.assert_calm()


@pytest.mark.parametrize("read", ["loose", "protos"])
def test_corpus_of_a_trunk_without_numbers_leaves_nothing_behind(
    server: HostileServer, probe: Probe, read: str
) -> None:
    with Party(server.sip, EMPTY_TRUNK) as trunk:
        for data in corpus(read).values():
            if len(data) <= MAX_DATAGRAM:
                trunk.send(from_trunk(data))
                probe.once()
    eventually("no call is left", lambda: not server.status()["calls"])
    eventually("no row is left", lambda: not server.rows())
    print(f"\n{read} of a trunk: {probe.told()}; {server.status()['sip']['refusals']}")
    server.assert_calm()


def test_session_descriptions_of_the_corpus_in_a_trunks_invite_are_answered(
    server: HostileServer, probe: Probe
) -> None:
    """Sound ones are a call, which is ended; the others get a named refusal."""
    outcomes: dict[str, int] = {}
    with Party(server.sip, TRUNK) as trunk:
        for name, body in bodies(shared_path("corpus/sip")).items():
            call = Call(trunk, "100", f"{name}@{TRUNK[0]}", "sdp")
            trunk.send(call.request("INVITE", body=body))
            answer = trunk.final(call.call_id)
            outcomes[name] = answer.status
            if answer.status == 200:
                call.answered(answer)
                assert call.hang_up().status == 200
            else:
                trunk.send(call.request("ACK"))
            assert probe.once() < 1
    print(f"\n{outcomes}")
    assert set(outcomes.values()) <= {200, 400, 488}
    eventually("no call is left", lambda: not server.status()["calls"])
    server.assert_calm()
