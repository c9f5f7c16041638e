"""After a call: who rang is in the erasable rows, and neither in a log nor in a numbered fact."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.house import RING_DESK, House
from tests.support.scenario import caller, phone
from tests.support.server import Document

pytestmark = pytest.mark.e2e

NAME = "Bartholomea Quillfeather"


@pytest.fixture(scope="module")
def call(house: House) -> Document:
    """The record of an answered call from a named caller."""
    number = house.number()
    scenario = caller(number=number).replace('"Test"', f'"{NAME}"')
    with house.phone("desk", phone()) as desk, house.caller(scenario, RING_DESK, talk_ms=300) as customer:
        customer.wait()
        desk.wait()
    return house.record(number)


def secrets_of(call: Document) -> list[str]:
    assert NAME in str(call)
    return [call["caller"].removeprefix("+"), *NAME.split()]


def test_logs_know_no_caller(house: House, call: Document) -> None:
    files = [house.server.folder / "run.log", *Path(house.server.data / "log").iterdir()]
    written = "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    assert "live again" in written
    assert [secret for secret in secrets_of(call) if secret in written] == []


def test_numbered_facts_know_no_caller(house: House, call: Document) -> None:
    with closing(sqlite3.connect(f"file:{house.server.data / 'live.db'}?mode=ro", uri=True)) as journal:
        facts = journal.execute("SELECT data FROM journal WHERE subject = ?", (call["contact"],)).fetchall()
        people = journal.execute("SELECT blob FROM personal WHERE contact = ?", (call["contact"],)).fetchone()
    told = b"".join(bytes(row[0]) for row in facts).decode()
    assert len(facts) > 10
    assert [secret for secret in secrets_of(call) if secret in told] == []
    assert [secret for secret in secrets_of(call) if secret not in people[0]] == []
