"""`callcenter demo`: a server of its own, agents' phones that answer, callers who wait and lose patience, and a live
table of it all in the terminal. Nothing of it touches the site's own data or ports.
"""

import argparse
import contextlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from callcenter.app.demo.ports import FreePorts
from callcenter.app.demo.site import AGENTS, phone_of, write_site
from callcenter.kernel.errors import CallcenterError

if TYPE_CHECKING:
    from callcenter.app.command import Commands

START_S = 60
LINES = 14
PEOPLE = "127.0.0.5"
CALLER = "2100"


class DemoFailed(CallcenterError):
    """The demo's server did not come up; the message says where its log is."""

    code = "demo_failed"


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("demo", help="watch the product work, with real SIP callers")
    # It keeps what it does in a folder of its own.
    parser.add_argument("--data", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument("--callers", type=float, default=12.0, metavar="N", help="callers a minute (default: 12)")
    parser.add_argument("--minutes", type=float, default=0.0, metavar="N", help="stop by itself (default: Ctrl-C)")
    parser.add_argument(
        "--http", type=int, default=0, metavar="PORT", help="port of the consoles (default: a free one)"
    )
    parser.add_argument(
        "--caller", choices=("own", "pyvoip"), default="own", help="pyvoip: one more caller, by pyVoIP"
    )
    parser.add_argument("--plain", action="store_true", help="print a line now and then instead of redrawing a table")
    parser.set_defaults(handler=_demo)


def _demo(given: argparse.Namespace) -> int:
    folder = Path(tempfile.mkdtemp(prefix="callcenter-demo-"))
    demo = Demo(folder, given.config, given.http)
    try:
        demo.start(given.callers)
        if given.caller == "pyvoip":
            demo.add_pyvoip_caller()
        print(demo.welcome(), flush=True)
        demo.watch(given.minutes * 60, plain=given.plain or not sys.stdout.isatty())
    except KeyboardInterrupt:
        print("\nstopping")
    finally:
        demo.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


class Demo:
    """The processes of one demo."""

    def __init__(self, folder: Path, source: Path, http: int) -> None:
        self._folder = folder
        self._source = source
        self._ports = FreePorts()
        self._http = http or self._ports.take()
        self._sip = ("127.0.0.1", self._ports.take())
        self._callers = (PEOPLE, self._ports.take(PEOPLE))
        self._processes: list[subprocess.Popen[bytes]] = []
        self._browser: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        self._quiet = threading.Event()

    # -- coming and going -----------------------------------------------------------------------------------------

    def start(self, per_minute: float) -> None:
        """Server first, then the telephones, then the agents, then the callers. Raises DemoFailed."""
        config = self._folder / "config"
        write_site(self._source, config, self._callers)
        arguments = ["--sip", str(self._sip[1]), "--http", str(self._http), "--rtp", "28000-29999"]
        arguments += ["--data", str(self._folder / "data"), "--config", str(config)]
        self._spawn(["callcenter", "run", *arguments], "run.log")
        self._wait_until_up()
        words = self._words = self._passwords()
        news = ("127.0.0.1", self._ports.take())
        voice = str(self._source / "prompts" / "en" / "main-menu.wav")
        part: dict[str, object] = {"server": self._sip, "per_minute": per_minute, "voice": voice, "news": news}
        people = {phone_of(index): words[phone_of(index)] for index in range(len(AGENTS))}
        phones = part | {"address": PEOPLE, "port": 0, "people": people}
        self._spawn(["callcenter.app.demo.people", "phones", json.dumps(phones)], "phones.log")
        self._sign_in(words)
        callers = part | {"address": self._callers[0], "port": self._callers[1], "people": {}}
        self._spawn(["callcenter.app.demo.people", "callers", json.dumps(callers)], "callers.log")

    def add_pyvoip_caller(self) -> None:
        """One more caller, from somebody else's SIP implementation. Raises DemoFailed where it is not installed."""
        if importlib.util.find_spec("pyVoIP") is None:
            raise DemoFailed("--caller pyvoip: pip install pyVoIP==1.6.8 first (GPL; it runs in its own process)")
        arguments = {"server": self._sip[0], "server-port": self._sip[1], "user": CALLER, "address": PEOPLE}
        arguments |= {"password": self._words[CALLER], "port": self._ports.take(PEOPLE), "rtp": 27900}
        flags = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
        self._spawn(["callcenter.app.demo.pyvoip_caller", *flags], "pyvoip.log")

    def stop(self) -> None:
        """End everything; the server last, so that its calls are ended properly."""
        for process in reversed(self._processes):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()

    def _spawn(self, words: list[str], log: str) -> None:
        with (self._folder / log).open("ab") as output:
            self._processes.append(
                subprocess.Popen(  # noqa: S603  # our own modules
                    [sys.executable, "-m", *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )
            )

    def _wait_until_up(self) -> None:
        for _ in range(START_S * 5):
            with contextlib.suppress(OSError, ValueError):
                if self._ask("GET", "/api/health")["status"] == "ok":
                    return
            if self._processes[0].poll() is not None:
                break
            self._quiet.wait(0.2)
        raise DemoFailed(f"the demo's server does not come up:\n{(self._folder / 'run.log').read_text()[-2000:]}")

    def _passwords(self) -> dict[str, str]:
        lines = (self._folder / "data" / "first-start.txt").read_text(encoding="utf-8").splitlines()
        words = (line.split() for line in lines if line.startswith("  "))
        return {each[0]: each[1] for each in words if len(each) > 1}

    def _sign_in(self, words: Mapping[str, str]) -> None:
        self._secret = {login: words[login] for login in ("sue", AGENTS[0].lower())}
        self._ask("POST", "/api/session", {"login": "sue", "password": words["sue"]})
        for name in AGENTS:
            self._ask("POST", f"/api/agents/{name.lower()}/state", {"state": "available"})

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        base = f"http://127.0.0.1:{self._http}"
        headers = {"Origin": base, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with self._browser.open(Request(base + path, data, headers, method=method), timeout=10) as answer:  # noqa: S310  # our own server
            return dict(json.loads(answer.read() or b"{}"))

    # -- watching -------------------------------------------------------------------------------------------------

    def welcome(self) -> str:
        """What a newcomer has to know."""
        secrets = ", ".join(f"{login} / {password}" for login, password in self._secret.items())
        return (
            f"The demo runs. Consoles: http://127.0.0.1:{self._http}/ (sign in as {secrets}).\n"
            f"{len(AGENTS)} agents' phones are registered and callers are on their way. Ctrl-C ends it.\n"
        )

    def watch(self, seconds: float, *, plain: bool) -> None:
        """Show what goes on, each second, until `seconds` have passed (0: for ever)."""
        shown, passed = 0, 0.0
        while not seconds or passed < seconds:
            if not plain or passed % 5 == 0:
                lines = self.table() if not plain else [self.line()]
                print((f"\x1b[{shown}F\x1b[J" if shown else "") + "\n".join(lines), flush=True)
                shown = 0 if plain else len(lines)
            self._quiet.wait(1.0)
            passed += 1.0

    def line(self) -> str:
        """The state in one line."""
        status, queues = self._ask("GET", "/api/status"), self._ask("GET", "/api/queues")["queues"]
        agents = self._ask("GET", "/api/agents")["agents"]
        talking = sum(agent["state"] == "on_contact" for agent in agents)
        waiting = sum(queue["waiting"] for queue in queues)
        return f"calls {status['calls']}, waiting {waiting}, talking {talking}, surprises {status['surprises']}"

    def table(self) -> list[str]:
        """Queues and agents as they are now."""
        lines = [self.line(), "", f"{'QUEUE':<12}{'WAITING':>8}{'LONGEST':>9}{'FREE AGENTS':>13}"]
        for queue in self._ask("GET", "/api/queues")["queues"]:
            longest = queue["longest_wait_ms"]
            shown = "-" if longest is None else f"{longest / 1000:.0f} s"
            lines.append(f"{queue['name']:<12}{queue['waiting']:>8}{shown:>9}{queue['agents_available']:>13}")
        lines += ["", f"{'AGENT':<12}{'STATE':<14}SKILLS"]
        for agent in self._ask("GET", "/api/agents")["agents"]:
            lines.append(f"{agent['name']:<12}{agent['state']:<14}{', '.join(sorted(agent['skills']))}")
        return lines
