"""Passwords: Argon2id of RFC 9106 for people, H(user:realm:password) of RFC 7616 for telephones.

A telephone's digest needs its hash as it is, so that hash is as good as the password: it never leaves the server.
"""

import hashlib
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callcenter.kernel.errors import InvalidInput

SHORTEST = 8
LONGEST = 256


@dataclass(frozen=True, slots=True)
class PhoneSecret:
    """Lower-case hex, as RFC 7616 section 3.4.2 has A1."""

    md5: str
    sha256: str


def phone_secret(user: str, realm: str, password: str) -> PhoneSecret:
    """What a phone's digest is checked against, for both algorithms."""
    text = f"{user}:{realm}:{password}".encode()
    return PhoneSecret(hashlib.md5(text, usedforsecurity=False).hexdigest(), hashlib.sha256(text).hexdigest())


class Passwords:
    """Hashes and checks; each call takes tens of milliseconds and 64 MiB, so never on a loop with calls."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Raises InvalidInput for one that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise InvalidInput(f"a password has {SHORTEST} to {LONGEST} characters", data={"field": "password"})
        return self._hasher.hash(password)

    def check(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one behind `stored`; takes as long for None, somebody who does not exist."""
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)
