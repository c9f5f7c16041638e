"""A process that ends in each state of a dialog, and what the next one does with the rows."""

import pytest

from callcenter.calls.events import AckArrived, ByeArrived, CancelArrived, InviteAccepted, InviteRefused, Progressed
from callcenter.calls.ports import Target
from callcenter.kernel.unit import Unit
from callcenter.sip.hop import Hop
from callcenter.sip.message import Request, parse_message
from tests.support.sip import OUR_MEDIA, PEER_MEDIA, PHONE, Peer, SipWorld, respond, sdp

TARGET = Target("sip:m1@10.0.0.3:5070", "10.0.0.3", 5070, "udp", "900")


@pytest.fixture
def world() -> SipWorld:
    return SipWorld()


@pytest.fixture
def peer() -> Peer:
    return Peer()


def dialled(world: SipWorld) -> bytes:
    world.do(lambda unit: world.agent.invite(unit, "out", TARGET, OUR_MEDIA))
    (data,) = world.take_raw()
    return data


def parsed(data: bytes) -> Request:
    request = parse_message(data)
    assert isinstance(request, Request)
    return request


def test_unanswered_call_absorbs_its_invite_and_is_answered_later(world: SipWorld, peer: Peer) -> None:
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    after = world.restarted()
    assert after.take_lines() == ["100 INVITE"]
    after.receive(invite)
    assert after.take_lines() == ["100 INVITE"]
    after.do(lambda unit: after.agent.answer(unit, "leg1", OUR_MEDIA))
    assert after.take_lines() == ["200 INVITE"]
    peer.to_tag = "leg1"
    after.receive(peer.request("ACK"))
    assert after.inputs == [AckArrived("leg1", None)]


def test_unanswered_call_can_still_be_cancelled(world: SipWorld, peer: Peer) -> None:
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    after = world.restarted()
    after.receive(peer.beside(invite, "CANCEL"))
    assert after.inputs == [CancelArrived("leg1")]
    assert after.take_lines() == ["100 INVITE", "200 CANCEL", "487 INVITE"]


def test_200_that_had_no_ack_is_repeated_identically(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    ok = world.take_raw()[-1]
    after = world.restarted()
    after.loop.advance(1)
    assert after.take_raw() == [ok, ok]
    peer.to_tag = "leg1"
    after.receive(peer.request("ACK"))
    after.loop.advance(60)
    assert after.take_raw() == []


@pytest.mark.parametrize("status", [404, 486])
def test_refusal_between_commit_and_sending_is_sent(world: SipWorld, peer: Peer, status: int) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.hold_commits = True
    world.do(lambda unit: world.agent.reject(unit, "leg1", status))
    world.persist(world.held[0])
    after = world.restarted()
    assert after.take_lines() == [f"{status} INVITE"]
    assert after.rows_of("dialog") == []


def test_200_between_commit_and_sending_is_sent(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.hold_commits = True
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.persist(world.held[0])
    assert world.restarted().take_lines() == ["200 INVITE"]


def test_late_offer_is_still_known_as_such(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE"))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    after = world.restarted()
    peer.to_tag = "leg1"
    after.receive(peer.request("ACK", body=sdp()))
    assert after.inputs == [AckArrived("leg1", PEER_MEDIA)]


def test_call_that_is_up_goes_on_in_both_directions(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK"))
    after = world.restarted()
    assert after.take() == []
    peer.cseq = 2
    after.receive(peer.request("INVITE", body=sdp()))
    after.do(lambda unit: after.agent.answer(unit, "leg1", OUR_MEDIA))
    assert after.take_lines() == ["100 INVITE", "200 INVITE"]
    after.receive(peer.request("ACK"))
    after = after.restarted()
    peer.cseq = 3
    after.receive(peer.request("BYE"))
    assert after.inputs == [ByeArrived("leg1")]


def test_open_reinvite_is_still_answered(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK"))
    peer.cseq = 2
    world.receive(peer.request("INVITE", body=sdp()))
    after = world.restarted()
    after.do(lambda unit: after.agent.answer(unit, "leg1", OUR_MEDIA))
    assert after.take_lines() == ["100 INVITE", "200 INVITE"]


def test_a_refusal_of_a_reinvite_between_commit_and_sending_is_sent_and_the_call_stays(
    world: SipWorld, peer: Peer
) -> None:
    leg = "leg1"
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, leg, OUR_MEDIA))
    peer.to_tag = leg
    world.receive(peer.request("ACK"))
    peer.cseq = 2
    world.receive(peer.request("INVITE", body=sdp()))
    world.take()
    unit = world.open_unit()
    world.agent.reject(unit, leg, 488)
    world.persist(unit)
    after = world.restarted()
    assert after.take_lines() == ["488 INVITE"]
    assert after.agent.dialogs[leg].state == "confirmed"
    assert not after.agent.dialogs[leg].inbound_invite
    again = after.restarted()
    assert again.take_lines() == []


def test_invite_without_a_provisional_is_sent_again_identically(world: SipWorld) -> None:
    data = dialled(world)
    after = world.restarted()
    assert after.take_raw() == [data]
    after.receive(respond(parsed(data), 200, body=sdp()), PHONE)
    assert after.inputs == [InviteAccepted("out", PEER_MEDIA)]


def test_invite_between_commit_and_sending_is_sent(world: SipWorld) -> None:
    world.hold_commits = True
    world.do(lambda unit: world.agent.invite(unit, "out", TARGET, OUR_MEDIA))
    world.persist(world.held[0])
    assert world.restarted().take_lines() == ["INVITE"]


def test_ringing_invite_is_waited_for_in_silence(world: SipWorld) -> None:
    request = parsed(dialled(world))
    world.receive(respond(request, 180), PHONE)
    after = world.restarted()
    after.loop.advance(120)
    assert after.take() == []
    after.receive(respond(request, 486), PHONE)
    assert after.inputs == [InviteRefused("out", 486, "refused")]
    assert after.take_lines() == ["ACK"]


def test_ringing_invite_can_be_cancelled(world: SipWorld) -> None:
    request = parsed(dialled(world))
    world.receive(respond(request, 180), PHONE)
    after = world.restarted()
    after.do(lambda unit: after.agent.cancel(unit, "out"))
    assert after.take_lines() == ["CANCEL"]


def test_cancel_that_may_not_have_left_is_sent_again(world: SipWorld) -> None:
    request = parsed(dialled(world))
    world.receive(respond(request, 180), PHONE)
    world.do(lambda unit: world.agent.cancel(unit, "out"))
    (cancel,) = world.take_raw()
    after = world.restarted()
    assert after.take_raw() == [cancel]
    after.receive(respond(request, 487), PHONE)
    assert after.inputs == [InviteRefused("out", 487, "cancelled")]


def test_cancel_that_waits_for_a_provisional_still_waits(world: SipWorld) -> None:
    request = parsed(dialled(world))
    world.do(lambda unit: world.agent.cancel(unit, "out"))
    after = world.restarted()
    assert after.take_lines() == ["INVITE"]
    after.receive(respond(request, 100), PHONE)
    assert after.take_lines() == ["CANCEL"]


def test_ack_that_may_not_have_left_is_sent_with_the_next_200(world: SipWorld) -> None:
    request = parsed(dialled(world))
    world.receive(respond(request, 200, body=sdp()), PHONE)
    (ack,) = world.take_raw()
    after = world.restarted()
    assert after.take_raw() == []
    after.receive(respond(request, 200, body=sdp()), PHONE)
    assert after.take_raw() == [ack]
    assert after.inputs == []


def test_fork_that_answers_after_the_restart_is_ended(world: SipWorld) -> None:
    request = parsed(dialled(world))
    world.receive(respond(request, 200, body=sdp()), PHONE)
    after = world.restarted()
    after.receive(respond(request, 200, tag="fork", body=sdp()), PHONE)
    assert after.take_lines() == ["ACK", "BYE"]
    assert after.agent.dialogs["out"].remote_tag == "calledtag"


def test_bye_without_an_answer_is_sent_again_identically(world: SipWorld) -> None:
    request = parsed(dialled(world))
    world.receive(respond(request, 200, body=sdp()), PHONE)
    world.do(lambda unit: world.agent.bye(unit, "out"))
    _, bye = world.take_raw()
    after = world.restarted()
    assert after.take_raw() == [bye]
    after.receive(respond(parsed(bye), 200), PHONE)
    assert after.rows == {}


def test_bye_that_waits_for_an_ack_still_waits(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.do(lambda unit: world.agent.bye(unit, "leg1"))
    after = world.restarted()
    assert after.take_lines() == ["200 INVITE"]
    peer.to_tag = "leg1"
    after.receive(peer.request("ACK"))
    assert after.take_lines() == ["BYE"]


def test_pending_call_over_tcp_is_answered_at_the_port_of_its_via(world: SipWorld) -> None:
    source = Hop("tcp", "10.0.0.2", 41000)
    world.receive(Peer(source).request("INVITE", body=sdp(), via_host="10.0.0.2:5080"), source)
    after = world.restarted()
    after.do(lambda unit: after.agent.answer(unit, "leg1", OUR_MEDIA))
    assert {hop for _, hop in after.take_routed()} == {Hop("tcp", "10.0.0.2", 5080)}


def test_progress_and_answer_in_two_processes_make_one_call(world: SipWorld) -> None:
    request = parsed(dialled(world))
    world.receive(respond(request, 180), PHONE)
    assert world.inputs == [Progressed("out", 180, None)]
    after = world.restarted()
    after.receive(respond(request, 180), PHONE)
    assert after.inputs == []
    after.receive(respond(request, 200, body=sdp()), PHONE)
    assert after.inputs == [InviteAccepted("out", PEER_MEDIA)]


def test_restart_of_nothing_does_nothing(world: SipWorld) -> None:
    def nothing(unit: Unit) -> None:
        world.agent.bye(unit, "unknown")
        world.agent.cancel(unit, "unknown")
        world.agent.ring(unit, "unknown")
        world.agent.reject(unit, "unknown", 486)

    world.do(nothing)
    assert world.restarted().take() == []
