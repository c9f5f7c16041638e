"""CPU of one media worker: seconds per call-minute for a bridge, a recorded bridge and a prompt.

    python bench/media_worker.py [--calls 50] [--seconds 10] [--rtpblast PATH]

A bridged call is what the load harness makes: 50 packets a second from a caller, sent back by an agent's echo, so
200 packets a second pass the worker. The generator is ../shared/load/rtpblast.c where it is there (compiled to a
temporary folder), or the file given. The worker's CPU is read from /proc and counts threads and kernel time.
"""

import argparse
import asyncio
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from callcenter.media import protocol  # noqa: E402  # after the path
from callcenter.media.protocol import Remote  # noqa: E402  # after the path
from tests.support.media_worker import Client, WorkerProcess, eventually  # noqa: E402  # after the path

CALLER, AGENT = 27300, 28300
SETTLE_S = 1.0


def cpu_s(pid: int) -> float:
    """User and system time of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def remote(port: int) -> Remote:
    return Remote("127.0.0.1", port, ((0, "PCMU"),), 101)


def music(folder: Path) -> Path:
    path = folder / "music.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        tone = [round(8000 * math.sin(2 * math.pi * 440 * n / 8000)) for n in range(80_000)]
        file.writeframes(struct.pack(f"<{len(tone)}h", *tone))
    return path


class Bench:
    def __init__(self, rtpblast: Path, folder: Path, calls: int, seconds: float) -> None:
        self.rtpblast = rtpblast
        self.folder = folder
        self.calls = calls
        self.seconds = seconds

    async def run(self, kind: str) -> None:
        worker = WorkerProcess(self.folder, kind, f"40000-{40003 + 4 * self.calls}")
        client = await Client.attach(worker.path)
        before = cpu_s(worker.process.pid)
        for index in range(self.calls):
            self.set_up(client, kind, index)
        wanted = self.calls * (1 if kind == "prompt" else 2)
        await eventually(lambda: len(client.heard(protocol.Opened)) == wanted)
        ports = {event.session: event.port for event in client.heard(protocol.Opened)}
        names = self.folder / f"{kind}.ports"
        names.write_text("\n".join(str(ports[f"c{index}"]) for index in range(self.calls)))
        opening = cpu_s(worker.process.pid) - before
        helpers = self.helpers(kind, names)
        await asyncio.sleep(SETTLE_S)
        start, used = time.monotonic(), cpu_s(worker.process.pid)
        await asyncio.sleep(self.seconds)
        used = cpu_s(worker.process.pid) - used
        elapsed = time.monotonic() - start
        outputs = [json.loads(helper.communicate()[0]) for helper in helpers]
        statistics = await client.statistics()
        await client.close()
        worker.stop()
        print(
            json.dumps(
                {
                    "kind": kind,
                    "calls": self.calls,
                    "cpu_s_per_call_min": round(used / elapsed * 60 / self.calls, 4),
                    "cores": round(used / elapsed, 3),
                    "open_ms_per_session": round(opening * 1000 / len(ports), 3),
                    "late_ticks": statistics.late_ticks,
                    "worst_lateness_ms": statistics.worst_lateness_us / 1000,
                    "drops": statistics.drops,
                    "surprises": statistics.surprises,
                    "generator": outputs[-1],
                }
            )
        )

    def set_up(self, client: Client, kind: str, index: int) -> None:
        caller, agent = f"c{index}", f"a{index}"
        client.send(protocol.Open(caller, client.number(caller), remote(CALLER)))
        if kind == "prompt":
            path = str(self.folder / "music.wav")
            client.send(protocol.Play(caller, client.number(caller), "music", (path,), loop=True))
            return
        client.send(protocol.Open(agent, client.number(agent), remote(AGENT)))
        recording = f"{index}.wav" if kind == "recorded" else None
        client.send(protocol.Bridge(caller, client.number(caller), agent, recording))

    def helpers(self, kind: str, names: Path) -> list["subprocess.Popen[bytes]"]:
        seconds = str(self.seconds + 2 * SETTLE_S)
        wanted = [["sink", str(CALLER), seconds]]
        if kind != "prompt":
            wanted = [["echo", str(AGENT), seconds], ["gen", str(CALLER), seconds, str(names)]]
        return [subprocess.Popen([self.rtpblast, *arguments], stdout=subprocess.PIPE) for arguments in wanted]


def generator(given: Path | None, folder: Path) -> Path:
    if given is not None:
        return given
    source, compiler = ROOT.parent / "shared" / "load" / "rtpblast.c", shutil.which("cc")
    if not source.exists() or compiler is None:
        sys.exit("no RTP generator: give --rtpblast, or have ../shared/load/rtpblast.c and a C compiler")
    subprocess.run([compiler, "-O2", "-o", folder / "rtpblast", source], check=True)
    return folder / "rtpblast"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rtpblast", type=Path)
    parser.add_argument("--kind", choices=("bridged", "recorded", "prompt"), action="append")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        music(folder)
        bench = Bench(generator(given.rtpblast, folder), folder, given.calls, given.seconds)
        for kind in given.kind or ("bridged", "recorded", "prompt"):
            asyncio.run(bench.run(kind))


if __name__ == "__main__":
    main()
