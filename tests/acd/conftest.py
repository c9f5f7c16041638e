"""The world that the tests of the distributor play in."""

import pytest

from tests.support.acd import AcdWorld


@pytest.fixture
def acd() -> AcdWorld:
    """A site without queues, agents and calls."""
    return AcdWorld()
