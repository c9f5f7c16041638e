"""The application process: what `callcenter run` starts, restarts and stops (docs/architecture.md).

Exit codes: 0 after a drain or when the supervisor is gone, EXIT_CONFIG when no restart could help, 1 otherwise.
"""

import asyncio
import contextlib
import fcntl
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import IO

import uvloop

from callcenter.app.bootstrap import Application
from callcenter.app.inherited import AT_ONCE, EXIT_CONFIG, Inherited, announce_ready, read_command_line
from callcenter.app.logs import set_up_logging
from callcenter.app.parent import parent_watch
from callcenter.kernel.errors import ConfigError
from callcenter.kernel.priority import set_priority

log = logging.getLogger(__name__)

# The loop must not wait 5 ms (CPython's default) for the interpreter while the projector's thread is busy.
SWITCH_INTERVAL_S = 0.0005
# What start-up made lives as long as the process: looking through all of it again and again stopped the loop for
# 200 ms at a time under load.
COLLECT_AFTER = (50_000, 20, 100)
# After the media workers and before all else: a call is answered in milliseconds on a busy machine too.
PRIORITY = -5
LOCK_S = 5.0
LOCK_POLL_S = 0.02


def main() -> int:
    """Run until told to stop."""
    inherited = read_command_line()
    set_up_logging(inherited.settings.log_level)
    set_priority(PRIORITY)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        return uvloop.run(_run(inherited))
    except ConfigError as error:
        print(f"callcenter: {error.message}", file=sys.stderr)
        return EXIT_CONFIG


async def _run(inherited: Inherited) -> int:
    lock = await _only_one(inherited.settings.data_dir / "run" / "application.lock")
    loop = asyncio.get_running_loop()
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.asked)
    loop.add_signal_handler(AT_ONCE, stop.asked_at_once)
    forget_parent = parent_watch(loop, inherited.parent, stop.orphaned)
    application = Application(inherited, fenced=stop.fenced)
    loop.add_signal_handler(signal.SIGUSR1, application.look_for_workers)
    try:
        await application.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        announce_ready(inherited.run, pid=os.getpid(), epoch=application.live.journal.epoch)
        log.info("ready", extra={"epoch": application.live.journal.epoch})
        await stop.wait()
        if stop.drains:
            await application.drain(stop.at_once)
    finally:
        forget_parent()
        await application.close()
        lock.close()
    return 1 if stop.is_fenced else 0


class Stop:
    """Why and how the application ends."""

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self.at_once = asyncio.Event()
        self.drains = False
        self.is_fenced = False

    def asked(self) -> None:
        """SIGTERM or SIGINT: drain."""
        self.drains = True
        self._wanted.set()

    def asked_at_once(self) -> None:
        """AT_ONCE: end the calls, whether or not it drains yet."""
        self.at_once.set()
        self.asked()

    def orphaned(self) -> None:
        """The supervisor is gone: leave the calls to the workers and to the next application."""
        log.warning("supervisor is gone")
        self._wanted.set()

    def fenced(self) -> None:
        """Another application is active on this data."""
        log.critical("another application is active")
        self.is_fenced = True
        self._wanted.set()

    async def wait(self) -> None:
        await self._wanted.wait()


async def _only_one(path: Path) -> IO[str]:
    """The lock that makes this the one active application of the site; held until exit."""
    file = path.open("a", encoding="ascii")
    deadline = asyncio.get_running_loop().time() + LOCK_S
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        if asyncio.get_running_loop().time() > deadline:
            raise ConfigError(f"data: another application is active on {path.parent.parent}")
        await asyncio.sleep(LOCK_POLL_S)


if __name__ == "__main__":
    sys.exit(main())
