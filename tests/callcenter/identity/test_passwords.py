"""Hashes of people's and telephones' passwords."""

import pytest
from argon2 import PasswordHasher

from callcenter.identity.passwords import Passwords, PhoneSecret, phone_secret
from callcenter.kernel.errors import InvalidInput

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(QUICK)


def test_password_is_checked_against_its_hash(passwords: Passwords) -> None:
    stored = passwords.hash("correct horse")
    assert passwords.check(stored, "correct horse")
    assert not passwords.check(stored, "wrong horse")
    assert "correct" not in stored


def test_nobody_and_a_damaged_hash_have_no_password(passwords: Passwords) -> None:
    assert not passwords.check(None, "nobody has this password")
    assert not passwords.check("damaged", "correct horse")


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_password_of_a_silly_length_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(InvalidInput):
        passwords.hash(password)


def test_hash_of_weaker_parameters_is_known_as_such(passwords: Passwords) -> None:
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)).is_outdated(passwords.hash("x" * 9))


def test_real_parameters_are_at_least_those_that_rfc_9106_recommends_for_small_memory() -> None:
    hasher = PasswordHasher()
    assert (hasher.time_cost, hasher.memory_cost, hasher.parallelism) >= (3, 65_536, 4)


def test_phone_secret_is_that_of_the_example_in_rfc_7616() -> None:
    secret = phone_secret("Mufasa", "http-auth@example.org", "Circle of Life")
    assert secret == PhoneSecret(
        "3d78807defe7de2157e2b0b6573a855f", "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"
    )
