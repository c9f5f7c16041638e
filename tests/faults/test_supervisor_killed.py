"""Supervisor killed and started again, alone, with the application, or with all but one worker."""

from pathlib import Path

import pytest

from tests.faults.kill_site import KillSite
from tests.faults.scenes import supervisor_killed as run


@pytest.mark.e2e
@pytest.mark.parametrize("seed", [1])
def test_the_supervisor_dies_at_a_seeded_instant(site: KillSite, tmp_path: Path, seed: int) -> None:
    print(run(site, tmp_path, seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 121))
def test_the_supervisor_dies_at_many_instants(site: KillSite, tmp_path: Path, seed: int) -> None:
    print(run(site, tmp_path, seed))
