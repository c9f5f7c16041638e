"""`DATA/run`: what exists only while the server runs. Its owner's alone (0700), one supervisor at a time.

The folder's names are an interface: `media-NAME.sock` (a worker), `application.json` (ready), `supervisor.json` (who
runs), `status.sock` (the application's own account), `settings.json` (what the application starts with).
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from callcenter.app.inherited import write_whole
from callcenter.app.listeners import StillTaken
from callcenter.kernel.errors import ConfigError

# sockaddr_un holds 108 bytes with the closing zero; the longest name below the folder is a worker's socket.
LONGEST_PATH = 107
LONGEST_NAME = "media-w000000.sock"


@dataclass(slots=True)
class RunFolder:
    """The folder of one data folder, and the lock while it is held."""

    data: Path
    _lock: IO[str] | None = field(default=None, repr=False)

    @property
    def path(self) -> Path:
        return self.data / "run"

    @property
    def logs(self) -> Path:
        return self.data / "log"

    def make(self) -> None:
        """Create what is missing, 0700. Raises ConfigError where that is impossible."""
        if len(os.fsencode(self.path / LONGEST_NAME)) > LONGEST_PATH:
            room = LONGEST_PATH - len(os.fsencode(Path("run") / LONGEST_NAME)) - 1
            raise ConfigError(
                f"data: the path {self.data} is too long for a Unix socket below it; at most {room} bytes"
            )
        try:
            for folder in (self.data, self.path, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise ConfigError(f"data: cannot use {self.data}: {error.strerror}") from error

    def lock(self) -> None:
        """Be the only supervisor of this folder until `unlock` or death. Raises StillTaken naming the holder."""
        file = (self.path / "supervisor.lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise StillTaken(f"data: {self.data} is in use by another callcenter (process {holder})") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._lock = file

    def unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def next_worker(self) -> str:
        """A name that no worker of this folder ever had: rows of a dead worker are never taken for a new one's."""
        counter = self.path / "workers"
        number = int(counter.read_text(encoding="ascii")) + 1 if counter.exists() else 1
        write_whole(counter, str(number))
        return f"w{number}"

    def socket_of(self, worker: str) -> Path:
        return self.path / f"media-{worker}.sock"

    def tell(self, name: str, content: Mapping[str, object]) -> None:
        """Write `name` as JSON, whole."""
        write_whole(self.path / name, json.dumps(content))

    def forget_worker(self, worker: str) -> None:
        """Remove what a dead worker left."""
        self.socket_of(worker).unlink(missing_ok=True)
        self.socket_of(worker).with_suffix(".json").unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove everything that would tell the next one of processes that are gone."""
        for pattern in ("*.sock", "media-*.json", "application.json", "supervisor.json", "settings.json"):
            for path in self.path.glob(pattern):
                path.unlink(missing_ok=True)
