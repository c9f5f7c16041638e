"""What many consoles on one server cost an event: from its time to the last byte that a console has read.

    python -m bench.consoles [--consoles 300] [--changes 12] [--seconds 60]

Starts a server of its own, connects consoles that see every event (the most that one can cost) from another process,
and has agents change their states `--changes` times a second over the API. One more console says hello and never
reads again: it is to be cut, and the others' times are to stay what they were. Prints p50, p95 and p99 of the time
between an event's `at` and its arrival, over all consoles; the product's bound is a p95 of 100 ms with 300 consoles.
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from tests.support.server import Server, SiteFiles

BOUND_MS = 100.0
AGENTS = 10
MARK = b'"at":"'
TEXT, PING, PONG = 1, 9, 10


def site() -> SiteFiles:
    """Agents that nobody rings."""
    return SiteFiles(
        settings={"media": {"ports": "27000-27019", "workers": 1}},
        queues=[{"name": "billing", "skills": {"billing": 1}, "music": "music"}],
        agents=[
            {"id": f"a{n}", "name": f"A{n}", "user": f"a{n}", "phone": f"p{n}", "skills": {"billing": 1}}
            for n in range(AGENTS)
        ],
        phones=[{"user": f"p{n}"} for n in range(AGENTS)],
        flows={"main": {"language": "en", "start": "bye", "nodes": {"bye": {"kind": "hangup"}}}},
    )


class Console(asyncio.Protocol):
    """A console that reads all it gets, and how late each event was, in ms.

    Read by hand: a library would cost this machine more than the server that is measured.
    """

    def __init__(self, port: int, ticket: str) -> None:
        self._handshake, self._frames_said = handshake(port), greeting(ticket)
        self._unread = b""
        self._transport: asyncio.Transport | None = None
        self.late: list[float] = []
        self.is_ready = asyncio.Event()
        self.is_gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._handshake)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the protocol's own signature)
        self.is_gone = True

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._unread += data
        if not self.is_ready.is_set() and self._unread.startswith(b"HTTP"):
            _, blank, self._unread = self._unread.partition(b"\r\n\r\n")
            if not blank or self._transport is None:
                return
            self._transport.write(self._frames_said)
        for opcode, body in self._frames():
            if opcode == PING and self._transport is not None:
                self._transport.write(masked(PONG, body))
            elif body.startswith(b'{"type":"event"'):
                self.late.append((now - _at(body)) * 1000)
            elif body.startswith(b'{"type":"snapshot"'):
                self.is_ready.set()

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        data, start = self._unread, 0
        while len(data) - start >= 2:
            size, head = data[start + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[start + 2 : start + 4]), 4
            elif size == 127:
                size, head = int.from_bytes(data[start + 2 : start + 10]), 10
            end = start + head + size
            if len(data) < end:
                break
            yield data[start] & 15, data[start + head : end]
            start = end
        self._unread = data[start:]


def handshake(port: int) -> bytes:
    """The request that a browser makes."""
    lines = (
        "GET /ws HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def greeting(ticket: str) -> bytes:
    """All that a console says once it is let in."""
    frames = ({"type": "auth", "ticket": ticket}, {"type": "hello", "positions": {}})
    return b"".join(masked(TEXT, json.dumps(frame).encode()) for frame in frames)


def masked(opcode: int, body: bytes) -> bytes:
    """A short frame of a client; the mask of zeros changes nothing."""
    return bytes([0x80 | opcode, 0x80 | len(body)]) + bytes(4) + body


def _at(frame: bytes) -> float:
    start = frame.index(MARK) + len(MARK)
    return datetime.fromisoformat(frame[start : frame.index(b'"', start)].decode()).timestamp()


def consoles(port: int, tickets: Sequence[str], pipe: Connection) -> None:
    """In a process of its own: connect, say so, read until told to stop, tell the times."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        made = [await loop.create_connection(partial(Console, port, one), "127.0.0.1", port) for one in tickets]
        all_of_them = [console for _, console in made]
        for console in all_of_them:
            await console.is_ready.wait()
        pipe.send("ready")
        await asyncio.to_thread(pipe.recv)
        pipe.send(([one.late for one in all_of_them], sum(one.is_gone for one in all_of_them)))

    asyncio.run(run())


class NeverReads:
    """A console that says hello and reads no byte after it."""

    def __init__(self, port: int, ticket: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(handshake(port))
        self._socket.recv(4096)
        self._socket.sendall(greeting(ticket))

    def was_cut(self, *, within_s: float) -> bool:
        """Whether the server has let go of it: what was under way, then the end."""
        self._socket.settimeout(within_s)
        try:
            while self._socket.recv(65536):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True


def change_states(client: httpx.Client, changes: float, seconds: float) -> int:
    """Agents go available and not ready in turn; how many changes there were."""
    begun = time.monotonic()
    done = 0
    while (passed := time.monotonic() - begun) < seconds:
        state = "available" if done // AGENTS % 2 else "not_ready"
        client.post(f"/api/agents/a{done % AGENTS}/state", json={"state": state}).raise_for_status()
        done += 1
        time.sleep(max(0.0, done / changes - passed))
    return done


def measure(server: Server, given: argparse.Namespace) -> None:
    client = server.client("sue")
    tickets = [client.post("/api/session/ticket").json()["ticket"] for _ in range(given.consoles + 1)]
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=consoles, args=(server.http, tickets[1:], theirs), daemon=True
    )
    process.start()
    assert ours.recv() == "ready"
    slow = NeverReads(server.http, tickets[0])
    begun = time.process_time()
    changes = change_states(client, given.changes, given.seconds)
    time.sleep(1)
    ours.send("stop")
    late, gone = ours.recv()
    process.join(10)
    counts = {len(one) for one in late}
    every = sorted(value for one in late for value in one)
    parts = statistics.quantiles(every, n=100, method="inclusive")
    print(f"{given.consoles} consoles, {changes} changes of state in {given.seconds} s: {len(every)} events read")
    print(
        f"late by p50 {parts[49]:.1f} ms, p95 {parts[94]:.1f} ms, p99 {parts[98]:.1f} ms, at most {every[-1]:.1f} ms"
    )
    print(f"each console had {min(counts)} to {max(counts)} events; {gone} of those that read were cut")
    print(f"the one that never reads was cut: {slow.was_cut(within_s=5)}")
    print(f"this process used {time.process_time() - begun:.1f} s of CPU")
    print("within the bound" if parts[94] <= BOUND_MS and gone == 0 else "NOT within the bound")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--consoles", type=int, default=300)
    parser.add_argument("--changes", type=float, default=12)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), site()) as server:
        measure(server, given)


if __name__ == "__main__":
    main()
