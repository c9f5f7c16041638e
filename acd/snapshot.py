"""The whole state of a core between two inputs: where a replay may start, and what it is held against.

The rows are those of `live_state`; with the policy and the number of the last input they are all that the core's
decisions depend on, so a core resumed from them decides as the one that wrote them. A replay that passes a snapshot
proves just that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from acd.core import Distributor
from acd.machines.agent import Agent
from acd.machines.care import Care
from acd.machines.entry import QueueEntry
from acd.machines.offer import Offer
from acd.model import Policy
from acd.policies.expected_wait import Estimate
from callcenter.kernel.codec import decode, encode

T = TypeVar("T", Agent, QueueEntry, Offer, Care, Estimate)
Row = Agent | QueueEntry | Offer | Care | Estimate
KINDS: dict[str, type[Row]] = {
    "agent": Agent,
    "entry": QueueEntry,
    "offer": Offer,
    "care": Care,
    "estimate": Estimate,
}
"""The state rows of the distributor."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """As of journal number `seq`. `rows` are canonical JSON by (kind, id); `number` is that of the last input."""

    seq: int
    number: int
    policy: Policy
    rows: Mapping[tuple[str, str], bytes]

    def core(self) -> Distributor:
        """A core that stands here. Raises msgspec.ValidationError for a row of another version."""
        core = Distributor()
        core.restore(
            self._of(Agent, "agent"),
            self._of(QueueEntry, "entry"),
            self._of(Offer, "offer"),
            self._of(Care, "care"),
            self._of(Estimate, "estimate"),
        )
        core.resume(self.policy, self.number)
        return core

    def _of(self, as_type: type[T], kind: str) -> list[T]:
        return [decode(blob, as_type) for (of, _), blob in sorted(self.rows.items()) if of == kind]

    def differs(self, core: Distributor) -> tuple[str, str, str] | None:
        """The first row in which `core` is not as this says: (row, here, in the core)."""
        found: dict[tuple[str, str], Row] = {("agent", id_): row for id_, row in core.agents.items()}
        found |= {("entry", id_): row for id_, row in core.entries.items()}
        found |= {("offer", id_): row for id_, row in core.offers.items()}
        found |= {("care", id_): row for id_, row in core.cares.items()}
        found |= {("estimate", id_): row for id_, row in core.estimates.items()}
        for key in sorted(found.keys() | self.rows.keys()):
            # Decoded: a row of an earlier version lacks the fields that were added since.
            blob, row = self.rows.get(key), found.get(key)
            kept = None if blob is None else decode(blob, KINDS[key[0]])
            if kept != row:
                return " ".join(key), _text(kept), _text(row)
        return None


START = Snapshot(0, 0, Distributor().policy, {})
"""Before a site's first input."""


def _text(row: Row | None) -> str:
    return "none" if row is None else encode(row).decode()


def packed(snapshot: Snapshot) -> bytes:
    """`snapshot` as JSON."""
    rows = [(kind, id_, msgspec.Raw(blob)) for (kind, id_), blob in sorted(snapshot.rows.items())]
    return encode({"seq": snapshot.seq, "number": snapshot.number, "policy": snapshot.policy, "rows": rows})


class _Packed(msgspec.Struct):
    seq: int
    number: int
    policy: Policy
    rows: list[tuple[str, str, msgspec.Raw]]


def unpacked(blob: bytes) -> Snapshot:
    """The snapshot in `blob`. Raises msgspec.DecodeError."""
    found = msgspec.json.decode(blob, type=_Packed)
    return Snapshot(found.seq, found.number, found.policy, rows_of((k, i, bytes(raw)) for k, i, raw in found.rows))


def rows_of(rows: Iterable[tuple[str, str, bytes]]) -> dict[tuple[str, str], bytes]:
    """(kind, id, blob) as a snapshot has them."""
    return {(kind, id_): blob for kind, id_, blob in rows}
