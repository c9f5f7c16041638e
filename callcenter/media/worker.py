"""The media worker: a process that outlives the application and knows no business (architecture.md section 1).

It has one timer. While there are sessions it runs the engine's step each 10 ms, or sleeps through the steps that have
nothing to do until a packet comes; without any, a look once a second at whether it is still wanted. Left alone, it
keeps bridges and music going until a session's RTP falls silent or `alone_s` is over, closes them, and ends when
nobody has come for as long again, a minute at most.
"""

import asyncio
import gc
import logging
import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from callcenter.kernel.priority import set_priority
from callcenter.media import protocol
from callcenter.media.background import Background
from callcenter.media.commands import Commands
from callcenter.media.control import Control, listener
from callcenter.media.engine import STEP_S, Engine
from callcenter.media.event_log import EventLog
from callcenter.media.port_pool import PortPool
from callcenter.media.prompts import Prompts
from callcenter.media.sockets import Sockets

log = logging.getLogger(__name__)

IDLE_S = 1.0
MAX_LINGER_S = 60.0
LATE_S = 0.020
# Beyond this the past is given up: a burst of old frames helps nobody.
BEHIND_S = 0.200
FINISH_S = 5.0
PRIORITY = -10


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. Seconds; `first_port` and `last_port` are both included."""

    socket: Path
    name: str
    address: str
    first_port: int
    last_port: int
    recordings: Path
    silence_s: float = 60.0
    alone_s: float = 600.0
    release: str = ""


class Worker:
    """Ties socket, engine and clock together; implements `control.Host`."""

    def __init__(self, options: Options, loop: asyncio.AbstractEventLoop) -> None:
        self._options = options
        self._loop = loop
        self._writer = Background("recordings")
        self._reader = Background("prompts")
        self._events = EventLog()
        ports = PortPool(options.first_port, options.last_port)
        self._engine = Engine(
            Sockets(options.address, ports), self._events, silence_s=options.silence_s,
            cname=f"{options.name}@callcenter".encode(),
        )  # fmt: skip
        self._commands = Commands(
            self._engine, Prompts(loop.call_soon_threadsafe, self._reader), self._writer, options.recordings,
            loop.call_soon_threadsafe,
        )  # fmt: skip
        self._control = Control(self)
        self._events.listener = self._control.send
        self._surprises = 0
        self._late_ticks = 0
        self._worst_lateness = 0.0
        self._due = 0.0
        self._ticking = False
        self._asleep: asyncio.TimerHandle | None = None
        self._sleeps_through = 0
        self._engine.play_begun = self._wake
        self._alone_since = time.monotonic()
        self._stopped = asyncio.Event()
        self.detached()

    async def run(self) -> None:
        """Serve until told to stop or no longer wanted."""
        path = self._options.socket
        listening = listener(path)
        server = await self._loop.create_unix_server(self._control.connection, sock=listening)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stopped.set)
        self._loop.call_later(IDLE_S, self._idle)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 100)
        log.info("media worker ready", extra={"worker": self._options.name})
        await self._stopped.wait()
        server.close()
        path.unlink(missing_ok=True)
        self._close_all()
        self._writer.finish(FINISH_S)
        # What the writer told the loop (the last Recorded, Closed) still goes out.
        await asyncio.sleep(0)

    # -- the application ------------------------------------------------------------------------------------------

    def welcome(self, hello: protocol.Hello) -> protocol.Welcome:
        self._engine.silent_alone = None
        self._engine.sockets.make_ready()
        log.info("application attached", extra={"epoch": hello.epoch, "release": hello.release})
        return protocol.Welcome(
            protocol.PROTOCOL, self._options.name, os.getpid(), self._options.release, self._commands.draining,
            self._events.lost, self._engine.states(), self._events.waiting(),
            self._options.address, tuple(self._engine.sockets.ready),
        )  # fmt: skip

    def detached(self) -> None:
        self._alone_since = time.monotonic()
        self._engine.silent_alone = self._commands.close

    def command(self, command: protocol.Command) -> None:
        self._engine.set_clock(time.monotonic())
        self._commands.apply(command)
        if not self._ticking and self._engine.sessions:
            self._ticking = True
            self._due = self._loop.time() + STEP_S
            self._loop.call_at(self._due, self._tick)

    def more_ready(self) -> tuple[int, ...]:
        return self._engine.sockets.make_ready()

    def acknowledge(self, number: int) -> None:
        self._events.acknowledge(number)

    def drain(self) -> None:
        self._commands.draining = True

    def surprise(self) -> None:
        self._surprises += 1

    def statistics(self) -> protocol.Statistics:
        engine = self._engine
        sessions = engine.sessions.values()
        return protocol.Statistics(
            worker=self._options.name,
            pid=os.getpid(),
            sessions=len(sessions),
            ports_free=engine.sockets.ports.free + len(engine.sockets.ready),
            packets_received=engine.packets_received + sum(each.reception.received for each in sessions),
            packets_sent=engine.packets_sent + sum(each.outgoing.packets for each in sessions),
            drops={**engine.drops, **self._control.refused, **self._commands.ignored},
            surprises=self._surprises + engine.surprises + self._writer.surprises + self._reader.surprises,
            ticks=engine.steps,
            late_ticks=self._late_ticks,
            worst_lateness_us=int(self._worst_lateness * 1_000_000),
            events_waiting=len(self._events),
            events_lost=self._events.lost,
            draining=self._commands.draining,
            cpu_ms=int(time.process_time() * 1000),
        )

    # -- time -----------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = self._loop.time()
        late = now - self._due
        if late > LATE_S:
            self._late_ticks += 1
        self._worst_lateness = max(self._worst_lateness, late)
        if late > BEHIND_S:
            skipped = int(late / STEP_S)
            self._engine.skip(skipped)
            self._due += skipped * STEP_S
        self._engine.step(time.monotonic())
        if not self._engine.sessions:
            self._ticking = False
            return
        self._due += STEP_S
        idle = self._engine.idle_steps()
        if idle:
            self._sleeps_through = idle
            self._asleep = self._loop.call_at(self._due + idle * STEP_S, self._slept)
            self._loop.add_reader(self._engine.sockets.fileno(), self._wake)
        else:
            self._loop.call_at(self._due, self._tick)

    def _wake(self) -> None:
        """Something is to be done at the next step; those slept through had nothing, and no more are left out."""
        if self._asleep is not None:
            passed = int((self._loop.time() - self._due) / STEP_S)
            self._rise(min(self._sleeps_through, max(0, passed)))
            self._loop.call_at(self._due, self._tick)

    def _slept(self) -> None:
        """All the steps that were to be left out are over; the next is due now."""
        self._rise(self._sleeps_through)
        self._tick()

    def _rise(self, passed: int) -> None:
        if self._asleep is not None:
            self._asleep.cancel()
            self._asleep = None
        self._loop.remove_reader(self._engine.sockets.fileno())
        self._engine.skip(passed)
        self._due += passed * STEP_S

    def _idle(self) -> None:
        if self._is_unwanted():
            self._stopped.set()
            return
        self._loop.call_later(IDLE_S, self._idle)

    def _is_unwanted(self) -> bool:
        if self._commands.draining and not self._engine.sessions and not len(self._events):
            return True
        if self._control.attached is not None:
            return False
        alone = time.monotonic() - self._alone_since
        if alone < self._options.alone_s:
            return False
        self._close_all()
        return alone >= self._options.alone_s + min(self._options.alone_s, MAX_LINGER_S)

    def _close_all(self) -> None:
        self._engine.set_clock(time.monotonic())
        for session in list(self._engine.sessions.values()):
            self._commands.close(session)


async def _serve(options: Options) -> None:
    await Worker(options, asyncio.get_running_loop()).run()


def run(options: Options) -> None:
    """Serve until told to stop; raises ConfigError when the socket cannot be had."""
    # Sound comes before whatever else the machine does, where we may say so.
    set_priority(PRIORITY)
    # Two sockets a session: 500 sessions pass the usual soft limit of 1024.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_serve(options))
