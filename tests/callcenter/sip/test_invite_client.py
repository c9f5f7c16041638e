"""Calls that we place: ringing, answer, refusal, CANCEL, forks, hang-up, re-INVITE."""

from dataclasses import replace

import pytest

from callcenter.calls.events import ByeArrived, DialogLost, InviteAccepted, InviteRefused, Progressed
from callcenter.calls.ports import Target
from callcenter.sip.hop import Hop
from callcenter.sip.invite_client import ReinviteEnded
from callcenter.sip.message import Request
from callcenter.sip.sdp import parse_sdp
from tests.support.sip import OUR_MEDIA, PEER_MEDIA, PHONE, Peer, SipWorld, respond, sdp

TARGET = Target("sip:m1@10.0.0.3:5070", "10.0.0.3", 5070, "udp", "900", "Zoë")


@pytest.fixture
def world() -> SipWorld:
    return SipWorld()


def dialled(world: SipWorld, target: Target = TARGET) -> Request:
    """The INVITE of a call placed on leg `out`."""
    world.do(lambda unit: world.agent.invite(unit, "out", target, OUR_MEDIA))
    (invite,) = world.take()
    assert isinstance(invite, Request)
    return invite


def up(world: SipWorld) -> tuple[Request, Peer]:
    """A call that is up, and the called party as it may send requests."""
    invite = dialled(world)
    world.receive(respond(invite, 200, body=sdp()), PHONE)
    world.take()
    peer = Peer(PHONE, "m1", "900", tag="calledtag", call_id="out", to_tag="out")
    return invite, peer


def test_invite_says_who_calls_whom(world: SipWorld) -> None:
    world.do(lambda unit: world.agent.invite(unit, "out", TARGET, OUR_MEDIA))
    ((invite, hop),) = world.take_routed()
    assert isinstance(invite, Request)
    assert hop == PHONE
    assert invite.uri.text == "sip:m1@10.0.0.3:5070"
    assert (invite.from_address.uri.user, invite.from_address.name, invite.from_tag) == ("900", "Zoë", "out")
    assert (invite.to_address.uri.text, invite.to_tag) == ("sip:m1@10.0.0.3:5070", None)
    assert (invite.call_id, invite.cseq, invite.via.branch) == ("out", 1, "z9hG4bKout-1-invite")
    assert parse_sdp(invite.body).audio == OUR_MEDIA


def test_call_rings_and_is_answered(world: SipWorld) -> None:
    invite = dialled(world)
    world.receive(respond(invite, 100), PHONE)
    world.receive(respond(invite, 100), PHONE)
    assert world.inputs == [Progressed("out", 100, None)]
    world.receive(respond(invite, 180), PHONE)
    world.receive(respond(invite, 180), PHONE)
    assert world.inputs[1:] == [Progressed("out", 180, None)]
    world.receive(respond(invite, 200, body=sdp()), PHONE)
    assert world.last() == InviteAccepted("out", PEER_MEDIA)
    (ack,) = world.take()
    assert isinstance(ack, Request)
    assert (ack.method, ack.cseq, ack.to_tag, ack.uri.text) == ("ACK", 1, "calledtag", "sip:m1@10.0.0.3:5070")
    assert ack.via.branch != invite.via.branch


def test_repeated_200_gets_its_ack_again_and_nothing_else(world: SipWorld) -> None:
    invite, _ = up(world)
    world.receive(respond(invite, 200, body=sdp()), PHONE)
    assert world.take_lines() == ["ACK"]
    assert len(world.inputs) == 1


def test_200_without_usable_sdp_is_told_as_such(world: SipWorld) -> None:
    invite = dialled(world)
    world.receive(respond(invite, 200), PHONE)
    assert world.last() == InviteAccepted("out", None)
    assert world.take_lines() == ["ACK"]


def test_unanswered_invite_is_repeated_then_refused_as_timeout(world: SipWorld) -> None:
    dialled(world)
    world.loop.advance(32)
    assert world.take_lines() == ["INVITE"] * 6
    assert world.last() == InviteRefused("out", 408, "timeout")
    assert world.rows_of("dialog") == []


def test_provisional_response_stops_the_repetition_for_good(world: SipWorld) -> None:
    invite = dialled(world)
    world.receive(respond(invite, 100), PHONE)
    world.loop.advance(300)
    assert world.take() == []
    assert world.inputs == [Progressed("out", 100, None)]


@pytest.mark.parametrize("status", [302, 401, 407, 486, 503, 603])
def test_refusal_is_acknowledged_and_told_whatever_it_is(world: SipWorld, status: int) -> None:
    invite = dialled(world)
    challenge = (
        'Proxy-Authenticate: Digest realm="test", nonce="n"',
        'WWW-Authenticate: Digest realm="test", nonce="n"',
    )
    world.receive(respond(invite, status, headers=challenge, contact="sip:evil@10.0.0.66"), PHONE)
    (ack,) = world.take()
    assert isinstance(ack, Request)
    assert (ack.method, ack.via.branch, ack.to_tag, ack.cseq) == ("ACK", invite.via.branch, "calledtag", 1)
    assert world.last() == InviteRefused("out", status, "refused")
    world.receive(respond(invite, status), PHONE)
    assert world.take_lines() == ["ACK"]
    world.loop.advance(60)
    assert world.agent.transaction_count == 0


def test_cancel_waits_for_a_provisional_response(world: SipWorld) -> None:
    invite = dialled(world)
    world.do(lambda unit: world.agent.cancel(unit, "out"))
    assert world.take() == []
    world.receive(respond(invite, 180), PHONE)
    (cancel,) = world.take()
    assert isinstance(cancel, Request)
    assert (cancel.method, cancel.via.branch, cancel.cseq, cancel.to_tag) == ("CANCEL", invite.via.branch, 1, None)
    world.receive(respond(cancel, 200), PHONE)
    world.receive(respond(invite, 487), PHONE)
    assert world.take_lines() == ["ACK"]
    assert world.inputs == [InviteRefused("out", 487, "cancelled")]
    assert world.rows_of("dialog") == []


def test_cancel_of_a_ringing_call_leaves_at_once(world: SipWorld) -> None:
    invite = dialled(world)
    world.receive(respond(invite, 180), PHONE)
    world.do(lambda unit: world.agent.cancel(unit, "out"))
    world.do(lambda unit: world.agent.cancel(unit, "out"))
    assert world.take_lines() == ["CANCEL"]


def test_200_that_crosses_our_cancel_is_acknowledged_then_ended(world: SipWorld) -> None:
    invite = dialled(world)
    world.receive(respond(invite, 180), PHONE)
    world.do(lambda unit: world.agent.cancel(unit, "out"))
    world.receive(respond(invite, 200, body=sdp()), PHONE)
    assert world.take_lines() == ["CANCEL", "ACK", "BYE"]
    assert world.inputs[1:] == [InviteRefused("out", 487, "cancelled")]


def test_cancelled_call_that_falls_silent_is_given_up(world: SipWorld) -> None:
    invite = dialled(world)
    world.receive(respond(invite, 180), PHONE)
    world.do(lambda unit: world.agent.cancel(unit, "out"))
    world.loop.advance(33)
    assert world.last() == InviteRefused("out", 487, "cancelled")
    assert world.rows_of("dialog") == []
    world.loop.advance(60)
    assert world.agent.transaction_count == 0


def test_second_phone_that_answers_is_acknowledged_and_ended(world: SipWorld) -> None:
    invite, _ = up(world)
    world.receive(respond(invite, 200, tag="fork", body=sdp()), PHONE)
    ack, bye = world.take()
    assert isinstance(ack, Request)
    assert isinstance(bye, Request)
    assert (ack.method, ack.to_tag) == ("ACK", "fork")
    assert (bye.method, bye.to_tag, bye.cseq) == ("BYE", "fork", 2)
    world.receive(respond(invite, 200, tag="fork", body=sdp()), PHONE)
    assert world.take_lines() == ["ACK"]
    assert len(world.inputs) == 1
    assert world.agent.dialogs["out"].remote_tag == "calledtag"


def test_called_party_hangs_up(world: SipWorld) -> None:
    _, peer = up(world)
    world.receive(peer.request("BYE"), PHONE)
    assert world.last() == ByeArrived("out")
    assert world.take_lines() == ["200 BYE"]


def test_we_hang_up(world: SipWorld) -> None:
    up(world)
    world.do(lambda unit: world.agent.bye(unit, "out"))
    (bye,) = world.take()
    assert isinstance(bye, Request)
    assert (bye.method, bye.cseq, bye.via.branch) == ("BYE", 2, "z9hG4bKout-2-bye")
    world.loop.advance(1)
    assert world.take_lines() == ["BYE"]
    world.receive(respond(bye, 401, contact=None), PHONE)
    assert world.rows_of("dialog") == []
    assert world.take() == []


def test_bye_that_nobody_answers_ends_the_dialog_too(world: SipWorld) -> None:
    up(world)
    world.do(lambda unit: world.agent.bye(unit, "out"))
    world.loop.advance(33)
    assert world.rows_of("dialog") == []
    assert world.agent.statistics.refusals["bye_timeout"] == 1


def test_bye_that_crosses_ours_is_answered_and_not_told(world: SipWorld) -> None:
    _, peer = up(world)
    world.do(lambda unit: world.agent.bye(unit, "out"))
    world.receive(peer.request("BYE"), PHONE)
    assert world.take_lines() == ["BYE", "200 BYE"]
    assert len(world.inputs) == 1


def test_transport_that_fails_refuses_the_call(world: SipWorld) -> None:
    dialled(world)
    world.agent.transport_failed(PHONE)
    assert world.last() == InviteRefused("out", 503, "transport")
    world.agent.transport_failed(PHONE)
    assert len(world.inputs) == 1


def test_hang_up_before_the_answer_is_a_cancel(world: SipWorld) -> None:
    invite = dialled(world)
    world.receive(respond(invite, 180), PHONE)
    world.do(lambda unit: world.agent.bye(unit, "out"))
    assert world.take_lines() == ["CANCEL"]


def test_phone_behind_nat_is_reached_where_it_was_rung(world: SipWorld) -> None:
    invite = dialled(world)
    world.receive(respond(invite, 200, body=sdp(), contact="sip:m1@192.168.1.9:5060"), PHONE)
    ((ack, hop),) = world.take_routed()
    assert hop == PHONE
    assert isinstance(ack, Request)
    assert ack.uri.text == "sip:m1@192.168.1.9:5060"


def test_record_route_of_a_response_is_used_backwards(world: SipWorld) -> None:
    invite = dialled(world)
    routes = ("Record-Route: <sip:10.0.0.8;lr>, <sip:10.0.0.3:5080;lr>",)
    world.receive(respond(invite, 200, body=sdp(), headers=routes), PHONE)
    ((ack, hop),) = world.take_routed()
    assert ack.headers.getlist("route") == ["<sip:10.0.0.3:5080;lr>", "<sip:10.0.0.8;lr>"]
    assert hop == Hop("udp", "10.0.0.3", 5080)


def test_tcp_target_is_called_over_tcp(world: SipWorld) -> None:
    invite = dialled(world, replace(TARGET, transport="tcp"))
    assert invite.via.transport == "TCP"
    assert invite.contacts[0].uri.transport == "tcp"
    world.loop.advance(31)
    assert world.take() == []


def test_our_reinvite_is_answered(world: SipWorld) -> None:
    up(world)
    world.do(lambda unit: assert_true(world.agent.reinvite(unit, "out", replace(OUR_MEDIA, direction="sendonly"))))
    (invite,) = world.take()
    assert isinstance(invite, Request)
    assert (invite.cseq, invite.to_tag, invite.body.split(b"\r\n")[1].split()[2]) == (2, "calledtag", b"2")
    world.receive(respond(invite, 200, body=sdp()), PHONE)
    (ack,) = world.take()
    assert (ack.cseq, ack.cseq_method) == (2, "ACK")
    assert world.reinvites == [ReinviteEnded("out", 200, PEER_MEDIA)]


def assert_true(value: object) -> None:
    assert value is True


def test_reinvite_that_meets_theirs_gets_491(world: SipWorld) -> None:
    _, peer = up(world)
    world.do(lambda unit: assert_true(world.agent.reinvite(unit, "out", OUR_MEDIA)))
    (ours,) = world.take()
    assert isinstance(ours, Request)
    world.receive(peer.request("INVITE", body=sdp()), PHONE)
    assert world.take_lines() == ["491 INVITE"]
    world.receive(respond(ours, 491), PHONE)
    assert world.take_lines() == ["ACK"]
    assert world.reinvites == [ReinviteEnded("out", 491, None)]
    assert world.agent.dialogs["out"].state == "confirmed"


@pytest.mark.parametrize(("status", "reason"), [(408, "timeout"), (481, "unknown")])
def test_reinvite_into_a_dead_dialog_loses_it(world: SipWorld, status: int, reason: str) -> None:
    up(world)
    world.do(lambda unit: assert_true(world.agent.reinvite(unit, "out", OUR_MEDIA)))
    (ours,) = world.take()
    assert isinstance(ours, Request)
    world.receive(respond(ours, status), PHONE)
    assert world.last() == DialogLost("out", reason)
    assert world.take_lines() == ["ACK", "BYE"]
