"""Signing in and out: sessions are rows on the server, of which the browser has a random name (architecture.md 8).

Known and unknown logins, wrong passwords and disabled users get the same answer in the same time (security.md S14).
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, select

from callcenter.identity.passwords import Passwords
from callcenter.identity.permissions import permissions_of
from callcenter.identity.principal import Principal, SignedIn
from callcenter.identity.tables import SignIn, User
from callcenter.identity.throttle import LoginThrottle
from callcenter.identity.tickets import TicketOffice
from callcenter.identity.users import list_users
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import NotAuthenticated, Overloaded
from callcenter.kernel.site import Site

LIFETIME = timedelta(hours=12)
# Each check takes 64 MiB; more at once and a flood of sign-ins would take the machine's memory.
AT_ONCE = 2
MOST_WAITING = 50


class IdentityService:
    """One for the application; owned by its loop. The throttle and the tickets are in its memory."""

    def __init__(self, site: Site, clock: Clock, passwords: Passwords | None = None) -> None:
        self._site = site
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._throttle = LoginThrottle()
        self._tickets: TicketOffice[str] = TicketOffice()
        self._checks = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def sign_in(self, login: str, password: str, *, source: str) -> SignedIn:
        """Raises NotAuthenticated for a wrong pair, Overloaded while `login` or `source` (address) is throttled."""
        self._refuse_guessing(login, source)
        async with self._site.reading() as session:
            user = await session.scalar(select(User).where(User.login == login.lower()))
        good = await self._check(login, password, source, user)
        if user is None or not good or user.disabled:
            self._throttle = self._throttle.failed(login, source, now=self._clock.now())
            raise NotAuthenticated("Login or password is wrong.")
        self._throttle = self._throttle.succeeded(login)
        return await self._open(user)

    async def principal(self, token: str) -> Principal | None:
        """Who the secret belongs to; None when the session is unknown, expired or ended, or its user disabled."""
        return await self._find(_digest(token))

    async def sign_out(self, token: str) -> None:
        """End the session; unknown ones are ignored."""
        async with self._site.session() as session:
            await session.execute(delete(SignIn).where(SignIn.token_hash == _digest(token)))

    async def end_others(self, principal: Principal) -> None:
        """End every session of the user but this one."""
        others = delete(SignIn).where(SignIn.user_id == principal.user, SignIn.token_hash != principal.session)
        async with self._site.session() as session:
            await session.execute(others)

    async def end_all(self, login: str) -> str | None:
        """End every session of the user; the user's id, None when there is none. Raises SiteUnavailable."""
        async with self._site.session() as session:
            user = await session.scalar(select(User.id).where(User.login == login.lower()))
            if user is not None:
                await session.execute(delete(SignIn).where(SignIn.user_id == user))
        return user

    async def issue_ticket(self, principal: Principal) -> str:
        """A secret for one websocket of the session, good once and for 60 s."""
        return self._tickets.issue(principal.session, now=self._clock.now())

    async def redeem_ticket(self, ticket: str) -> Principal | None:
        """Spend the ticket; None when it is unknown, expired, spent, or its session has ended."""
        session = self._tickets.redeem(ticket, now=self._clock.now())
        return None if session is None else await self._find(session)

    async def names(self) -> Mapping[str, str]:
        """What the users are called, by id. Raises SiteUnavailable."""
        return {user.id: user.display_name for user in await list_users(self._site)}

    async def forget_expired(self) -> None:
        """Delete the rows of sessions that are over; now and then."""
        async with self._site.session() as session:
            await session.execute(delete(SignIn).where(SignIn.expires_at <= self._clock.now()))

    async def _check(self, login: str, password: str, source: str, user: User | None) -> bool:
        if self._waiting >= MOST_WAITING:
            raise Overloaded("Too many sign-ins at once, try again.", data={"retry_after_s": 2})
        self._waiting += 1
        try:
            async with self._checks:
                # Guesses that were sent together must not all be looked at because none had failed yet.
                self._refuse_guessing(login, source)
                return await asyncio.to_thread(self._passwords.check, user.password_hash if user else None, password)
        finally:
            self._waiting -= 1

    def _refuse_guessing(self, login: str, source: str) -> None:
        wait = self._throttle.wait(login, source, now=self._clock.now())
        if wait > timedelta(0):
            raise Overloaded(
                "Too many wrong passwords, try again later.", data={"retry_after_s": wait.total_seconds()}
            )

    async def _open(self, user: User) -> SignedIn:
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        async with self._site.session() as session:
            session.add(SignIn(token_hash=_digest(token), user_id=user.id, created_at=now, expires_at=now + LIFETIME))
        return SignedIn(token, _principal(_digest(token), user))

    async def _find(self, token_hash: str) -> Principal | None:
        query = (
            select(User)
            .join(SignIn, SignIn.user_id == User.id)
            .where(SignIn.token_hash == token_hash, SignIn.expires_at > self._clock.now(), ~User.disabled)
        )
        async with self._site.reading() as session:
            user = await session.scalar(query)
        return None if user is None else _principal(token_hash, user)


def _principal(session: str, user: User) -> Principal:
    return Principal(
        session, user.id, user.login, user.display_name, user.role, permissions_of(user.role), user.agent
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
