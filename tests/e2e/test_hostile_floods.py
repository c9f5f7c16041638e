"""More than the server will take: INVITEs, REGISTERs and TCP connections in floods (security.md S6, S9, R9).

Admission is set to 20 a second and met with 100 a second while calls are up.
"""

import contextlib
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from tests.support.hostile import ATTACKER, PROBER, TRUNK, HostileServer, Probe, hostile_server
from tests.support.server import eventually
from tests.support.sip_party import Answer, Call, Party, Sound, authorization, offer

pytestmark = pytest.mark.e2e

ADMITTED, LOAD, SECONDS = 20, 100, 6
REFUSED_WITHIN_S = 0.100
RECOVERED_WITHIN_S = 5.0
CONNECTIONS, PER_SOURCE, SLOW_S = 64, 20, 10.0
LIMITS = {
    "invites_per_s": float(ADMITTED),
    "per_source_per_s": float(ADMITTED),
    "per_source_burst": ADMITTED,
    "tcp_connections": CONNECTIONS,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("floods"), LIMITS) as running:
        yield running


@dataclass
class Load:
    """Requests at an even rate from one socket; calls that are taken are ended at once."""

    party: Party
    method: str
    sent: dict[str, float] = field(default_factory=dict)
    finals: dict[str, tuple[int, float]] = field(default_factory=dict)
    without_retry_after: int = 0
    took_s: float = 0.0
    _tags: dict[str, str] = field(default_factory=dict)

    def run(self, seconds: float, rate: float) -> None:
        begun = time.monotonic()
        for number in range(int(seconds * rate)):
            while (wait := begun + number / rate - time.monotonic()) > 0:
                self._take(self.party.receive(wait))
            self._one(f"{self.method}{number}@load")
        self.took_s = time.monotonic() - begun
        until = time.monotonic() + 10
        while len(self.finals) < len(self.sent) and time.monotonic() < until:
            self._take(self.party.receive(0.1))

    def _one(self, call_id: str) -> None:
        body = offer((TRUNK[0], 24980)) if self.method == "INVITE" else b""
        call = Call(self.party, "100", call_id, "load")
        self.sent[call_id] = time.monotonic()
        self.party.send(call.request(self.method, body=body, branch=f"z9hG4bK{call_id[:-5]}"))

    def _take(self, answer: Answer | None) -> None:
        now = time.monotonic()
        if answer is None or answer.method != self.method or answer.status < 200:
            return
        call_id = answer.header("Call-ID")
        if call_id not in self.finals:
            self.finals[call_id] = (answer.status, now - self.sent[call_id])
            self.without_retry_after += answer.status == 503 and not answer.header("Retry-After").isdigit()
        if self.method == "INVITE":
            call = Call(self.party, "100", call_id, "load", to_tag=answer.to_tag)
            branch = "" if answer.status == 200 else f"z9hG4bK{call_id[:-5]}"
            self.party.send(call.request("ACK", branch=branch))
            if answer.status == 200:
                self.party.send(call.request("BYE", cseq=2))

    def taken(self) -> int:
        return sum(status != 503 for status, _ in self.finals.values())

    def refusal_times(self) -> list[float]:
        return sorted(took for status, took in self.finals.values() if status == 503)

    def judge(self, withheld_s: float) -> None:
        """Goodput, refusals in time but for what the machine withheld meanwhile, each with Retry-After."""
        times = self.refusal_times()
        late = sum(took > REFUSED_WITHIN_S + withheld_s for took in times)
        print(
            f"\n{self.method}: {len(self.sent)} sent, {self.taken()} taken, {len(times)} refused: median "
            f"{1000 * statistics.median(times):.2f} ms, max {1000 * times[-1]:.2f} ms, {late} late"
        )
        assert len(self.finals) == len(self.sent)
        # The bucket was full at the start: that second's worth is no part of the goodput.
        assert 0.9 * ADMITTED * self.took_s <= self.taken() - ADMITTED <= 1.1 * ADMITTED * self.took_s
        assert self.without_retry_after == 0
        assert late <= len(times) // 100


def gaps(sound: Sound, since: float, until: float) -> list[float]:
    """Seconds between packets heard from `since` to `until`."""
    moments = [packet.at for packet in sound.heard if since <= packet.at <= until]
    return [later - earlier for earlier, later in pairwise(moments)]


def lost(sound: Sound, since: float, until: float) -> int:
    """Sequence numbers that are missing in what was heard."""
    numbers = sorted({packet.sequence for packet in sound.heard if since <= packet.at <= until})
    return numbers[-1] - numbers[0] + 1 - len(numbers)


def accepted_again(trunk: Party) -> float:
    """Seconds until ten calls in a row, at half the admitted rate, are taken."""
    begun = time.monotonic()
    row = 0
    while row < 10:
        assert time.monotonic() - begun < 3 * RECOVERED_WITHIN_S
        number = time.monotonic_ns()
        call = Call(trunk, "100", f"after{number}", f"after{number}")
        trunk.send(call.request("INVITE", body=offer((TRUNK[0], 24982)), branch=f"z9hG4bK{number}"))
        answer = trunk.final(call.call_id)
        row = row + 1 if answer.status == 200 else 0
        if answer.status == 200:
            call.answered(answer)
            call.hang_up()
        else:
            trunk.send(call.request("ACK", branch=f"z9hG4bK{number}"))
        # The rate that is asked for, not a wait for luck.
        trunk.receive(2 / ADMITTED)
    return time.monotonic() - begun - 10 * 2 / ADMITTED


def test_flood_of_invites_leaves_calls_alone_and_ends_with_itself(server: HostileServer) -> None:
    pid = server.application()[0]
    with Party(server.sip, TRUNK) as trunk, Sound((TRUNK[0], 24984), b"\x12" * 160) as sound:
        call = trunk.call("100", sound.local)
        sound.start(call.media)
        eventually("the caller hears himself", lambda: len(sound.heard) > 50)
        withheld, before, memory = server.withheld_s(), time.monotonic(), server.memory_mb(pid)
        load = Load(trunk, "INVITE")
        load.run(SECONDS, LOAD)
        after, grown = time.monotonic(), server.memory_mb(pid) - memory
        withheld = server.withheld_s() - withheld
        recovered = accepted_again(trunk)
        between = gaps(sound, before, after)
        print(
            f"\nlargest gap {1000 * max(between):.0f} ms, lost {lost(sound, before, after)} of {len(between)}, "
            f"recovered in {recovered:.2f} s, memory +{grown:.1f} MB"
        )
        load.judge(withheld)
        assert lost(sound, before, after) == 0
        assert max(between) < 0.25 + withheld
        assert grown < 30
        assert recovered <= RECOVERED_WITHIN_S
        assert call.is_up()
        assert call.hang_up().status == 200
    eventually("no call is left", lambda: not server.status()["calls"])


def test_flood_of_registers_is_refused_and_others_register(server: HostileServer) -> None:
    password = server.secrets()["ann"]
    times: list[float] = []
    with Party(server.sip, (ATTACKER, 0)) as attacker, Party(server.sip, ("127.24.8.1", 0)) as ann:
        load = Load(attacker, "REGISTER")
        flood = threading.Thread(target=load.run, args=(SECONDS, LOAD))
        withheld = server.withheld_s()
        flood.start()
        for number in range(SECONDS * 2):
            begun = time.monotonic()
            first = registered(ann, number, ())
            done = registered(ann, number, (authorization(first, "REGISTER", "ann", password),))
            times.append(time.monotonic() - begun)
            assert done.status == 200
            ann.receive(0.4)
        flood.join()
        withheld = server.withheld_s() - withheld
    at = [1000 * took for took in (statistics.median(times), max(times))]
    print(f"\nann registered {len(times)} times, median {at[0]:.2f} ms, max {at[1]:.2f} ms")
    load.judge(withheld)
    assert statistics.median(times) < REFUSED_WITHIN_S


def registered(party: Party, number: int, extra: tuple[str, ...]) -> Answer:
    call_id = f"ann{number}{len(extra)}"
    party.send(party.request("REGISTER", to="ann", user="ann", call_id=call_id, cseq=number + 1, extra=extra))
    return party.final(call_id)


# -- TCP ----------------------------------------------------------------------------------------------------------


def connected(server: HostileServer, address: str) -> socket.socket:
    connection = socket.socket()
    connection.bind((address, 0))
    connection.settimeout(10)
    connection.connect(server.sip)
    return connection


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed it."""
    connection.setblocking(False)
    try:
        return connection.recv(65536) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def options(party: Party) -> bytes:
    return party.request("OPTIONS").replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")


def test_flood_of_connections_is_capped_and_the_slow_are_closed(server: HostileServer) -> None:
    with contextlib.ExitStack() as stack:
        party = stack.enter_context(Party(server.sip, (PROBER, 0)))
        probe = Probe(party, server)
        one_source = [stack.enter_context(connected(server, ATTACKER)) for _ in range(PER_SOURCE * 2)]
        eventually("one source is capped", lambda: sum(map(is_closed, one_source)) == PER_SOURCE)
        many = [stack.enter_context(connected(server, f"127.24.7.{1 + i // 10}")) for i in range(2 * CONNECTIONS)]
        eventually(
            "the whole is capped", lambda: sum(not is_closed(each) for each in (*one_source, *many)) == CONNECTIONS
        )
        trunk = stack.enter_context(connected(server, TRUNK[0]))
        trunk.sendall(options(party))
        assert trunk.recv(65536).startswith(b"SIP/2.0 200 ")
        probe.once()
        begun = time.monotonic()
        alive = [each for each in (*one_source, *many) if not is_closed(each)]
        drip = iter(b"OPTIONS sip:slow@127.0.0.1 SIP/2.0\r\n" * 3)
        while any(not is_closed(each) for each in alive):
            assert time.monotonic() - begun < SLOW_S + 5
            piece = bytes((next(drip),))
            for each in alive[::2]:
                with contextlib.suppress(OSError):
                    each.send(piece)
            probe.once()
            party.receive(0.2)
        print(f"\nslow ones closed after {time.monotonic() - begun:.1f} s; {probe.told()}")
        again = stack.enter_context(connected(server, ATTACKER))
        again.sendall(options(party))
        assert again.recv(65536).startswith(b"SIP/2.0 200 ")
    refusals = server.status()["sip"]["refusals"]
    assert refusals["tcp_slow"] >= len(alive)
    assert refusals["tcp_connections"] >= PER_SOURCE + CONNECTIONS


HUGE = {
    "content length": (b"Content-Length: 0", b"Content-Length: 999999999", b"SIP/2.0 413 "),
    "content length beyond numbers": (b"Content-Length: 0", b"Content-Length: " + b"9" * 400, b"SIP/2.0 400 "),
    "header that never ends": (b"Content-Length: 0\r\n\r\n", b"X: " + b"x" * 200_000, b""),
    "headers without end": (b"Content-Length: 0\r\n\r\n", b"X: y\r\n" * 40_000, b""),
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_message_is_refused_and_its_connection_closed(server: HostileServer, name: str) -> None:
    old, new, answer = HUGE[name]
    told = b""
    with Party(server.sip, (PROBER, 0)) as party, connected(server, "127.24.6.1") as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(options(party).replace(old, new))
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                told += piece
        assert told.startswith(answer)
        assert Probe(party, server).once() < 1
