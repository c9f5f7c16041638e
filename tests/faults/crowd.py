"""A crowd of real callers and phones around the site, and what they and the wire saw.

Twenty talk, half of them to agents and half dialled, and half of each hang up themselves; ten are in a flow; five
wait in a queue with music; five ring at agents who answer late.
"""

import itertools
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from tests.faults.kill_site import CALLERS, IN_FLOW, PHONES, TALKERS, KillSite, free_socket
from tests.support.capture import Capture, Packet
from tests.support.scenario import Sound, caller, phone
from tests.support.sipp import Sipp, write_tone_pcap

MEDIA = {"leaving": 31000, "staying": 32000, "stay": 33000, "leave": 34000, "ring": 35000, "wait": 36000}
TIMEOUT_S = 75
Call = tuple[str, str]
"""(dialled number, the caller's own number)"""


def numbers_for(seed: int) -> "itertools.count[int]":
    """Callers' numbers, each used once in all runs of a site."""
    return itertools.count(390600000000 + (seed % 100000) * 1000)


class Crowd:
    """`with Crowd(site, folder, seed) as crowd: ...; crowd.wait()`, then `crowd.packets()`."""

    def __init__(self, site: KillSite, folder: Path, seed: int, *, talk_s: float = 10.0, ring_s: float = 9.0) -> None:
        self._site = site
        self._capture = Capture(folder / "wire.pcap", "udp and not port 53")
        number = numbers_for(seed)
        self.kind_of: dict[str, str] = {}
        leaving = [
            *self._calls("stay", ["100"] * TALKERS, number),
            *self._calls("dial", [f"51{n}" for n in range(TALKERS)], number),
            *self._calls("flow", IN_FLOW * 2, number),
        ]
        staying = [
            *self._calls("leave", ["200"] * TALKERS, number),
            *self._calls("ring", ["400"] * TALKERS, number),
            *self._calls("wait", ["300"] * TALKERS, number),
            *self._calls("dial", [f"52{n}" for n in range(TALKERS)], number),
        ]
        tone = write_tone_pcap(folder / "customer.pcap", 400, talk_s + 15)
        other = write_tone_pcap(folder / "agent.pcap", 1000, talk_s + 15)
        self.callers = [
            self._callers(folder, "leaving", leaving, tone, talk_s, hangs_up=True),
            self._callers(folder, "staying", staying, tone, talk_s, hangs_up=False),
        ]
        self.phones = [
            self._phone("stay", other),
            self._phone("leave", other, hangs_up_after_s=talk_s),
            self._phone("ring", other, ring_ms=int(ring_s * 1000), hangs_up_after_s=1.5),
            self._phone("wait", other, hangs_up_after_s=1.0),
        ]
        self.started = 0.0

    def _calls(self, kind: str, services: Iterable[str], number: "itertools.count[int]") -> list[Call]:
        calls = [(service, f"+{next(number)}") for service in services]
        self.kind_of.update((own, kind) for _, own in calls)
        return calls

    def _callers(
        self, folder: Path, name: str, calls: list[Call], tone: Path, talk_s: float, *, hangs_up: bool
    ) -> Sipp:
        table = folder / f"{name}.csv"
        table.write_text("SEQUENTIAL\n" + "".join(f"{service};{own};\n" for service, own in calls))
        text = caller(Sound(tone, port="[auto_media_port]"), number="[field1]", hangs_up=hangs_up)
        return Sipp(
            text.replace("[service]", "[field0]"),
            self._site.server.sip,
            (CALLERS, getattr(self._site.ports, f"{name}_callers")),
            calls=len(calls),
            rate=8,
            talk_ms=int(talk_s * 1000),
            media=(CALLERS, MEDIA[name]),
            timeout_s=TIMEOUT_S,
            extra=("-inf", str(table)),
        )

    def _phone(self, name: str, tone: Path, *, ring_ms: int = 0, hangs_up_after_s: float | None = None) -> Sipp:
        text = phone(
            Sound(tone, port="[auto_media_port]"), ring_ms=ring_ms, hangs_up=hangs_up_after_s is not None
        )
        return Sipp(
            text,
            self._site.server.sip,
            (PHONES, getattr(self._site.ports, name)),
            calls=None,
            talk_ms=int((hangs_up_after_s or 0) * 1000),
            media=(PHONES, MEDIA[name]),
            timeout_s=600,
        )

    def __enter__(self) -> "Crowd":
        self._capture.__enter__()
        for each in self.phones:
            each.start()
        time.sleep(0.2)
        self.started = time.time()
        for each in self.callers:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (*self.callers, *self.phones):
            each.stop()
        self._capture.__exit__(kind, error, trace)

    def until(self, seconds: float) -> None:
        """Return `seconds` after the first call."""
        time.sleep(max(0.0, self.started + seconds - time.time()))

    def wait(self) -> None:
        """Until every caller is through; fails with SIPp's words where one was not."""
        for each in self.callers:
            each.wait()

    def packets(self) -> list[Packet]:
        """What the wire saw."""
        return self._capture.packets()


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

    def first_after(self, moment: float) -> float:
        """When the first OPTIONS after `moment` was answered; epoch seconds."""
        return min(at for at in self.answers if at > moment)

    def _send(self) -> None:
        host, port = self._socket.getsockname()
        number = 0
        while not self._stop.wait(0.02):
            number += 1
            text = (
                f"OPTIONS sip:probe@{self._server[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bKp{number}\r\n"
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
