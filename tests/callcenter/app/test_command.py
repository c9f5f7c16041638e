"""The command line: help everywhere, expected failures without a traceback, a light `run`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from callcenter import __version__
from callcenter.app import command
from callcenter.app.status import EXIT_DOWN, lines
from tests.callcenter.app.server_process import REPOSITORY


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))


def run(*words: str) -> int:
    try:
        return command.main(words)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize(
    "words", [[], ["run"], ["status"], ["db"], ["db", "migrate"], ["flows"], ["calls"], ["user"], ["crm"]]
)
def test_help_is_everywhere(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words, "--help") == 0
    assert "usage: callcenter" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "shown"), [(["run"], True), (["calls", "list"], True), (["demo"], False)])
def test_help_names_the_folders_where_they_count(
    words: list[str], shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*words, "--help")
    assert ("--data DIR" in capsys.readouterr().out) is shown


def test_no_command_shows_the_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "run the server until it is stopped" in capsys.readouterr().out


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"callcenter {__version__}\n"


def test_bad_setting_is_one_line_and_its_own_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLCENTER_SIP_PORT", "sip")
    assert run("status") == 78
    assert (
        capsys.readouterr().err == "callcenter: environment: CALLCENTER_SIP_PORT: must be a whole number, not 'sip'\n"
    )


def test_missing_config_folder_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("status", "--config", str(tmp_path / "none")) == 78
    assert f"config: there is no folder {tmp_path / 'none'}" in capsys.readouterr().err


def test_input_that_is_wrong_is_a_usage_error_whoever_finds_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("staff", "--calls", "ten", "--aht", "180") == 2
    assert run("staff", "--calls", "100") == 2
    assert capsys.readouterr().err.endswith("callcenter: aht: is needed with --calls\n")


def test_status_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status") == EXIT_DOWN
    assert capsys.readouterr().out == "callcenter is not running\n"
    assert run("status", "--json") == EXIT_DOWN
    assert json.loads(capsys.readouterr().out) == {"version": __version__, "supervisor": None, "application": None}


def test_status_shows_processes_calls_sessions_and_lag() -> None:
    supervisor = {
        "pid": 10,
        "version": "0.1.0",
        "http": "127.0.0.1:8080",
        "sip_udp": "127.0.0.1:5060",
        "sip_tcp": None,
        "application": {"pid": 11, "ready": True, "starts": 1},
        "workers": [{"name": "w1", "pid": 12, "ports": [20000, 20999]}],
        "draining": False,
    }
    application = {
        "pid": 11,
        "version": "0.1.0",
        "calls": 3,
        "lag": {"journal_ms": 2},
        "workers": [{"name": "w1", "sessions": 6}],
        "sip": {"dialogs": 0, "refusals": {}},
        "trunks": {},
    }
    assert lines({"supervisor": supervisor, "application": application}) == [
        "supervisor    process 10, version 0.1.0",
        "  sip         udp 127.0.0.1:5060, tcp off",
        "  http        127.0.0.1:8080",
        "application   process 11, version 0.1.0",
        "  calls       3",
        "  lag         journal_ms 2",
        "  sip         dialogs 0",
        "media w1      process 12, ports 20000-20999, 6 sessions",
    ]
    assert lines({"supervisor": supervisor, "application": None})[3] == "application   does not answer (process 11)"
    assert lines({"supervisor": None, "application": application})[0].startswith("supervisor    gone")


def test_telephone_that_phones_yaml_lacks_gets_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--config", str(REPOSITORY / "config"), "phone", "passwd", "9999") == 1
    assert capsys.readouterr().err == "callcenter: phones.yaml has no phone '9999'\n"


def test_sample_flows_are_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--config", str(REPOSITORY / "config"), "flows", "validate") == 0
    assert "main: " in capsys.readouterr().out


def test_faulty_flow_is_named_and_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: bad\nstart: nowhere\nnodes: {}\n", encoding="utf-8")
    assert run("--config", str(REPOSITORY / "config"), "flows", "validate", str(tmp_path)) == 1
    assert "bad.yaml" in capsys.readouterr().out


def test_run_loads_no_framework_before_its_children_do() -> None:
    heavy = ["fastapi", "sqlalchemy", "msgspec", "uvicorn", "pydantic", "celery", "sipmessage"]
    code = (
        "import sys\n"
        "import callcenter.app.command as c, callcenter.app.start, callcenter.app.endpoints\n"
        "c._parser(['run'])\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout == "[]\n"
