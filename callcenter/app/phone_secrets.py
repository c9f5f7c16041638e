"""Reads the phones' secrets from the site database and keeps a copy for the next start."""

import json
from pathlib import Path

from callcenter.app.directory import KEPT
from callcenter.app.inherited import write_whole
from callcenter.identity.users import load_phones
from callcenter.kernel.site import Site
from callcenter.sip.digest import Secrets


async def stored_secrets(site: Site, data: Path) -> dict[str, Secrets]:
    """Secrets by phone user. Raises SiteUnavailable; then the kept copy stays as it is."""
    found = await load_phones(site)
    write_whole(data / KEPT, json.dumps({user: [one.md5, one.sha256] for user, one in found.items()}))
    return {user: Secrets(one.md5, one.sha256) for user, one in found.items()}
