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
