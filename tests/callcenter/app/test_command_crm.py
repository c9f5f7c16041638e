"""`callcenter crm import` knows the agents of the site."""

import asyncio
from pathlib import Path

import pytest

from callcenter.app.command import main
from callcenter.app.policy_start import KeptPolicy, digest_of, keep_policy, texts_of
from callcenter.app.settings import load_settings
from callcenter.migrations.migrate import migrate

CONFIG = Path(__file__).parents[3] / "config"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    url = load_settings(CONFIG, {}, {"data": str(tmp_path)}).site_database_url
    asyncio.run(migrate(url, tmp_path))
    return tmp_path


def crm(data: Path, rows: str) -> int:
    file = data / "customers.csv"
    file.write_text("name,owner\n" + rows)
    return main(["--config", str(CONFIG), "--data", str(data), "crm", "import", str(file)])


def test_owners_of_a_file_are_the_agents_of_agents_yaml(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crm(data, "Ada,ann\nBen,zoe\n") == 1
    told = capsys.readouterr()
    assert told.out == "1 created, 0 updated, 1 not taken\n"
    assert told.err == "line 3: owner 'zoe' is not the id of an agent\n"


def test_owners_of_a_file_are_the_agents_of_the_policy_that_holds(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = texts_of(CONFIG)
    changed = files.__class__(files.queues, files.agents.replace("id: ann", "id: zoe"))
    keep_policy(data, KeptPolicy(2, digest_of(files), changed))
    assert crm(data, "Ada,ann\nBen,zoe\n") == 1
    assert capsys.readouterr().err == "line 2: owner 'ann' is not the id of an agent\n"
