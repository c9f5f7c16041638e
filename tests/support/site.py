"""A migrated site database, once on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """An empty site at the newest schema."""
    await migrate(database_url, tmp_path)
    site = Site(database_url)
    yield site
    await site.close()
