"""Guessing gets slower and slower, alike for logins that exist and that do not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.identity import throttle as module
from callcenter.identity.throttle import FREE, FREE_FOR_ADDRESS, LONGEST_WAIT, LoginThrottle

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NONE = timedelta(0)


def after(count: int, login: str = "ann", source: str = "10.0.0.1") -> LoginThrottle:
    throttle = LoginThrottle()
    for _ in range(count):
        throttle = throttle.failed(login, source, now=NOW)
    return throttle


def test_first_guesses_are_free_and_the_next_one_waits() -> None:
    assert after(FREE - 1).wait("ann", "10.0.0.1", now=NOW) == NONE
    assert after(FREE).wait("ann", "10.0.0.1", now=NOW) == timedelta(seconds=2)


def test_each_further_guess_waits_twice_as_long_up_to_a_bound() -> None:
    waits = [after(FREE + n).wait("ann", "x", now=NOW).total_seconds() for n in range(4)]
    assert waits == [2, 4, 8, 16]
    assert after(FREE + 99).wait("ann", "x", now=NOW) == LONGEST_WAIT


def test_waiting_is_over_when_its_time_has_passed() -> None:
    throttle = after(FREE)
    assert throttle.wait("ann", "10.0.0.1", now=NOW + timedelta(seconds=2)) <= NONE


def test_login_is_throttled_from_every_address_and_in_every_case() -> None:
    assert after(FREE).wait("ANN", "10.9.9.9", now=NOW) > NONE


def test_other_login_from_another_address_is_not_throttled() -> None:
    assert after(FREE).wait("bob", "10.9.9.9", now=NOW) == NONE


def test_address_that_tries_many_logins_is_throttled() -> None:
    throttle = LoginThrottle()
    for n in range(FREE_FOR_ADDRESS):
        throttle = throttle.failed(f"user{n}", "10.0.0.1", now=NOW)
    assert throttle.wait("fresh", "10.0.0.1", now=NOW) > NONE
    assert throttle.wait("fresh", "10.0.0.2", now=NOW) == NONE


def test_success_clears_the_login_and_not_its_address() -> None:
    throttle = after(FREE_FOR_ADDRESS).succeeded("Ann")
    assert throttle.wait("ann", "10.9.9.9", now=NOW) == NONE
    assert throttle.wait("ann", "10.0.0.1", now=NOW) > NONE


def test_failures_are_forgotten_after_an_hour() -> None:
    later = NOW + timedelta(hours=1)
    throttle = after(FREE + 3).failed("ann", "10.0.0.1", now=later)
    assert throttle.wait("ann", "10.0.0.1", now=later) == NONE


def test_memory_is_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = LoginThrottle()
    monkeypatch.setattr(module, "MOST_KEYS", 6)
    for n in range(10):
        throttle = throttle.failed(f"user{n}", f"10.0.0.{n}", now=NOW)
    assert {key[1] for key in throttle.failures} == {f"user{n}" for n in (7, 8, 9)} | {
        f"10.0.0.{n}" for n in (7, 8, 9)
    }


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 2_000)), max_size=40))
def test_wait_is_never_longer_than_the_bound(guesses: list[tuple[str, str, int]]) -> None:
    throttle = LoginThrottle()
    now = NOW
    for login, source, seconds in guesses:
        now += timedelta(seconds=seconds)
        throttle = throttle.failed(login, source, now=now)
        assert throttle.wait(login, source, now=now) <= LONGEST_WAIT
