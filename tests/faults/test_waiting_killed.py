"""Application killed while thirty wait in three queues: order, waits and timers are as they were."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.waiting_scene import waiting_killed
from tests.faults.waiting_site import WaitingSite


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WaitingSite]:
    """One site for all deaths. Its log must replay to the same decisions afterwards."""
    with WaitingSite(tmp_path_factory.mktemp("waiting-kill")) as running:
        yield running
        replayed = json.loads(running.server.callcenter("acd", "replay", "--json"))
        assert replayed["equal"], replayed["divergence"]


@pytest.mark.e2e
@pytest.mark.parametrize("seed", [5])
def test_thirty_who_wait_keep_their_places(site: WaitingSite, tmp_path: Path, seed: int) -> None:
    print(waiting_killed(site, tmp_path, seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 250))
def test_places_are_kept_at_many_instants_and_once_more_in_the_rush(
    site: WaitingSite, tmp_path: Path, seed: int
) -> None:
    """Two deaths each: a hundred in all."""
    print(waiting_killed(site, tmp_path, seed, again=True))
