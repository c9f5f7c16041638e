"""PostgreSQL shut down or stopped under calls: they go on, the API says so, records arrive once (security.md R4)."""

import time
from pathlib import Path

import pytest

from tests.faults.kill_site import KillSite
from tests.faults.scenes import database_away as run
from tests.support.postgres import PostgresCluster

STOPPED_S = 60.0


def on_postgres(folder: Path, cluster: PostgresCluster) -> KillSite:
    return KillSite(folder, database_url=cluster.create_database("site"))


@pytest.mark.e2e
def test_the_database_is_shut_down_for_a_while(own_postgres: PostgresCluster, tmp_path: Path) -> None:
    with on_postgres(tmp_path, own_postgres) as site:
        print(run(site, tmp_path / "run", 1, own_postgres.stop, own_postgres.start))


@pytest.mark.e2e
def test_the_database_stops_answering_for_a_while(own_postgres: PostgresCluster, tmp_path: Path) -> None:
    with on_postgres(tmp_path, own_postgres) as site:
        print(run(site, tmp_path / "run", 2, own_postgres.pause, own_postgres.resume))


@pytest.mark.soak
def test_the_database_stops_answering_for_a_minute(own_postgres: PostgresCluster, tmp_path: Path) -> None:
    since = time.monotonic()

    def back() -> None:
        time.sleep(max(0.0, STOPPED_S - (time.monotonic() - since)))
        own_postgres.resume()

    with on_postgres(tmp_path, own_postgres) as site:
        since = time.monotonic()
        print(run(site, tmp_path / "run", 3, own_postgres.pause, back))
