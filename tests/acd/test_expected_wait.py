"""The wait that is told: learned from the moves of the line, corrected by what came of the promises before."""

import heapq
import random
from datetime import UTC, datetime, timedelta

from acd.policies.expected_wait import Estimate, Promise

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(milliseconds=round(seconds * 1000))


def moving_every(seconds: int, moves: int) -> Estimate:
    estimate = Estimate("billing").joined(START)
    for number in range(1, moves + 1):
        estimate = estimate.moved(at(number * seconds), left=1)
    return estimate


def test_no_wait_is_known_before_the_line_has_moved_a_few_times() -> None:
    assert moving_every(30, 2).raw(1) is None
    assert moving_every(30, 3).raw(1) == 30_000


def test_each_place_in_line_waits_for_one_move_more() -> None:
    assert moving_every(20, 10).raw(6) == 120_000


def test_the_newest_moves_count_most() -> None:
    estimate = moving_every(60, 20)
    for number in range(1, 31):
        estimate = estimate.moved(at(1200 + number * 10), left=1)
    raw = estimate.raw(1)
    assert raw is not None
    assert 10_000 <= raw <= 13_000


def test_a_time_when_nobody_waited_says_nothing_about_the_wait() -> None:
    estimate = moving_every(20, 5).moved(at(120), left=0)
    late = estimate.joined(at(9000)).moved(at(9020), left=0)
    assert late.raw(1) == 20_000


def test_promises_that_were_too_short_lengthen_the_next() -> None:
    estimate = Estimate("billing")
    for number in range(10):
        told = Promise(at(number * 500), 60_000, 60_000)
        estimate = estimate.settled(told, at(number * 500 + 120))
    assert estimate.factor_pm == 2000
    assert estimate.corrected(60_000) == 120_000


def test_a_few_promises_correct_nothing() -> None:
    estimate = Estimate("billing")
    for _ in range(4):
        estimate = estimate.settled(Promise(START, 60_000, 60_000), at(240))
    assert estimate.factor_pm == 1000


def test_the_error_and_its_direction_are_kept() -> None:
    estimate = Estimate("billing").settled(Promise(START, 100_000, 90_000), at(60))
    estimate = estimate.settled(Promise(START, 20_000, 20_000), at(60))
    assert (estimate.error_ms, estimate.bias_ms) == (40_000, 0)


def _day(*, servers: int, mean_s: float, gap_s: float, seed: int, blind_to: int = 1) -> tuple[list[int], list[int]]:
    """(told, came) in ms of a first-come line on which each third caller is told his wait.

    `blind_to` lets the estimate see each move that many times shorter than it was: something it cannot know.
    """
    chance = random.Random(seed)
    estimate, now, arrival, served = Estimate("billing"), 0.0, 0.0, 0
    line: list[tuple[float, Promise | None]] = []
    busy: list[float] = []
    told: list[int] = []
    came: list[int] = []
    while served < 2500:
        if busy and (busy[0] <= arrival):
            now = heapq.heappop(busy)
        else:
            now, number = arrival, len(line) + 1
            arrival += chance.expovariate(1 / gap_s)
            if len(busy) < servers:
                heapq.heappush(busy, now + chance.expovariate(1 / mean_s))
                continue
            estimate = estimate.joined(at(now))
            raw = estimate.raw(number)
            promise = None
            if raw is not None and chance.random() < 0.3:
                raw //= blind_to
                promise = Promise(at(now), estimate.corrected(raw), raw)
            line.append((now, promise))
        while line and len(busy) < servers:
            _, promise = line.pop(0)
            served += 1
            estimate = estimate.moved(at(now), left=len(line))
            if promise is not None:
                told.append(promise.told_ms)
                came.append(round(now * 1000) - round((promise.at - START).total_seconds() * 1000))
                estimate = estimate.settled(promise, at(now))
            heapq.heappush(busy, now + chance.expovariate(1 / mean_s))
    return told, came


def test_over_a_busy_day_the_waits_told_are_on_average_those_that_come() -> None:
    told, came = _day(servers=12, mean_s=180, gap_s=15.8, seed=7)
    assert len(told) > 200
    assert 0.8 < sum(told) / sum(came) < 1.25


def test_what_the_estimate_cannot_see_is_made_good_by_its_broken_promises() -> None:
    told, came = _day(servers=12, mean_s=180, gap_s=15.8, seed=7, blind_to=3)
    settled = len(told) // 4
    assert 0.75 < sum(told[settled:]) / sum(came[settled:]) < 1.3
