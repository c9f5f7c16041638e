"""SIPp as caller and as phone: an independent SIP implementation, driven by scenarios of our own.

`media` is what the SDP names; SIPp sends the pcap of the scenario from there, and what comes is read from a capture.
"""

import re
import socket
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.support.server import eventually
from tests.support.tone import frames


@dataclass
class Sipp:
    """One SIPp process running `scenario` (the text of tests/support/scenario.py)."""

    scenario: str
    remote: tuple[str, int]
    local: tuple[str, int]
    calls: int | None = 1
    rate: float = 10.0
    talk_ms: int = 1000
    media: tuple[str, int] | None = None
    transport: str = "u1"
    service: str = "100"
    auth: tuple[str, str] | None = None
    timeout_s: int = 60
    extra: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sipp-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Sipp":
        """Start it; end it with `wait` or `stop`. A phone listens when this returns."""
        (self.folder / "scenario.xml").write_text(self.scenario)
        media = self.media or (self.local[0], 6000)
        command = [
            *("sipp", f"{self.remote[0]}:{self.remote[1]}", "-sf", str(self.folder / "scenario.xml")),
            *("-i", self.local[0], "-p", str(self.local[1]), "-mi", media[0], "-mp", str(media[1])),
            *("-s", self.service, "-t", self.transport, "-d", str(self.talk_ms), "-r", str(self.rate)),
            *("-nostdin", "-trace_err", "-error_file", str(self.folder / "errors.log"), "-trace_msg"),
            *(
                "-message_file",
                str(self.folder / "messages.log"),
                "-trace_logs",
                "-log_file",
                str(self.folder / "log"),
            ),
            *("-timeout", f"{self.timeout_s}s", "-timeout_error", "-recv_timeout", str(self.timeout_s * 1000)),
        ]
        if self.calls is not None:
            command += ["-m", str(self.calls)]
        if self.auth is not None:
            command += ["-au", self.auth[0], "-ap", self.auth[1]]
        self._process = subprocess.Popen(
            [*command, *self.extra],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if re.search(r"<scenario[^>]*>\s*<recv", self.scenario):
            eventually(f"sipp listens at {self.local}", self._listens_or_ended, every_s=0.005)
        return self

    def _listens_or_ended(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            return True  # `wait` says why
        kind, state = ("tcp", "0A") if self.transport.startswith("t") else ("udp", "07")
        (address,) = struct.unpack("=I", socket.inet_aton(self.local[0]))
        lines = (line.split() for line in Path(f"/proc/net/{kind}").read_text().splitlines())
        return any(line[1] == f"{address:08X}:{self.local[1]:04X}" and line[3] == state for line in lines)

    def wait(self) -> None:
        """Wait for the end; fails the test with SIPp's own words unless every call went as its scenario says."""
        assert self._process is not None
        code = self._process.wait(self.timeout_s + 10)
        assert code == 0, f"sipp ended with {code}:\n{self.errors()}"

    def finish(self) -> None:
        """Wait for the end, however its calls went."""
        assert self._process is not None
        self._process.wait(self.timeout_s + 10)

    def stop(self) -> None:
        """End it now."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(5)

    def errors(self) -> str:
        """What SIPp complained about, and the last messages."""
        texts = [self.folder / "errors.log", self.folder / "messages.log"]
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in texts if path.exists())

    def messages(self) -> str:
        """Every message that SIPp sent and received."""
        path = self.folder / "messages.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logged(self, pattern: str) -> list[str]:
        """The first group of `pattern` in each line that the scenario logged."""
        path = self.folder / "log"
        return re.findall(pattern, path.read_text(errors="replace")) if path.exists() else []

    def __enter__(self) -> "Sipp":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def write_tone_pcap(path: Path, hertz: float, seconds: float, codec: str = "PCMU") -> Path:
    """A pcap that `play_pcap_audio` sends: a tone in 20 ms packets."""
    payload_type = {"PCMU": 0, "PCMA": 8}[codec]
    packets = [
        (i * 0.02, struct.pack(">BBHII", 0x80, (0x80 if i == 0 else 0) | payload_type, i, i * 160, 0x1234) + frame)
        for i, frame in enumerate(frames(hertz, seconds, codec))
    ]
    return _write_pcap(path, packets)


def write_digits_pcap(path: Path, digits: str, *, payload_type: int = 101, gap_s: float = 0.3) -> Path:
    """A pcap of RFC 4733 key presses: 100 ms each, end sent three times, with `gap_s` between presses."""
    packets: list[tuple[float, bytes]] = []
    sequence, at = 1, 0.0
    for index, digit in enumerate(digits):
        code = "0123456789*#ABCD".index(digit)
        timestamp = 160 * (1 + int(at * 50)) + 8000 * index
        for step in range(1, 9):
            end = step >= 6
            body = struct.pack(">BBH", code, (0x80 if end else 0) | 10, min(step, 6) * 160)
            marker = 0x80 if step == 1 else 0
            header = struct.pack(">BBHII", 0x80, marker | payload_type, sequence, timestamp, 0x4321)
            packets.append((at, header + body))
            sequence += 1
            at += 0.02
        at += gap_s
    return _write_pcap(path, packets)


def _write_pcap(path: Path, packets: list[tuple[float, bytes]]) -> Path:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at, rtp in packets:
            udp = struct.pack(">HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
            frame = b"\0" * 12 + b"\x08\0" + ip + udp
            file.write(struct.pack("<IIII", 1000 + int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame)
    return path
