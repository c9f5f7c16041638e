"""Each known bug, brought back by one line, is caught by the test that tells its story."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.tickets import lives
from tests.tickets.policies import test_known_bugs as known_bugs
from tickets.policies import clocks, escalation

CLOCKS, ESCALATION = clocks, escalation
ANSWERED = "next((f.at for f in known if isinstance(f, MessageWritten) and f.is_human_answer), None)"
Story = Callable[[], None]
Mutant = tuple[ModuleType, str, str, Story]

# What is mutated, the line as it is, the line that brings the bug back, and who must notice.
MUTANTS: list[Mutant] = [
    (
        CLOCKS,
        "yield Interval(opened, closed, category, closed - opened,",
        "yield Interval(opened, closed, category, closed - opened - timedelta(minutes=1),",
        known_bugs.test_a_whole_day_has_24_hours_and_no_minute_is_lost_at_midnight,
    ),
    (
        ESCALATION,
        'if reading.is_closed or reading.standing == "gap":',
        'if reading.standing == "gap":',
        known_bugs.test_nothing_is_due_any_more_once_the_agent_has_replied,
    ),
    (
        CLOCKS,
        "return replace(condition, terms=terms)",
        "return replace(condition, terms=terms or condition.terms)",
        known_bugs.test_taking_a_policy_away_leaves_nothing_escalated,
    ),
    (
        CLOCKS,
        "if condition.status in DONE:",
        "if condition.status is None:",
        known_bugs.test_a_ticket_that_ended_before_its_time_does_not_escalate,
    ),
    (
        CLOCKS,
        "spans = calendar.open_spans(start, end)",
        "spans = iter([(start, end)])",
        known_bugs.test_business_hours_count_and_others_do_not,
    ),
    (
        CLOCKS,
        "spans = calendar.open_spans(start, end)",
        "spans = iter([(start, end)])",
        known_bugs.test_a_split_shift_pauses_for_lunch,
    ),
    (
        CLOCKS,
        "if condition.status in DONE:",
        "if condition.status is None:",
        known_bugs.test_first_response_does_not_run_on_a_resolved_ticket,
    ),
    (
        CLOCKS,
        "intervals.extend(_intervals(begin, end, category, stretch.condition.status, terms))",
        "intervals.extend(_intervals(begin, now, category, stretch.condition.status, terms))",
        known_bugs.test_how_late_it_was_does_not_grow_after_the_resolve,
    ),
    (
        CLOCKS,
        'return "paused" if condition.status in rule.pausing else "counted"',
        'return "counted"',
        known_bugs.test_time_on_hold_is_not_counted,
    ),
    (
        CLOCKS,
        'return "paused" if condition.status in rule.pausing else "counted"',
        'return "counted"',
        known_bugs.test_nothing_is_overdue_while_the_customer_is_waited_for,
    ),
    (
        CLOCKS,
        "readings = (_read(run, stretches, rules, now) for run in runs)",
        f"readings = (_read(replace(r, closed_at=r.closed_at or {ANSWERED}), stretches, rules, now) for r in runs)",
        known_bugs.test_one_reply_fulfils_one_clock,
    ),
    (
        CLOCKS,
        "business = sum((closed - opened for opened, closed in spans), NOTHING)",
        "business = end - start",
        known_bugs.test_a_hold_over_holidays_adds_no_business_time,
    ),
    (
        CLOCKS,
        "for stretch in seen:",
        "for stretch in [one for one in seen if one.condition.terms == last.terms]:",
        known_bugs.test_another_policy_remembers_the_accumulated_pause,
    ),
    (
        CLOCKS,
        "at = part.calendar.add_business_seconds(part.start, left.total_seconds())",
        "at = part.calendar.add_business_seconds(part.start, left.total_seconds()).replace(hour=0, minute=0)",
        known_bugs.test_a_span_of_days_falls_due_in_the_day_and_not_at_midnight,
    ),
    (
        CLOCKS,
        "until = now if run.closed_at is None else run.closed_at",
        "until = (now if run.closed_at is None else run.closed_at) + timedelta(hours=13)",
        lambda: known_bugs.test_no_ticket_is_late_at_its_creation_in_any_zone("Pacific/Auckland"),
    ),
]


@pytest.fixture
def mutant() -> Iterator[Callable[[ModuleType, str, str], ModuleType]]:
    """Makes a module anew with one line changed."""
    made: list[str] = []

    def make(module: ModuleType, line: str, wrong: str) -> ModuleType:
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        assert source.count(line) == 1
        name = f"{module.__name__}_mutant"
        made.append(name)
        changed = sys.modules[name] = ModuleType(name)
        exec(compile(source.replace(line, wrong), name, "exec"), changed.__dict__)
        return changed

    yield make
    for name in made:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("bug", MUTANTS, ids=[f"{number}" for number in range(len(MUTANTS))])
def test_the_story_of_a_bug_notices_its_return(
    monkeypatch: pytest.MonkeyPatch, mutant: Callable[[ModuleType, str, str], ModuleType], bug: Mutant
) -> None:
    module, line, wrong, story = bug
    story()
    changed = mutant(module, line, wrong)
    monkeypatch.setattr(lives, "read_clocks", getattr(changed, "read_clocks", clocks.read_clocks))
    monkeypatch.setattr(known_bugs, "pending_steps", getattr(changed, "pending_steps", escalation.pending_steps))
    with pytest.raises((AssertionError, ValueError)):
        story()
