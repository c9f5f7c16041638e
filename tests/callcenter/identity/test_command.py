"""`callcenter user` and `callcenter phone`: passwords never stand on the command line."""

import asyncio
import io
from functools import partial
from pathlib import Path

import pytest

from callcenter.identity import command
from callcenter.identity.passwords import Passwords, PhoneSecret, phone_secret
from callcenter.identity.users import load_phones
from callcenter.kernel.errors import InvalidInput, NotFound
from callcenter.kernel.site import Site
from callcenter.migrations.migrate import migrate
from tests.callcenter.identity.test_passwords import QUICK
from tests.support.settings import FakeSettings, run_command

register = partial(command.register, phones_of=lambda _: ("100", "1001"))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "Passwords", lambda: Passwords(QUICK))
    asyncio.run(migrate(FakeSettings(tmp_path).site_database_url, tmp_path))
    return tmp_path


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    waiting = list(answers)
    monkeypatch.setattr("getpass.getpass", lambda _: waiting.pop(0))


def phones(data: Path) -> dict[str, PhoneSecret]:
    async def load() -> dict[str, PhoneSecret]:
        site = Site(FakeSettings(data).site_database_url)
        found = await load_phones(site)
        await site.close()
        return found

    return asyncio.run(load())


def test_user_is_added_with_a_password_from_standard_input(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    words = ["user", "add", "Ann", "--role", "supervisor", "--name", "Ann B.", "--password-stdin"]
    assert run_command(register, words, data) == 0
    assert run_command(register, ["user", "list"], data) == 0
    out = capsys.readouterr().out
    assert out.splitlines() == ["ann is made", "ann              supervisor     -            -         Ann B."]
    assert "horse" not in out


def test_password_is_asked_for_twice(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "correct horse", "correct horse")
    assert run_command(register, ["user", "add", "ann"], data) == 0
    typed(monkeypatch, "correct horse", "other horse")
    with pytest.raises(InvalidInput, match="differ"):
        run_command(register, ["user", "passwd", "ann"], data)


def test_short_password_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "short", "short")
    with pytest.raises(InvalidInput, match="at least 8"):
        run_command(register, ["user", "add", "ann"], data)


def test_user_is_disabled_and_enabled(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "correct horse", "correct horse")
    for words in (["add", "ann"], ["disable", "ann"], ["list"], ["enable", "ann"], ["list"]):
        assert run_command(register, ["user", *words], data) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["disabled" in line for line in lines[2:5:2]] == [True, False]


def test_phone_password_is_hashed_for_the_realm_of_the_site(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "realm").write_text("calls.example\n")
    typed(monkeypatch, "telephone one", "telephone one")
    assert run_command(register, ["phone", "passwd", "100"], data) == 0
    assert phones(data) == {"100": phone_secret("100", "calls.example", "telephone one")}


def test_telephone_that_is_not_configured_gets_no_password(data: Path) -> None:
    with pytest.raises(NotFound, match=r"^phones.yaml has no phone '9999'$"):
        run_command(register, ["phone", "passwd", "9999"], data)
    assert phones(data) == {}


@pytest.mark.parametrize("words", [["user", "add", "ann", "--password", "x"], ["phone", "passwd", "100", "secret"]])
def test_password_on_the_command_line_is_refused(
    data: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run_command(register, words, data)
    assert capsys.readouterr().out == ""


def test_where_nobody_can_type_the_other_way_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    with pytest.raises(InvalidInput, match="--password-stdin"):
        run_command(register, ["phone", "passwd", "1001"], data)
