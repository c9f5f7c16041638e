"""The figures by the names of their formulas (acd.md section 5): pure, and None where there is nothing to divide by.

Several formulas are called "service level"; so none is published without the name of its variant.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from callcenter.reporting.measures import Measures

REPEAT_WITHIN = timedelta(days=7)
TOP_TWO = 4


def sl_answered(m: Measures) -> float | None:
    """Answered within T / answered."""
    return _ratio(m.answered_in_time, m.answered)


def sl_sl2(m: Measures) -> float | None:
    """Answered or abandoned within T / answered or abandoned."""
    return _ratio(m.answered_in_time + m.abandoned_in_time, m.answered + m.abandoned)


def sl_ignore_abandons(m: Measures) -> float | None:
    """Answered within T / offered but those that were abandoned within T."""
    return _ratio(m.answered_in_time, m.offered - m.abandoned_in_time)


def sl_abandons_negative(m: Measures) -> float | None:
    """Answered within T / offered."""
    return _ratio(m.answered_in_time, m.offered)


def sl_abandons_positive(m: Measures) -> float | None:
    """Answered or abandoned within T / offered."""
    return _ratio(m.answered_in_time + m.abandoned_in_time, m.offered)


def sl_queue(m: Measures) -> float | None:
    """Left the queue within T by answer, abandon or callback / queued."""
    return _ratio(m.answered_in_time + m.abandoned_in_time + m.callbacks_in_time, m.queued)


SERVICE_LEVELS: Mapping[str, Callable[[Measures], float | None]] = MappingProxyType(
    {
        "sl_answered": sl_answered,
        "sl_sl2": sl_sl2,
        "sl_ignore_abandons": sl_ignore_abandons,
        "sl_abandons_negative": sl_abandons_negative,
        "sl_abandons_positive": sl_abandons_positive,
        "sl_queue": sl_queue,
    }
)


def asa_ms(m: Measures) -> float | None:
    """Average speed of answer: the mean time in the queue of the answered, in ms."""
    return _ratio(m.wait_ms, m.answered)


def aht_ms(m: Measures) -> float | None:
    """Average handle time: talk, hold and wrap-up for each contact that is done with, in ms."""
    return _ratio(m.talk_ms + m.hold_ms + m.wrap_ms, m.handled)


def occupancy(m: Measures) -> float | None:
    """Handle time / handle and idle time; a phone that rings is not idle."""
    return _ratio(m.handle_time_ms, m.handle_time_ms + m.idle_time_ms)


def utilization(m: Measures) -> float | None:
    """Handle time / time signed in."""
    return _ratio(m.handle_time_ms, m.logged_in_time_ms)


def abandon_rate(m: Measures) -> float | None:
    """Abandoned / queued; callbacks are no abandons."""
    return _ratio(m.abandoned, m.queued)


def short_abandon_rate(m: Measures) -> float | None:
    """Abandoned sooner than the queue's `short_abandon_s` / queued: apart, they may be misdialled."""
    return _ratio(m.abandoned_short, m.queued)


FIGURES: Mapping[str, Callable[[Measures], float | None]] = MappingProxyType(
    {
        **SERVICE_LEVELS,
        "asa_ms": asa_ms,
        "aht_ms": aht_ms,
        "abandon_rate": abandon_rate,
        "short_abandon_rate": short_abandon_rate,
        "occupancy": occupancy,
        "utilization": utilization,
    }
)
"""Every figure that is computed from an interval's measures."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `since` to `until`, `kind` was planned or done: a state, or a reason of not_ready."""

    since: datetime
    until: datetime
    kind: str


def adherence(planned: Sequence[Stretch], done: Sequence[Stretch]) -> float | None:
    """The part of the planned time in which the agent did what was planned. Neither list overlaps itself."""
    whole = sum((plan.until - plan.since for plan in planned), timedelta())
    kept = timedelta()
    for plan in planned:
        for act in done:
            if act.kind == plan.kind:
                kept += max(timedelta(), min(plan.until, act.until) - max(plan.since, act.since))
    return kept / whole if whole else None


@dataclass(frozen=True, slots=True)
class Answered:
    """A contact of `customer` about `matter` (his ticket, else the queue) that an agent had at `at`."""

    customer: str
    matter: str
    at: datetime


def first_contact_resolution(contacts: Sequence[Answered], *, until: datetime) -> float | None:
    """The part of the contacts that nobody repeated: none of that customer about that matter for 7 days.

    Only contacts are judged whose 7 days are over at `until`; None without any.
    """
    judged = resolved = 0
    following: dict[tuple[str, str], datetime] = {}
    for contact in sorted(contacts, key=lambda one: one.at, reverse=True):
        again = following.get((contact.customer, contact.matter))
        following[contact.customer, contact.matter] = contact.at
        if contact.at + REPEAT_WITHIN <= until:
            judged += 1
            resolved += again is None or again - contact.at > REPEAT_WITHIN
    return _ratio(resolved, judged)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """`top_two`: the part of the answers that are 4 or 5 of 5; `response_rate`: answers / asked."""

    top_two: float | None
    response_rate: float | None


def csat(answers: Sequence[int], *, asked: int) -> Satisfaction:
    """Customer satisfaction, never without its response rate. Raises ValueError for an answer that is not 1 to 5."""
    if any(not 1 <= answer <= 5 for answer in answers):
        raise ValueError("answers are 1 to 5")
    happy = sum(answer >= TOP_TWO for answer in answers)
    return Satisfaction(_ratio(happy, len(answers)), _ratio(len(answers), asked))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None
