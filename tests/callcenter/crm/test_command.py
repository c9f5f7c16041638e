"""`callcenter crm` says what it took and what not."""

import asyncio
from pathlib import Path

import pytest

from callcenter.crm.command import register
from callcenter.kernel.errors import InvalidInput
from callcenter.migrations.migrate import migrate
from tests.support.settings import FakeSettings, run_command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    asyncio.run(migrate(FakeSettings(tmp_path).site_database_url, tmp_path))
    return tmp_path


def write(folder: Path, text: bytes) -> str:
    path = folder / "customers.csv"
    path.write_bytes(text)
    return str(path)


def test_import_then_find(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(data, "\ufeffname,company,numbers\r\nÄnne,ACME,01 2345678\r\n".encode())
    assert run_command(register, ["crm", "import", file], data) == 0
    assert run_command(register, ["crm", "find", "+4312345678"], data) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "1 created, 0 updated, 0 not taken"
    assert out[1].endswith("Änne  ACME  (100 % exact_number)")


def test_bad_rows_are_printed_and_written_out_for_correction(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(data, b"name,numbers\nAnn,\n,1\nB\xff,\n" + b",9\n" * 30)
    rejected = data / "rejected.csv"
    assert run_command(register, ["crm", "import", file, "--rejected", str(rejected)], data) == 1
    captured = capsys.readouterr()
    assert captured.out == "1 created, 0 updated, 32 not taken\n"
    assert captured.err.splitlines()[:2] == [
        "line 3: has no name",
        "line 4: name has control characters or is not UTF-8",
    ]
    assert captured.err.splitlines()[-1] == "... and 12 more"
    lines = rejected.read_bytes().splitlines()
    assert lines[:3] == [
        b"line,reason,row",
        b"3,has no name,,1",
        b"4,name has control characters or is not UTF-8,B\xff,",
    ]
    assert len(lines) == 33


def test_preview_says_what_would_be_done_and_does_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(data, b"name,company,numbers\nAnn,ACME,01 2345678\n,,\n")
    assert run_command(register, ["crm", "import", file, "--preview"], data) == 1
    assert capsys.readouterr().out.splitlines() == [
        "+ line 2: Ann | ACME | +4312345678",
        "1 would be created, 0 would be updated, 1 not taken",
    ]
    assert run_command(register, ["crm", "find", "+4312345678"], data) == 1


def test_export_writes_what_import_takes(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(data, b"name,notes,numbers\nAnn,=1+1,01 2345678\n")
    assert run_command(register, ["crm", "import", file], data) == 0
    target = data / "all.csv"
    assert run_command(register, ["crm", "export", str(target)], data) == 0
    assert target.read_text().splitlines()[1] == "Ann,,,,'=1+1,,,01 2345678"
    assert run_command(register, ["crm", "import", str(target)], data) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 created, 1 updated, 0 not taken"


def test_unknown_number_is_nobody(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(register, ["crm", "find", "+4312345678"], data) == 1
    assert capsys.readouterr().err == "nobody\n"


def test_missing_file_is_named(data: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.csv: No such file"):
        run_command(register, ["crm", "import", str(data / "nowhere.csv")], data)
