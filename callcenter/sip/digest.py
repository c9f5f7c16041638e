"""Digest authentication, both sides (RFC 3261 section 22, RFC 2617, 7616, 8760).

Server: decides whether credentials prove a phone. A nonce is the time and a serial number under an HMAC, so nothing
is stored until one has been used well; from then on its count must grow. Credentials without qop (RFC 2543 phones,
pyVoIP) are good once for each nonce. An unknown user costs the same work and gives the same verdict as a wrong
password. The digest-uri is hashed but not compared with the request's: phones sign other forms of it, and as no count
is taken twice, a credential cannot be moved to a second request.

Client: answers a challenge of the one realm that its secret belongs to, and of no other (security.md S7).
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from callcenter.sip.values import Credentials
from callcenter.sip.writer import quote

MD5 = "MD5"
SHA_256 = "SHA-256"

_NAMES = {MD5: "md5", SHA_256: "sha256"}
_COUNT = re.compile(r"[0-9a-fA-F]{8}")
_NONCE = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_REQUIRED = ("username", "nonce", "uri", "response")
_WITHOUT_QOP = 2**32


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What is stored of a password: H(user:realm:password) in lower-case hex for each algorithm; empty is none."""

    md5: str = ""
    sha256: str = ""

    def of(self, algorithm: str) -> str:
        return self.sha256 if algorithm == SHA_256 else self.md5


class Verdict(Enum):
    """What became of a request's credentials."""

    ACCEPTED = "accepted"
    MISSING = "missing"
    """None for our realm, or unreadable: challenge."""
    WRONG = "wrong"
    """Unknown user or wrong password: challenge, or refuse."""
    STALE = "stale"
    """Right password, old or used nonce: challenge with stale=true."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A verdict; `username` is whom it names, proven only where it is ACCEPTED."""

    verdict: Verdict
    username: str = ""


def _hex(algorithm: str, text: str) -> str:
    return hashlib.new(_NAMES[algorithm], text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def make_secrets(username: str, realm: str, password: str) -> Secrets:
    """The secrets to store for a password."""
    text = f"{username}:{realm}:{password}"
    return Secrets(_hex(MD5, text), _hex(SHA_256, text))


def digest(
    algorithm: str, ha1: str, *, method: str, uri: str, nonce: str, qop: str = "", count: str = "", cnonce: str = ""
) -> str:
    """The request-digest of RFC 7616 section 3.4.1, without qop that of RFC 2069. `count` is eight hex digits."""
    ha2 = _hex(algorithm, f"{method}:{uri}")
    middle = f"{nonce}:{count}:{cnonce}:{qop}" if qop else nonce
    return _hex(algorithm, f"{ha1}:{middle}:{ha2}")


class DigestServer:
    """Challenges and checks for one realm.

    `secret` makes the nonces; take a fresh one at each start, then a nonce that was used before it is stale after it.
    `lifetime` is how long a nonce may be used. `algorithms` are offered in that order (RFC 8760 section 2.4);
    credentials of any that we know are read. MD5 alone is the default: SIPp 3.6 gives up where SHA-256 comes first,
    baresip 1.0 on two challenges in whatever order.
    """

    def __init__(
        self,
        realm: str,
        secret: bytes,
        *,
        algorithms: Sequence[str] = (MD5,),
        lifetime: timedelta = timedelta(minutes=5),
        max_nonces: int = 50_000,
    ) -> None:
        self.realm = realm
        self._algorithms = tuple(algorithms)
        self._secret = secret
        self._lifetime_ms = int(lifetime.total_seconds() * 1000)
        self._max = max_nonces
        self._serial = 0
        self._used: dict[str, int] = {}
        self._oldest_ms = 0
        self._nobody = hmac.new(secret, b"nobody", "sha256").hexdigest()

    def challenges(self, *, now: datetime, stale: bool = False, algorithms: Sequence[str] | None = None) -> list[str]:
        """The values of the WWW-Authenticate (401) or Proxy-Authenticate (407) fields, one for each algorithm.

        `algorithms` is for a phone whose secret is known to be of one kind only.
        """
        nonce = self._make_nonce(_ms(now))
        ends = ", stale=true" if stale else ""
        return [
            f'Digest realm={quote(self.realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"{ends}'
            for algorithm in (self._algorithms if algorithms is None else algorithms)
        ]

    def check(
        self,
        credentials: Sequence[Credentials],
        *,
        method: str,
        lookup: Callable[[str], Secrets | None],
        now: datetime,
    ) -> Checked:
        """What `credentials` (Request.authorization) prove for a request of `method`. `lookup` is asked once."""
        mine = self._select(credentials)
        if mine is None:
            return Checked(Verdict.MISSING)
        algorithm, given = mine
        username = given["username"]
        found = lookup(username)
        stored = found.of(algorithm) if found is not None else ""
        ha1 = stored or self._nobody
        expected = digest(
            algorithm,
            ha1,
            method=method,
            uri=given["uri"],
            nonce=given["nonce"],
            qop=given.get("qop", "").lower(),
            count=given.get("nc", ""),
            cnonce=given.get("cnonce", ""),
        )
        right = hmac.compare_digest(expected.encode(), given["response"].lower().encode("utf-8", "surrogateescape"))
        if not (right and stored):
            return Checked(Verdict.WRONG, username)
        fresh = self._take(given["nonce"], int(given["nc"], 16) if "qop" in given else _WITHOUT_QOP, _ms(now))
        return Checked(Verdict.ACCEPTED if fresh else Verdict.STALE, username)

    def _select(self, credentials: Sequence[Credentials]) -> tuple[str, dict[str, str]] | None:
        """The first usable Digest credentials of our realm and their algorithm."""
        for one in credentials:
            given = dict(one.parameters)
            algorithm = given.get("algorithm", MD5).upper()
            if one.scheme != "digest" or given.get("realm") != self.realm or algorithm not in _NAMES:
                continue
            if not all(given.get(name) for name in _REQUIRED):
                continue
            if "qop" not in given:
                if algorithm == MD5:
                    return algorithm, given
                continue
            if given["qop"].lower() == "auth" and given.get("cnonce") and _COUNT.fullmatch(given.get("nc", "")):
                return algorithm, given
        return None

    def _make_nonce(self, now_ms: int) -> str:
        self._serial = (self._serial + 1) % 2**32
        head = f"{now_ms:016x}{self._serial:016x}"
        return head + self._seal(head)

    def _seal(self, head: str) -> str:
        return hmac.new(self._secret, f"{self.realm}:{head}".encode(), "sha256").hexdigest()[:32]

    def _take(self, nonce: str, count: int, now_ms: int) -> bool:
        """Whether `nonce` is ours, young enough and not yet used up to `count`; if so it is from now on."""
        if not _NONCE.fullmatch(nonce) or not hmac.compare_digest(self._seal(nonce[:32]), nonce[32:]):
            return False
        made_ms = int(nonce[:16], 16)
        if not max(now_ms - self._lifetime_ms, self._oldest_ms) <= made_ms <= now_ms:
            return False
        if count <= self._used.get(nonce, 0):
            return False
        self._forget(now_ms)
        self._used[nonce] = count
        return True

    def _forget(self, now_ms: int) -> None:
        """Drop counts of nonces that are too old to be taken. A full table ages its first ones early."""
        while self._used:
            first = next(iter(self._used))
            made_ms = int(first[:16], 16)
            if made_ms >= now_ms - self._lifetime_ms and len(self._used) < self._max:
                return
            self._oldest_ms = max(self._oldest_ms, made_ms + 1)
            del self._used[first]


def _ms(now: datetime) -> int:
    return int(now.timestamp() * 1000)


def answer_challenge(
    challenges: Sequence[Credentials],
    *,
    realm: str,
    username: str,
    secrets: Secrets,
    method: str,
    uri: str,
    cnonce: str,
    count: int = 1,
) -> str | None:
    """The (Proxy-)Authorization value for the first challenge (Response.challenges) that we can and may answer.

    None where none is of `realm` with MD5 or SHA-256 and qop auth or no qop. `count` is how often its nonce has been
    answered, this time included; `cnonce` a fresh random text.
    """
    for challenge in challenges:
        given = challenge.parameters
        algorithm = given.get("algorithm", MD5).upper()
        if challenge.scheme != "digest" or given.get("realm") != realm or not given.get("nonce"):
            continue
        if _CONTROL.search(given["nonce"] + given.get("opaque", "")):
            continue
        ha1 = secrets.of(algorithm) if algorithm in _NAMES else ""
        offered = [word.strip().lower() for word in given["qop"].split(",")] if "qop" in given else []
        if ha1 and (not offered or "auth" in offered):
            counted = (cnonce, f"{count:08x}") if offered else None
            return _authorization(given, algorithm, ha1, username=username, method=method, uri=uri, counted=counted)
    return None


def _authorization(
    given: Mapping[str, str],
    algorithm: str,
    ha1: str,
    *,
    username: str,
    method: str,
    uri: str,
    counted: tuple[str, str] | None,
) -> str:
    nonce = given["nonce"]
    parts = [f"username={quote(username)}", f"realm={quote(given['realm'])}", f"nonce={quote(nonce)}"]
    parts.append(f"uri={quote(uri)}")
    if counted is None:
        response = digest(algorithm, ha1, method=method, uri=uri, nonce=nonce)
    else:
        cnonce, count = counted
        response = digest(algorithm, ha1, method=method, uri=uri, nonce=nonce, qop="auth", count=count, cnonce=cnonce)
        parts += [f"qop=auth, nc={count}", f"cnonce={quote(cnonce)}"]
    parts += [f'response="{response}"', f"algorithm={algorithm}"]
    if "opaque" in given:
        parts.append(f"opaque={quote(given['opaque'])}")
    return f"Digest {', '.join(parts)}"
