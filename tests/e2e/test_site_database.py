"""Servers on one PostgreSQL: who is active, and a database that comes back after the calls."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import FLOWS
from tests.support.postgres import PostgresCluster, make_cluster
from tests.support.server import ROOT, Server, SiteFiles, eventually

pytestmark = pytest.mark.e2e

EXIT_CONFIG = 78


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresCluster]:
    yield from make_cluster()


def server_on(url: str, folder: Path) -> Server:
    folder.mkdir()
    files = SiteFiles(
        phones=[{"user": "ann"}],
        queues=[{"name": "billing", "skills": {"billing": 1}, "music": "music", "ring_s": 3, "wrap_up_s": 1}],
        agents=[{"id": "ann", "name": "Ann", "user": "ann", "phone": "ann", "skills": {"billing": 3}}],
        flows=FLOWS,
        settings={"database_url": url, "media": {"ports": "26000-26099", "workers": 1}},
    )
    return Server(folder, files)


def status_of(server: Server) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(server.callcenter("status", "--json"))["application"]
    return told


def start_and_fail(server: Server) -> tuple[int, str]:
    """Start a server that must not come up; its exit code and what it said."""
    done = subprocess.run(
        server.command(
            *("run", "--http", str(server.http), "--sip", str(server.sip[1])),
            *("--data", str(server.data), "--config", str(server.config)),
        ),
        cwd=server.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_second_server_on_the_same_database_says_who_is_there_and_ends(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    url = cluster.create_database("shared")
    with server_on(url, tmp_path / "a") as first:
        second = server_on(url, tmp_path / "b")
        code, said = start_and_fail(second)
        assert code == EXIT_CONFIG
        assert "another application is active on this database (connected from" in said

        # One that has been set up, and so gets as far as its application, ends alike.
        (second.data / "first-start.txt").touch()
        code, said = start_and_fail(second)
        assert code == EXIT_CONFIG
        assert "another application is active on this database (connected from" in said

        assert status_of(first)["surprises"] == 0


def test_killed_application_is_active_again_at_once(cluster: PostgresCluster, tmp_path: Path) -> None:
    with server_on(cluster.create_database("killed"), tmp_path / "a") as server:
        pid, epoch = server.application()
        os.kill(pid, signal.SIGKILL)
        server.wait_ready(after_epoch=epoch)
        assert "another application" not in server.logs()
        eventually("the projector reaches its database", lambda: not status_of(server)["projector"]["away"])
        assert [line for line in server.logs().splitlines() if '"site_epoch": 2' in line]


def test_database_that_was_away_at_the_start_is_opened_when_it_is_back(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    server = server_on(cluster.create_database("late"), tmp_path / "a")
    with server:
        pass
    cluster.stop()
    try:
        with server:
            assert status_of(server)["projector"]["away"]
            assert status_of(server)["healthy"]
            cluster.start()
            eventually("the database is open", lambda: not status_of(server)["projector"]["away"], within_s=60)
            with closing(server.client("sue")) as client:
                assert client.get("/api/session").status_code == 200
            assert status_of(server)["surprises"] == 0
    finally:
        if cluster.process is None:
            cluster.start()
