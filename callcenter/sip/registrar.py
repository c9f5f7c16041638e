"""Where a phone can be reached: the bindings of one user (RFC 3261 section 10.3).

The request has been authenticated before it comes here. Bindings are kept for the address that the request came from,
because a phone behind a NAT does not know its own.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callcenter.sip.hop import Hop

DEFAULT_EXPIRES_S = 3600
MIN_EXPIRES_S = 60
MAX_EXPIRES_S = 7200
MAX_CONTACTS = 10


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact. `key` is what is compared (RFC 3261 section 19.1.4, only what routes), `uri` what is dialled."""

    key: str
    uri: str
    call_id: str
    cseq: int
    expires_at: datetime
    hop: Hop


@dataclass(frozen=True, slots=True)
class Wanted:
    """A contact of a REGISTER; `expires_s` is its own or the request's, None where neither says."""

    key: str
    uri: str
    expires_s: int | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """A REGISTER; `star` is Contact: *, `expires_s` the Expires field. Without contacts and star it is a query."""

    call_id: str
    cseq: int
    hop: Hop
    contacts: tuple[Wanted, ...] = ()
    star: bool = False
    expires_s: int | None = None


@dataclass(frozen=True, slots=True)
class Expire:
    """`now` has moved."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """200 with the bindings as they are now. `changed` tells that the row must be stored."""

    changed: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """400, 423 (with Min-Expires) or 500; nothing was changed."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Registered:
    """There is a contact that was not there before; `contacts` is how many there are now."""

    contacts: int


@dataclass(frozen=True, slots=True)
class Expired:
    """A contact has gone, by time or by request."""

    contacts: int


Effect = Accepted | Refused | Registered | Expired


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and counts that the registrar grants."""

    default_s: int = DEFAULT_EXPIRES_S
    min_s: int = MIN_EXPIRES_S
    max_s: int = MAX_EXPIRES_S
    contacts: int = MAX_CONTACTS


@dataclass(frozen=True, slots=True)
class Bindings:
    """All contacts of `user`, the last one registered first."""

    user: str
    contacts: tuple[Binding, ...] = ()

    @property
    def next_deadline(self) -> datetime | None:
        return min((binding.expires_at for binding in self.contacts), default=None)

    def handle(self, event: Register | Expire, *, now: datetime, limits: Limits) -> "tuple[Bindings, list[Effect]]":
        """The first effect of a Register is Accepted or Refused."""
        alive = tuple(binding for binding in self.contacts if binding.expires_at > now)
        if isinstance(event, Expire):
            if len(alive) == len(self.contacts):
                return self, []
            return replace(self, contacts=alive), [Expired(len(alive))]
        if event.star:
            return self._clear(event, alive)
        if not event.contacts:
            return self, [Accepted(changed=False)]
        return self._update(event, alive, now, limits)

    def _clear(self, event: Register, alive: tuple[Binding, ...]) -> "tuple[Bindings, list[Effect]]":
        if event.expires_s != 0 or event.contacts:
            return self, [Refused(400, "register_star")]
        if any(_is_old(event, binding) for binding in alive):
            return self, [Refused(500, "register_order")]
        gone: list[Effect] = [Expired(0)] if self.contacts else []
        return replace(self, contacts=()), [Accepted(changed=bool(self.contacts)), *gone]

    def _update(
        self, event: Register, alive: tuple[Binding, ...], now: datetime, limits: Limits
    ) -> "tuple[Bindings, list[Effect]]":
        contacts = {binding.key: binding for binding in alive}
        for wanted in event.contacts:
            seconds = limits.default_s if wanted.expires_s is None else wanted.expires_s
            if 0 < seconds < limits.min_s:
                return self, [Refused(423, "register_brief")]
            known = contacts.pop(wanted.key, None)
            if known is not None and _is_old(event, known):
                return self, [Refused(500, "register_order")]
            if seconds:
                until = now + timedelta(seconds=min(seconds, limits.max_s))
                fresh = Binding(wanted.key, wanted.uri, event.call_id, event.cseq, until, event.hop)
                contacts = {wanted.key: fresh, **contacts}
        kept = tuple(contacts.values())[: limits.contacts]
        before, after = {binding.key for binding in self.contacts}, {binding.key for binding in kept}
        effects: list[Effect] = [Accepted(changed=kept != self.contacts)]
        if after - before:
            effects.append(Registered(len(kept)))
        if before - after:
            effects.append(Expired(len(kept)))
        return replace(self, contacts=kept), effects


def _is_old(event: Register, binding: Binding) -> bool:
    return event.call_id == binding.call_id and event.cseq <= binding.cseq
