"""REGISTER: proves the phone, runs its bindings' machine, tells who can be reached (RFC 3261 section 10.3).

Bindings are state rows (kind "binding", id = user), so phones stay reachable over a restart.
"""

from collections.abc import Callable, Iterable

from callcenter.calls.ports import Target
from callcenter.kernel.unit import Unit
from callcenter.sip.access import Access
from callcenter.sip.core import Core
from callcenter.sip.hop import Hop
from callcenter.sip.message import Malformed, Request
from callcenter.sip.registrar import (
    Accepted,
    Binding,
    Bindings,
    Effect,
    Expire,
    Expired,
    Limits,
    Refused,
    Register,
    Registered,
    Wanted,
)
from callcenter.sip.timers import NEVER
from callcenter.sip.transactions import DEFAULT_PORT
from callcenter.sip.values import NameAddr, Uri, parse_uri

STATE = "binding"
PresenceChanged = Callable[[Unit, str, bool], None]
"""(unit, user, reachable): the first contact of a phone came, or its last one went."""


class Expiry:
    """When the next contact of a user runs out."""

    __slots__ = ("_owner", "armed_at", "next_deadline", "user")

    def __init__(self, owner: "Registration", user: str) -> None:
        self._owner = owner
        self.user = user
        self.next_deadline: float | None = None
        self.armed_at = NEVER

    def wake(self, now: float) -> None:  # noqa: ARG002  # the timers' protocol
        self._owner.expire(self.user)


class Registration:
    """The registrar's driver."""

    def __init__(
        self, core: Core, access: Access, *, limits: Limits, presence_changed: PresenceChanged | None = None
    ) -> None:
        self._core = core
        self._access = access
        self._limits = limits
        self._presence_changed = presence_changed
        self._bindings: dict[str, Bindings] = {}
        self._expiries: dict[str, Expiry] = {}

    # -- what arrives ---------------------------------------------------------------------------------------------

    def receive(self, request: Request, source: Hop) -> None:
        """A REGISTER that repeats no transaction."""
        core = self._core
        unit = core.open_unit()
        proof = self._access.prove(request, source, unit.now)
        if proof.phone is None:
            headers = [("WWW-Authenticate", challenge) for challenge in proof.challenges]
            core.refuse(request, source, 401, proof.reason, headers)
            return
        user = proof.phone.user
        if request.to_address.uri.user != user:
            core.refuse(request, source, 403, "register_other_user")
            return
        before = self._bindings.get(user) or Bindings(user)
        after, effects = before.handle(_register(request, source), now=unit.now, limits=self._limits)
        verdict = effects[0]
        if isinstance(verdict, Refused):
            extra = (("Min-Expires", str(self._limits.min_s)),) if verdict.status == 423 else ()
            core.refuse(request, source, verdict.status, verdict.reason, extra)
            return
        transaction = core.transactions.serve(request, source)
        data = core.response(transaction, 200, tag=core.ids(), headers=_listed(after, unit))
        unit.after_commit(lambda: core.transactions.respond(transaction, 200, data))
        if isinstance(verdict, Accepted) and verdict.changed:
            self._keep(unit, before, after, effects)
        core.submit(unit)

    def expire(self, user: str) -> None:
        """Drop the contacts of `user` that have run out."""
        before = self._bindings.get(user)
        if before is None:
            return
        unit = self._core.open_unit()
        after, effects = before.handle(Expire(), now=unit.now, limits=self._limits)
        self._keep(unit, before, after, effects)
        self._core.submit(unit)

    def _keep(self, unit: Unit, before: Bindings, after: Bindings, effects: list[Effect]) -> None:
        user = after.user
        if after.contacts:
            self._bindings[user] = after
            unit.save(STATE, user, after)
        else:
            self._bindings.pop(user, None)
            unit.delete(STATE, user)
        self._rearm(user)
        for effect in effects:
            match effect:
                case Registered(contacts):
                    unit.event("sip.binding.registered", user, contacts=contacts)
                case Expired(contacts):
                    unit.event("sip.binding.expired", user, contacts=contacts)
        if bool(before.contacts) != bool(after.contacts) and self._presence_changed is not None:
            phone = self._core.directory.phone(user)
            if phone is not None and phone.contact is None:
                self._presence_changed(unit, user, bool(after.contacts))

    def _rearm(self, user: str) -> None:
        bindings = self._bindings.get(user)
        expiry = self._expiries.get(user)
        if bindings is None or bindings.next_deadline is None:
            if expiry is not None:
                expiry.next_deadline = None
                del self._expiries[user]
            return
        if expiry is None:
            expiry = self._expiries[user] = Expiry(self, user)
        core = self._core
        wait = (bindings.next_deadline - core.now()).total_seconds()
        # A little late rather than early: the two clocks need not tick alike.
        expiry.next_deadline = core.timers.now() + max(wait, 0.0) + 0.1
        core.timers.arm(expiry)

    # -- who can be reached ---------------------------------------------------------------------------------------

    def registered(self, user: str) -> tuple[Binding, ...]:
        """The contacts of a phone that have not run out, the last one registered first."""
        bindings = self._bindings.get(user)
        if bindings is None or self._core.directory.phone(user) is None:
            return ()
        now = self._core.now()
        return tuple(binding for binding in bindings.contacts if binding.expires_at > now)

    def reachable_users(self) -> set[str]:
        """The phones that can be rung now."""
        phones = self._core.directory.phones.values()
        return {phone.user for phone in phones if phone.contact is not None or self.registered(phone.user)}

    def target_for(self, user: str, *, from_user: str, from_name: str = "", from_host: str = "") -> Target | None:
        """Where a phone rings: its newest registration, else its static contact; None if there is neither."""
        found = self._route(user)
        if found is None:
            return None
        uri, hop = found
        return Target(uri, hop.address, hop.port, hop.transport, from_user, from_name, from_host)

    def _route(self, user: str) -> tuple[str, Hop] | None:
        bindings = self.registered(user)
        if bindings:
            newest = bindings[0]
            return newest.uri, self._binding_hop(newest)
        phone = self._core.directory.phone(user)
        if phone is None or phone.contact is None:
            return None
        uri = parse_uri(phone.contact)
        return phone.contact, Hop(uri.transport or "udp", uri.host, uri.port or DEFAULT_PORT)

    def _binding_hop(self, binding: Binding) -> Hop:
        """The source of the REGISTER; the Contact's own port where its host is that source and no NAT between."""
        uri, source = parse_uri(binding.uri), binding.hop
        if uri.host != source.address or (source.reliable and self._core.transports.is_connected(source)):
            return source
        return Hop(uri.transport or source.transport, source.address, uri.port or DEFAULT_PORT)

    # -- after a restart ------------------------------------------------------------------------------------------

    def restore(self, rows: Iterable[Bindings]) -> None:
        """Take the rows of the process before; what ran out meanwhile expires at once."""
        for bindings in rows:
            self._bindings[bindings.user] = bindings
            self._rearm(bindings.user)


def _register(request: Request, source: Hop) -> Register:
    expires = request.expires
    return Register(
        call_id=request.call_id,
        cseq=request.cseq,
        hop=source,
        contacts=tuple(_wanted(request, contact, expires) for contact in request.contacts),
        star=request.contact_is_star,
        expires_s=expires,
    )


def _wanted(request: Request, contact: NameAddr, expires: int | None) -> Wanted:
    uri = contact.uri
    if uri.scheme != "sip" or uri.transport not in ("", "udp", "tcp"):
        raise Malformed("register_contact", answerable=request.answerable)
    own = contact.parameters.get("expires")
    seconds = expires if own is None else request.seconds(own, "contact_expires")
    return Wanted(_key(uri), uri.text, seconds)


def _key(uri: Uri) -> str:
    return f"{uri.user or ''}@{uri.host.lower()}:{uri.port or DEFAULT_PORT};{uri.transport or 'udp'}"


def _listed(bindings: Bindings, unit: Unit) -> list[tuple[str, str]]:
    return [
        ("Contact", f"<{binding.uri}>;expires={max(0, round((binding.expires_at - unit.now).total_seconds()))}")
        for binding in bindings.contacts
    ]
