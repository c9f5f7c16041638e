"""Server transactions against the tables of RFC 3261 figures 7 and 8 and RFC 6026 figure 3."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.kernel.errors import IllegalTransition
from callcenter.sip.transaction import (
    T4,
    TIMEOUT,
    AckReceived,
    Deliver,
    RequestRepeated,
    Respond,
    Send,
    ServerInput,
    Terminated,
    Tick,
    Timeout,
    TransportError,
    TransportFailed,
)
from callcenter.sip.transaction_server import Answer, InviteServer, RequestServer, start_answer

RINGING = Respond(180, b"180")
OK = Respond(200, b"200")
BUSY = Respond(486, b"486")
AGAIN = RequestRepeated()
ACK = AckReceived()
BROKEN = TransportError()


def invite(state: str, *, reliable: bool = False) -> InviteServer:
    machine = InviteServer(reliable)
    path: dict[str, list[ServerInput]] = {
        "proceeding": [RINGING],
        "completed": [BUSY],
        "confirmed": [BUSY, ACK],
        "accepted": [OK],
        "terminated": [BROKEN],
    }
    for event in path[state]:
        machine, _ = machine.handle(event, now=0.0)
    assert machine.state == state
    return machine


def request(state: str, *, reliable: bool = False) -> RequestServer:
    machine = RequestServer(reliable)
    path: dict[str, list[ServerInput]] = {
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
        ("proceeding", AGAIN, "proceeding", [Send(b"180")]),
        ("proceeding", RINGING, "proceeding", [Send(b"180")]),
        ("proceeding", OK, "accepted", [Send(b"200")]),
        ("proceeding", BUSY, "completed", [Send(b"486")]),
        ("proceeding", ACK, "proceeding", []),
        ("proceeding", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("completed", AGAIN, "completed", [Send(b"486")]),
        ("completed", ACK, "confirmed", []),
        ("completed", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("confirmed", AGAIN, "confirmed", []),
        ("confirmed", ACK, "confirmed", []),
        ("confirmed", BROKEN, "confirmed", []),
        ("accepted", AGAIN, "accepted", []),
        ("accepted", OK, "accepted", [Send(b"200")]),
        ("accepted", ACK, "accepted", [Deliver()]),
        ("accepted", BROKEN, "accepted", []),
        ("terminated", AGAIN, "terminated", []),
        ("terminated", ACK, "terminated", []),
        ("terminated", BROKEN, "terminated", []),
    ],
)
def test_invite_transitions(state: str, event: ServerInput, after: str, effects: list[object]) -> None:
    machine, done = invite(state).handle(event, now=0.1)
    assert (machine.state, done) == (after, effects)


@pytest.mark.parametrize(
    ("state", "event", "after", "effects"),
    [
        ("trying", AGAIN, "trying", []),
        ("trying", RINGING, "proceeding", [Send(b"180")]),
        ("trying", OK, "completed", [Send(b"200")]),
        ("trying", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("proceeding", AGAIN, "proceeding", [Send(b"180")]),
        ("proceeding", BUSY, "completed", [Send(b"486")]),
        ("proceeding", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("completed", AGAIN, "completed", [Send(b"200")]),
        ("completed", BROKEN, "terminated", [TransportFailed(), Terminated()]),
        ("terminated", AGAIN, "terminated", []),
        ("terminated", Tick(), "terminated", []),
        ("terminated", BROKEN, "terminated", []),
    ],
)
def test_other_transitions(state: str, event: ServerInput, after: str, effects: list[object]) -> None:
    machine, done = request(state).handle(event, now=0.1)
    assert (machine.state, done) == (after, effects)


@pytest.mark.parametrize("state", ["completed", "confirmed", "terminated"])
def test_second_final_answer_is_illegal(state: str) -> None:
    with pytest.raises(IllegalTransition):
        invite(state).handle(OK, now=0.0)
    with pytest.raises(IllegalTransition):
        request("completed").handle(BUSY, now=0.0)


def test_refusal_cannot_follow_acceptance() -> None:
    with pytest.raises(IllegalTransition):
        invite("accepted").handle(BUSY, now=0.0)


def test_ack_is_no_input_of_other_requests() -> None:
    with pytest.raises(IllegalTransition):
        request("trying").handle(ACK, now=0.0)


def run_timers(machine: InviteServer | RequestServer | Answer) -> tuple[list[float], str, float]:
    """The instants at which it sent again, how it ended and when."""
    sent: list[float] = []
    while (now := machine.next_deadline) is not None:
        machine, effects = machine.handle(Tick(), now=now)
        sent += [now for effect in effects if isinstance(effect, Send)]
        if Terminated() in effects:
            return sent, "timeout" if Timeout() in effects else "quiet", now
    return sent, "waits", 0.0


DOUBLING = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def test_refusal_is_repeated_until_timer_h() -> None:
    assert run_timers(invite("completed")) == (DOUBLING, "timeout", TIMEOUT)


def test_refusal_is_not_repeated_over_a_reliable_transport() -> None:
    assert run_timers(invite("completed", reliable=True)) == ([], "timeout", TIMEOUT)


def test_acknowledged_refusal_is_kept_for_t4() -> None:
    assert run_timers(invite("confirmed")) == ([], "quiet", T4)


def test_acknowledged_refusal_ends_at_once_over_a_reliable_transport() -> None:
    machine, effects = invite("completed", reliable=True).handle(ACK, now=0.1)
    assert (machine.state, effects) == ("terminated", [Terminated()])


def test_accepted_invite_is_kept_for_timer_l() -> None:
    assert run_timers(invite("accepted")) == ([], "quiet", TIMEOUT)


def test_ringing_invite_has_no_timer() -> None:
    assert run_timers(invite("proceeding")) == ([], "waits", 0.0)


def test_answered_request_is_kept_for_timer_j() -> None:
    assert run_timers(request("completed")) == ([], "quiet", TIMEOUT)


def test_answered_request_ends_at_once_over_a_reliable_transport() -> None:
    machine, effects = RequestServer(reliable=True).handle(OK, now=0.0)
    assert (machine.state, effects) == ("terminated", [Send(b"200"), Terminated()])


def test_2xx_is_repeated_until_64_t1() -> None:
    assert run_timers(start_answer(b"200", now=0.0)) == (DOUBLING, "timeout", TIMEOUT)


def test_ack_ends_the_repetition_of_the_2xx() -> None:
    answer, effects = start_answer(b"200", now=0.0).handle(ACK, now=1.0)
    assert (effects, answer.next_deadline) == ([Terminated()], None)
    assert answer.handle(Tick(), now=50.0) == (answer, [])


EVENTS = st.one_of(st.just(Tick()), st.sampled_from([AGAIN, ACK, RINGING, OK, BUSY, BROKEN]))
STEPS = st.lists(st.tuples(st.floats(0.0, 3.0), EVENTS), min_size=30, max_size=60)


@given(steps=STEPS, reliable=st.booleans(), is_invite=st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_walk_ends_once_and_never_changes_its_final_answer(
    steps: list[tuple[float, ServerInput]], *, reliable: bool, is_invite: bool
) -> None:
    now = 0.0
    machine: InviteServer | RequestServer = InviteServer(reliable) if is_invite else RequestServer(reliable)
    sent: list[bytes] = []
    for wait, event in steps:
        now += wait
        before = machine
        try:
            machine, effects = machine.handle(event, now=now)
        except IllegalTransition:
            assert isinstance(event, AckReceived) or before.state not in ("trying", "proceeding")
            continue
        sent += [effect.data for effect in effects if isinstance(effect, Send)]
        assert effects.count(Terminated()) == (before.state != "terminated" and machine.state == "terminated")
        assert machine.state != "terminated" or machine.next_deadline is None
    assert len({data for data in sent if data != b"180"}) <= 1
