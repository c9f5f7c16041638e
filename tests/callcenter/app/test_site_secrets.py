"""The site's key, realm and generated passwords."""

from pathlib import Path

import pytest

from callcenter.app.site_secrets import ALPHABET, new_password, realm, site_key
from callcenter.kernel.errors import ConfigError


def test_key_is_made_once_and_its_owners_alone(tmp_path: Path) -> None:
    key = site_key(tmp_path)
    assert len(key) == 32
    assert site_key(tmp_path) == key
    assert (tmp_path / "site.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["site.key"]


def test_damaged_key_is_named_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "site.key").write_text("abc", encoding="ascii")
    with pytest.raises(ConfigError, match=r"site\.key is damaged"):
        site_key(tmp_path)
    assert (tmp_path / "site.key").read_text(encoding="ascii") == "abc"


def test_realm_is_fixed_at_first_use(tmp_path: Path) -> None:
    assert realm(tmp_path, None) == "callcenter"
    assert realm(tmp_path, "callcenter") == "callcenter"
    assert realm(tmp_path, None) == "callcenter"


def test_another_realm_later_is_refused_by_its_key_with_what_to_do(tmp_path: Path) -> None:
    realm(tmp_path, None)
    with pytest.raises(ConfigError, match=r"^sip\.realm: must stay 'callcenter'.*callcenter phone passwd"):
        realm(tmp_path, "example.org")


def test_realm_that_was_set_at_first_use_stays(tmp_path: Path) -> None:
    assert realm(tmp_path, "example.org") == "example.org"
    assert realm(tmp_path, None) == "example.org"


def test_passwords_differ_and_have_no_letters_that_look_alike() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert set("".join(made)) <= {*ALPHABET, "-"}
    assert not set("01loi") & set(ALPHABET)
