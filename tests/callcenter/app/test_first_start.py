"""The first start: made once, said once, and finished by the next start if it was cut off."""

import json
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from callcenter.app import first_start as module
from callcenter.app.accounts import Account, make_accounts
from callcenter.app.first_start import BEGUN, DONE, first_start
from callcenter.app.settings import Settings
from callcenter.crm.model import CustomerFields
from callcenter.crm.records import create_customer
from callcenter.crm.tables import Customer
from callcenter.identity.tables import PhoneCredential, User
from callcenter.kernel.clock import FakeClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from tests.test_house.tree import REPOSITORY

pytestmark = pytest.mark.integration
SAMPLE = REPOSITORY / "config"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=str(tmp_path))


async def accounts(settings: Settings) -> tuple[dict[str, User], dict[str, PhoneCredential]]:
    site = Site(settings.site_database_url)
    try:
        async with site.session() as session:
            users = (await session.execute(select(User))).scalars().all()
            phones = (await session.execute(select(PhoneCredential))).scalars().all()
            return {user.login: user for user in users}, {phone.user: phone for phone in phones}
    finally:
        await site.close()


async def test_sample_users_and_phones_are_made_and_told(settings: Settings) -> None:
    text = await first_start(settings, SAMPLE)
    assert text is not None
    users, phones = await accounts(settings)
    roles = {login: (user.role, user.agent) for login, user in users.items()}
    assert roles["ann"] == ("agent", "ann")
    assert roles["sue"] == ("supervisor", None)
    assert {role for role, _ in roles.values()} == {"agent", "supervisor", "quality", "administrator"}
    assert {"1001", "1002", "1003", "1004"} <= set(phones)
    told = {words[0]: words[1] for line in text.splitlines() if len(words := line.split()) in (2, 3)}
    assert PasswordHasher().verify(users["ann"].password_hash, told["ann"])
    assert (settings.data_dir / DONE).read_text(encoding="utf-8") == text
    assert (settings.data_dir / DONE).stat().st_mode & 0o777 == 0o600
    assert (settings.data_dir / "site.key").exists()


async def test_second_start_changes_nothing_and_says_nothing(settings: Settings) -> None:
    await first_start(settings, SAMPLE)
    before, _ = await accounts(settings)
    assert await first_start(settings, SAMPLE) is None
    after, _ = await accounts(settings)
    assert {login: user.password_hash for login, user in before.items()} == {
        login: user.password_hash for login, user in after.items()
    }


async def customers(settings: Settings) -> list[str]:
    site = Site(settings.site_database_url)
    try:
        async with site.reading() as session:
            return list(await session.scalars(select(Customer.name).order_by(Customer.external_id)))
    finally:
        await site.close()


async def test_sample_customers_are_there_from_the_first_start(settings: Settings) -> None:
    await first_start(settings, SAMPLE)
    assert len(await customers(settings)) == 200


async def test_database_that_has_customers_gets_no_samples(settings: Settings) -> None:
    await migrate(settings.site_database_url, settings.data_dir)
    site = Site(settings.site_database_url)
    ann = CustomerFields("Ann")
    await create_customer(site, ann, region="IT", actor="user1", now=FakeClock().now())
    await site.close()
    await first_start(settings, SAMPLE)
    assert await customers(settings) == ["Ann"]


@pytest.mark.parametrize("step", ["migrate", "make_accounts", "as_text"])
async def test_first_start_that_is_cut_off_keeps_its_passwords(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_arguments: object) -> None:
        raise CallcenterError("cut off")

    with monkeypatch.context() as cut:
        cut.setattr(module, step, die)
        with pytest.raises(CallcenterError, match="cut off"):
            await first_start(settings, SAMPLE)
    begun = json.loads((settings.data_dir / BEGUN).read_text(encoding="utf-8"))
    text = await first_start(settings, SAMPLE)
    assert text is not None
    assert all(user["password"] in text for user in begun["users"])
    assert not (settings.data_dir / BEGUN).exists()
    users, _ = await accounts(settings)
    assert all(
        PasswordHasher().verify(users[user["login"]].password_hash, user["password"]) for user in begun["users"]
    )


async def test_accounts_of_a_database_that_had_them_keep_their_passwords(settings: Settings) -> None:
    await migrate(settings.site_database_url, settings.data_dir)
    ann = Account("ann", "Ann", "agent", "ann", "her own one")
    site = Site(settings.site_database_url)
    await make_accounts(site, [ann], [("1001", "its own one")], "callcenter", FakeClock())
    await site.close()
    text = await first_start(settings, SAMPLE)
    assert text is not None
    assert text.count("(as it was before)") == 2
    assert await customers(settings) == []
    users, _ = await accounts(settings)
    assert PasswordHasher().verify(users["ann"].password_hash, "her own one")
