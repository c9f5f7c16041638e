"""What is made once for a site and kept with its data: the key that signs, the realm of its phones, first passwords.

Every file here is its owner's alone (0600). Passwords can be spoken over a telephone: no letters that look alike.
"""

import os
import secrets
from pathlib import Path

from callcenter.kernel.errors import ConfigError

KEY = "site.key"
REALM = "realm"
MONITOR = "monitor.token"
KEY_BYTES = 32
DEFAULT_REALM = "callcenter"
# 31 characters without 0 o 1 l i: four groups of four are 79 bits.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
GROUPS = 4
GROUP_LENGTH = 4


def site_key(data: Path) -> bytes:
    """The site's key, made at first use. Raises ConfigError if the file is not one."""
    path = data / KEY
    if not path.exists():
        _write_once(path, secrets.token_bytes(KEY_BYTES).hex())
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"data: {path} is damaged: it must hold {2 * KEY_BYTES} hexadecimal digits")
    return key


def realm(data: Path, wanted: str | None) -> str:
    """The realm of digest, fixed at first use: `wanted` (sip.realm) where it is set.

    Stored phone passwords are good for one realm only. Raises ConfigError where `wanted` is another one by now.
    """
    path = data / REALM
    if not path.exists():
        _write_once(path, wanted or DEFAULT_REALM)
    kept = path.read_text(encoding="utf-8").strip()
    if wanted is not None and wanted != kept:
        raise ConfigError(
            f"sip.realm: must stay {kept!r}, for which the phones' passwords were made, not {wanted!r}; to change "
            f"it, remove {path} and give every phone a new password (`callcenter phone passwd USER`)"
        )
    return kept


def monitor_token(data: Path) -> str:
    """What monitoring shows to read `/metrics`, made at first use. The file is for its `credentials_file`."""
    path = data / MONITOR
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(KEY_BYTES))
    return path.read_text(encoding="ascii").strip()


def new_password() -> str:
    """A random password of 79 bits that can be read out: `k3vw-9qpa-x7mn-24hd`."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def _write_once(path: Path, text: str) -> None:
    """Create `path` with `text` unless somebody was faster; nobody ever sees half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
