"""Media worker killed: its calls end with a reason, the other's know nothing of it."""

from pathlib import Path

import pytest

from tests.faults.kill_site import KillSite
from tests.faults.scenes import worker_killed as run


@pytest.mark.e2e
@pytest.mark.parametrize("seed", [1])
def test_the_worker_dies_at_a_seeded_instant(site: KillSite, tmp_path: Path, seed: int) -> None:
    print(run(site, tmp_path, seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 121))
def test_the_worker_dies_at_many_instants(site: KillSite, tmp_path: Path, seed: int) -> None:
    print(run(site, tmp_path, seed))
