"""Session timers (RFC 4028): what is agreed in both roles, who asks, and what ends a call whose peer is gone."""

import pytest

from callcenter.calls.events import DialogLost, InviteRefused
from callcenter.calls.ports import Target
from callcenter.sip.message import Request, Response
from tests.support.sip import OUR_MEDIA, PHONE, Peer, SipWorld, respond, sdp

TARGET = Target("sip:m1@10.0.0.3:5070", "10.0.0.3", 5070, "udp", "900")
TIMER = "Supported: timer"


@pytest.fixture
def world() -> SipWorld:
    return SipWorld()


def called(world: SipWorld, *headers: str) -> tuple[Response, Peer, str]:
    """A call from a trunk that asks for `headers`, answered and acknowledged; our 200, the peer and the leg."""
    peer = Peer()
    world.receive(peer.request("INVITE", body=sdp(), headers=headers))
    leg = world.inputs[-1].leg
    world.do(lambda unit: world.agent.answer(unit, leg, OUR_MEDIA))
    ok = world.take()[-1]
    assert isinstance(ok, Response)
    peer.to_tag = leg
    world.receive(peer.request("ACK"))
    peer.cseq += 1
    return ok, peer, leg


def calling(world: SipWorld, *headers: str) -> Request:
    """A call of ours, answered with `headers`; the INVITE."""
    world.do(lambda unit: world.agent.invite(unit, "out", TARGET, OUR_MEDIA))
    (invite,) = world.take()
    assert isinstance(invite, Request)
    world.receive(respond(invite, 200, body=sdp(), headers=headers), PHONE)
    world.take()
    return invite


def reinvite(world: SipWorld) -> Request:
    """The one re-INVITE that was sent, perhaps more than once."""
    request, *again = world.take()
    assert all(each.cseq == request.cseq for each in again)
    assert isinstance(request, Request)
    assert (request.method, request.to_tag is not None) == ("INVITE", True)
    return request


@pytest.mark.parametrize(("asked", "told", "required"), [
    (("Session-Expires: 600;refresher=uac", TIMER), "600;refresher=uac", "timer"),
    (("x: 600; refresher=uas", TIMER), "600;refresher=uas", "timer"),
    (("Session-Expires: 600", TIMER), "600;refresher=uas", "timer"),
    (("Session-Expires: 7200", "Min-SE: 3600", TIMER), "3600;refresher=uas", "timer"),
    ((TIMER,), "1800;refresher=uas", "timer"),
    (("Session-Expires: 600",), "600;refresher=uas", None),
    ((), None, None),
])  # fmt: skip
def test_a_caller_is_answered_with_what_holds(
    world: SipWorld, asked: tuple[str, ...], told: str | None, required: str | None
) -> None:
    ok, _, _ = called(world, *asked)
    assert ok.headers.get("session-expires") == told
    assert ok.headers.get("require") == required
    assert ok.tokens("supported") == ["timer"]


def test_a_caller_who_wants_to_be_asked_too_often_gets_422_with_the_least(world: SipWorld) -> None:
    world.receive(Peer().request("INVITE", body=sdp(), headers=("Session-Expires: 60", TIMER)))
    (refusal,) = world.take()
    assert isinstance(refusal, Response)
    assert (refusal.status, refusal.headers.get("min-se")) == (422, "90")
    assert world.inputs == []
    assert world.commits == 0


def test_require_timer_is_understood(world: SipWorld) -> None:
    ok, _, _ = called(world, "Require: timer", "Session-Expires: 600;refresher=uac")
    assert ok.headers.get("session-expires") == "600;refresher=uac"


def test_a_malformed_session_expires_is_a_bad_request(world: SipWorld) -> None:
    world.receive(Peer().request("INVITE", body=sdp(), headers=("Session-Expires: soon",)))
    (refusal,) = world.take()
    assert isinstance(refusal, Response)
    assert refusal.status == 400


def test_we_ask_after_half_of_the_interval_with_the_same_description(world: SipWorld) -> None:
    invite = calling(world, "Session-Expires: 600;refresher=uac", "Require: timer")
    world.loop.advance(299)
    assert world.take() == []
    world.loop.advance(7)
    again = reinvite(world)
    assert again.body == invite.body
    assert again.headers.get("session-expires") == "600;refresher=uac"
    world.receive(respond(again, 200, body=sdp(), headers=("Session-Expires: 600;refresher=uac",)), PHONE)
    assert world.take_lines() == ["ACK"]
    world.loop.advance(299)
    assert world.take() == []
    world.loop.advance(7)
    reinvite(world)


def test_a_peer_without_timers_is_asked_all_the_same(world: SipWorld) -> None:
    calling(world)
    world.loop.advance(906)
    assert reinvite(world).headers.get("session-expires") == "1800;refresher=uac"


def test_a_lost_bye_is_found_when_the_peer_knows_the_call_no_more(world: SipWorld) -> None:
    calling(world)
    world.loop.advance(906)
    world.receive(respond(reinvite(world), 481), PHONE)
    assert world.last() == DialogLost("out", "unknown")
    assert world.take_lines() == ["ACK", "BYE"]


def test_a_dead_peer_is_found_by_its_silence(world: SipWorld) -> None:
    calling(world)
    world.loop.advance(906 + 33)
    assert world.last() == DialogLost("out", "timeout")


def test_a_peer_that_refuses_is_alive_and_asked_again_later(world: SipWorld) -> None:
    calling(world)
    world.loop.advance(906)
    world.receive(respond(reinvite(world), 488), PHONE)
    assert world.take_lines() == ["ACK"]
    world.loop.advance(890)
    assert world.take() == []
    world.loop.advance(20)
    reinvite(world)


def test_a_peer_who_promised_to_ask_and_does_not_is_hung_up_before_the_end(world: SipWorld) -> None:
    _, _, leg = called(world, "Session-Expires: 600;refresher=uac", TIMER)
    world.loop.advance(567)
    assert world.take() == []
    world.loop.advance(8)
    assert world.last() == DialogLost(leg, "session_expired")
    assert set(world.take_lines()) == {"BYE"}
    assert world.agent.statistics.refusals["session_expired"] == 1


def test_a_peer_who_asks_in_time_goes_on(world: SipWorld) -> None:
    _, peer, leg = called(world, "Session-Expires: 600;refresher=uac", TIMER)
    world.loop.advance(300)
    world.receive(peer.request("INVITE", body=sdp(), headers=("Session-Expires: 600;refresher=uac", TIMER)))
    world.do(lambda unit: world.agent.answer(unit, leg, OUR_MEDIA))
    world.receive(peer.request("ACK"))
    world.take()
    world.loop.advance(560)
    assert world.take() == []
    world.loop.advance(15)
    assert world.last() == DialogLost(leg, "session_expired")


def test_a_422_makes_us_ask_again_for_longer_once(world: SipWorld) -> None:
    world.do(lambda unit: world.agent.invite(unit, "out", TARGET, OUR_MEDIA))
    (first,) = world.take()
    assert isinstance(first, Request)
    world.receive(respond(first, 422, headers=("Min-SE: 3600",)), PHONE)
    _, second = world.take()
    assert isinstance(second, Request)
    assert (second.cseq, second.headers.get("session-expires"), second.headers.get("min-se")) == (2, "3600", "3600")
    assert second.to_tag is None
    world.receive(respond(second, 422, headers=("Min-SE: 7200",)), PHONE)
    assert world.last() == InviteRefused("out", 422, "refused")


def test_a_restarted_process_goes_on_watching(world: SipWorld) -> None:
    _, _, leg = called(world, "Session-Expires: 600;refresher=uac", TIMER)
    world.loop.advance(300)
    after = world.restarted()
    after.loop.advance(275)
    assert after.last() == DialogLost(leg, "session_expired")


def test_an_ended_call_is_asked_nothing(world: SipWorld) -> None:
    _, peer, _ = called(world)
    world.receive(peer.request("BYE"))
    world.take()
    world.loop.advance(4000)
    assert world.take() == []
    assert world.loop.next_at() is None
