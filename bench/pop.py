"""How long after the offer its pop is on the agent's console, on the real server with real calls.

    python -m bench.pop [--calls 60] [--rate 3]

Starts a server of its own. SIPp callers ring one agent through a greeting and a queue, one after the other; SIPp is
also the agent's phone. The console's socket is read by a thread that does nothing else, and the time of each pop's
arrival is compared with the `at` of its offer. The bound of the product is 20 ms.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.support.scenario import Sound, caller, phone
from tests.support.server import Server, SiteFiles
from tests.support.sipp import Sipp

BOUND_MS = 20.0
CALLER, PHONE = ("127.0.0.91", 5170), ("127.0.0.92", 5190)


def site() -> SiteFiles:
    """One agent, whose phone is where it is without registering."""
    end = {"kind": "hangup"}
    hello = {"kind": "play", "prompts": ["goodbye"], "next": "wait"}
    wait = {
        "kind": "queue",
        "queue": "billing",
        "music": ["music"],
        "next": "end",
        "on_timeout": "end",
        "on_full": "end",
    }
    flow = {
        "language": "en",
        "start": "hello",
        "on_error": "end",
        "nodes": {"hello": hello, "wait": wait, "end": end},
    }
    return SiteFiles(
        settings={"media": {"ports": "27100-27199", "workers": 1}},
        trunks=[{"name": "t", "addresses": [f"{CALLER[0]}:{CALLER[1]}"], "numbers": {"100": "queue"}}],
        phones=[{"user": "m1", "contact": f"sip:m1@{PHONE[0]}:{PHONE[1]}"}],
        queues=[{"name": "billing", "skills": {"billing": 1}, "music": "music", "wrap_up_s": 0}],
        agents=[{"id": "ann", "name": "Ann", "user": "ann", "phone": "m1", "skills": {"billing": 1}}],
        flows={"queue": flow},
    )


class Screen:
    """What came when: pops by offer (epoch seconds), offers with their own time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.pops: dict[str, float] = {}
        self.offers: dict[str, float] = {}

    def read(self) -> None:
        try:
            for text in self._socket:
                now = time.time()
                frame = json.loads(text)
                if frame["type"] == "pop":
                    self.pops[frame["offer"]] = now
                elif frame["type"] == "event" and frame["event"]["type"] == "acd.offer.created":
                    at = datetime.fromisoformat(frame["event"]["at"]).timestamp()
                    self.offers[frame["event"]["data"]["offer"]] = at
        except ConnectionClosed:
            return


def measure(server: Server, given: argparse.Namespace) -> None:
    client = server.client("ann")
    ticket = client.post("/api/session/ticket").json()["ticket"]
    base = f"127.0.0.1:{server.http}"
    with connect(f"ws://{base}/ws", origin=Origin(f"http://{base}"), compression=None, proxy=None) as socket:
        socket.send(json.dumps({"type": "auth", "ticket": ticket}))
        socket.send(json.dumps({"type": "hello", "positions": {}}))
        screen = Screen(socket)
        reader = threading.Thread(target=screen.read, daemon=True)
        reader.start()
        client.post("/api/agents/me/state", json={"state": "available"}).raise_for_status()
        one_at_a_time = ("-l", "1")
        rung = Sipp(phone(Sound()), server.sip, PHONE, calls=given.calls, media=(PHONE[0], 6100), timeout_s=600)
        ringing = Sipp(
            caller(Sound()), server.sip, CALLER, calls=given.calls, rate=given.rate, talk_ms=1200,
            media=(CALLER[0], 6000), extra=one_at_a_time, timeout_s=600,
        )  # fmt: skip
        with rung, ringing:
            ringing.wait()
            rung.stop()
    reader.join(5)
    tell(screen)


def tell(screen: Screen) -> None:
    late = sorted((at - screen.offers[offer]) * 1000 for offer, at in screen.pops.items() if offer in screen.offers)
    parts = statistics.quantiles(late, n=100, method="inclusive")
    print(f"{len(late)} offers, {len(screen.pops)} pops")
    p50, p95, p99 = parts[49], parts[94], parts[98]
    print(f"pop after its offer: p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, at most {late[-1]:.1f} ms")
    print("within the bound" if parts[94] <= BOUND_MS else "NOT within the bound")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--rate", type=float, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), site()) as server:
        measure(server, given)


if __name__ == "__main__":
    main()
