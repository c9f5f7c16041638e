"""Who may send how much."""

from callcenter.sip.limits import SourceLimits, TokenBucket


def admitted(limits: SourceLimits, address: str, now: float, tries: int) -> int:
    return sum(limits.admit(address, now) for _ in range(tries))


def test_a_burst_passes_then_the_rate_holds() -> None:
    limits = SourceLimits(rate=8, burst=4)
    assert admitted(limits, "192.0.2.1", 0.0, 20) == 4
    assert admitted(limits, "192.0.2.1", 0.5, 20) == 4
    assert admitted(limits, "192.0.2.1", 0.625, 20) == 1


def test_one_source_does_not_pay_for_another() -> None:
    limits = SourceLimits(rate=1, burst=2)
    assert admitted(limits, "192.0.2.1", 0.0, 9) == 2
    assert admitted(limits, "192.0.2.2", 0.0, 9) == 2


def test_an_exempt_source_always_passes() -> None:
    limits = SourceLimits(rate=1, burst=1, exempt=["192.0.2.1"])
    assert admitted(limits, "192.0.2.1", 0.0, 1000) == 1000
    assert len(limits) == 0


def test_forged_sources_share_one_bucket_once_the_table_is_full() -> None:
    limits = SourceLimits(rate=1, burst=2, max_sources=3)
    known = sum(admitted(limits, f"192.0.2.{n}", 0.0, 2) for n in range(3))
    strangers = sum(admitted(limits, f"198.51.100.{n}", 0.0, 2) for n in range(100))
    assert (known, strangers, len(limits)) == (6, 2, 3)


def test_a_source_that_has_been_quiet_makes_room() -> None:
    limits = SourceLimits(rate=1, burst=2, max_sources=1)
    assert limits.admit("192.0.2.1", 0.0)
    assert admitted(limits, "192.0.2.2", 10.0, 5) == 2
    assert len(limits) == 1


def test_time_that_stands_still_gives_nothing_back() -> None:
    bucket = TokenBucket(rate=5, burst=1, now=100.0)
    assert [bucket.admit(100.0), bucket.admit(100.0), bucket.admit(99.0)] == [True, False, False]


def test_an_empty_bucket_tells_when_to_come_back() -> None:
    bucket = TokenBucket(rate=4, burst=1, now=0.0)
    assert bucket.retry_after_s(0.0) == 0.0
    bucket.admit(0.0)
    assert bucket.retry_after_s(0.0) == 0.25
