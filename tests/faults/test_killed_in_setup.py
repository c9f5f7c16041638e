"""Application killed again and again under ten short calls a second: each caller's outcome has its reason."""

from pathlib import Path

import pytest

from tests.faults.kill_site import KillSite
from tests.faults.scenes import killed_in_setup as run


@pytest.mark.e2e
def test_callers_who_arrive_during_a_restart_are_served(site: KillSite, tmp_path: Path) -> None:
    print(run(site, tmp_path, 1, kills=2, calls=80))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 221))
def test_callers_who_arrive_during_many_restarts_are_served(site: KillSite, tmp_path: Path, seed: int) -> None:
    print(run(site, tmp_path, seed))
