"""A PostgreSQL of the tests' own: one cluster a test session, one database a test, nothing of the machine's touched.

PostgreSQL refuses to run as root, so root runs it as the `postgres` user that Debian's package makes.
"""

import asyncio
import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from callcenter.kernel import site

DEADLINE_S = 90.0


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


def _as_owner(*command: str) -> list[str]:
    # Not runuser: it stays the parent, and stops itself when the server is stopped.
    become = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--")
    return [*become, *command] if os.geteuid() == 0 else list(command)


@dataclass
class PostgresCluster:
    """A running server that listens on a socket file in `folder` only."""

    folder: Path
    binaries: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def user(self) -> str:
        return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+asyncpg://{self.user}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = ("-k", str(self.folder), "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=40")
        command = _as_owner(str(self.binaries / "postgres"), "-D", str(self.folder / "data"), *options)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        ready = [str(self.binaries / "pg_isready"), "-q", "-h", str(self.folder)]
        deadline = time.monotonic() + DEADLINE_S
        while subprocess.run(ready, check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Shut the server down at once; connections break."""
        if self.process is None:
            return
        self.resume()
        self._kill(self._postmaster(), signal.SIGINT)
        self.process.wait(DEADLINE_S)
        self.process = None

    def pause(self) -> None:
        """SIGSTOP every process of the server: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def _postmaster(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def _signal(self, number: signal.Signals) -> None:
        postmaster = self._postmaster()
        # First the one that makes the others: none is new after the look.
        self._kill(postmaster, number)
        for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            self._kill(int(pid), number)

    def _kill(self, pid: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def create_database(self, name: str) -> str:
        """The URL of a new, empty database."""

        async def create() -> None:
            connection = await asyncpg.connect(host=str(self.folder), user=self.user, database="postgres")
            try:
                await connection.execute(f'CREATE DATABASE "{name}"')
            finally:
                await connection.close()

        asyncio.run(create())
        return self.url(name)


def make_cluster() -> Iterator[PostgresCluster]:
    """A fresh cluster, gone afterwards. Skips where PostgreSQL is not installed."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="ccpg"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        # Without a fixed locale the cluster would sort and read text as the machine's happens to.
        initdb = (str(binaries / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-N", "-E", "UTF8")
        subprocess.run(_as_owner(*initdb, "--locale=C.UTF-8"), check=True, capture_output=True, cwd=folder)
        cluster = PostgresCluster(folder, binaries)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """The one server that tests share; a test that stops or pauses it takes `own_postgres` instead."""
    yield from make_cluster()


@pytest.fixture
def own_postgres() -> Iterator[PostgresCluster]:
    """A server that this test alone uses and may stop or pause."""
    yield from make_cluster()


_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty site database, once on each engine; whoever writes waits for the others' turns to end."""
    monkeypatch.setattr(site, "CONNECT_S", DEADLINE_S)
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'site.db'}"
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    return cluster.create_database(f"test{next(_numbers)}")
