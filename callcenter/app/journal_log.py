"""Reads the calls of another site's journal (its `live.db`) as a call log: its records, as a log has them."""

import sqlite3
from dataclasses import replace
from pathlib import Path

from acd.laboratory.technion import Log
from callcenter.app.day_calls import historic
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.journal_file import JournalReader
from callcenter.reporting.fold import fold
from callcenter.reporting.projection import ENDED


def read_journal(path: Path, file: str) -> Log:
    """Its inbound calls that are over; the line of a call is the number of the event that ended it.

    Raises InvalidInput for what is no journal.
    """
    if not path.is_file():
        raise InvalidInput(f"{path}: No such file", data={"field": "file"})
    try:
        reader = JournalReader(path)
        try:
            ended = reader.events_between(0, reader.last_seq(), {ENDED})
            calls = {each.seq: historic([fold(reader.events_of(each.subject))]) for each in ended}
        finally:
            reader.close()
    except sqlite3.Error as error:
        raise InvalidInput(f"{path}: is no journal ({error})", data={"field": "file"}) from error
    found = [replace(call, source=f"{file}:{seq}") for seq, each in calls.items() for call in each]
    return Log(tuple(sorted(found, key=lambda call: (call.at, call.source))), ())
