"""What one stay in a queue or one stretch of an agent's day adds to the facts of the quarter hours that it touches.

A fact is the sum of what all of them add: the order in which they are taken does not matter. What an open one adds to
an interval that is over is what it will have added when it has ended, so no fact of a past interval ever changes.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from callcenter.reporting.measures import Measures
from callcenter.reporting.visits import Span, Visit

INTERVAL = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

Kind = Literal["queue", "skill", "agent"]
KINDS: tuple[Kind, ...] = ("queue", "skill", "agent")


class Key(NamedTuple):
    """Which fact: the start of its quarter hour (UTC), and whose it is."""

    start: datetime
    kind: Kind
    name: str


Facts = dict[Key, Measures]
Counted = tuple[tuple[str, int], ...]
"""(name of a measure, what is added to it)."""

_ENTERED: Counted = (("entered", 1),)
_QUEUED: Counted = (("queued", 1),)
_WAS_OFFERED: Counted = (("offered", 1),)
_ANSWERED_IN_TIME: Counted = (("answered_in_time", 1),)
_OFFERED: Counted = (("offers", 1),)

_TIME_OF = {
    "on_contact": "contact_time_ms",
    "wrap_up": "wrap_time_ms",
    "available": "idle_time_ms",
    "reserved": "ring_time_ms",
    "not_ready": "not_ready_time_ms",
}
_RESULTS = {
    "accepted": "accepted",
    "timed_out": "missed",
    "declined": "declined",
    "failed": "unreached",
    "rescinded": "rescinded",
}
_LEFT_BY = {
    "answered": "answered",
    "abandoned": "abandoned",
    "callback": "callbacks",
    "overflowed": "overflowed",
    "transferred": "transferred",
    "failed": "failed",
}


def start_of(moment: datetime) -> datetime:
    """The start of the quarter hour that `moment` is in; every zone's midnight is one."""
    return moment - (moment - _EPOCH) % INTERVAL


def facts_of(visits: Iterable[Visit], spans: Iterable[Span], *, now: datetime) -> Facts:
    """All that they add up to as of `now`."""
    facts: Facts = {}
    for visit in visits:
        add_visit(facts, visit, now=now)
    for span in spans:
        add_span(facts, span, now=now)
    return facts


def add_visit(facts: Facts, visit: Visit, *, now: datetime) -> None:
    """Add what `visit` counts in the intervals that it touches."""
    whose: list[tuple[Kind, str]] = [("queue", visit.queue), *(("skill", skill) for skill in visit.skills)]
    for at, counted, by_agent in _moments_of(visit, now):
        for kind, name in whose:
            _add(facts, at, kind, name, counted)
        if visit.agent is not None and by_agent:
            _add(facts, at, "agent", visit.agent, by_agent)
    if visit.callback:
        return
    until = visit.left_at or max(now, visit.queued_at)
    ends = [(start, end) for start, _, end in _pieces(visit.queued_at, until)]
    if visit.left_at is not None:
        # Where his wait is counted, also if he left with the stroke of the quarter or as soon as he came.
        ends.append((start_of(visit.left_at), visit.left_at))
    for start, end in ends:
        waited_ms = (end - visit.waits_since) // _MS
        for kind, name in whose:
            of_interval = facts.setdefault(Key(start, kind, name), Measures())
            of_interval.longest_wait_ms = max(of_interval.longest_wait_ms, waited_ms)


def add_span(facts: Facts, span: Span, *, now: datetime) -> None:
    """Add the time of `span`, shared out over its intervals, and its offer."""
    name = _TIME_OF.get(span.state)
    if name is None:
        return
    until = span.until or max(now, span.since)
    for start, since, end in _pieces(span.since, until):
        of_interval = facts.setdefault(Key(start, "agent", span.agent), Measures())
        setattr(of_interval, name, getattr(of_interval, name) + (end - since) // _MS)
    if span.state == "reserved":
        _add(facts, span.since, "agent", span.agent, _OFFERED)
        result = _RESULTS.get(span.result or "")
        if span.until is not None and result is not None:
            _add(facts, span.until, "agent", span.agent, ((result, 1),))


def _add(facts: Facts, at: datetime, kind: Kind, name: str, counted: Counted) -> None:
    of_interval = facts.setdefault(Key(start_of(at), kind, name), Measures())
    for measure, value in counted:
        setattr(of_interval, measure, getattr(of_interval, measure) + value)


def _moments_of(visit: Visit, now: datetime) -> Iterator[tuple[datetime, Counted, Counted]]:
    """(when, what it counts, what of that its agent counts too).

    Whoever asked to be called was counted when he did: of the callback itself only the handling counts.
    """
    left_at = visit.left_at
    if visit.handled_at is not None:
        handled = _handled(visit)
        yield visit.handled_at, handled, handled
    if visit.callback:
        return
    yield visit.queued_at, _ENTERED, ()
    settled_at = visit.late_at if left_at is None else min(left_at, visit.late_at)
    if left_at is not None or settled_at <= now:
        in_time = visit.in_time and visit.outcome == "answered"
        yield settled_at, _settled(visit), _ANSWERED_IN_TIME if in_time else ()
    if left_at is not None:
        left = _left(visit)
        yield left_at, left, left if visit.outcome == "answered" else ()


def _settled(visit: Visit) -> Counted:
    """A contact counts once, at the earliest of answer, abandon and T; who left otherwise before was not offered."""
    if not visit.in_time:
        return _QUEUED + _WAS_OFFERED
    match visit.outcome:
        case "answered":
            return _QUEUED + _WAS_OFFERED + _ANSWERED_IN_TIME
        case "abandoned":
            return (*_QUEUED, *_WAS_OFFERED, ("abandoned_in_time", 1))
        case "callback":
            return (*_QUEUED, ("callbacks_in_time", 1))
        case _:
            return _QUEUED


def _left(visit: Visit) -> Counted:
    counted: Counted = ((_LEFT_BY.get(visit.outcome or "", "failed"), 1),)
    if visit.outcome == "answered":
        return (*counted, ("wait_ms", visit.wait_ms))
    if visit.outcome == "abandoned" and visit.wait_ms < visit.short_abandon_s * 1000:
        return (*counted, ("abandoned_short", 1))
    return counted


def _handled(visit: Visit) -> Counted:
    return (("handled", 1), ("talk_ms", visit.talk_ms), ("hold_ms", visit.hold_ms), ("wrap_ms", visit.wrap_ms))


def _pieces(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, datetime]]:
    """The stretch cut at the quarter hours: (start of the interval, since, until)."""
    start = start_of(since)
    while since < until:
        end = min(until, start + INTERVAL)
        yield start, since, end
        since, start = end, start + INTERVAL
