"""Puts the first accounts into the site database: what is there already stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from callcenter.identity.passwords import Passwords, phone_secret
from callcenter.identity.tables import User
from callcenter.identity.users import add_user, load_phones, save_phone
from callcenter.kernel.clock import Clock
from callcenter.kernel.site import Site

BY = "first start"


@dataclass(frozen=True, slots=True)
class Account:
    """A user to be; `agent` is the agent id for those who take calls."""

    login: str
    name: str
    role: str
    agent: str | None
    password: str


async def make_accounts(
    site: Site, users: Sequence[Account], phones: Sequence[tuple[str, str]], realm: str, clock: Clock
) -> set[str]:
    """Make whoever is missing; the logins and phones that exist with another password."""
    return await _make_users(site, users, clock) | await _make_phones(site, phones, realm, clock)


async def _make_users(site: Site, users: Sequence[Account], clock: Clock) -> set[str]:
    passwords = Passwords()
    kept = set()
    async with site.reading() as session:
        rows = await session.execute(select(User.login, User.password_hash))
        stored = {row.login: row.password_hash for row in rows}
    for user in users:
        known = stored.get(user.login.lower())
        if known is None:
            hashed = passwords.hash(user.password)
            await add_user(
                site, user.login, hashed, name=user.name, role=user.role, agent=user.agent, now=clock.now(), by=BY
            )
        elif not passwords.check(known, user.password):
            kept.add(user.login)
    return kept


async def _make_phones(site: Site, phones: Sequence[tuple[str, str]], realm: str, clock: Clock) -> set[str]:
    stored = await load_phones(site)
    kept = set()
    for user, password in phones:
        secret = phone_secret(user, realm, password)
        if user not in stored:
            await save_phone(site, user, realm, secret, now=clock.now(), by=BY)
        elif stored[user] != secret:
            kept.add(user)
    return kept
