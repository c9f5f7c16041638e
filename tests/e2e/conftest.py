"""The site that the call stories share: started once, stopped at the end."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.house import House, files
from tests.support.server import Server


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The running site. Nothing may surprise it in any story, and its log must replay to the same decisions."""
    folder = tmp_path_factory.mktemp("house")
    with Server(folder, files()) as server:
        house = House(server, folder)
        yield house
        house.close()
        verdict = json.loads(server.callcenter("acd", "replay", "--json"))
        assert verdict["equal"], verdict["divergence"]
        assert server.tracebacks() == []
