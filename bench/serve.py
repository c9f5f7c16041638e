"""The server in its bench configuration, ready for the load harness of ../shared/load (bench/README.md).

    python bench/serve.py [--sip 5160] [--http 8190] [--agents 500] [--workers N] [--keep DIR]

Makes a configuration and an empty data folder in a temporary place, starts `callcenter run` on them, signs the agents
in over the API, prints the processes' numbers and writes them to $LOAD_DIR/pid, and waits for Ctrl-C. Callers are the
trunk 127.0.0.1:5170; m1..mN are phones at 127.0.0.1:6160.
"""

import argparse
import contextlib
import http.cookiejar
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
CALLERS = "127.0.0.1:5170"
PHONES = "127.0.0.1:6160"
RTP = "20000-27999"
READY_S = 60.0
STOP_S = 15.0
QUEUES = {"q50": 50, "q500": 500}
ON_END = dict.fromkeys(("on_busy", "on_no_answer", "on_declined", "on_unreachable"), "end")


def flows() -> dict[str, dict[str, object]]:
    """The harness's services, each a flow of one node and an end."""
    dial: dict[str, object] = {"kind": "dial", "target": "m1", "ring_s": 30, "next": "end", **ON_END}
    nodes: dict[str, dict[str, object]] = {
        "answer": {"kind": "echo"},
        "echo": {"kind": "echo"},
        "b1": dial,
        "r1": dial | {"record": True},
        # Ten minutes of it.
        "play": {"kind": "play", "prompts": ["music"] * 30, "next": "end"},
    }
    for queue in (*QUEUES, "moh"):
        wait: dict[str, object] = {"kind": "queue", "queue": queue, "skills": {queue: 1}, "music": ["music"]}
        nodes[queue] = wait | {"next": "end", "on_timeout": "end", "on_full": "end"}
    return {name: _flow(name, node) for name, node in nodes.items()}


def _flow(name: str, node: dict[str, object]) -> dict[str, object]:
    failed = {"kind": "hangup", "reason": "error", "status": 500}
    end = {"end": {"kind": "hangup"}} if "next" in node else {}
    nodes = {"it": node, **end, "failed": failed}
    return {"name": name, "language": "en", "start": "it", "on_error": "failed", "nodes": nodes}


def agents(count: int) -> list[dict[str, object]]:
    """m1..mN: the first 50 in both queues. Nobody has the skill of `moh`, so its callers wait."""
    return [
        {
            "id": f"m{number}",
            "phone": f"m{number}",
            "delivery": "phone",
            "skills": {queue: 1 for queue, size in QUEUES.items() if number <= size},
        }
        for number in range(1, count + 1)
    ]


def write_config(folder: Path, count: int) -> None:
    """The folder as `callcenter run --config` takes it."""
    (folder / "flows").mkdir(parents=True)
    (folder / "calendars").mkdir()
    shutil.copytree(ROOT / "config" / "prompts", folder / "prompts")
    queues = [
        {"name": queue, "skills": {queue: 1}, "music": "music", "ring_s": 30, "wrap_up_s": 0}
        for queue in (*QUEUES, "moh")
    ]
    numbers = {name: name for name in flows()}
    limits = {"invites_per_s": 5000.0, "per_source_per_s": 5000.0, "per_source_burst": 5000, "calls": 5000}
    files: dict[str, object] = {
        "settings.yaml": {"site": {"name": "Bench"}, "limits": limits, "log_level": "warning", "drain_s": 1.0},
        "trunks.yaml": {"trunks": [{"name": "sipp", "addresses": [CALLERS], "numbers": numbers}]},
        "phones.yaml": {
            "phones": [{"user": f"m{n}", "contact": f"sip:m{n}@{PHONES}"} for n in range(1, count + 1)],
        },
        "queues.yaml": {"distributor": {"back_off_s": 1}, "queues": queues},
        "agents.yaml": {"agents": agents(count)},
    }
    files |= {f"flows/{name}.yaml": flow for name, flow in flows().items()}
    for name, document in files.items():
        (folder / name).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


class Server:
    """`callcenter run` on folders of its own."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self.data = folder / "data"
        self.http = f"http://127.0.0.1:{given.http}"
        self.count: int = given.agents
        write_config(folder / "config", given.agents)
        self._make_accounts(folder)
        arguments: list[object] = ["run", "--data", self.data, "--config", folder / "config", "--rtp", RTP]
        arguments += ["--sip", given.sip, "--http", given.http]
        arguments += ["--workers", given.workers] if given.workers else []
        command = [sys.executable, "-m", "callcenter", *(str(argument) for argument in arguments)]
        self.process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)

    def _make_accounts(self, folder: Path) -> None:
        """A first start for one agent only: 500 password hashes would take half a minute."""
        write_config(folder / "seed", 1)
        (self.data / "run").mkdir(mode=0o700, parents=True)
        settings = folder / "settings.json"
        code = "import sys; from callcenter.app.settings import Settings; print(Settings(data=sys.argv[1]).to_json())"
        said = subprocess.run(
            [sys.executable, "-c", code, self.data], cwd=ROOT, check=True, capture_output=True, text=True
        )
        settings.write_text(said.stdout, encoding="utf-8")
        module: list[str | Path] = [
            "-m",
            "callcenter.app.first_start",
            "--config",
            folder / "seed",
            "--settings",
            settings,
        ]
        subprocess.run([sys.executable, *module], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    def processes(self) -> list[int]:
        """Supervisor, application and workers, once they serve."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"the server has ended with {self.process.returncode}")
            with contextlib.suppress(OSError, ValueError):
                if json.loads((self.data / "run" / "application.json").read_text())["ready"]:
                    return [self.process.pid, *children(self.process.pid)]
            time.sleep(0.1)
        sys.exit("the server does not come up")

    def sign_agents_in(self) -> None:
        """Make every agent available, as a supervisor would."""
        lines = (self.data / "first-start.txt").read_text(encoding="utf-8").splitlines()
        password = next(line.split()[1] for line in lines if line.split()[:1] == ["sue"])
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._post("/api/session", login="sue", password=password)
        for agent in range(1, self.count + 1):
            self._post(f"/api/agents/m{agent}/state", state="available")

    def _post(self, path: str, **body: str) -> None:
        headers = {"Content-Type": "application/json", "Origin": self.http}
        request = urllib.request.Request(self.http + path, json.dumps(body).encode(), headers)
        self._opener.open(request, timeout=10).close()

    def stop(self) -> None:
        """Drain, then insist."""
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOP_S)


def children(pid: int) -> list[int]:
    """The processes that `pid` has started."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return sorted(found)


def serve(folder: Path, given: argparse.Namespace) -> None:
    """Until a signal."""
    server = Server(folder, given)
    try:
        pids = ",".join(str(pid) for pid in server.processes())
        server.sign_agents_in()
        load_dir = Path(os.environ.get("LOAD_DIR", "."))
        (load_dir / "pid").write_text(pids + "\n", encoding="utf-8")
        print(f"{server.count} agents are signed in\nSRV=127.0.0.1:{given.sip} SRV_PID={pids}", flush=True)
        server.process.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Start the server in its bench configuration.")
    parser.add_argument("--sip", type=int, default=5160)
    parser.add_argument("--http", type=int, default=8190)
    parser.add_argument("--agents", type=int, default=500)
    parser.add_argument("--workers", type=int, help="media workers (default: one for each core)")
    parser.add_argument("--keep", type=Path, help="make the folders here and leave them")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if given.keep is not None:
        serve(given.keep.absolute(), given)
        return
    # Short: the path of a Unix socket has 108 bytes.
    with tempfile.TemporaryDirectory(prefix="ccbench") as folder:
        serve(Path(folder), given)


if __name__ == "__main__":
    main()
