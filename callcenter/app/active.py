"""The claim to be the site's one active application, where more than the file lock on DATA is needed for it."""

from typing import TYPE_CHECKING

from callcenter.app.settings import Settings
from callcenter.kernel.clock import Clock

if TYPE_CHECKING:
    from callcenter.kernel.site_claim import SiteClaim


def claim_of(settings: Settings, clock: Clock) -> "SiteClaim | None":
    """None with SQLite: that file is in DATA, and so is its lock."""
    url = settings.site_database_url
    if not url.startswith("postgresql"):
        return None
    from callcenter.kernel.site_claim import SiteClaim  # noqa: PLC0415 - asyncpg, which nobody else needs at start

    return SiteClaim(url, settings.data_dir, clock)
