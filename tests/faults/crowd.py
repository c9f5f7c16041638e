"""A crowd of real callers and phones around the site, and what they and the wire saw.

Twenty talk, half of them to agents and half dialled, and half of each hang up themselves; ten are in a flow; five
wait in a queue with music; five ring at agents who answer late.
"""

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.kill_site import CALLERS, IN_FLOW, PHONES, TALKERS, KillSite, free_socket
from tests.support.capture import Capture, Packet
from tests.support.scenario import Sound, caller, phone
from tests.support.sipp import Sipp, write_tone_pcap

# Below the ports that Linux hands out, at addresses that the server does not use.
MEDIA = {
    "quick": 20000,
    "leaving": 21000,
    "staying": 22000,
    "stay": 23000,
    "leave": 24000,
    "ring": 25000,
    "wait": 26000,
}
TIMEOUT_S = 75
Call = tuple[str, str]
"""(dialled number, the caller's own number)"""


class Parties:
    """Callers and phones and a capture around them: `with parties: ...; parties.wait()`, then `parties.packets()`."""

    def __init__(self, site: KillSite, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._site = site
        self._folder = folder
        self._capture = Capture(folder / "wire.pcap", "udp and not port 53")
        self._numbers = itertools.count(390600000000 + (seed % 100000) * 1000 + 500 * isinstance(self, QuickCalls))
        self.witness = Witness(folder)
        self.kind_of: dict[str, str] = {}
        self.callers: list[Sipp] = []
        self.phones: list[Sipp] = []
        self.started = 0.0

    def _calls(self, kind: str, services: Iterable[str]) -> list[Call]:
        """Calls to these numbers, each with a caller's number of its own."""
        calls = [(service, f"+{next(self._numbers)}") for service in services]
        self.kind_of.update((own, kind) for _, own in calls)
        return calls

    def _caller(
        self, name: str, calls: list[Call], sound: Sound, talk_s: float, *, rate: float = 8, hangs_up: bool = True
    ) -> None:
        table = self._folder / f"{name}.csv"
        table.write_text("SEQUENTIAL\n" + "".join(f"{service};{own};\n" for service, own in calls))
        text = caller(sound, number="[field1]", hangs_up=hangs_up)
        self.callers.append(
            Sipp(
                text.replace("[service]", "[field0]"),
                self._site.server.sip,
                (CALLERS, getattr(self._site.ports, f"{name}_callers")),
                calls=len(calls),
                rate=rate,
                talk_ms=int(talk_s * 1000),
                media=(CALLERS, MEDIA[name]),
                timeout_s=TIMEOUT_S,
                extra=("-inf", str(table)),
            )
        )

    def _phone(self, name: str, sound: Sound, *, ring_s: float = 0.0, hangs_up_after_s: float | None = None) -> None:
        self.phones.append(
            Sipp(
                phone(sound, ring_ms=int(ring_s * 1000), hangs_up=hangs_up_after_s is not None, asked_again=True),
                self._site.server.sip,
                (PHONES, getattr(self._site.ports, name)),
                calls=None,
                talk_ms=int((hangs_up_after_s or 0) * 1000),
                media=(PHONES, MEDIA[name]),
                timeout_s=600,
            )
        )

    def __enter__(self) -> Self:
        self._capture.__enter__()
        self.witness.start(self._site.server.workers())
        for each in self.phones:
            each.start()
        self.started = time.time()
        for each in self.callers:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (*self.callers, *self.phones):
            each.stop()
        self.witness.stop()
        self._capture.__exit__(kind, error, trace)

    def until(self, seconds: float) -> None:
        """Return `seconds` after the first call."""
        time.sleep(max(0.0, self.started + seconds - time.time()))

    def wait(self) -> None:
        """Until every caller is through; fails with SIPp's words where one was not."""
        for each in self.callers:
            each.wait()

    def end(self) -> None:
        """Until every caller is through, cut off or not."""
        for each in self.callers:
            each.finish()

    def packets(self) -> list[Packet]:
        """What the wire saw."""
        return self._capture.packets()


class Crowd(Parties):
    """The forty. Those of `leaving` hang up themselves; agents at `ring` answer late, `wait` comes when called."""

    def __init__(self, site: KillSite, folder: Path, seed: int, *, talk_s: float = 10.0, ring_s: float = 9.0) -> None:
        super().__init__(site, folder, seed)
        leaving = [
            *self._calls("stay", ["100"] * TALKERS),
            *self._calls("dial", [f"51{n}" for n in range(TALKERS)]),
            *self._calls("flow", IN_FLOW * 2),
        ]
        staying = [
            *self._calls("leave", ["200"] * TALKERS),
            *self._calls("ring", ["400"] * TALKERS),
            *self._calls("wait", ["300"] * TALKERS),
            *self._calls("dial", [f"52{n}" for n in range(TALKERS)]),
        ]
        customer = _sound(folder / "customer.pcap", 400, talk_s + 15)
        agent = _sound(folder / "agent.pcap", 1000, talk_s + 15)
        self._caller("leaving", leaving, customer, talk_s)
        self._caller("staying", staying, customer, talk_s, hangs_up=False)
        self._phone("stay", agent)
        self._phone("leave", agent, hangs_up_after_s=talk_s)
        self._phone("ring", agent, ring_s=ring_s, hangs_up_after_s=1.5)
        self._phone("wait", agent, hangs_up_after_s=1.0)


class QuickCalls(Parties):
    """Short calls in quick succession, half to an echo and half to dialled phones that answer at once."""

    def __init__(self, site: KillSite, folder: Path, seed: int, *, count: int, rate: float = 10.0) -> None:
        super().__init__(site, folder, seed)
        services = itertools.islice(itertools.cycle(["603", "510", "603", "511"]), count)
        calls = self._calls("quick", services)
        self._caller("quick", calls, Sound(port="[auto_media_port]"), 0.3, rate=rate)
        self._phone("stay", Sound(port="[auto_media_port]"))


def _sound(path: Path, hertz: float, seconds: float) -> Sound:
    return Sound(write_tone_pcap(path, hertz, seconds), port="[auto_media_port]")


class Prober:
    """Sends an OPTIONS every 20 ms and notes when answers come."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._socket = free_socket()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        self.answers: list[float] = []

    def __enter__(self) -> "Prober":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def answered_after(self, moment: float) -> bool:
        """Whether an OPTIONS has been answered since `moment`."""
        return any(at > moment for at in self.answers)

    def first_after(self, moment: float) -> float:
        """When the first OPTIONS after `moment` was answered; epoch seconds."""
        return min(at for at in self.answers if at > moment)

    def _send(self) -> None:
        host, port = self._socket.getsockname()
        number = 0
        while not self._stop.wait(0.02):
            number += 1
            text = (
                f"OPTIONS sip:probe@{self._server[0]} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKp{number}\r\n"
                f"From: <sip:probe@{host}>;tag=p{number}\r\nTo: <sip:probe@{self._server[0]}>\r\n"
                f"Call-ID: probe{number}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            )
            self._socket.sendto(text.encode(), self._server)

    def _receive(self) -> None:
        while not self._stop.is_set():
            try:
                data = self._socket.recv(4096)
            except TimeoutError:
                continue
            if data.startswith(b"SIP/2.0 200"):
                self.answers.append(time.time())


_WITNESS = """
import collections, os, sys, time
try:
    os.nice(-10)
except PermissionError:
    pass
workers = {pid: collections.deque(maxlen=60) for pid in sys.argv[1:]}
while True:
    before = time.time()
    time.sleep(0.005)
    now = time.time()
    withheld = now - before - 0.005
    for pid, waited in workers.items():
        try:
            with open(f"/proc/{pid}/schedstat") as file:
                waited.append(int(file.read().split()[1]) / 1e9)
        except OSError:
            continue
        withheld = max(withheld, waited[-1] - waited[0])
    if withheld > 0.01:
        print(before, withheld, flush=True)
"""


class Witness:
    """How long the machine let the media workers wait for a processor, as the kernel counts it, in any 0.3 s.

    A process of their priority samples it; what it is itself withheld (by a host) counts too.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "stalls"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, workers: Iterable[int]) -> None:
        """Watch these processes."""
        with self._path.open("wb") as log:
            self._process = subprocess.Popen([sys.executable, "-c", _WITNESS, *map(str, workers)], stdout=log)

    def stop(self) -> None:
        """Enough seen."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)

    def longest(self, since: float, until: float) -> float:
        """The longest wait in that time, in seconds."""
        lines = [tuple(map(float, line.split())) for line in self._path.read_text().splitlines()]
        return max((late for at, late in lines if since - 0.3 <= at <= until), default=0.0)
