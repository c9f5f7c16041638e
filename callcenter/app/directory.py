"""The gateway's directory: trunks and phones of config/, with the phones' secrets from the site database.

The secrets are also kept in `DATA/phones.json` (0600), so that a server whose database is away still knows its phones
when it restarts: no step of a call waits for the site database, and neither does the first one after a crash.
"""

import json
import logging
from pathlib import Path

from sqlalchemy import select

from callcenter.app.endpoints import Endpoints
from callcenter.app.inherited import write_whole
from callcenter.app.site_config import SiteConfig
from callcenter.calls.ports import Codec
from callcenter.identity.tables import PhoneCredential
from callcenter.kernel.site import Site, SiteUnavailable
from callcenter.sip.digest import Secrets
from callcenter.sip.directory import Directory, Phone, Trunk

log = logging.getLogger(__name__)

KEPT = "phones.json"


async def load_directory(site: Site, config: SiteConfig, data: Path, realm: str) -> Directory:
    """The directory as configuration and database have it now."""
    return make_directory(config.endpoints, config, await _secrets(site, data), realm)


def make_directory(endpoints: Endpoints, config: SiteConfig, secrets: dict[str, Secrets], realm: str) -> Directory:
    """Both files as the gateway wants them. A phone without a secret can be rung and cannot register."""
    trunks = [
        Trunk(trunk.name, trunk.addresses, trunk.numbers, tuple(Codec(codec) for codec in trunk.codecs))
        for trunk in endpoints.trunks
    ]
    nothing = Secrets("", "")
    phones = [
        Phone(
            phone.user,
            secrets.get(phone.user, nothing).md5,
            secrets.get(phone.user, nothing).sha256,
            agent=config.agent_of_phone(phone.user),
            contact=phone.contact,
        )
        for phone in endpoints.phones
    ]
    return Directory(realm, trunks, phones)


async def _secrets(site: Site, data: Path) -> dict[str, Secrets]:
    try:
        async with site.reading() as session:
            rows = (await session.scalars(select(PhoneCredential))).all()
    except SiteUnavailable:
        log.warning("site database does not answer, phones are taken from the last start")
        return _kept(data / KEPT)
    found = {row.user: Secrets(row.ha1_md5, row.ha1_sha256) for row in rows}
    write_whole(data / KEPT, json.dumps({user: [one.md5, one.sha256] for user, one in found.items()}))
    return found


def _kept(path: Path) -> dict[str, Secrets]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {user: Secrets(md5, sha256) for user, (md5, sha256) in stored.items()}
