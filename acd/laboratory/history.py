"""A call as a log tells it, whatever log it was: what imports make, and what reports and simulations read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

HistoricOutcome = Literal["served", "abandoned", "phantom"]


@dataclass(frozen=True, slots=True)
class HistoricCall:
    """One call of a log. Times in seconds.

    `at`: when the call came in (aware UTC); it joined the queue `menu_s` later. `waited_s`: from joining to the agent
    or to hanging up, 0 for who did not wait. `outcome` phantom: there was no caller to serve or lose. `handled_s` is
    None where nobody served or the log's figure cannot be believed, `agent` where none is named. `priority` counts as
    in the log, the higher the more urgent. `flags` are the codes of what is odd about the row; `source` is where it
    stands (file and line).
    """

    at: datetime
    type: str
    priority: int
    waited_s: float
    outcome: HistoricOutcome
    handled_s: float | None = None
    agent: str | None = None
    flags: tuple[str, ...] = ()
    menu_s: float = 0.0
    source: str = ""
