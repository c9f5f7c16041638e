"""When a dead child is started again: at once, unless it keeps dying young.

Pure. architecture.md section 1 allows the application 2 s in all, so a single death never waits.
"""

from dataclasses import dataclass

YOUNG_S = 5.0
DELAYS_S = (0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Restarts:
    """How often in a row a child died within `YOUNG_S` of its start."""

    young: int = 0

    def died(self, *, alive_s: float) -> tuple["Restarts", float]:
        """What to remember and how many seconds to wait before the next start."""
        if alive_s >= YOUNG_S:
            return Restarts(), 0.0
        return Restarts(self.young + 1), DELAYS_S[min(self.young, len(DELAYS_S) - 1)]
