"""The supervisor: owns the listening sockets, keeps the application and the media workers running, stops all.

architecture.md section 1. Standard library only, one select loop, children watched by pidfd. It does nothing for a
call: what it must do is stay alive, and lose nothing when it does not.
"""

import itertools
import os
import selectors
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from callcenter import __version__
from callcenter.app import inherited, processes
from callcenter.app.inherited import EXIT_CONFIG
from callcenter.app.listeners import Listeners
from callcenter.app.processes import Child
from callcenter.app.restarts import Restarts
from callcenter.app.run_folder import RunFolder
from callcenter.app.settings import Settings
from callcenter.kernel.clock import Clock

POLL_S = 0.05
GRACE_S = 5.0
SLOW_START_S = 30.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Modules:
    """What the children run, by `python -m`."""

    application: str = inherited.MODULE
    worker: str = "callcenter.media"
    first_start: str = "callcenter.app.first_start"


@dataclass(slots=True)
class Slot:
    """A share of the RTP ports and the worker that has it. `due` is when the next worker starts, if none runs."""

    number: int
    ports: tuple[int, int]
    child: Child | None = None
    name: str = ""
    is_announced: bool = False
    restarts: Restarts = field(default_factory=Restarts)
    due: datetime | None = None


def share_ports(first: int, last: int, workers: int) -> list[tuple[int, int]]:
    """Split the range evenly; each share begins even and ends odd, as RTP and RTCP pairs need."""
    pairs = (last - first + 1) // 2
    bounds = [first + 2 * (pairs * number // workers) for number in range(workers + 1)]
    return [(low, high - 1) for low, high in itertools.pairwise(bounds)]


class Supervisor:
    """One run, from the first child to the last. The caller holds the lock and hands over bound sockets.

    `say` takes a message for the terminal; `rtp_bind` is the address on which the workers open their sessions.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        config: Path,
        folder: RunFolder,
        listeners: Listeners,
        clock: Clock,
        say: Callable[[str], None],
        rtp_bind: str,
        modules: Modules,
    ) -> None:
        self._settings = settings
        self._config = config
        self._folder = folder
        self._listeners = listeners
        self._clock = clock
        self._say = say
        self._rtp_bind = rtp_bind
        self._modules = modules
        self._selector = selectors.DefaultSelector()
        shares = share_ports(*settings.rtp_ports, settings.worker_count)
        self._slots = [Slot(number, ports) for number, ports in enumerate(shares, start=1)]
        self._application: Child | None = None
        self._application_due: datetime | None = None
        self._is_ready = False
        self._was_ready = False
        self._restarts = Restarts()
        self._count = 0
        self._draining = False
        self._stopping_workers = False
        self._kill_at: datetime | None = None
        self._exit_code = 0

    def run(self) -> int:
        """Until everything has stopped; the exit code of the command."""
        woken, wakes = socket.socketpair()
        woken.setblocking(False)
        wakes.setblocking(False)
        old_wakeup = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        old_handlers = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
        self._selector.register(woken, selectors.EVENT_READ, lambda: self._signalled(woken.recv(64)))
        try:
            self._begin()
            while not self._is_over:
                self._turn()
        finally:
            for number, handler in old_handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_wakeup)
            woken.close()
            wakes.close()
        self._folder.clean()
        return self._exit_code

    # --- the loop ---------------------------------------------------------------------------------------------------

    @property
    def _is_over(self) -> bool:
        return self._stopping_workers and all(slot.child is None for slot in self._slots)

    def _begin(self) -> None:
        # No parts of settings in the process list: the database's address may hold a password.
        inherited.write_whole(self._folder.path / "settings.json", self._settings.to_json())
        self._adopt()
        now = self._clock.now()
        for slot in self._slots:
            if slot.child is None:
                self._start_worker(slot, now)
        self._start_application(now)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            key.data()
        now = self._clock.now()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_late()
        if self._draining:
            return
        if self._application_due is not None and now >= self._application_due:
            self._start_application(now)
        for slot in self._slots:
            if slot.due is not None and now >= slot.due:
                self._start_worker(slot, now)
        self._watch_starting(now)

    def _patience(self) -> float | None:
        """Seconds until something has to be done without being asked."""
        waits = [self._application_due, self._kill_at, *(slot.due for slot in self._slots)]
        seconds = [(due - self._clock.now()).total_seconds() for due in waits if due is not None]
        if not self._draining and (not self._is_ready or any(not slot.is_announced for slot in self._slots)):
            seconds.append(POLL_S)
        return max(0.0, min(seconds)) if seconds else None

    def _watch(self, child: Child, on_death: Callable[[], None]) -> None:
        self._selector.register(child.pidfd, selectors.EVENT_READ, on_death)

    def _tell_status(self) -> None:
        workers = [
            {"name": slot.name, "pid": slot.child.pid, "ports": list(slot.ports)}
            for slot in self._slots
            if slot.child is not None
        ]
        application = self._application
        self._folder.tell(
            "supervisor.json",
            {
                "pid": os.getpid(),
                "version": __version__,
                "http": self._listeners.address("http"),
                "sip_udp": self._listeners.address("sip_udp"),
                "sip_tcp": self._listeners.address("sip_tcp"),
                "application": {
                    "pid": application.pid if application else None,
                    "ready": self._is_ready,
                    "starts": self._count,
                },
                "workers": workers,
                "draining": self._draining,
            },
        )

    # --- the application --------------------------------------------------------------------------------------------

    def _start_application(self, now: datetime) -> None:
        self._application_due = None
        fds = self._listeners.fds
        arguments = inherited.command_line(
            self._folder.path / "settings.json",
            self._folder.data,
            self._config,
            fds,
            os.getpid(),
            module=self._modules.application,
        )
        child = processes.start(arguments, self._folder.logs / "application.log", now=now, fds=tuple(fds.values()))
        self._application, self._is_ready = child, False
        self._count += 1
        self._watch(child, self._application_died)
        self._tell_status()

    def _application_died(self) -> None:
        child = self._application
        assert child is not None
        self._selector.unregister(child.pidfd)
        code = child.reap()
        self._application, self._is_ready = None, False
        now = self._clock.now()
        if self._draining:
            self._stop_workers(now)
            return
        if code == EXIT_CONFIG and not self._was_ready:
            why = processes.last_lines(self._log("application"), since=child.log_from)
            self._say("the application could not start:\n" + why)
            self._exit_code, self._draining = EXIT_CONFIG, True
            self._stop_workers(now)
            return
        alive_s = (now - child.since).total_seconds()
        self._restarts, delay = self._restarts.died(alive_s=alive_s)
        self._say(f"the application ended ({_ending(code)}); starting it again, log: {self._log('application')}")
        self._application_due = now + timedelta(seconds=delay)
        self._tell_status()

    def _watch_starting(self, now: datetime) -> None:
        """Until application and workers are up: see whether they are."""
        child = self._application
        if child is not None and not self._is_ready and inherited.is_ready(self._folder.path, child.pid):
            self._is_ready = True
            self._say_ready(child, now)
            # Workers that came up while it started may have been missed by its own first look.
            child.send(signal.SIGUSR1)
            self._tell_status()
        for slot in self._slots:
            if slot.child is not None and not slot.is_announced and self._folder.socket_of(slot.name).exists():
                slot.is_announced = True
                if child is not None and self._is_ready:
                    child.send(signal.SIGUSR1)

    def _say_ready(self, child: Child, now: datetime) -> None:
        if self._was_ready:
            took = (now - child.since).total_seconds()
            self._say(f"the application is back after {took:.1f} s (process {child.pid})")
            return
        self._was_ready = True
        names = {"sip_udp": "udp", "sip_tcp": "tcp"}
        transports = [word for name, word in names.items() if self._listeners.address(name)]
        sip = self._listeners.address("sip_udp") or self._listeners.address("sip_tcp")
        self._say(
            f"callcenter {__version__} is up\n"
            f"  SIP   {sip or 'off'} ({', '.join(transports)})\n"
            f"  HTTP  http://{self._listeners.address('http')}/\n"
            f"  data  {self._folder.data} (logs in {self._folder.logs})\n"
            "  Ctrl-C drains and stops it"
        )

    # --- the workers ------------------------------------------------------------------------------------------------

    def _adopt(self) -> None:
        """Take over the workers of a supervisor that died. One that fits no share of the ports is told to end."""
        for child in processes.find(self._modules.worker, self._folder.path, now=self._clock.now()):
            slot = next((one for one in self._slots if self._fits(child, one)), None)
            if slot is None:
                self._say(f"ending media worker {child.option('name')}: settings have no place for it any more")
                child.send(signal.SIGTERM)
                if not child.wait(GRACE_S):
                    child.send(signal.SIGKILL)
                child.reap()
                continue
            slot.child, slot.name = child, child.option("name")
            self._watch(child, partial(self._worker_died, slot))
            self._say(f"adopted media worker {slot.name} (process {child.pid})")
        alive = {slot.name for slot in self._slots if slot.child is not None}
        for left in self._folder.path.glob("media-*.sock"):
            name = left.stem.removeprefix("media-")
            if name not in alive:
                self._folder.forget_worker(name)

    def _fits(self, child: Child, slot: Slot) -> bool:
        wanted = (_ports(slot.ports), self._rtp_bind)
        return slot.child is None and (child.option("ports"), child.option("address")) == wanted

    def _start_worker(self, slot: Slot, now: datetime) -> None:
        slot.due, slot.is_announced = None, False
        slot.name = self._folder.next_worker()
        arguments = [
            *("-m", self._modules.worker, "--socket", str(self._folder.socket_of(slot.name))),
            *("--ports", _ports(slot.ports), "--address", self._rtp_bind),
            *("--recordings", str(self._settings.recordings_dir), "--name", slot.name),
            *("--silence-s", str(self._settings.media.silence_s)),
        ]
        slot.child = processes.start(arguments, self._log(f"media-{slot.number}"), now=now)
        self._watch(slot.child, partial(self._worker_died, slot))
        self._tell_status()

    def _worker_died(self, slot: Slot) -> None:
        child = slot.child
        assert child is not None
        self._selector.unregister(child.pidfd)
        code = child.reap()
        self._folder.forget_worker(slot.name)
        slot.child = None
        if self._draining:
            slot.due = None
            return
        now = self._clock.now()
        alive_s = (now - child.since).total_seconds()
        slot.restarts, delay = slot.restarts.died(alive_s=alive_s)
        log = self._log(f"media-{slot.number}")
        self._say(f"media worker {slot.name} ended ({_ending(code)}); starting another, log: {log}")
        slot.due = now + timedelta(seconds=delay)
        self._tell_status()

    # --- the end ----------------------------------------------------------------------------------------------------

    def _signalled(self, numbers: bytes) -> None:
        for _ in numbers:
            self._asked_to_stop()

    def _asked_to_stop(self) -> None:
        """The first time: drain. Again: the application ends its calls at once."""
        now = self._clock.now()
        is_first = not self._draining
        if is_first:
            self._draining = True
            self._application_due = None
            for slot in self._slots:
                slot.due = None
            self._kill_at = now + timedelta(seconds=self._settings.drain_s + GRACE_S)
            self._say(f"draining: calls that are up have {self._settings.drain_s:g} s; again to end them at once")
            self._tell_status()
        if self._application is not None:
            self._application.send(signal.SIGTERM if is_first else inherited.AT_ONCE)
        elif not self._stopping_workers:
            self._stop_workers(now)

    def _stop_workers(self, now: datetime) -> None:
        self._stopping_workers = True
        self._kill_at = now + timedelta(seconds=GRACE_S)
        for slot in self._slots:
            slot.due = None
            if slot.child is not None:
                slot.child.send(signal.SIGTERM)

    def _kill_late(self) -> None:
        """What has not ended in its time is killed."""
        self._kill_at = None
        if self._application is not None:
            self._say("the application did not end in time; killing it")
            self._application.send(signal.SIGKILL)
        for slot in self._slots:
            if self._stopping_workers and slot.child is not None:
                slot.child.send(signal.SIGKILL)

    def _log(self, name: str) -> Path:
        return self._folder.logs / f"{name}.log"


def _ports(ports: tuple[int, int]) -> str:
    return f"{ports[0]}-{ports[1]}"


def _ending(code: int | None) -> str:
    """An exit code in words; None is a process that we did not start ourselves."""
    if code is None:
        return "killed or ended"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
