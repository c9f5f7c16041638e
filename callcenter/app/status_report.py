"""What the application says of itself: to `callcenter status` over `DATA/run/status.sock`, and to the API."""

import asyncio
import contextlib
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from callcenter import __version__
from callcenter.app.live import LiveSide
from callcenter.kernel.errors import SiteUnavailable
from callcenter.kernel.projector_thread import ProjectorThread

# Less than who asks for the status waits: a worker that hangs must not hide the application.
WORKERS_S = 1.0


class Edge(Protocol):
    """Where an exception is caught that nobody expected."""

    @property
    def surprises(self) -> int: ...


class StatusReport:
    """Implements `console.ports.Status`."""

    def __init__(self, live: LiveSide, projector: ProjectorThread, edges: Sequence[Edge] = ()) -> None:
        """`edges` are those that catch surprises besides the ones of calls."""
        self._live = live
        self._projector = projector
        self._edges = edges
        self.metrics: Callable[[], Awaitable[Mapping[str, object]]] | None = None

    def healthy(self) -> bool:
        """New calls are being taken: the journal writes and a worker is there."""
        return self._live.journal.healthy and bool(self._live.media.workers()) and not self._live.agent.draining

    def status(self) -> Mapping[str, object]:
        """Counters only; no names, no numbers."""
        live = self._live
        statistics, projected = live.agent.statistics, self._projector.status
        acd = live.acd.core
        return {
            "pid": os.getpid(),
            "version": __version__,
            "epoch": live.journal.epoch,
            "healthy": self.healthy(),
            "draining": live.agent.draining,
            "calls": len(live.calls.contacts),
            "waiting": sum(entry.state == "waiting" and not entry.is_callback for entry in acd.entries.values()),
            "callbacks": sum(entry.is_callback for entry in acd.entries.values()),
            "agents": sum(agent.state != "logged_out" for agent in acd.agents.values()),
            "workers": [
                {"name": worker.name, "pid": worker.pid, "sessions": worker.sessions, "draining": worker.draining}
                for worker in live.media.workers()
            ],
            "journal": {
                "healthy": live.journal.healthy,
                "lag_ms": round(live.journal.lag_s(live.clock.now()) * 1000),
                "last_seq": live.journal.last_seq,
            },
            "projector": {
                "behind": max(0, live.journal.last_seq - projected.projected),
                "away": projected.away,
                "skipped": projected.skipped,
            },
            "sip": {
                "dialogs": len(live.agent.dialogs),
                "transactions": live.agent.transaction_count,
                "received": statistics.received,
                "sent": statistics.sent,
                "retransmitted": statistics.retransmitted,
                "refusals": dict(sorted(statistics.refusals.items())),
            },
            "trunks": {name: health for name, (health, _) in sorted(live.agent.trunk_healths().items())},
            "surprises": self.surprises(),
        }

    async def whole_status(self) -> Mapping[str, object]:
        """`status` with the metrics, what the policy names in vain, and what the workers count: drops, exceptions.

        Who does not answer in time is left out.
        """
        told = dict(self.status())
        if self.metrics is not None:
            with contextlib.suppress(TimeoutError, SiteUnavailable):
                told["metrics"] = await asyncio.wait_for(self.metrics(), WORKERS_S)
        try:
            counted = await asyncio.wait_for(self._live.media.statistics(), WORKERS_S)
        except TimeoutError:
            counted = ()
        drops: Counter[str] = Counter()
        for each in counted:
            drops.update(each.drops)
        told["media"] = {
            "packets_received": sum(each.packets_received for each in counted),
            "packets_sent": sum(each.packets_sent for each in counted),
            "drops": dict(sorted(drops.items())),
        }
        faults = self._live.site.faults
        if faults:
            told["faults"] = faults
        told["surprises"] = self.surprises() + sum(each.surprises for each in counted)
        return told

    def surprises(self) -> int:
        """Exceptions caught at a driver's edge: each is a bug of ours."""
        live = self._live
        edges: Sequence[Edge] = (live, live.agent.statistics, live.media, live.bus, live.journal, *self._edges)
        return sum(edge.surprises for edge in edges)

    def flows(self) -> Sequence[Mapping[str, object]]:
        """The loaded flows by name."""
        return [{"id": flow.name, "version": flow.version} for _, flow in sorted(self._live.site.flows.items())]


class StatusSocket:
    """One JSON object to whoever connects; the folder's mode (0700) says who may."""

    def __init__(self, path: Path, report: Callable[[], Awaitable[Mapping[str, object]]]) -> None:
        self._path = path
        self._report = report
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen, in the place of whoever was killed without cleaning up."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self._server = await asyncio.start_unix_server(self._answer, str(self._path))

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(await self._report()).encode())
            await writer.drain()
        writer.close()
