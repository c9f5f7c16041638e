"""baresip as a telephone without a sound card: it plays one WAV file and writes what it hears to another.

Driven over its control socket (module ctrl_tcp): netstrings with JSON commands go in, events come out.
"""

import json
import re
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.server import eventually
from tests.support.tone import samples, write_wave

MODULES = Path("/usr/lib/baresip/modules")
CONTROL = 2
_CONFIG = """\
poll_method epoll
net_interface {address}
sip_listen {address}:{port}
rtp_ports {rtp}-{rtp_last}
audio_source aufile,{plays}
audio_player aubridge,sink
audio_alert aubridge,alert
snd_path {folder}
audio_channels 1-1
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
"""


@dataclass
class Baresip:
    """One registered telephone, on 127.0.0.1, whence its RTP comes whatever its SDP says.

    `with Baresip(...) as phone: phone.dial("100")` sends a tone of `hertz`. It takes its port (UDP, TCP) and the two
    after it (TLS, control).
    """

    user: str
    password: str
    server: tuple[str, int]
    local: tuple[str, int]
    media_port: int
    hertz: float = 600.0
    transport: str = "udp"
    answers: bool = False

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="baresip-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._unread = b""
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> "Baresip":
        plays = write_wave(self.folder / "plays.wav", samples(self.hertz, 60))
        address, port = self.local
        config = _CONFIG.format(
            address=address, port=port, rtp=self.media_port, rtp_last=self.media_port + 3, plays=plays,
            folder=self.folder, modules=MODULES, control=port + CONTROL,
        )  # fmt: skip
        mode = "auto" if self.answers else "manual"
        account = (
            f"<sip:{self.user}@{self.server[0]}:{self.server[1]};transport={self.transport}>;regint=600"
            f";auth_user={self.user};auth_pass={self.password};answermode={mode};audio_codecs=pcmu/8000/1\n"
        )
        for name, text in (("config", config), ("accounts", account), ("contacts", "")):
            (self.folder / name).write_text(text)
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["baresip", "-f", str(self.folder), "-v"], stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        self._control = eventually(f"baresip listens: {self.log()}", self._connect)
        eventually(f"{self.user} is registered", lambda: "200 OK" in self.log())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._control is not None:
            self._control.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _connect(self) -> socket.socket | None:
        try:
            return socket.create_connection((self.local[0], self.local[1] + CONTROL), timeout=5)
        except ConnectionRefusedError:
            return None

    # -- commands --------------------------------------------------------------------------------------------------

    def command(self, name: str, parameters: str = "") -> None:
        """One of baresip's commands (`/help` lists them)."""
        assert self._control is not None
        text = json.dumps({"command": name, "params": parameters, "token": name}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def dial(self, number: str) -> None:
        """Ring `number` of the server."""
        self.command("dial", f"sip:{number}@{self.server[0]}:{self.server[1]}")

    def press(self, digit: str) -> None:
        """A key of the call, RFC 4733."""
        self.command("sndcode", digit)

    def hang_up(self) -> None:
        """End the call, or refuse it."""
        self.command("hangup")

    def accept(self) -> None:
        """Answer the ringing call."""
        self.command("accept")

    # -- what happens ----------------------------------------------------------------------------------------------

    def wait_for(self, kind: str, *, within_s: float = 10.0) -> dict[str, Any]:
        """The first event of `kind` (CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED ...), taken out."""

        def found() -> dict[str, Any] | None:
            self._read()
            event = next((event for event in self.events if event.get("type") == kind), None)
            if event is not None:
                self.events.remove(event)
            return event

        event: dict[str, Any] = eventually(f"{kind} at baresip {self.user}", found, within_s=within_s)
        return event

    def _read(self) -> None:
        assert self._control is not None
        self._control.setblocking(False)
        try:
            while data := self._control.recv(65536):
                self._unread += data
        except BlockingIOError:
            pass
        finally:
            self._control.settimeout(5)
        while match := re.match(rb"(\d+):", self._unread):
            end = match.end() + int(match[1])
            if len(self._unread) <= end:
                return
            message = json.loads(self._unread[match.end() : end])
            self._unread = self._unread[end + 1 :]
            if message.get("event"):
                self.events.append(message)

    def heard(self) -> list[int]:
        """What it has heard so far in its (only) call, 8 kHz; the header is complete at the call's end only."""
        for path in self.folder.glob("dump-*-dec.wav"):
            data = path.read_bytes()[44:]
            return memoryview(data[: len(data) // 2 * 2]).cast("h").tolist()
        return []

    def log(self) -> str:
        """What it printed."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""
