"""Users and telephones' secrets in the site database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from callcenter.identity.passwords import PhoneSecret
from callcenter.identity.permissions import Role
from callcenter.identity.tables import AuditEntry, PhoneCredential, SignIn, User
from callcenter.kernel.errors import Conflict, InvalidInput, NotFound
from callcenter.kernel.ids import IdSource, new_id
from callcenter.kernel.site import Site

COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class UserView:
    """A user without the hash."""

    id: str
    login: str
    display_name: str
    role: str
    agent: str | None
    disabled: bool


async def add_user(
    site: Site,
    login: str,
    password_hash: str,
    *,
    name: str,
    role: str,
    agent: str | None,
    now: datetime,
    by: str = COMMAND_LINE,
    ids: IdSource = new_id,
) -> str:
    """Make a user; its id. `login` is kept in lower case. Raises InvalidInput, Conflict, SiteUnavailable."""
    login = login.lower()
    if (
        not login.isascii()
        or not login.replace(".", "").replace("-", "").replace("_", "").isalnum()
        or len(login) > 64
    ):
        raise InvalidInput("a login has letters, digits, . - _ and at most 64 of them", data={"field": "login"})
    if role not in set(Role):
        raise InvalidInput(f"there is no role {role!r}", data={"field": "role"})
    async with site.session() as session:
        # Nobody's agent is no agent: NULL must not match the other users without one.
        same_agent = User.agent.is_not(None) & (User.agent == agent)
        taken = select(User.login, User.agent).where((User.login == login) | same_agent)
        for row in await session.execute(taken):
            raise Conflict(f"there is a user {login}" if row[0] == login else f"agent {agent} has a user: {row[0]}")
        user = User(
            id=ids(),
            login=login,
            display_name=name or login,
            role=role,
            agent=agent,
            password_hash=password_hash,
            created_at=now,
        )
        session.add_all([user, _audit(now, by, "user.added", user.id, role=role)])
        return user.id


async def set_password(site: Site, login: str, password_hash: str, *, now: datetime, by: str = COMMAND_LINE) -> None:
    """Change a password and end all of the user's sessions. Raises NotFound, SiteUnavailable."""
    async with site.session() as session:
        changed = update(User).where(User.login == login.lower()).values(password_hash=password_hash)
        user = await session.scalar(changed.returning(User.id))
        if user is None:
            raise NotFound(f"there is no user {login}")
        await session.execute(delete(SignIn).where(SignIn.user_id == user))
        session.add(_audit(now, by, "user.password_changed", user))


async def set_disabled(site: Site, login: str, *, disabled: bool, now: datetime, by: str = COMMAND_LINE) -> None:
    """Lock a user out, with all sessions, or let it in again. Raises NotFound, SiteUnavailable."""
    async with site.session() as session:
        changed = update(User).where(User.login == login.lower()).values(disabled=disabled)
        user = await session.scalar(changed.returning(User.id))
        if user is None:
            raise NotFound(f"there is no user {login}")
        await session.execute(delete(SignIn).where(SignIn.user_id == user))
        session.add(_audit(now, by, "user.disabled" if disabled else "user.enabled", user))


async def list_users(site: Site) -> Sequence[UserView]:
    """All users by login. Raises SiteUnavailable."""
    async with site.reading() as session:
        rows = await session.scalars(select(User).order_by(User.login))
        return [UserView(u.id, u.login, u.display_name, u.role, u.agent, u.disabled) for u in rows]


async def save_phone(
    site: Site, user: str, realm: str, secret: PhoneSecret, *, now: datetime, by: str = COMMAND_LINE
) -> None:
    """Set what the phone `user` is known by. Raises SiteUnavailable."""
    async with site.session() as session:
        await session.merge(PhoneCredential(user=user, realm=realm, ha1_md5=secret.md5, ha1_sha256=secret.sha256))
        session.add(_audit(now, by, "phone.password_changed", user))


async def load_phones(site: Site) -> dict[str, PhoneSecret]:
    """The secrets of all phones by user. Raises SiteUnavailable."""
    async with site.reading() as session:
        rows = await session.scalars(select(PhoneCredential))
        return {row.user: PhoneSecret(row.ha1_md5, row.ha1_sha256) for row in rows}


def _audit(now: datetime, actor: str, action: str, subject: str, **data: object) -> AuditEntry:
    return AuditEntry(at=now, actor=actor, action=action, subject=subject, data=data)
