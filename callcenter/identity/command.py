"""`callcenter user` and `callcenter phone`.

Passwords come from a prompt or from standard input, never from the command line, where every user of the machine
could read them.
"""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from callcenter.identity.passwords import SHORTEST, Passwords, phone_secret
from callcenter.identity.permissions import Role
from callcenter.identity.users import add_user, list_users, load_phones, save_phone, set_disabled, set_password
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import InvalidInput, NotFound
from callcenter.kernel.site import CommandSettings, Site

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]

T = TypeVar("T")

REALM = "realm"
DEFAULT_REALM = "callcenter"


class Sip(Protocol):
    """The part of the settings that phones' passwords depend on."""

    @property
    def realm(self) -> str | None: ...


class PhoneSettings(CommandSettings, Protocol):
    """What `callcenter phone` needs to know of the settings."""

    @property
    def sip(self) -> Sip: ...


def register(commands: "Commands", phones_of: Callable[[argparse.Namespace], Collection[str]]) -> None:
    """Add both commands. `phones_of` tells the telephones that the command's configuration has."""
    users = commands.add_parser("user", help="people who sign in").add_subparsers(
        title="actions", metavar="ACTION", required=True
    )
    adding = _with_password(users.add_parser("add", help="make a user"), _add)
    adding.add_argument("login")
    adding.add_argument("--name", default="", help="as others see it (default: the login)")
    adding.add_argument("--role", choices=[role.value for role in Role], default=Role.AGENT.value)
    adding.add_argument("--agent", metavar="ID", help="the agent of agents.yaml that this user is")
    _with_password(
        users.add_parser("passwd", help="change a password; ends the user's sessions"), _passwd
    ).add_argument("login")
    for name, help_text in (("disable", "lock a user out"), ("enable", "let a user in again")):
        switching = users.add_parser(name, help=help_text)
        switching.add_argument("login")
        switching.set_defaults(handler=_switch, disabled=name == "disable")
    users.add_parser("list", help="list the users").set_defaults(handler=_list)
    phones = commands.add_parser("phone", help="telephones that register").add_subparsers(
        title="actions", metavar="ACTION", required=True
    )
    changing = _with_password(phones.add_parser("passwd", help="set the password of a telephone"), _phone_passwd)
    changing.add_argument("user", help="of phones.yaml")
    changing.set_defaults(phones_of=phones_of)
    phones.add_parser("list", help="list the telephones with a password").set_defaults(handler=_phone_list)


def _with_password(
    parser: argparse.ArgumentParser, handler: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser.set_defaults(handler=handler)
    return parser


def _add(given: argparse.Namespace) -> int:
    hashed = Passwords().hash(_password(given))
    _do(
        given,
        lambda site, now: add_user(
            site, given.login, hashed, name=given.name, role=given.role, agent=given.agent, now=now
        ),
    )
    sys.stdout.write(f"{given.login.lower()} is made\n")
    return 0


def _passwd(given: argparse.Namespace) -> int:
    hashed = Passwords().hash(_password(given))
    _do(given, lambda site, now: set_password(site, given.login, hashed, now=now))
    sys.stdout.write(f"the password of {given.login.lower()} is changed\n")
    return 0


def _switch(given: argparse.Namespace) -> int:
    _do(given, lambda site, now: set_disabled(site, given.login, disabled=given.disabled, now=now))
    sys.stdout.write(f"{given.login.lower()} is {'disabled' if given.disabled else 'enabled'}\n")
    return 0


def _list(given: argparse.Namespace) -> int:
    for user in _do(given, lambda site, _: list_users(site)):
        state = "disabled" if user.disabled else "-"
        sys.stdout.write(f"{user.login:<16} {user.role:<14} {user.agent or '-':<12} {state:<9} {user.display_name}\n")
    return 0


def _phone_passwd(given: argparse.Namespace) -> int:
    if given.user not in given.phones_of(given):
        raise NotFound(f"phones.yaml has no phone {given.user!r}")
    realm = _realm(given.settings)
    secret = phone_secret(given.user, realm, _password(given))
    _do(given, lambda site, now: save_phone(site, given.user, realm, secret, now=now))
    sys.stdout.write(
        f"the password of telephone {given.user} is set for realm {realm}; restart the server to use it\n"
    )
    return 0


def _phone_list(given: argparse.Namespace) -> int:
    for user in sorted(_do(given, lambda site, _: load_phones(site))):
        sys.stdout.write(f"{user}\n")
    return 0


def _realm(settings: PhoneSettings) -> str:
    """sip.realm where it is set, else what the site fixed at its first start."""
    path = settings.data_dir / REALM
    kept = path.read_text(encoding="utf-8").strip() if path.exists() else DEFAULT_REALM
    return settings.sip.realm or kept


def _password(given: argparse.Namespace) -> str:
    if given.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = _typed("Password: ")
        if password != _typed("Again: "):
            raise InvalidInput("the two passwords differ")
    if len(password) < SHORTEST:
        raise InvalidInput(f"a password has at least {SHORTEST} characters")
    return password


def _typed(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise InvalidInput("nobody typed a password; --password-stdin reads it from standard input") from None


def _do(given: argparse.Namespace, work: Callable[[Site, datetime], Awaitable[T]]) -> T:
    async def do() -> T:
        settings: CommandSettings = given.settings
        site = Site(settings.site_database_url, pool_size=1)
        try:
            return await work(site, SystemClock().wall())
        finally:
            await site.close()

    return asyncio.run(do())
