"""The leg's machine, story by story and by random walks."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.commands import Accept, Dial, HangUp, Ring
from callcenter.calls.machines.leg import LegInput, LegMachine
from callcenter.calls.model import Direction, EndedBy, Ending, Leg, LegState, Role, SessionState
from callcenter.calls.ports import Codec, MediaDescription, Target
from callcenter.kernel.errors import IllegalTransition

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PEER = MediaDescription("127.0.0.9", 4000, ((0, Codec.PCMU),), 101)
TARGET = Target("sip:1001@127.0.0.1:5080", "127.0.0.1", 5080, "udp", "9001")
OPENED = ev.SessionOpened("leg", "w1", "127.0.0.1", 20000)
STATS = ev.MediaStats(packets_received=50)


def inbound(offer: MediaDescription | None = PEER) -> Leg:
    return Leg("leg", "call", Direction.INBOUND, Role.CUSTOMER, "trunk", offer=offer)


def outbound() -> Leg:
    return Leg("leg", "call", Direction.OUTBOUND, Role.AGENT, "1001")


def run(leg: Leg, *inputs: LegInput) -> tuple[Leg, list[fx.LegEffect]]:
    effects: list[fx.LegEffect] = []
    for event in inputs:
        leg, more = LegMachine(leg).handle(event, now=NOW)
        effects += more
    return leg, effects


def kinds(effects: list[fx.LegEffect]) -> list[type]:
    return [type(effect) for effect in effects]


def test_an_accepted_caller_gets_200_when_the_session_is_there() -> None:
    leg, effects = run(inbound(), Accept(), OPENED, ev.AckArrived("leg", None))
    assert kinds(effects) == [fx.OpenMedia, fx.MediaOpened, fx.SendAnswer, fx.Answered]
    assert leg.state is LegState.UP
    assert leg.remote == PEER


def test_a_late_offer_is_answered_only_with_the_ack() -> None:
    leg, effects = run(inbound(None), Accept(), OPENED)
    assert kinds(effects) == [fx.OpenMedia, fx.MediaOpened, fx.SendAnswer]
    leg, effects = run(leg, ev.AckArrived("leg", PEER))
    assert kinds(effects) == [fx.ConnectMedia, fx.Answered]
    assert leg.state is LegState.UP


def test_a_late_offer_without_an_answer_is_hung_up() -> None:
    leg, effects = run(inbound(None), Accept(), OPENED, ev.AckArrived("leg", None))
    assert kinds(effects)[3:] == [fx.SendBye, fx.CloseMedia, fx.Ended]
    assert leg.ending == Ending(EndedBy.US, "no_common_codec")


def test_no_common_codec_is_488_and_takes_no_session() -> None:
    leg, effects = run(inbound(replace(PEER, codecs=())), Accept())
    assert effects[0] == fx.SendReject(488)
    assert leg.session is SessionState.NONE


def test_a_cancel_before_the_answer_ends_the_leg_without_a_word() -> None:
    leg, effects = run(inbound(), Ring(), ev.CancelArrived("leg"))
    assert effects == [fx.SendRing(), fx.Ended(Ending(EndedBy.PEER, "cancelled", 487), answered=False)]
    assert not leg.is_live


def test_a_cancel_while_the_session_opens_closes_it_when_it_comes() -> None:
    leg, _ = run(inbound(), Accept(), ev.CancelArrived("leg"))
    leg, effects = run(leg, OPENED)
    assert kinds(effects) == [fx.MediaOpened, fx.CloseMedia]
    assert leg.session is SessionState.CLOSING


def test_a_called_phone_rings_and_answers() -> None:
    leg, effects = run(
        outbound(), Dial(TARGET), OPENED, ev.Progressed("leg", 180, None), ev.InviteAccepted("leg", PEER)
    )
    assert kinds(effects) == [
        fx.OpenMedia,
        fx.MediaOpened,
        fx.SendInvite,
        fx.Rang,
        fx.ConnectMedia,
        fx.Answered,
    ]
    assert leg.state is LegState.UP


@pytest.mark.parametrize(
    ("status", "reason"),
    [(486, "busy"), (600, "busy"), (603, "declined"), (408, "unreachable"), (503, "unreachable"), (403, "refused")],
)
def test_a_refusal_before_ringing_has_its_reason(status: int, reason: str) -> None:
    leg, _ = run(outbound(), Dial(TARGET), OPENED, ev.InviteRefused("leg", status, ""))
    assert leg.ending == Ending(EndedBy.PEER, reason, status)


def test_100_is_a_sign_of_life_and_no_ringing() -> None:
    leg, effects = run(outbound(), Dial(TARGET), OPENED, ev.Progressed("leg", 100, None))
    assert (leg.state, effects[-1]) == (LegState.INVITING, fx.Tried())
    leg, _ = run(leg, ev.InviteRefused("leg", 408, ""))
    assert leg.ending == Ending(EndedBy.PEER, "unreachable", 408)


def test_a_timeout_after_ringing_is_no_answer() -> None:
    leg, _ = run(outbound(), Dial(TARGET), OPENED, ev.Progressed("leg", 180, None), ev.InviteRefused("leg", 408, ""))
    assert leg.ending == Ending(EndedBy.PEER, "no_answer", 408)


def test_a_ringing_phone_that_is_not_wanted_any_more_is_cancelled() -> None:
    leg, effects = run(outbound(), Dial(TARGET), OPENED, HangUp("caller_left"))
    assert kinds(effects)[-3:] == [fx.SendCancel, fx.CloseMedia, fx.Ended]
    _, late = run(leg, ev.InviteAccepted("leg", PEER))
    assert late == []


def test_an_answered_leg_is_ended_by_bye_and_its_statistics_follow() -> None:
    leg, _ = run(inbound(), Accept(), OPENED, ev.AckArrived("leg", None))
    leg, effects = run(leg, HangUp("flow"), ev.SessionClosed("leg", STATS, 1000))
    assert kinds(effects) == [fx.SendBye, fx.CloseMedia, fx.Ended, fx.MediaClosed]
    assert effects[-1] == fx.MediaClosed(STATS, 1000)


def test_a_lost_worker_ends_the_call_with_a_reason() -> None:
    leg, _ = run(inbound(), Accept(), OPENED, ev.AckArrived("leg", None))
    leg, effects = run(leg, ev.SessionLost("leg", "w1"))
    assert kinds(effects) == [fx.MediaClosed, fx.SendBye, fx.Ended]
    assert leg.ending == Ending(EndedBy.US, "media_lost")


def test_a_digit_delivered_twice_is_one_digit() -> None:
    leg, _ = run(inbound(), Accept(), OPENED)
    _, effects = run(leg, ev.DigitPressed("leg", 1, "5"), ev.DigitPressed("leg", 1, "5"))
    assert effects == [fx.Pressed(1, "5")]


def test_an_answer_to_a_refresh_is_told_to_the_worker_only_where_it_is_new() -> None:
    leg, _ = run(outbound(), Dial(TARGET), OPENED, ev.InviteAccepted("leg", PEER))
    assert run(leg, ev.MediaMoved("leg", PEER)) == (leg, [])
    moved = replace(PEER, port=PEER.port + 2)
    leg, effects = run(leg, ev.MediaMoved("leg", moved))
    assert (leg.remote, effects) == (moved, [fx.ConnectMedia(moved)])


def test_hold_and_resume_are_answered_in_kind() -> None:
    leg, _ = run(inbound(), Accept(), OPENED, ev.AckArrived("leg", None))
    held = replace(PEER, direction="sendonly")
    leg, effects = run(leg, ev.ReinviteArrived("leg", held))
    assert effects[0] == fx.ConnectMedia(held)
    assert isinstance(effects[1], fx.SendAnswer)
    assert effects[1].local.direction == "recvonly"
    assert effects[2] == fx.Held(True)
    assert leg.state is LegState.UP
    leg, effects = run(leg, ev.ReinviteArrived("leg", replace(PEER, direction="inactive")))
    assert fx.Held not in kinds(effects)
    leg, effects = run(leg, ev.ReinviteArrived("leg", PEER))
    assert effects[-1] == fx.Held(False)


def test_a_hold_in_the_answer_to_our_offer_is_seen_too() -> None:
    leg, _ = run(inbound(), Accept(), OPENED, ev.AckArrived("leg", None), ev.ReinviteArrived("leg", None))
    _, effects = run(leg, ev.AckArrived("leg", replace(PEER, direction="sendonly")))
    assert effects[-1] == fx.Held(True)


def test_a_reinvite_that_shares_no_codec_leaves_the_call_as_it_was() -> None:
    leg, _ = run(inbound(), Accept(), OPENED, ev.AckArrived("leg", None))
    after, effects = run(leg, ev.ReinviteArrived("leg", replace(PEER, codecs=())))
    assert effects == [fx.SendReject(488)]
    assert after == leg


def test_dialling_an_inbound_leg_is_illegal() -> None:
    with pytest.raises(IllegalTransition):
        run(inbound(), Dial(TARGET))


PEER_INPUTS: list[LegInput] = [
    OPENED,
    ev.SessionFailed("leg", "no_port"),
    ev.SessionLost("leg", "w1"),
    ev.SessionClosed("leg", STATS),
    ev.AckArrived("leg", PEER),
    ev.CancelArrived("leg"),
    ev.ByeArrived("leg"),
    ev.DialogLost("leg", "timeout"),
    ev.ReinviteArrived("leg", PEER),
    ev.ReinviteArrived("leg", None),
    ev.MediaSilent("leg"),
    ev.DigitPressed("leg", 1, "5"),
    HangUp("test"),
]
INBOUND_INPUTS: list[LegInput] = [*PEER_INPUTS, Ring(), Accept()]
OUTBOUND_INPUTS: list[LegInput] = [
    *PEER_INPUTS,
    ev.Progressed("leg", 180, None),
    ev.InviteAccepted("leg", PEER),
    ev.InviteRefused("leg", 486, ""),
]


def _walk(leg: Leg, inputs: list[LegInput]) -> list[tuple[Leg, list[fx.LegEffect]]]:
    trail: list[tuple[Leg, list[fx.LegEffect]]] = [(leg, [])]
    for event in inputs:
        try:
            leg, effects = LegMachine(leg).handle(event, now=NOW)
        except IllegalTransition:
            continue
        trail.append((leg, effects))
    return trail


def _assert_sound(trail: list[tuple[Leg, list[fx.LegEffect]]]) -> None:
    seen = Counter(type(effect) for _, effects in trail for effect in effects)
    assert seen[fx.Ended] <= 1, "a leg ends once"
    assert seen[fx.Answered] <= 1, "a leg is answered once"
    assert seen[fx.OpenMedia] <= 1
    assert seen[fx.CloseMedia] <= 1
    assert seen[fx.MediaClosed] <= 1
    for (before, _), (after, effects) in pairwise(trail):
        if not before.is_live:
            assert not after.is_live, "the dead stay dead"
            assert not {fx.SendBye, fx.SendAnswer, fx.SendInvite} & set(kinds(effects))
        farewells = {fx.SendBye, fx.SendCancel} & set(kinds(effects))
        assert len(farewells) <= 1
    last = trail[-1][0]
    if not last.is_live and last.session is SessionState.OPEN:
        pytest.fail("a session was left behind")


def _walks(leg: Callable[[], Leg], first: LegInput, inputs: list[LegInput]) -> Callable[[], None]:
    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.sampled_from(inputs), min_size=30, max_size=40))
    def walk(events: list[LegInput]) -> None:
        _assert_sound(_walk(leg(), [first, *events]))

    return walk


def test_no_walk_of_an_inbound_leg_breaks_it() -> None:
    _walks(inbound, Accept(), INBOUND_INPUTS)()


def test_no_walk_of_an_outbound_leg_breaks_it() -> None:
    _walks(outbound, Dial(TARGET), OUTBOUND_INPUTS)()
