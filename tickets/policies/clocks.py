"""The clocks of a ticket: first response and resolution, computed anew from its history each time (tickets.md 2, 4).

Nothing is incremented, so nothing can be counted twice or forgotten: the same history under the same terms gives the
same due time and the same elapsed time, whenever and wherever it is asked for.
"""

# Theory. Facts cut the life of a ticket into stretches in which status, priority and terms stay the same. A clock
# looks at the stretches between its beginning and its end (or now) and puts each into one category:
#
#   counted  open hours of the calendar pass        paused  the policy pauses this clock in this status
#   gap      the ticket was resolved, and reopened later; nobody owed anything
#
# A stretch is judged by the terms that held in it, the whole clock by the target that holds at its end: a change of
# priority or policy keeps what has elapsed and what was paused. Due is the instant at which the counted time reaches
# the target, so in a pause it is unknown. A clock that is closed at that very instant is met.
#
# What happens after its end is not looked at: the verdict of a closed clock never changes. Resolution has a clock for
# each cycle, from opening or reopening to resolved or closed. First response is one clock for the ticket's life.

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from callcenter.calendars import Calendar, NoOpenTime
from tickets.facts import Fact, MessageWritten, Opened, PriorityChanged, StatusChanged, TermsChanged
from tickets.model import DONE, ClockName, ClockRule, Policy, Priority, Rulebook, Status, Terms

State = Literal["running", "paused", "met", "breached"]
Category = Literal["counted", "paused", "gap"]
NOTHING = timedelta()


@dataclass(frozen=True, slots=True)
class Interval:
    """One line of an explanation: [start, end), and why: what `status` means to the clock under this `calendar`.

    `business` is the open time in it, all of it for counted intervals.
    """

    start: datetime
    end: datetime
    category: Category
    business: timedelta
    status: Status
    policy: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A clock as it stands. `due_at` is None while it is paused, or when the calendar never opens again.

    `standing` is what its last moment was to it. `steps` are the escalation steps with the instants at which they
    fall due, under the same rule as `due_at`. `intervals` explains `elapsed`, their counted business time, and
    `paused`, their paused one.
    """

    clock: ClockName
    cycle: int
    state: State
    standing: Category | None
    target: timedelta
    started_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    elapsed: timedelta
    paused: timedelta
    steps: Sequence[tuple[str, datetime | None]]
    intervals: Sequence[Interval]

    @property
    def is_closed(self) -> bool:
        """Met or breached for good."""
        return self.closed_at is not None

    @property
    def overdue(self) -> timedelta:
        """Business time beyond the target; does not grow once the clock is closed."""
        return max(self.elapsed - self.target, NOTHING)


@dataclass(frozen=True, slots=True)
class _Condition:
    status: Status
    priority: Priority
    terms: Terms | None


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time of one condition; the last one has no `end`."""

    start: datetime
    end: datetime | None
    condition: _Condition


@dataclass(frozen=True, slots=True)
class _Run:
    """One clock of one cycle, from its beginning to its end (None while it has none)."""

    clock: ClockName
    cycle: int
    start: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Counted:
    """A stretch in which the clock runs; the last one, if it still would, has no `end`."""

    start: datetime
    end: datetime | None
    calendar: Calendar


def read_clocks(history: Sequence[Fact], rules: Rulebook, *, now: datetime) -> tuple[Reading, ...]:
    """Every clock of the ticket at `now`: first response, then resolution cycle by cycle.

    `history` begins with Opened and is ordered by time; what lies after `now` is not looked at. Clocks for which
    nothing is promised are left out. Raises KeyError when `rules` lacks terms that the history names.
    """
    known = [fact for fact in history if fact.at <= now]
    if not known:
        return ()
    stretches = _stretches(known)
    answers = (fact.at for fact in known if isinstance(fact, MessageWritten) and fact.is_human_answer)
    runs = [_Run("first_response", 1, known[0].at, next(answers, None)), *_cycles(stretches)]
    readings = (_read(run, stretches, rules, now) for run in runs)
    return tuple(reading for reading in readings if reading is not None)


def _stretches(facts: Sequence[Fact]) -> list[_Stretch]:
    opened = facts[0]
    if not isinstance(opened, Opened):
        raise TypeError("a history begins with Opened")
    condition = _Condition(opened.status, opened.priority, opened.terms)
    marks = [(opened.at, condition)]
    for fact in facts[1:]:
        after = _after(condition, fact)
        if after != condition:
            condition = after
            marks.append((fact.at, condition))
    bounded = [_Stretch(start, end, cond) for (start, cond), (end, _) in pairwise(marks)]
    return [*bounded, _Stretch(marks[-1][0], None, marks[-1][1])]


def _after(condition: _Condition, fact: Fact) -> _Condition:
    match fact:
        case StatusChanged(_, status):
            return replace(condition, status=status)
        case PriorityChanged(_, priority):
            return replace(condition, priority=priority)
        case TermsChanged(_, terms):
            return replace(condition, terms=terms)
        case _:
            return condition


def _cycles(stretches: Sequence[_Stretch]) -> Iterator[_Run]:
    """The resolution clock of each stay outside resolved and closed."""
    cycle, start = 1, stretches[0].start
    was_done = False
    for stretch in stretches:
        done = stretch.condition.status in DONE
        if done and not was_done:
            yield _Run("resolution", cycle, start, stretch.start)
        elif was_done and not done:
            cycle, start = cycle + 1, stretch.start
        was_done = done
    if not was_done:
        yield _Run("resolution", cycle, start, None)


def _read(run: _Run, stretches: Sequence[_Stretch], rules: Rulebook, now: datetime) -> Reading | None:
    until = now if run.closed_at is None else run.closed_at
    seen = [one for one in stretches if one.start <= until and (one.end is None or one.end > run.start)]
    if run.closed_at is not None:
        # What changes at the instant of its end comes too late for it.
        seen = [one for one in seen if one.start < until] or seen[:1]
    last = seen[-1].condition
    rule = _rule(last, run.clock, rules)
    target = None if rule is None else rule.target(last.priority)
    if rule is None or target is None:
        return None
    intervals: list[Interval] = []
    counted: list[_Counted] = []
    for stretch in seen:
        category = _category(stretch.condition, run.clock, rules)
        if stretch.condition.terms is None or category is None:
            continue
        terms = rules[stretch.condition.terms]
        begin, end = max(stretch.start, run.start), until if stretch.end is None else min(stretch.end, until)
        intervals.extend(_intervals(begin, end, category, stretch.condition.status, terms))
        if category == "counted":
            counted.append(_Counted(begin, None if stretch is seen[-1] else end, terms[1]))
    due_at, standing = _reached(counted, target), _category(last, run.clock, rules)
    return Reading(
        run.clock,
        run.cycle,
        _state(due_at, until, run.closed_at, standing),
        standing,
        target,
        run.start,
        run.closed_at,
        due_at,
        _total(intervals, "counted"),
        _total(intervals, "paused"),
        tuple((step.name, _reached(counted, target + step.offset)) for step in rule.steps),
        tuple(_joined(intervals)),
    )


def _state(due_at: datetime | None, until: datetime, closed_at: datetime | None, last: Category | None) -> State:
    if due_at is not None and due_at < until:
        return "breached"
    if closed_at is not None:
        return "met"
    return "running" if last == "counted" else "paused"


def _rule(condition: _Condition, clock: ClockName, rules: Rulebook) -> ClockRule | None:
    return None if condition.terms is None else rules[condition.terms][0].clocks.get(clock)


def _category(condition: _Condition, clock: ClockName, rules: Rulebook) -> Category | None:
    """What a stretch is to the clock; None while its terms promise nothing."""
    rule = _rule(condition, clock, rules)
    if rule is None:
        return None
    if condition.status in DONE:
        return "gap"
    return "paused" if condition.status in rule.pausing else "counted"


def _intervals(
    start: datetime, end: datetime, category: Category, status: Status, terms: tuple[Policy, Calendar]
) -> Iterator[Interval]:
    policy, calendar = terms
    spans = calendar.open_spans(start, end)
    if category == "counted":
        for opened, closed in spans:
            yield Interval(opened, closed, category, closed - opened, status, policy.name, calendar.name)
    elif start < end:
        business = sum((closed - opened for opened, closed in spans), NOTHING)
        yield Interval(start, end, category, business, status, policy.name, calendar.name)


def _joined(intervals: Sequence[Interval]) -> Iterator[Interval]:
    """Neighbours that touch and say the same become one."""
    current: Interval | None = None
    for interval in intervals:
        if current is not None and interval == replace(
            current, start=current.end, end=interval.end, business=interval.business
        ):
            current = replace(current, end=interval.end, business=current.business + interval.business)
            continue
        if current is not None:
            yield current
        current = interval
    if current is not None:
        yield current


def _total(intervals: Sequence[Interval], category: Category) -> timedelta:
    return sum((one.business for one in intervals if one.category == category), NOTHING)


def _reached(counted: Sequence[_Counted], target: timedelta) -> datetime | None:
    """The instant at which the counted time is `target`; None if it is not before the last stretch ends."""
    left = target
    for part in counted:
        try:
            at = part.calendar.add_business_seconds(part.start, left.total_seconds())
        except NoOpenTime:
            at = None
        if at is not None and (part.end is None or at < part.end):
            return at
        if part.end is not None:
            left -= timedelta(seconds=part.calendar.business_seconds_between(part.start, part.end))
    return None


def open_readings(readings: Sequence[Reading]) -> Mapping[ClockName, Reading]:
    """The clocks that can still be met or missed, by name; at most one of each."""
    return {reading.clock: reading for reading in readings if not reading.is_closed}
