"""Sessions on both engines: who signs in, who stays in, who is locked out."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from callcenter.identity.passwords import Passwords, phone_secret
from callcenter.identity.permissions import permissions_of
from callcenter.identity.principal import Principal
from callcenter.identity.service import LIFETIME, IdentityService
from callcenter.identity.tables import AuditEntry, SignIn
from callcenter.identity.throttle import FREE
from callcenter.identity.users import add_user, list_users, load_phones, save_phone, set_disabled, set_password
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, Overloaded
from callcenter.kernel.site import Site
from tests.callcenter.identity.test_passwords import QUICK

SOURCE = "10.0.0.1"
PASSWORDS = Passwords(QUICK)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def identity(site: Site, clock: FakeClock) -> IdentityService:
    stored = PASSWORDS.hash("correct horse")
    await add_user(site, "Ann", stored, name="Ann B.", role="agent", agent="a1", now=clock.now())
    return IdentityService(site, clock, PASSWORDS)


async def signs_in(identity: IdentityService, login: str = "ann") -> str:
    return (await identity.sign_in(login, "correct horse", source=SOURCE)).token


async def fails(identity: IdentityService, login: str = "ann", source: str = SOURCE) -> None:
    with pytest.raises(NotAuthenticated):
        await identity.sign_in(login, "wrong horse", source=source)


async def test_right_password_opens_a_session_with_the_roles_permissions(identity: IdentityService) -> None:
    signed_in = await identity.sign_in("ANN", "correct horse", source=SOURCE)
    principal = signed_in.principal
    assert await identity.principal(signed_in.token) == principal
    assert principal == Principal(
        principal.session, principal.user, "ann", "Ann B.", "agent", permissions_of("agent"), "a1"
    )


async def test_only_the_hash_of_a_token_is_stored(identity: IdentityService, site: Site) -> None:
    token = await signs_in(identity)
    async with site.reading() as session:
        (stored,) = (await session.scalars(select(SignIn.token_hash))).all()
    assert token not in stored
    assert await identity.principal(stored) is None


async def test_wrong_password_unknown_login_and_disabled_user_get_the_same_answer(
    identity: IdentityService, site: Site, clock: FakeClock
) -> None:
    answers = []
    for login, password in (("ann", "wrong horse"), ("nobody", "correct horse")):
        with pytest.raises(NotAuthenticated) as caught:
            await identity.sign_in(login, password, source=SOURCE)
        answers.append(caught.value.message)
    await set_disabled(site, "ann", disabled=True, now=clock.now())
    with pytest.raises(NotAuthenticated) as caught:
        await identity.sign_in("ann", "correct horse", source=SOURCE)
    assert {*answers, caught.value.message} == {"Login or password is wrong."}


async def test_guessing_is_throttled_even_with_the_right_password(
    identity: IdentityService, clock: FakeClock
) -> None:
    for _ in range(FREE):
        await fails(identity)
    with pytest.raises(Overloaded) as caught:
        await signs_in(identity)
    assert caught.value.data == {"retry_after_s": 2.0}
    clock.advance(2)
    assert await signs_in(identity)


async def test_guesses_that_are_sent_together_are_not_all_looked_at(identity: IdentityService) -> None:
    guesses = (identity.sign_in("ann", f"wrong horse {n}", source=SOURCE) for n in range(20))
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(answer, NotAuthenticated) for answer in answers) <= FREE + 1
    assert sum(isinstance(answer, Overloaded) for answer in answers) >= 20 - FREE - 1


async def test_session_ends_when_its_time_is_over(identity: IdentityService, site: Site, clock: FakeClock) -> None:
    token = await signs_in(identity)
    clock.advance(LIFETIME.total_seconds() - 1)
    assert await identity.principal(token) is not None
    clock.advance(1)
    assert await identity.principal(token) is None
    await identity.forget_expired()
    async with site.reading() as session:
        assert (await session.scalars(select(SignIn))).all() == []


async def test_signing_out_ends_one_session_and_not_the_other(identity: IdentityService) -> None:
    here, there = await signs_in(identity), await signs_in(identity)
    await identity.sign_out(here)
    await identity.sign_out("unknown")
    assert await identity.principal(here) is None
    assert await identity.principal(there) is not None


async def test_one_session_takes_over_from_the_others_of_its_user(identity: IdentityService) -> None:
    first, second = await signs_in(identity), await signs_in(identity)
    principal = await identity.principal(second)
    assert principal is not None
    await identity.end_others(principal)
    assert await identity.principal(first) is None
    assert await identity.principal(second) == principal


async def test_all_sessions_of_a_user_are_ended_by_login(identity: IdentityService) -> None:
    token = await signs_in(identity)
    assert await identity.end_all("ANN") is not None
    assert await identity.principal(token) is None
    assert await identity.end_all("nobody") is None


async def test_new_password_ends_all_sessions(identity: IdentityService, site: Site, clock: FakeClock) -> None:
    token = await signs_in(identity)
    await set_password(site, "ann", PASSWORDS.hash("battery staple"), now=clock.now())
    assert await identity.principal(token) is None
    await identity.sign_in("ann", "battery staple", source=SOURCE)


async def test_disabled_user_is_out_at_once_and_may_come_back(
    identity: IdentityService, site: Site, clock: FakeClock
) -> None:
    token = await signs_in(identity)
    await set_disabled(site, "Ann", disabled=True, now=clock.now())
    assert await identity.principal(token) is None
    await set_disabled(site, "ann", disabled=False, now=clock.now())
    assert await identity.principal(token) is None
    assert await signs_in(identity)


async def test_ticket_is_good_once_for_its_session(identity: IdentityService) -> None:
    signed_in = await identity.sign_in("ann", "correct horse", source=SOURCE)
    ticket = await identity.issue_ticket(signed_in.principal)
    assert await identity.redeem_ticket(ticket) == signed_in.principal
    assert await identity.redeem_ticket(ticket) is None


async def test_ticket_of_an_ended_session_is_worth_nothing(identity: IdentityService) -> None:
    signed_in = await identity.sign_in("ann", "correct horse", source=SOURCE)
    ticket = await identity.issue_ticket(signed_in.principal)
    await identity.sign_out(signed_in.token)
    assert await identity.redeem_ticket(ticket) is None


async def test_ticket_expires(identity: IdentityService, clock: FakeClock) -> None:
    signed_in = await identity.sign_in("ann", "correct horse", source=SOURCE)
    ticket = await identity.issue_ticket(signed_in.principal)
    clock.advance(60)
    assert await identity.redeem_ticket(ticket) is None


@pytest.mark.parametrize("login", ["", "a b", "ann@x", "ä", "x" * 65])
async def test_login_of_strange_letters_is_refused(site: Site, clock: FakeClock, login: str) -> None:
    with pytest.raises(InvalidInput):
        await add_user(site, login, "hash", name="", role="agent", agent=None, now=clock.now())


async def test_role_that_is_none_is_refused(site: Site, clock: FakeClock) -> None:
    with pytest.raises(InvalidInput, match="no role 'root'"):
        await add_user(site, "x", "hash", name="", role="root", agent=None, now=clock.now())


@pytest.mark.usefixtures("identity")
async def test_login_and_agent_belong_to_one_user(site: Site, clock: FakeClock) -> None:
    with pytest.raises(Conflict, match="there is a user ann"):
        await add_user(site, "ANN", "hash", name="", role="agent", agent=None, now=clock.now())
    with pytest.raises(Conflict, match="agent a1 has a user: ann"):
        await add_user(site, "bob", "hash", name="", role="agent", agent="a1", now=clock.now())
    await add_user(site, "bob", "hash", name="", role="quality", agent=None, now=clock.now())
    assert [(user.login, user.display_name, user.role) for user in await list_users(site)] == [
        ("ann", "Ann B.", "agent"),
        ("bob", "bob", "quality"),
    ]


async def test_unknown_user_has_no_password_to_change(site: Site, clock: FakeClock) -> None:
    with pytest.raises(NotFound):
        await set_password(site, "nobody", "hash", now=clock.now())
    with pytest.raises(NotFound):
        await set_disabled(site, "nobody", disabled=True, now=clock.now())


async def test_phone_has_the_secret_that_was_set_last(site: Site, clock: FakeClock) -> None:
    for password in ("first one", "second one"):
        await save_phone(site, "100", "callcenter", phone_secret("100", "callcenter", password), now=clock.now())
    assert await load_phones(site) == {"100": phone_secret("100", "callcenter", "second one")}


@pytest.mark.usefixtures("identity")
async def test_audit_names_what_was_done_by_ids_only(site: Site, clock: FakeClock) -> None:
    clock.advance(timedelta(days=1).total_seconds())
    await set_password(site, "ann", "hash", now=clock.now(), by="someone")
    async with site.reading() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.number))).all()
        user = (await session.scalars(text("SELECT id FROM users"))).one()
    assert [(e.actor, e.action, e.subject, e.data) for e in entries] == [
        ("command line", "user.added", user, {"role": "agent"}),
        ("someone", "user.password_changed", user, {}),
    ]
    assert entries[1].at == clock.now()
