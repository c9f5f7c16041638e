"""The kernel's worlds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.callcenter.kernel.journals import JournalWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[JournalWorld]:
    world = JournalWorld(tmp_path)
    yield world
    world.journal.close()
