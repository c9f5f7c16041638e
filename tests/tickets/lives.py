"""Lives of tickets as tests tell them: `life.opened("2026-03-02 09:00").pending("10:00")`, then what a clock says."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.calendars import Calendar
from callcenter.calendars.calendar import Interval, calendar
from tickets.facts import Fact, MessageWritten, Opened, PriorityChanged, StatusChanged, TermsChanged
from tickets.model import Author, ClockName, ClockRule, MessageKind, Policy, Priority, Status, Step, Terms, terms_of
from tickets.policies.clocks import Reading, read_clocks

ROME = ZoneInfo("Europe/Rome")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NINE_TO_SIX: list[Interval] = [(540, 1080)]


def office(zone: str = "Europe/Rome", hours: list[Interval] = NINE_TO_SIX, *closed: str) -> Calendar:
    """Weekdays at `hours`; `closed` are dates on which it is not."""
    return calendar("office", zone, dict.fromkeys(range(5), hours), {date.fromisoformat(day): [] for day in closed})


def always(zone: str = "UTC") -> Calendar:
    return calendar("always", zone, {day: [(0, 1440)] for day in range(7)})


def policy(
    name: str = "standard",
    *,
    response: int = 240,
    resolution: int = 2400,
    pausing: tuple[Status, ...] = ("pending", "on_hold"),
    steps: tuple[Step, ...] = (Step("overdue"),),
) -> Policy:
    """Targets in minutes for normal tickets; high ones have half, urgent ones a quarter, low ones nothing."""
    clocks: dict[ClockName, ClockRule] = {
        "first_response": ClockRule(_targets(response), (), steps),
        "resolution": ClockRule(_targets(resolution), pausing, steps),
    }
    return Policy(name, "office", clocks)


def _targets(normal: int) -> dict[Priority, int]:
    return {"normal": normal, "high": normal // 2, "urgent": normal // 4}


@dataclass
class Life:
    """A history as it grows. Times are "2026-03-02 09:00" in `zone`, or "10:00" of the same day."""

    calendar: Calendar = field(default_factory=office)
    policy: Policy = field(default_factory=policy)
    zone: ZoneInfo = ROME

    def __post_init__(self) -> None:
        self.facts: list[Fact] = []
        self.rules: dict[Terms, tuple[Policy, Calendar]] = {}
        self._day = ""

    def moment(self, text: str) -> datetime:
        """The instant that `text` means."""
        day, _, clock = text.rpartition(" ")
        self._day = day or self._day
        return datetime.fromisoformat(f"{self._day} {clock}").replace(tzinfo=self.zone).astimezone(UTC)

    def opened(self, at: str, priority: Priority = "normal", status: Status = "new") -> "Life":
        self.facts.append(Opened(self.moment(at), status, priority, self.hold(self.policy, self.calendar)))
        return self

    def hold(self, policy_: Policy, calendar_: Calendar) -> Terms:
        """The terms of both, known to the rules from now on."""
        terms = terms_of(policy_, calendar_)
        self.rules[terms] = (policy_, calendar_)
        return terms

    def becomes(self, status: Status, at: str) -> "Life":
        self.facts.append(StatusChanged(self.moment(at), status))
        return self

    def priority(self, priority: Priority, at: str) -> "Life":
        self.facts.append(PriorityChanged(self.moment(at), priority))
        return self

    def terms(self, policy_: Policy | None, at: str, calendar_: Calendar | None = None) -> "Life":
        terms = None if policy_ is None else self.hold(policy_, calendar_ or self.calendar)
        self.facts.append(TermsChanged(self.moment(at), terms))
        return self

    def message(
        self, at: str, kind: MessageKind = "public_reply", author: Author = "agent", *, connected: bool = False
    ) -> "Life":
        self.facts.append(MessageWritten(self.moment(at), kind, author, connected))
        return self

    def readings(self, at: str) -> tuple[Reading, ...]:
        return read_clocks(self.facts, self.rules, now=self.moment(at))

    def clock(self, clock: ClockName, at: str, cycle: int = 1) -> Reading:
        """The one reading of that clock and cycle."""
        (found,) = (one for one in self.readings(at) if (one.clock, one.cycle) == (clock, cycle))
        return found

    def response(self, at: str) -> Reading:
        return self.clock("first_response", at)

    def resolution(self, at: str, cycle: int = 1) -> Reading:
        return self.clock("resolution", at, cycle)

    def has(self, clock: ClockName, at: str) -> bool:
        return any(one.clock == clock for one in self.readings(at))

    def copy(self) -> "Life":
        """A life of its own with the same past."""
        twin = replace(self)
        twin.facts, twin.rules, twin._day = list(self.facts), dict(self.rules), self._day
        return twin
