"""Puts the first accounts into the site database: what is there already stays as it is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.identity.tables import PhoneCredential, User
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.ids import new_id
from callcenter.kernel.site import Site


@dataclass(frozen=True, slots=True)
class Account:
    """A user to be; `agent` is the agent id for those who take calls."""

    login: str
    name: str
    role: str
    agent: str | None
    password: str


async def make_accounts(
    url: str, users: Sequence[Account], phones: Sequence[tuple[str, str]], realm: str
) -> set[str]:
    """Make in one transaction whoever is missing; the logins and phones that exist with another password."""
    site = Site(url, pool_size=1)
    hasher = PasswordHasher()
    kept: set[str] = set()
    try:
        async with site.session() as session:
            for account in users:
                if not await _has_user(session, account, hasher):
                    kept.add(account.login)
            for user, password in phones:
                if not await _has_phone(session, user, password, realm):
                    kept.add(user)
    finally:
        await site.close()
    return kept


async def _has_user(session: AsyncSession, account: Account, hasher: PasswordHasher) -> bool:
    """Whether the account now has this password."""
    found = (await session.execute(select(User).where(User.login == account.login.lower()))).scalar_one_or_none()
    if found is not None:
        try:
            return hasher.verify(found.password_hash, account.password)
        except VerifyMismatchError:
            return False
    session.add(
        User(
            id=new_id(),
            login=account.login.lower(),
            display_name=account.name,
            role=account.role,
            agent=account.agent,
            password_hash=hasher.hash(account.password),
            created_at=SystemClock().wall(),
        )
    )
    return True


async def _has_phone(session: AsyncSession, user: str, password: str, realm: str) -> bool:
    """Whether the phone now has this password."""
    text = f"{user}:{realm}:{password}".encode()
    md5, sha256 = hashlib.md5(text, usedforsecurity=False).hexdigest(), hashlib.sha256(text).hexdigest()
    found = await session.get(PhoneCredential, user)
    if found is not None:
        return found.ha1_sha256 == sha256
    session.add(PhoneCredential(user=user, realm=realm, ha1_md5=md5, ha1_sha256=sha256))
    return True
