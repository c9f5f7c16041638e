"""Rows of a bank's log as tests write them, and the real log where it is at hand."""

import gzip
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

from acd.laboratory.history import HistoricCall
from acd.laboratory.technion import COLUMNS, Log, read
from tests.support.shared import shared_path

ZONE = ZoneInfo("Asia/Jerusalem")
SERVED = {
    "vru+line": "AA0101",
    "call_id": "1",
    "customer_id": "0",
    "priority": "0",
    "type": "PS",
    "date": "990203",
    "vru_entry": "9:00:00",
    "vru_exit": "9:00:10",
    "vru_time": "10",
    "q_start": "9:00:10",
    "q_exit": "9:00:40",
    "q_time": "30",
    "outcome": "AGENT",
    "ser_start": "9:00:40",
    "ser_exit": "9:02:40",
    "ser_time": "120",
    "server": "ANN",
}
LOST = {"outcome": "HANG", "ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0", "server": "NO_SERVER"}
HEADER = "\t".join(COLUMNS)


def row(**changed: str) -> str:
    """A served call of 9:00 on 3 February, with what is `changed`."""
    cells = {**SERVED, **changed}
    return "\t".join(cells[column] for column in COLUMNS)


def logged(*rows: str, zone: ZoneInfo = ZONE) -> Log:
    """What the reader makes of `rows` below a header."""
    return read([HEADER, *rows], file="log.tsv", zone=zone)


@cache
def february() -> Log:
    """The bank's February of 1999; skips the test where it is not at hand."""
    path = shared_path("data/anonymous_bank_1999_02.tsv.gz")
    with gzip.open(path, "rt", newline="\n") as lines:
        return read(lines, file="anonymous_bank_1999_02.tsv", zone=ZONE)


def bank_day(day: date) -> list[HistoricCall]:
    """The calls of one day of that February."""
    return [call for call in february().calls if call.at.astimezone(ZONE).date() == day]
