"""Client transactions against the tables of RFC 3261 figures 5 and 6 and RFC 6026 figure 5."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.kernel.errors import IllegalTransition
from callcenter.sip.transaction import (
    T4,
    TIMEOUT,
    ClientInput,
    Deliver,
    RequestRepeated,
    ResponseReceived,
    Send,
    Terminated,
    Tick,
    Timeout,
    TransportError,
    TransportFailed,
)
from callcenter.sip.transaction_client import (
    InviteClient,
    RequestClient,
    resume_invite,
    start_invite,
    start_request,
)

RINGING = ResponseReceived(180)
OK = ResponseReceived(200)
BUSY = ResponseReceived(486, ack=b"ack")
BROKEN = TransportError()


def invite(state: str, *, reliable: bool = False) -> InviteClient:
    machine, _ = start_invite(b"invite", reliable=reliable, now=0.0)
    path: dict[str, list[ClientInput]] = {
        "calling": [],
        "proceeding": [RINGING],
        "completed": [BUSY],
        "accepted": [OK],
        "terminated": [BROKEN],
    }
    for event in path[state]:
        machine, _ = machine.handle(event, now=0.0)
    assert machine.state == state
    return machine


def request(state: str, *, reliable: bool = False) -> RequestClient:
    machine, _ = start_request(b"bye", reliable=reliable, now=0.0)
    path: dict[str, list[ClientInput]] = {
        "trying": [],
        "proceeding": [RINGING],
        "completed": [OK],
        "terminated": [BROKEN],
    }
    for event in path[state]:
        machine, _ = machine.handle(event, now=0.0)
    assert machine.state == state
    return machine


@pytest.mark.parametrize(
    ("state", "event", "after", "effects"),
    [
        ("calling", RINGING, "proceeding", [Deliver()]),
        ("calling", OK, "accepted", [Deliver()]),
        ("calling", BUSY, "completed", [Send(b"ack"), Deliver()]),
        ("calling", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("proceeding", RINGING, "proceeding", [Deliver()]),
        ("proceeding", OK, "accepted", [Deliver()]),
        ("proceeding", BUSY, "completed", [Send(b"ack"), Deliver()]),
        ("proceeding", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("completed", RINGING, "completed", []),
        ("completed", OK, "completed", []),
        ("completed", BUSY, "completed", [Send(b"ack")]),
        ("completed", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("accepted", RINGING, "accepted", []),
        ("accepted", OK, "accepted", [Deliver()]),
        ("accepted", BUSY, "accepted", []),
        ("accepted", BROKEN, "accepted", []),
        ("terminated", RINGING, "terminated", []),
        ("terminated", OK, "terminated", []),
        ("terminated", BUSY, "terminated", []),
        ("terminated", BROKEN, "terminated", []),
        ("terminated", Tick(), "terminated", []),
    ],
)
def test_invite_transitions(state: str, event: ClientInput, after: str, effects: list[object]) -> None:
    machine, done = invite(state).handle(event, now=1.0)
    assert (machine.state, done) == (after, effects)


@pytest.mark.parametrize(
    ("state", "event", "after", "effects"),
    [
        ("trying", RINGING, "proceeding", [Deliver()]),
        ("trying", OK, "completed", [Deliver()]),
        ("trying", BUSY, "completed", [Deliver()]),
        ("trying", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("proceeding", RINGING, "proceeding", [Deliver()]),
        ("proceeding", BUSY, "completed", [Deliver()]),
        ("proceeding", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("completed", RINGING, "completed", []),
        ("completed", OK, "completed", []),
        ("completed", BROKEN, "completed", []),
        ("terminated", OK, "terminated", []),
        ("terminated", BROKEN, "terminated", []),
        ("terminated", Tick(), "terminated", []),
    ],
)
def test_other_transitions(state: str, event: ClientInput, after: str, effects: list[object]) -> None:
    machine, done = request(state).handle(event, now=1.0)
    assert (machine.state, done) == (after, effects)


def run_timers(machine: InviteClient | RequestClient) -> tuple[list[float], str, float]:
    """The instants at which it sent again, how it ended and when."""
    sent: list[float] = []
    while (now := machine.next_deadline) is not None:
        machine, effects = machine.handle(Tick(), now=now)
        sent += [now for effect in effects if isinstance(effect, Send)]
        if Terminated() in effects:
            return sent, "timeout" if Timeout() in effects else "quiet", now
    return sent, machine.state, 0.0


def test_invite_is_repeated_at_doubling_intervals_and_times_out_after_64_t1() -> None:
    assert run_timers(invite("calling")) == ([0.5, 1.5, 3.5, 7.5, 15.5, 31.5], "timeout", TIMEOUT)


def test_other_request_is_repeated_at_intervals_capped_by_t2() -> None:
    sent, end, at = run_timers(request("trying"))
    assert sent == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert (end, at) == ("timeout", TIMEOUT)


def test_proceeding_request_is_repeated_every_t2() -> None:
    sent, end, at = run_timers(request("proceeding"))
    assert sent == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert (end, at) == ("timeout", TIMEOUT)


def test_nothing_is_repeated_over_a_reliable_transport() -> None:
    assert run_timers(invite("calling", reliable=True)) == ([], "timeout", TIMEOUT)
    machine, _ = start_request(b"bye", reliable=True, now=0.0)
    assert run_timers(machine) == ([], "timeout", TIMEOUT)


def test_completed_transaction_ends_at_once_over_a_reliable_transport() -> None:
    machine, _ = start_invite(b"invite", reliable=True, now=0.0)
    assert machine.handle(BUSY, now=1.0)[1] == [Send(b"ack"), Deliver(), Terminated()]
    other, _ = start_request(b"bye", reliable=True, now=0.0)
    assert other.handle(OK, now=1.0)[1] == [Deliver(), Terminated()]


def test_ringing_invite_waits_without_a_timer() -> None:
    assert invite("proceeding").next_deadline is None
    assert resume_invite(b"invite", reliable=False).next_deadline is None


@pytest.mark.parametrize("state", ["completed", "accepted"])
def test_answered_invite_absorbs_repetitions_for_64_t1(state: str) -> None:
    assert run_timers(invite(state)) == ([], "quiet", TIMEOUT)


def test_answered_request_absorbs_repetitions_for_t4() -> None:
    assert run_timers(request("completed")) == ([], "quiet", T4)


@pytest.mark.parametrize("machine", [invite("calling"), request("trying")])
def test_server_input_is_illegal(machine: InviteClient | RequestClient) -> None:
    with pytest.raises(IllegalTransition):
        machine.handle(RequestRepeated(), now=0.0)  # type: ignore[arg-type]  # the point of the test


EVENTS = st.one_of(
    st.just(Tick()),
    st.just(Tick()),
    st.sampled_from([RINGING, OK, BUSY, ResponseReceived(100), ResponseReceived(503, ack=b"ack")]),
    st.just(BROKEN),
)
STEPS = st.lists(st.tuples(st.floats(0.0, 3.0), EVENTS), min_size=30, max_size=60)


@given(steps=STEPS, reliable=st.booleans(), is_invite=st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_walk_ends_once_and_delivers_one_final_class(
    steps: list[tuple[float, ClientInput]], *, reliable: bool, is_invite: bool
) -> None:
    now = 0.0
    machine: InviteClient | RequestClient
    machine, effects = (
        start_invite(b"r", reliable=reliable, now=now)
        if is_invite
        else start_request(b"r", reliable=reliable, now=now)
    )
    assert effects == [Send(b"r")]
    finals: list[int] = []
    ends = 0
    for wait, event in steps:
        now += wait
        before = machine
        machine, effects = machine.handle(event, now=now)
        if isinstance(event, ResponseReceived) and event.status >= 200 and Deliver() in effects:
            finals.append(event.status // 100)
        ends += effects.count(Terminated())
        assert before.state != "terminated" or effects == []
        assert not (reliable and isinstance(event, Tick) and any(isinstance(effect, Send) for effect in effects))
        assert (machine.next_deadline is None) or machine.state not in ("terminated",)
        assert effects.count(Terminated()) == (before.state != "terminated" and machine.state == "terminated")
    assert ends <= 1
    assert len(set(finals)) <= 1
    assert is_invite or len(finals) <= 1
