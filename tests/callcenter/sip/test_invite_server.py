"""Calls that arrive: answer, refusal, CANCEL, late offer, repetitions, re-INVITE."""

from dataclasses import replace

import pytest

from callcenter.calls.events import (
    AckArrived,
    ByeArrived,
    CancelArrived,
    DialogLost,
    InviteArrived,
    ReinviteArrived,
)
from callcenter.kernel.unit import Unit
from callcenter.sip.hop import Hop
from callcenter.sip.message import Request, Response
from callcenter.sip.sdp import parse_sdp
from tests.support.sip import OUR_MEDIA, PEER_MEDIA, STRANGER, TRUNK, US, Peer, SipWorld, respond, sdp


@pytest.fixture
def world() -> SipWorld:
    return SipWorld()


@pytest.fixture
def peer() -> Peer:
    return Peer()


def answered(world: SipWorld, peer: Peer, *, body: bytes = b"") -> str:
    """A call that is up, its ACK sent; returns the leg."""
    world.receive(peer.request("INVITE", body=body or sdp()))
    leg = world.inputs[-1].leg
    world.do(lambda unit: world.agent.answer(unit, leg, OUR_MEDIA))
    peer.to_tag = leg
    world.receive(peer.request("ACK"))
    world.take()
    peer.cseq += 1
    return leg


def test_call_of_the_trunk_is_tried_rung_and_answered(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    arrived = InviteArrived("leg1", "trunk", "carrier", "100", "0123456789", "Peer", PEER_MEDIA)
    assert world.inputs == [arrived]
    world.do(lambda unit: world.agent.ring(unit, "leg1"))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    sent = world.take_routed()
    assert [message.status for message, _ in sent if isinstance(message, Response)] == [100, 180, 200]
    ok, hop = sent[-1]
    assert hop == TRUNK
    assert ok.to_tag == "leg1"
    assert ok.contact is not None
    assert (ok.contact.uri.host, ok.contact.uri.port) == US
    assert parse_sdp(ok.body).audio == OUR_MEDIA
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK"))
    assert world.last() == AckArrived("leg1", None)
    world.loop.advance(100)
    assert world.take() == []


def test_ack_with_an_invented_tag_counts_in_the_invites_own_transaction_only(world: SipWorld, peer: Peer) -> None:
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    peer.to_tag = "invented"
    world.receive(peer.request("ACK"))
    assert len(world.inputs) == 1
    world.receive(peer.beside(invite, "ACK"))
    assert world.last() == AckArrived("leg1", None)
    world.take()
    world.loop.advance(100)
    assert world.take() == []


def test_nothing_leaves_before_the_commit(world: SipWorld, peer: Peer) -> None:
    world.hold_commits = True
    world.react = lambda unit, event: world.agent.ring(unit, event.leg)
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    # Not even 100: a caller who has it asks no more, and a crash before the commit would leave him waiting for ever.
    assert world.take_lines() == []
    world.release()
    # Nor afterwards, when the same commit brings the answer (RFC 3261 section 17.2.1).
    assert world.take_lines() == ["180 INVITE", "200 INVITE"]


def test_peer_hangs_up(world: SipWorld, peer: Peer) -> None:
    leg = answered(world, peer)
    bye = peer.request("BYE")
    world.receive(bye)
    assert world.last() == ByeArrived(leg)
    assert world.take_lines() == ["200 BYE"]
    assert world.rows_of("dialog") == []
    world.receive(bye)
    assert world.take_lines() == ["200 BYE"]
    assert world.inputs.count(ByeArrived(leg)) == 1
    world.loop.advance(60)
    assert world.agent.transaction_count == 0


def test_we_hang_up(world: SipWorld, peer: Peer) -> None:
    leg = answered(world, peer)
    world.do(lambda unit: world.agent.bye(unit, leg, "flow ended"))
    (bye,) = world.take()
    assert isinstance(bye, Request)
    assert (bye.method, bye.from_tag, bye.to_tag, bye.call_id) == ("BYE", leg, "peertag", "call-1")
    assert bye.uri.text == "sip:0123456789@10.0.0.2:5060"
    assert bye.headers.get("reason") == 'SIP;cause=200;text="flow ended"'
    world.receive(respond(bye, 200, contact=None))
    assert world.rows_of("dialog") == []
    world.loop.advance(60)
    assert world.take() == []


def test_repeated_invite_is_absorbed_at_every_stage(world: SipWorld, peer: Peer) -> None:
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    world.receive(invite)
    assert world.take_lines() == ["100 INVITE", "100 INVITE"]
    world.do(lambda unit: world.agent.ring(unit, "leg1"))
    world.receive(invite)
    assert world.take_lines() == ["180 INVITE", "180 INVITE"]
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.receive(invite)
    assert world.take_lines() == ["200 INVITE"]
    assert len(world.inputs) == 1


def test_200_is_repeated_until_the_ack(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.loop.advance(4)
    assert world.take_lines() == ["100 INVITE", *["200 INVITE"] * 4]
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK"))
    world.receive(peer.request("ACK"))
    world.loop.advance(60)
    assert world.take_lines() == []
    assert [type(event) for event in world.inputs] == [InviteArrived, AckArrived]


def test_call_without_ack_is_lost_and_ended(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.loop.advance(32)
    assert world.last() == DialogLost("leg1", "no_ack")
    assert world.take_lines()[-1] == "BYE"
    world.loop.advance(40)
    assert world.rows_of("dialog") == []


def test_bye_before_the_ack_waits_for_it(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.take()
    world.do(lambda unit: world.agent.bye(unit, "leg1"))
    assert world.take() == []
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK"))
    assert world.take_lines() == ["BYE"]


def test_late_offer_is_answered_in_the_ack(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE"))
    assert isinstance(world.inputs[0], InviteArrived)
    assert world.inputs[0].offer is None
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    assert parse_sdp(world.take()[-1].body).audio == OUR_MEDIA
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK", body=sdp()))
    assert world.last() == AckArrived("leg1", PEER_MEDIA)


def test_late_offer_whose_ack_has_no_usable_answer(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE"))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK", body=b"nonsense"))
    assert world.last() == AckArrived("leg1", None)


def test_refusal_is_repeated_until_its_ack(world: SipWorld, peer: Peer) -> None:
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    world.do(lambda unit: world.agent.reject(unit, "leg1", 486))
    assert world.take_lines() == ["100 INVITE", "486 INVITE"]
    world.loop.advance(2)
    assert world.take_lines() == ["486 INVITE", "486 INVITE"]
    world.receive(peer.beside(invite, "ACK"))
    world.loop.advance(60)
    assert world.take() == []
    assert world.rows_of("dialog") == []
    assert world.agent.transaction_count == 0


def test_ack_of_a_refusal_is_known_by_its_tag_where_its_branch_is_new(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.reject(unit, "leg1", 486))
    world.take()
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK"))
    world.loop.advance(60)
    assert world.take() == []


def test_refusal_can_say_when_to_come_back(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.reject(unit, "leg1", 503, retry_after_s=7))
    assert world.take()[-1].headers.get("retry-after") == "7"


def test_refusal_for_want_of_room_always_says_when_to_come_back(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.reject(unit, "leg1", 503))
    assert int(world.take()[-1].headers.get("retry-after") or 0) > 0


def test_cancelled_call_gets_487(world: SipWorld, peer: Peer) -> None:
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    world.receive(peer.beside(invite, "CANCEL"))
    assert world.take_lines() == ["100 INVITE", "200 CANCEL", "487 INVITE"]
    assert world.last() == CancelArrived("leg1")
    world.receive(peer.beside(invite, "CANCEL"))
    assert world.take_lines() == ["200 CANCEL"]
    assert len(world.inputs) == 2
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.do(lambda unit: world.agent.bye(unit, "leg1"))
    assert world.take() == []


def test_cancel_that_crosses_the_200_changes_nothing(world: SipWorld, peer: Peer) -> None:
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.receive(peer.beside(invite, "CANCEL"))
    assert world.take_lines() == ["100 INVITE", "200 INVITE", "200 CANCEL"]
    assert len(world.inputs) == 1


def test_cancel_of_an_unknown_call_gets_481(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("CANCEL"))
    assert world.take_lines() == ["481 CANCEL"]


def test_cancel_from_elsewhere_gets_481(world: SipWorld, peer: Peer) -> None:
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    world.take()
    world.receive(peer.beside(invite, "CANCEL"), STRANGER)
    world.receive(peer.beside(invite, "CANCEL"), Hop("udp", TRUNK.address, 6666))
    assert world.take_lines() == ["481 CANCEL", "481 CANCEL"]
    assert len(world.inputs) == 1


def test_bye_in_an_early_dialog_ends_the_call(world: SipWorld, peer: Peer) -> None:
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.ring(unit, "leg1"))
    world.take()
    peer.to_tag, peer.cseq = "leg1", 2
    world.receive(peer.request("BYE"))
    assert sorted(world.take_lines()) == ["200 BYE", "487 INVITE"]
    assert world.last() == CancelArrived("leg1")
    assert world.rows_of("dialog") == []


def test_reinvite_is_answered_with_a_new_version_only_when_the_media_changes(world: SipWorld, peer: Peer) -> None:
    leg = answered(world, peer)
    hold = replace(PEER_MEDIA, direction="sendonly")
    versions = []
    for media in (OUR_MEDIA, replace(OUR_MEDIA, direction="recvonly")):
        world.react = lambda unit, event, media=media: (  # type: ignore[misc]  # mypy cannot infer defaults here
            world.agent.answer(unit, event.leg, media) if isinstance(event, ReinviteArrived) else None
        )
        world.receive(peer.request("INVITE", body=sdp(hold, 2)))
        ok = world.take()[-1]
        assert isinstance(ok, Response)
        assert ok.status == 200
        versions.append(ok.body.split(b"\r\n")[1].split()[2])
        world.receive(peer.request("ACK"))
        peer.cseq += 1
    assert versions == [b"1", b"2"]
    arrived: list[object] = [ReinviteArrived(leg, hold), AckArrived(leg, None)]
    assert world.inputs[2:4] == arrived
    assert world.agent.dialogs[leg].remote_direction == "sendonly"


def test_reinvite_without_offer_gets_ours(world: SipWorld, peer: Peer) -> None:
    leg = answered(world, peer)
    world.receive(peer.request("INVITE"))
    assert world.last() == ReinviteArrived(leg, None)
    world.do(lambda unit: world.agent.answer(unit, leg, OUR_MEDIA))
    assert parse_sdp(world.take()[-1].body).audio == OUR_MEDIA
    world.receive(peer.request("ACK", body=sdp()))
    assert world.last() == AckArrived(leg, PEER_MEDIA)


def test_refused_reinvite_leaves_the_call_as_it_was(world: SipWorld, peer: Peer) -> None:
    leg = answered(world, peer)
    invite = peer.request("INVITE", body=sdp())
    world.receive(invite)
    world.do(lambda unit: world.agent.reject(unit, leg, 488))
    assert world.take_lines() == ["100 INVITE", "488 INVITE"]
    world.receive(peer.beside(invite, "ACK"))
    peer.cseq += 1
    world.receive(peer.request("BYE"))
    assert world.last() == ByeArrived(leg)


def test_second_reinvite_while_one_is_open_is_refused(world: SipWorld, peer: Peer) -> None:
    leg = answered(world, peer)
    world.receive(peer.request("INVITE", body=sdp()))
    world.take()
    peer.cseq += 1
    world.receive(peer.request("INVITE", body=sdp()))
    refused = world.take()[-1]
    assert isinstance(refused, Response)
    assert (refused.status, refused.headers.get("retry-after")) == (500, "1")
    assert world.last() == ReinviteArrived(leg, PEER_MEDIA)


def test_bye_during_an_open_reinvite_ends_both(world: SipWorld, peer: Peer) -> None:
    leg = answered(world, peer)
    world.receive(peer.request("INVITE", body=sdp()))
    world.take()
    peer.cseq += 1
    world.receive(peer.request("BYE"))
    assert sorted(world.take_lines()) == ["200 BYE", "487 INVITE"]
    assert world.last() == ByeArrived(leg)
    assert world.rows_of("dialog") == []


def test_route_recorded_by_proxies_is_used(world: SipWorld, peer: Peer) -> None:
    routes = ("Record-Route: <sip:10.0.0.2;lr>", "Record-Route: <sip:10.0.0.9;lr>")
    world.receive(peer.request("INVITE", body=sdp(), headers=routes))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    assert world.take()[-1].headers.getlist("record-route") == ["<sip:10.0.0.2;lr>", "<sip:10.0.0.9;lr>"]
    peer.to_tag = "leg1"
    world.receive(peer.request("ACK"))
    world.do(lambda unit: world.agent.bye(unit, "leg1"))
    ((bye, hop),) = world.take_routed()
    assert bye.headers.getlist("route") == ["<sip:10.0.0.2;lr>", "<sip:10.0.0.9;lr>"]
    assert hop == TRUNK


@pytest.mark.parametrize(
    ("via", "destination"),
    [
        ("10.0.0.2:5062", Hop("udp", "10.0.0.2", 5062)),
        ("10.0.0.2", Hop("udp", "10.0.0.2", 5060)),
        ("192.168.1.1:5062", Hop("udp", "10.0.0.2", 5062)),
        ("192.168.1.1:5062;rport", TRUNK),
    ],
)
def test_responses_go_where_the_via_and_the_source_say(
    world: SipWorld, peer: Peer, via: str, destination: Hop
) -> None:
    world.receive(peer.request("OPTIONS", via_host=via))
    assert world.take_routed()[0][1] == destination


def test_reply_over_tcp_stays_on_its_connection(world: SipWorld) -> None:
    source = Hop("tcp", TRUNK.address, 41000)
    world.receive(Peer(source).request("INVITE", body=sdp(), via_host="10.0.0.2:5060"), source)
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    sent = world.take_routed()
    assert {hop for _, hop in sent} == {source}
    assert sent[-1][0].contacts[0].uri.transport == "tcp"


def test_peer_that_comes_back_over_a_new_connection_is_found_there(world: SipWorld) -> None:
    peer = Peer(Hop("tcp", TRUNK.address, 41000))
    world.receive(peer.request("INVITE", body=sdp()), peer.hop)
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    peer.to_tag, again = "leg1", Hop("tcp", TRUNK.address, 42000)
    world.receive(peer.request("ACK"), peer.hop)
    peer.cseq = 2
    world.receive(peer.request("INVITE", body=sdp()), again)
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.receive(peer.request("ACK"), again)
    world.transports.connected.add(again)
    world.take()
    world.do(lambda unit: world.agent.bye(unit, "leg1"))
    assert [hop for _, hop in world.take_routed()] == [again]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"hello", "text/plain", 415),
        (b"hello", "application/sdp", 400),
        (b"v=0\r\nm=video 3000 RTP/AVP 96\r\nc=IN IP4 10.0.0.2\r\n", "application/sdp", 488),
    ],
)
def test_unusable_body_is_refused(world: SipWorld, peer: Peer, body: bytes, content_type: str, status: int) -> None:
    world.receive(peer.request("INVITE", body=body, content_type=content_type))
    assert world.take_lines() == [f"{status} INVITE"]
    assert world.inputs == []
    assert world.commits == 0


def test_refused_body_of_a_reinvite_leaves_the_call_up(world: SipWorld, peer: Peer) -> None:
    leg = answered(world, peer)
    world.receive(peer.request("INVITE", body=b"hello"))
    assert world.take_lines() == ["400 INVITE"]
    assert world.agent.dialogs[leg].state == "confirmed"


def test_decision_in_the_unit_of_the_invite_is_one_commit(world: SipWorld, peer: Peer) -> None:
    def refuse(unit: Unit, event: object) -> None:
        world.agent.reject(unit, "leg1", 404)

    world.react = refuse
    world.receive(peer.request("INVITE", body=sdp()))
    assert world.take_lines() == ["404 INVITE"]
    assert world.rows_of("dialog") == []
