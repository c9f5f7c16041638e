"""Reads the calls of another site's journal (its `live.db`) as a call log: its records, as a log has them."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from acd.laboratory.technion import Log
from acd.model import Policy
from callcenter.app.day_calls import historic
from callcenter.app.queue_terms import SiteTerms, WrittenTerms
from callcenter.kernel.errors import InvalidInput
from callcenter.kernel.journal_file import JournalReader
from callcenter.reporting.fold import fold
from callcenter.reporting.ledger import HANDLERS, Ledger
from callcenter.reporting.projection import ENDED
from callcenter.reporting.visits import handle_times

CHUNK = 10_000


def read_journal(path: Path, file: str) -> Log:
    """Its calls that are over; the line of a call is the number of the event that ended it.

    Raises InvalidInput for what is no journal.
    """
    if not path.is_file():
        raise InvalidInput(f"{path}: No such file", data={"field": "file"})
    try:
        reader = JournalReader(path)
        try:
            handled_ms = _handled_ms(reader)
            ended = reader.events_between(0, reader.last_seq(), {ENDED})
            calls = {each.seq: historic([fold(reader.events_of(each.subject))], handled_ms) for each in ended}
        finally:
            reader.close()
    except sqlite3.Error as error:
        raise InvalidInput(f"{path}: is no journal ({error})", data={"field": "file"}) from error
    found = [replace(call, source=f"{file}:{seq}") for seq, each in calls.items() for call in each]
    return Log(tuple(sorted(found, key=lambda call: (call.at, call.source))), ())


def _handled_ms(reader: JournalReader) -> Mapping[str, int]:
    """How long agents were busy with each contact: their wrap-up is told of them, not of the contact."""
    ledger = Ledger(SiteTerms(WrittenTerms(), lambda: Policy("")))
    for after in range(0, reader.last_seq(), CHUNK):
        for event in reader.events_between(after, after + CHUNK, HANDLERS.keys()):
            ledger.handle(event)
    return handle_times(ledger.take()[0])
