"""The event envelope of both streams (architecture.md section 6).

`live` is numbered by the journal writer, `site` by the relay of the outbox. Types are `room.noun.past_verb`.
`data` holds ids and plain values, never names, numbers, SIP headers or digits.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

Stream = Literal["live", "site"]


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that happened, as it is stored and sent."""

    stream: Stream
    seq: int
    id: str
    v: int
    type: str
    at: datetime
    subject: str
    data: Mapping[str, object]

    def moment(self, name: str) -> datetime | None:
        """The instant that the data has under `name` (RFC 3339); None where it has none, as in earlier versions."""
        value = self.data.get(name)
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            return None
        return None if found is None or found.tzinfo is None else found
