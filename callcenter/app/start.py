"""`callcenter run`: from checked settings to a running supervisor, and away again.

Order matters: the folder, its lock, the end of a former application, the ports, the first start, then the children.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from callcenter.app import inherited, processes
from callcenter.app.endpoints import Endpoints
from callcenter.app.listeners import StillTaken, open_listeners, wait_for
from callcenter.app.run_folder import RunFolder
from callcenter.app.settings import Settings
from callcenter.app.supervisor import Modules, Supervisor
from callcenter.kernel.clock import SystemClock

FIRST_START = "first-start.txt"
LEAVING_S = 5.0
REAL = Modules()
EXIT_TAKEN = 75  # EX_TEMPFAIL of sysexits.h


def run_server(settings: Settings, config: Path, endpoints: Endpoints, modules: Modules = REAL) -> int:
    """Run until stopped; the exit code. Raises ConfigError for what the settings demand and cannot have."""
    folder = RunFolder(settings.data_dir)
    folder.make()
    clock = SystemClock()
    bind = settings.bind_address(trunks_outside=endpoints.trunks_outside)
    try:
        wait_for(folder.lock)
        _wait_for_former_application(modules.application, folder, clock)
        listeners = wait_for(lambda: open_listeners(settings, bind))
    except StillTaken as taken:
        folder.unlock()
        print(f"callcenter: {taken}", file=sys.stderr)
        return EXIT_TAKEN
    try:
        code = _first_start(modules.first_start, settings, config, folder)
        if code:
            return code
        supervisor = Supervisor(
            settings=settings,
            config=config,
            folder=folder,
            listeners=listeners,
            clock=clock,
            say=say,
            rtp_bind=bind,
            modules=modules,
        )
        return supervisor.run()
    finally:
        listeners.close()
        folder.unlock()


def say(text: str) -> None:
    """To the terminal, as long as there is one: a closed window must not stop the calls."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - stays open for good


def _wait_for_former_application(module: str, folder: RunFolder, clock: SystemClock) -> None:
    """The application of a supervisor that was killed ends within 2 s by itself; one that hangs is ended."""
    for child in processes.find(module, folder.path, now=clock.now()):
        if not child.wait(LEAVING_S):
            say(f"the application of the last run (process {child.pid}) hangs; killing it")
            child.send(signal.SIGKILL)
            child.wait(LEAVING_S)
        child.reap()


def _first_start(module: str, settings: Settings, config: Path, folder: RunFolder) -> int:
    """Fill an empty data folder, in a process of its own: this one stays small."""
    if (folder.data / FIRST_START).exists():
        return 0
    inherited.write_whole(folder.path / "settings.json", settings.to_json())
    arguments = ["-m", module, "--config", str(config)]
    arguments += ["--settings", str(folder.path / "settings.json")]
    return subprocess.run([sys.executable, *arguments], check=False, stdin=subprocess.DEVNULL).returncode  # noqa: S603 - our own module
