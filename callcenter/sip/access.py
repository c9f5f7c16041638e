"""Who sends a request: a trunk, known by its address, or a phone, known by its password (security.md S6, S14, S15).

An unknown user costs the same work, and gets the same answer, as a wrong password. Guessing is slowed by source and
user: after `MAX_FAILURES` wrong passwords further ones are refused unread for `LOCKOUT_S`.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callcenter.sip.composing import clean_text
from callcenter.sip.digest import DigestServer, Secrets, Verdict
from callcenter.sip.directory import Directory, Phone, Trunk
from callcenter.sip.hop import Hop
from callcenter.sip.message import Request

MAX_FAILURES = 5
LOCKOUT_S = 60.0
MAX_WATCHED = 10_000
WITHHELD = "anonymous"  # RFC 3323 section 4.1.1.3
_HIDING = frozenset({"id", "user"})  # RFC 3325 section 9.3, RFC 3323 section 4.2


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as we vouch for it. `number` is a trunk's word, but a phone's own user."""

    kind: Literal["trunk", "phone"]
    source: str
    number: str
    name: str
    trunk: str = ""


def trunk_caller(request: Request, trunk: Trunk) -> Caller:
    """A caller that a trunk names: in From; where From names nobody, in P-Asserted-Identity of a trunk so trusted.

    Nothing of who asks for privacy is taken in, so that no screen and no record can show it.
    """
    if _hides(request):
        return Caller("trunk", trunk.name, WITHHELD, "", trunk.name)
    sender = request.from_address
    number = clean_text(sender.uri.user or "")
    if trunk.trust_asserted and number.casefold() in ("", WITHHELD):
        sender = next((each for each in request.asserted if each.uri.user), sender)
        number = clean_text(sender.uri.user or "")
    return Caller("trunk", trunk.name, number, clean_text(sender.name), trunk.name)


def _hides(request: Request) -> bool:
    values = ";".join(request.headers.getlist("privacy")).replace(",", ";").split(";")
    return any(value.strip().lower() in _HIDING for value in values)


def phone_caller(request: Request, phone: Phone) -> Caller:
    """A phone that has proved itself: its number is its user, whatever its From says."""
    return Caller("phone", phone.user, phone.user, clean_text(request.from_address.name))


@dataclass(frozen=True, slots=True)
class Proof:
    """The phone that a request's credentials prove, or else why not, and the challenges to answer with."""

    phone: Phone | None
    reason: str = ""
    challenges: tuple[str, ...] = ()


class Guesses:
    """Wrong passwords by (source, user), the oldest forgotten when there are too many."""

    def __init__(self) -> None:
        self._failed: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def is_locked(self, source: str, user: str, now: float) -> bool:
        """Whether this source has been guessing at this user."""
        count, until = self._failed.get((source, user), (0, 0.0))
        return count >= MAX_FAILURES and now < until

    def failed(self, source: str, user: str, now: float) -> None:
        """One more wrong password."""
        key = (source, user)
        count, until = self._failed.pop(key, (0, 0.0))
        self._failed[key] = (count + 1 if now < until or not count else 1, now + LOCKOUT_S)
        if len(self._failed) > MAX_WATCHED:
            self._failed.popitem(last=False)

    def succeeded(self, source: str, user: str) -> None:
        """A right password forgives the wrong ones."""
        self._failed.pop((source, user), None)


class Access:
    """Digest and lockout. `monotonic` is the loop's clock, `now` in `prove` the journal's."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        secret: bytes,
        monotonic: Callable[[], float],
        *,
        algorithms: Sequence[str],
    ) -> None:
        self._directory = directory
        self._digest = DigestServer(directory().realm, secret, algorithms=algorithms)
        self._guesses = Guesses()
        self._monotonic = monotonic

    def prove(self, request: Request, source: Hop, now: datetime) -> Proof:
        """Whose password `request` shows. Raises Malformed for unreadable credentials."""
        directory = self._directory()
        credentials = [*request.authorization, *request.proxy_authorization]
        monotonic = self._monotonic()
        named = {one.parameters.get("username", "") for one in credentials}
        if any(self._guesses.is_locked(source.address, user, monotonic) for user in named):
            return Proof(None, "locked_out", tuple(self._digest.challenges(now=now)))
        checked = self._digest.check(
            credentials, method=request.method, lookup=lambda user: _secrets(directory, user), now=now
        )
        if checked.verdict is Verdict.ACCEPTED:
            self._guesses.succeeded(source.address, checked.username)
            return Proof(directory.phone(checked.username))
        if checked.verdict is Verdict.WRONG:
            self._guesses.failed(source.address, checked.username, monotonic)
        stale = checked.verdict is Verdict.STALE
        challenges = tuple(self._digest.challenges(now=now, stale=stale))
        return Proof(None, f"credentials_{checked.verdict.value}", challenges)


def _secrets(directory: Directory, user: str) -> Secrets | None:
    phone = directory.phone(user)
    return Secrets(phone.ha1_md5, phone.ha1_sha256) if phone is not None else None
