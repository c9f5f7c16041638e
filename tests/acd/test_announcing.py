"""What a waiting caller is told of his place and his wait."""

from acd.policies.announcing import AnnouncePolicy, Told, remembered, rounded, to_tell

BOTH = AnnouncePolicy(position=True, expected_wait=True)
FIRST = Told()


def test_position_and_wait_are_told_together() -> None:
    assert to_tell(BOTH, position=3, wait_ms=200_000, last=FIRST) == Told(3, 240)


def test_a_wait_is_rounded_up_so_that_nobody_waits_longer_than_he_was_told_by_the_rounding() -> None:
    assert [rounded(ms, 60) for ms in (0, 1, 60_000, 60_001, 150_000)] == [60, 60, 60, 120, 180]
    assert rounded(31_000, 10) == 40
    assert rounded(None, 60) is None


def test_a_wait_that_is_not_known_is_not_told() -> None:
    assert to_tell(BOTH, position=3, wait_ms=None, last=FIRST) == Told(3, None)


def test_only_what_the_queue_asks_for_is_told() -> None:
    assert to_tell(AnnouncePolicy(position=True), position=2, wait_ms=9000, last=FIRST) == Told(2, None)
    assert to_tell(AnnouncePolicy(expected_wait=True), position=2, wait_ms=9000, last=FIRST) == Told(None, 60)


def test_a_long_line_and_a_long_wait_may_be_kept_from_the_caller() -> None:
    shy = AnnouncePolicy(position=True, expected_wait=True, most_position=10, most_wait_s=600)
    assert to_tell(shy, position=11, wait_ms=700_000, last=FIRST) == Told()
    assert to_tell(shy, position=10, wait_ms=600_000, last=FIRST) == Told(10, 600)


def test_only_when_improved_says_nothing_of_what_became_no_better() -> None:
    better = AnnouncePolicy(position=True, expected_wait=True, only_improved=True)
    assert to_tell(better, position=3, wait_ms=180_000, last=Told(3, 180)) == Told()
    assert to_tell(better, position=2, wait_ms=300_000, last=Told(3, 180)) == Told(2, None)
    assert to_tell(better, position=2, wait_ms=60_000, last=Told(2, 180)) == Told(None, 60)


def test_what_was_told_before_is_remembered_where_the_newest_words_left_it_out() -> None:
    assert remembered(Told(3, 180), Told(2, None)) == Told(2, 180)
