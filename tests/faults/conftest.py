"""One running site for all scenes: a death is no reason to start afresh."""

from collections.abc import Iterator

import pytest

from tests.faults.kill_site import KillSite


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillSite]:
    """Two workers, SQLite."""
    with KillSite(tmp_path_factory.mktemp("kill")) as running:
        yield running
