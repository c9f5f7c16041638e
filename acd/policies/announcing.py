"""What a waiting caller is told, and when (acd.md section 3): his position, the wait to expect, a word of comfort."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class AnnouncePolicy:
    """Seconds throughout. `first_s` after he came, then every `every_s` (0: only once).

    `round_s`: waits are told in whole multiples of it, rounded up. What is above `most_position` or `most_wait_s`
    (0: no bound) is not told. `comfort_s`: a word of comfort when nothing was said for so long (0: never).
    """

    position: bool = False
    expected_wait: bool = False
    first_s: int = 10
    every_s: int = 60
    only_improved: bool = False
    round_s: int = 60
    most_position: int = 0
    most_wait_s: int = 0
    comfort_s: int = 0

    @property
    def tells(self) -> bool:
        return self.position or self.expected_wait


SILENT = AnnouncePolicy()


@dataclass(frozen=True, slots=True)
class Told:
    """What is said at once; None: not mentioned."""

    position: int | None = None
    wait_s: int | None = None


NOTHING = Told()


def to_tell(policy: AnnouncePolicy, *, position: int, wait_ms: int | None, last: Told) -> Told:
    """What to say to one who stands at `position` and may expect `wait_ms`, after he was told `last`."""
    spoken = rounded(wait_ms, policy.round_s)
    return Told(
        _worth(position if policy.position else None, last.position, policy.most_position, policy),
        _worth(spoken if policy.expected_wait else None, last.wait_s, policy.most_wait_s, policy),
    )


def remembered(last: Told, told: Told) -> Told:
    """The newest of each that he has heard."""
    return Told(
        last.position if told.position is None else told.position, last.wait_s if told.wait_s is None else told.wait_s
    )


def rounded(wait_ms: int | None, round_s: int) -> int | None:
    """Seconds as they are spoken: the next whole multiple of `round_s`, at least one."""
    if wait_ms is None:
        return None
    unit_ms = round_s * 1000
    return max(1, -(-wait_ms // unit_ms)) * round_s


def _worth(value: int | None, last: int | None, most: int, policy: AnnouncePolicy) -> int | None:
    if value is None or (most and value > most):
        return None
    worse = policy.only_improved and last is not None and value >= last
    return None if worse else value


def first_at(policy: AnnouncePolicy, since: datetime) -> datetime | None:
    """When one who waits since `since` is told for the first time."""
    return since + timedelta(seconds=policy.first_s) if policy.tells else None


def next_at(policy: AnnouncePolicy, now: datetime) -> datetime | None:
    """When he is told again after `now`."""
    return now + timedelta(seconds=policy.every_s) if policy.tells and policy.every_s else None


def comfort_at(policy: AnnouncePolicy, now: datetime) -> datetime | None:
    """When he is comforted if nothing is said after `now`."""
    return now + timedelta(seconds=policy.comfort_s) if policy.comfort_s else None
