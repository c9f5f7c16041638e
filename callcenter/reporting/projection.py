"""The projector's handler that keeps the call records: one row for each contact that has ended.

A fact that comes after the end (a session given back late, a queue told last) has the whole contact folded again: the
row is replaced, never doubled.
"""

from collections.abc import Mapping, Sequence

from callcenter.kernel.events import Envelope
from callcenter.kernel.journal_file import JournalReader
from callcenter.kernel.site import upsert
from callcenter.kernel.site_connection import SiteConnection
from callcenter.reporting.cdr import Cdr
from callcenter.reporting.fold import fold
from callcenter.reporting.tables import CdrRow, ContactPerson

ENDED = "calls.contact.ended"
LATE = frozenset(
    {
        "calls.leg.ended",
        "calls.media.closed",
        "calls.recording.ended",
        "calls.recording.failed",
        "acd.entry.answered",
        "acd.entry.abandoned",
        "acd.entry.ended",
        "acd.disposition.chosen",
        "director.customer.chosen",
    }
)


class CdrHandler:
    """Writes `cdrs` and `contact_people`."""

    types = LATE | {ENDED}

    async def project(self, connection: SiteConnection, events: Sequence[Envelope], reader: JournalReader) -> None:
        """Upsert the records of the contacts that `events` end or are late for."""
        contacts = dict.fromkeys(event.subject for event in events if event.type == ENDED)
        others = dict.fromkeys(event.subject for event in events if event.subject not in contacts)
        contacts.update((contact, None) for contact in others if reader.has(contact, ENDED))
        if not contacts:
            return
        dialect = connection.dialect.name
        rows = [cdr_row(fold(reader.events_of(contact))) for contact in contacts]
        people = [person_row(contact, data) for contact, data in reader.people(contacts).items()]
        await connection.execute(upsert(dialect, CdrRow), rows)
        if people:
            await connection.execute(upsert(dialect, ContactPerson), people)


def cdr_row(cdr: Cdr) -> dict[str, object]:
    """The columns of a record. What never began began when it ended: the column has to sort."""
    return {
        "contact": cdr.contact,
        "direction": cdr.direction,
        "source_kind": cdr.source_kind[:16],
        "source": _clipped(cdr.source, 64) or "",
        "flow": _clipped(cdr.flow, 100),
        "flow_version": _clipped(cdr.flow_version, 64),
        "started_at": cdr.started_at or cdr.ended_at,
        "answered_at": cdr.answered_at,
        "ended_at": cdr.ended_at,
        "queue": _clipped(cdr.queue, 100),
        "agent": _clipped(cdr.agent, 64),
        "customer": _clipped(cdr.customer, 32),
        "wait_ms": cdr.wait_ms,
        "talk_ms": cdr.talk_ms,
        "hung_up_by": _clipped(cdr.hung_up_by, 16),
        "reason": _clipped(cdr.reason, 64),
        "sip_status": cdr.sip_status,
        "result": cdr.result.value,
        "detail": cdr.detail,
    }


def person_row(contact: str, data: Mapping[str, object]) -> dict[str, object]:
    """The columns of a personal row; what callers send is clipped to what fits."""
    collected = data.get("collected")
    items = collected.items() if isinstance(collected, Mapping) else ()
    return {
        "contact": contact,
        "caller": _clipped(data.get("caller"), 128),
        "caller_name": _clipped(data.get("caller_name"), 255),
        "called": _clipped(data.get("called"), 128),
        "collected": {str(key): _clipped(value, 255) for key, value in items},
    }


def _clipped(value: object, length: int) -> str | None:
    """`value` as text of at most `length`, without the NUL that PostgreSQL takes in no text."""
    return None if value is None else str(value).replace("\0", "")[:length]
