"""What the gateway counts. Written by the loop's thread only."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Statistics:
    """`refusals` by named reason; `surprises` are exceptions caught at a driver's edge, each a bug of ours."""

    received: int = 0
    sent: int = 0
    retransmitted: int = 0
    surprises: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    def refuse(self, reason: str) -> None:
        """Something of a peer's was not done, or not answered, for `reason`."""
        self.refusals[reason] += 1
