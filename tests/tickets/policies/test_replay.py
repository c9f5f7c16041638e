"""A real help desk's 3,804 tickets through the clocks, against an independent reckoning of the same promise.

First event: created; second: first response; last: resolved. Monday to Friday 09:00 to 18:00 in Rome, no holidays;
four business hours to respond, forty to resolve.
"""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.shared import shared_path
from tests.tickets.lives import ROME, office, policy
from tickets.facts import Fact, MessageWritten, Opened, StatusChanged
from tickets.model import ClockName, terms_of
from tickets.policies.clocks import read_clocks

RESPONSE, RESOLUTION = timedelta(hours=4), timedelta(hours=40)
CALENDAR, POLICY = office(), policy(response=240, resolution=2400)
TERMS = terms_of(POLICY, CALENDAR)
RULES = {TERMS: (POLICY, CALENDAR)}
FAR = datetime(2030, 1, 1, tzinfo=UTC)

Verdict = tuple[ClockName, str]


@pytest.fixture(scope="module")
def tickets() -> Mapping[str, Sequence[datetime]]:
    """The times of each ticket's events, in order."""
    events: defaultdict[str, list[datetime]] = defaultdict(list)
    with gzip.open(shared_path("data/helpdesk_tickets.csv.gz"), "rt", encoding="ascii", newline="") as lines:
        for row in csv.DictReader(lines):
            events[row["CaseID"]].append(datetime.fromisoformat(row["CompleteTimestamp"]).replace(tzinfo=ROME))
    return {case: sorted(moments) for case, moments in events.items()}


def history(moments: Sequence[datetime]) -> list[Fact]:
    """The facts in a ticket's events; one with a single event is still open."""
    times = [moment.astimezone(UTC) for moment in moments]
    facts: list[Fact] = [Opened(times[0], "new", "normal", TERMS)]
    if len(times) > 1:
        facts += [MessageWritten(times[1], "public_reply", "agent"), StatusChanged(times[-1], "resolved")]
    return facts


def reckoned(start: datetime, end: datetime) -> timedelta:
    """Open time between two local times by walking the days; no clock changes between 09:00 and 18:00."""
    total, day = timedelta(), start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    first, last = start.replace(tzinfo=None), end.replace(tzinfo=None)
    while day <= last:
        if day.weekday() < 5:
            opened, closed = day + timedelta(hours=9), day + timedelta(hours=18)
            total += max(min(last, closed) - max(first, opened), timedelta())
        day += timedelta(days=1)
    return total


def test_every_verdict_is_the_reckoned_one(tickets: Mapping[str, Sequence[datetime]]) -> None:
    wrong = [
        (case, reading.clock)
        for case, moments in tickets.items()
        if len(moments) > 1
        for reading, end, target in zip(
            read_clocks(history(moments), RULES, now=FAR),
            (moments[1], moments[-1]),
            (RESPONSE, RESOLUTION),
            strict=True,
        )
        if reading.elapsed != reckoned(moments[0], end)
        or reading.state != ("met" if reckoned(moments[0], end) <= target else "breached")
    ]
    assert len(tickets) == 3804
    assert wrong == []


def test_the_counts_are_those_of_the_reckoning(tickets: Mapping[str, Sequence[datetime]]) -> None:
    found = Counter[Verdict](
        (reading.clock, reading.state)
        for moments in tickets.values()
        for reading in read_clocks(history(moments), RULES, now=FAR)
    )
    slow = Counter[Verdict]()
    for moments in tickets.values():
        ends = (moments[1], moments[-1]) if len(moments) > 1 else (FAR.astimezone(ROME),) * 2
        slow["first_response", _verdict(reckoned(moments[0], ends[0]), RESPONSE)] += 1
        slow["resolution", _verdict(reckoned(moments[0], ends[1]), RESOLUTION)] += 1
    print(sorted(found.items()))
    assert found == slow


def _verdict(elapsed: timedelta, target: timedelta) -> str:
    return "met" if elapsed <= target else "breached"


def test_explanations_add_up_on_a_sample(tickets: Mapping[str, Sequence[datetime]]) -> None:
    for case in sorted(tickets)[::97]:
        for reading in read_clocks(history(tickets[case]), RULES, now=FAR):
            lines = [one for one in reading.intervals if one.category == "counted"]
            assert sum((one.end - one.start for one in lines), timedelta()) == reading.elapsed
            assert all(
                one.start.astimezone(ROME).hour >= 9 and one.start.astimezone(ROME).weekday() < 5 for one in lines
            )
