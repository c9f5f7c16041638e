"""The gateway's directory: trunks and phones of config/ with the phones' secrets.

The secrets live in the site database and are kept in `DATA/phones.json` (0600) as they were last read, so that a
restarted application knows its phones before the database answers, and even if it does not.
"""

import json
from pathlib import Path

from callcenter.app.site_config import SiteConfig
from callcenter.calls.ports import Codec
from callcenter.sip.digest import Secrets
from callcenter.sip.directory import Directory, Phone, Trunk
from callcenter.sip.hop import Hop

KEPT = "phones.json"
NOTHING = Secrets()


def directory_of(config: SiteConfig, secrets: dict[str, Secrets], realm: str) -> Directory:
    """The directory of `config`. A phone without a secret can be rung and cannot register."""
    trunks = [
        Trunk(
            trunk.name,
            trunk.addresses,
            trunk.numbers,
            tuple(Codec(codec) for codec in trunk.codecs),
            trunk.options_s,
            None if trunk.outbound is None else Hop(trunk.outbound.transport, *trunk.outbound.address),
            trunk.trust_asserted,
        )
        for trunk in config.endpoints.trunks
    ]
    phones = []
    for phone in config.endpoints.phones:
        secret = secrets.get(phone.user, NOTHING)
        agent = config.agent_of_phone(phone.user)
        phones.append(Phone(phone.user, secret.md5, secret.sha256, agent=agent, contact=phone.contact))
    return Directory(realm, trunks, phones)


def kept_secrets(data: Path) -> dict[str, Secrets]:
    """The secrets as they were last read; none before that."""
    try:
        stored = json.loads((data / KEPT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {user: Secrets(md5, sha256) for user, (md5, sha256) in stored.items()}
