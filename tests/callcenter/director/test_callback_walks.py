"""Random lives of callbacks: one place at most, one ringing phone at most, one end."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.director.machines import callback as cb

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULES = cb.CallbackRules(tries=3, retry_s=60, ring_s=25)
TAKEN: Counter[str] = Counter()
EXPECTED = {
    "waiting -> calling on Offered",
    "waiting -> waiting on TakenOut",
    "waiting -> over on TakenOut",
    "waiting -> waiting on NotReached",
    "calling -> calling on Offered",
    "calling -> over on Reached",
    "calling -> resting on NotReached",
    "calling -> over on NotReached",
    "calling -> resting on TakenOut",
    "calling -> over on TakenOut",
    "resting -> waiting on Tick",
    "resting -> resting on Tick",
    "resting -> resting on NotReached",
    "over -> over on Tick",
    "over -> over on NotReached",
}


class Walk:
    """A callback, its place in the queue and its customer's phone."""

    def __init__(self) -> None:
        self.now = NOW
        self.callback = cb.Callback("c0", "c0", "call", "+41441234567", "billing", NOW, rules=RULES)
        self.placed = self.rings = False
        self.ends = self.contacts = 0
        self.takes(cb.Begin())

    def may(self, choice: int) -> list[cb.CallbackInput]:
        """What may come now, in time or late."""
        self.contacts += 1
        reason = ("no_answer", "busy", "no_answer", "forbidden")[choice % 4]
        late: list[cb.CallbackInput] = [cb.Tick(f"c{self.contacts}"), cb.NotReached("cancelled")]
        if self.placed:
            late += [cb.Offered()] * 3
            late.append(cb.TakenOut("moved", "support") if choice % 2 else cb.TakenOut("cancelled"))
        if self.rings:
            late += [cb.Reached(), cb.NotReached(reason, rung=choice % 3 > 0), cb.NotReached("busy")]
        return late

    def steps(self, choice: int) -> "Walk":
        if self.callback.state is cb.CallbackState.OVER and choice % 5 == 0:
            return Walk()
        inputs = self.may(choice >> 4)
        event = inputs[choice % len(inputs)]
        if isinstance(event, cb.Tick) and choice % 3:
            self.now += timedelta(seconds=61)
        if isinstance(event, cb.TakenOut):
            self.placed = False
        if isinstance(event, cb.Reached | cb.NotReached):
            self.rings = False
        self.takes(event)
        return self

    def takes(self, event: cb.CallbackInput) -> None:
        before = self.callback
        self.callback, effects = before.handle(event, now=self.now)
        TAKEN[f"{before.state} -> {self.callback.state} on {type(event).__name__}"] += 1
        for effect in effects:
            self.follows(effect)
        assert self.ends == (self.callback.state is cb.CallbackState.OVER)
        assert (self.callback.retry_at is not None) == (self.callback.state is cb.CallbackState.RESTING)
        assert self.placed == (self.callback.state in {"waiting", "calling"} or self.reached(event))
        assert not self.rings or self.callback.state is cb.CallbackState.CALLING
        assert 0 <= self.callback.tries <= RULES.tries
        assert self.callback.since == NOW

    def reached(self, event: cb.CallbackInput) -> bool:
        """Whoever was reached stays in his queue, as an ordinary call."""
        return self.placed and self.callback.state is cb.CallbackState.OVER

    def follows(self, effect: cb.CallbackEffect) -> None:
        match effect:
            case cb.Enqueue():
                assert not self.placed, "two places"
                self.placed = True
            case cb.LeaveQueue():
                assert self.placed, "left twice"
                self.placed = False
            case cb.CallCustomer():
                assert not self.rings, "rung twice"
                self.rings = True
            case cb.HangUp():
                self.rings = False
            case cb.Closed():
                self.ends += 1


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 2**20), min_size=60, max_size=60))
def walks(choices: Sequence[int]) -> None:
    walk = Walk()
    for choice in choices:
        walk = walk.steps(choice)


def test_walks_keep_one_place_one_phone_and_one_end(capsys: pytest.CaptureFixture[str]) -> None:
    walks()
    with capsys.disabled():
        least = min((TAKEN[transition], transition) for transition in EXPECTED)
        print(f"\ncallback: {TAKEN.total()} steps, rarest {least}")  # asked to be printed
    assert {transition: TAKEN[transition] for transition in EXPECTED if TAKEN[transition] < 50} == {}
