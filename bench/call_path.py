"""CPU of the application's share of a plain call: INVITE, echo, ACK, BYE, journal and all, no sockets, no worker.

    python bench/call_path.py [--calls 1500] [--profile]

The loop, the journal and every room are real; datagrams and the worker's answers are handed over by hand. 150 calls
are up at any time. Prints CPU milliseconds a call of the loop's thread: the least and the median of chunks of 150.
"""

import argparse
import asyncio
import cProfile
import gc
import pstats
import re
import statistics
import sys
import tempfile
import time
from collections import deque
from dataclasses import replace
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from serve import write_config  # noqa: E402  # after the path

import acd.service  # noqa: E402  # after the path
from callcenter.app.directory import directory_of  # noqa: E402  # after the path
from callcenter.app.live import LiveSide, Outside  # noqa: E402  # after the path
from callcenter.app.screens import ConsoleScreens  # noqa: E402  # after the path
from callcenter.app.settings import Settings, load_settings  # noqa: E402  # after the path
from callcenter.app.site_config import load_site  # noqa: E402  # after the path
from callcenter.console.consoles import Consoles  # noqa: E402  # after the path
from callcenter.kernel.clock import SystemClock  # noqa: E402  # after the path
from callcenter.media import protocol  # noqa: E402  # after the path
from callcenter.media.adapter import MediaWorkers  # noqa: E402  # after the path
from callcenter.media.link import Link  # noqa: E402  # after the path
from callcenter.sip.hop import Hop  # noqa: E402  # after the path
from callcenter.sip.transports import TransportLayer  # noqa: E402  # after the path

UP = 150
CHUNK = 150
CALLER = Hop("udp", "127.0.0.1", 5170)
TAG = re.compile(rb"\r\nTo:[^\r]*;tag=([^;\r]+)")
SDP = (
    "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 7300 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=ptime:20\r\na=sendrecv\r\n"
)


def message(method: str, call: int, *, tag: str = "", cseq: int = 1) -> bytes:
    """What the load harness's caller sends."""
    body = SDP if method == "INVITE" else ""
    lines = [
        f"{method} sip:answer@127.0.0.1:5160 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:5170;branch=z9hG4bK-7-{call}-{method}",
        f'From: "c" <sip:9{call}@127.0.0.1:5170>;tag=7SIPpTag00{call}',
        "To: <sip:answer@127.0.0.1:5160>" + (f";tag={tag}" if tag else ""),
        f"Call-ID: {call}-7@127.0.0.1",
        f"CSeq: {cseq} {method}",
        f"Contact: <sip:9{call}@127.0.0.1:5170>",
        "Max-Forwards: 70",
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Wire:
    """A UDP driver that keeps the tag of the last 200."""

    address = ("127.0.0.1", 5160)

    def __init__(self) -> None:
        self.tag = ""

    def send(self, data: bytes, _hop: Hop) -> None:
        if data.startswith(b"SIP/2.0 200"):
            found = TAG.search(data)
            assert found is not None
            self.tag = found[1].decode()


class Worker(Link):
    """Answers in the worker's place when it is asked to."""

    def __init__(self, owner: MediaWorkers) -> None:
        super().__init__(Path("media-bench.sock"), owner, protocol.Hello(protocol.PROTOCOL, 1, ""))
        self.live = True
        self._workers = owner
        self._orders: deque[protocol.Message] = deque()
        self._number = 0

    def _write(self, message: protocol.Message) -> None:
        protocol.encode(message)
        self._orders.append(message)

    def work(self) -> None:
        """Do what has been asked."""
        while self._orders:
            match self._orders.popleft():
                case protocol.Open(session):
                    self._number += 1
                    self._workers.heard(self, protocol.Opened(self._number, session, "127.0.0.1", 20_000))
                case protocol.Close(session):
                    self._number += 1
                    closed = protocol.Closed(self._number, session, 0, 0, 0, 0, None, None, 0, None)
                    self._workers.heard(self, closed)


class Bench:
    """One live side and its calls."""

    def __init__(self, folder: Path) -> None:
        write_config(folder / "config", 1)
        site = load_site(folder / "config", language="en")
        settings: Settings = replace(load_settings(folder / "config", {}), data=str(folder))
        transports = TransportLayer()
        self.wire = transports.udp = Wire()
        consoles = Consoles(SystemClock())
        outside = Outside(ConsoleScreens(consoles), transports, lambda: None)
        self.live = LiveSide(settings, site, directory_of(site, {}, "bench"), outside)
        self.live.bus.subscribe(consoles.publish)
        self.worker = Worker(self.live.media)
        self.live.media._links[self.worker.path] = self.worker
        unit = self.live.open_unit()
        self.live.acd.start(unit, site.roster.policy, epoch=1, rows=acd.service.Rows([], [], []))
        self.live.submit(unit)
        self._up: deque[tuple[int, str]] = deque()
        self._count = 0

    async def calls(self, count: int) -> None:
        """That many calls, one after the other; each ends when `UP` others have come."""
        receive = self.live.agent.receive
        for _ in range(count):
            self._count += 1
            receive(message("INVITE", self._count), CALLER)
            await self._turn()
            self.worker.work()
            await self._turn()
            tag = self.wire.tag
            receive(message("ACK", self._count, tag=tag), CALLER)
            await self._turn()
            self._up.append((self._count, tag))
            if len(self._up) > UP:
                call, tag = self._up.popleft()
                receive(message("BYE", call, tag=tag, cseq=2), CALLER)
                await self._turn()
                self.worker.work()
                await self._turn()

    async def _turn(self) -> None:
        for _ in range(2):
            await asyncio.sleep(0)


async def run(folder: Path, given: argparse.Namespace) -> None:
    bench = Bench(folder)
    (folder / "run").mkdir(exist_ok=True)
    await bench.calls(2 * UP)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    profile = cProfile.Profile() if given.profile else None
    if profile is not None:
        profile.enable()
    chunks: list[float] = []
    for _ in range(max(1, given.calls // CHUNK)):
        before = time.thread_time()
        await bench.calls(CHUNK)
        chunks.append((time.thread_time() - before) * 1000 / CHUNK)
    if profile is not None:
        profile.disable()
        for order in ("tottime", "cumtime"):
            pstats.Stats(profile).sort_stats(order).print_stats(45)
    live = bench.live
    assert not live.surprises
    assert not live.journal.surprises
    assert len(live.calls.contacts) == UP
    print(f"CPU ms a call: {min(chunks):.3f} least, {statistics.median(chunks):.3f} median")
    live.journal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU of the application's share of a plain call.")
    parser.add_argument("--calls", type=int, default=1500)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccbench") as folder:
        uvloop.run(run(Path(folder), given))


if __name__ == "__main__":
    main()
