"""Nothing of the machine on which it was written, and no secret, is in the tree."""

import re

from tests.test_house.tree import REPOSITORY, tracked

# Written apart, so that this file does not find itself.
HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "npm" + "mirror.com",
    "deb.debian" + ".org",
    "proxy.golang" + ".org",
    "static.crates" + ".io",
]
PATHS = ["/work" + "/main", "/work" + "/shared", "/tmp" + "/v/", "/opt" + "/pypi", "/opt" + "/wheels", "/root" + "/."]
SECRETS = re.compile(
    r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
)


def test_no_registry_host_is_named_anywhere() -> None:
    assert not _mentions(HOSTS)


def test_no_path_of_a_developers_machine_is_written_anywhere() -> None:
    assert not _mentions(PATHS)


def test_no_private_key_or_token_is_in_the_tree() -> None:
    found = [path for path in tracked() if SECRETS.search((REPOSITORY / path).read_bytes().decode("latin-1"))]
    assert not found


def test_locks_pin_and_hash_every_requirement() -> None:
    locks = [path for path in tracked() if path.suffix == ".lock"]
    assert len(locks) == 4
    for lock in locks:
        entries = (REPOSITORY / lock).read_text(encoding="ascii").replace("\\\n", " ").splitlines()
        assert entries
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def _mentions(words: list[str]) -> list[str]:
    sought = [word.encode() for word in words]
    return [
        f"{path}: {word.decode()}"
        for path in tracked()
        for word in sought
        if word in (REPOSITORY / path).read_bytes()
    ]
