"""When a caller is sent elsewhere instead of waiting, and where to."""

from datetime import UTC, datetime, timedelta

from acd.policies.overflow import Crowd, OverflowRule, Target, leaves_at, on_arrival, on_empty

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CALM = Crowd(length=0, expected_wait_ms=0, staffed=True)
MAILBOX = Target("voicemail")


def test_a_full_line_turns_the_next_caller_away() -> None:
    rule = OverflowRule("length", 5, MAILBOX)
    assert on_arrival([rule], Crowd(4, None, staffed=True)) is None
    assert on_arrival([rule], Crowd(5, None, staffed=True)) is rule


def test_a_wait_longer_than_the_limit_turns_him_away_and_one_that_is_not_known_does_not() -> None:
    rule = OverflowRule("expected_wait", 300, Target("callback"))
    assert on_arrival([rule], Crowd(9, 300_000, staffed=True)) is None
    assert on_arrival([rule], Crowd(9, 300_001, staffed=True)) is rule
    assert on_arrival([rule], Crowd(9, None, staffed=True)) is None


def test_where_nobody_is_signed_in_who_could_serve_him_he_need_not_wait() -> None:
    rule = OverflowRule("no_agents", target=Target("announcement", "closed"))
    assert on_arrival([rule], CALM) is None
    assert on_arrival([rule], Crowd(0, None, staffed=False)) is rule
    assert on_empty([OverflowRule("length", 5), rule]) is rule


def test_the_first_rule_that_applies_decides() -> None:
    crowded = Crowd(50, 900_000, staffed=True)
    first, second = OverflowRule("length", 20, MAILBOX), OverflowRule("expected_wait", 60, Target("callback"))
    assert on_arrival([first, second], crowded) is first
    assert on_arrival([second, first], crowded) is second


def test_time_waited_turns_nobody_away_at_the_door() -> None:
    assert on_arrival([OverflowRule("waited", 0, MAILBOX)], Crowd(99, 10**9, staffed=True)) is None


def test_the_shortest_patience_decides_when_a_caller_leaves() -> None:
    late, soon = OverflowRule("waited", 600, MAILBOX), OverflowRule("waited", 60, Target("queue", "support"))
    assert leaves_at([late, soon], NOON) == (NOON + timedelta(seconds=60), soon)
    assert leaves_at([OverflowRule("length", 5)], NOON) is None


def test_a_target_is_told_with_its_name() -> None:
    texts = [Target().text, Target("queue", "sales").text, MAILBOX.text]
    assert texts == ["branch", "queue:sales", "voicemail"]
