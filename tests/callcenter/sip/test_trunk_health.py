"""OPTIONS to trunks: who is asked, how often, and when one counts as down."""

from datetime import timedelta

import pytest

from callcenter.sip.directory import Directory, Trunk
from callcenter.sip.hop import Hop
from callcenter.sip.message import Request
from callcenter.sip.trunk_health import Answered, Missed, TrunkHealth
from tests.support.sip import EPOCH, REALM, TRUNK, SipWorld, respond


@pytest.fixture
def world() -> SipWorld:
    """Two trunks, of which one is asked every 30 s."""
    world = SipWorld()
    asked = Trunk("carrier", ((TRUNK.address, TRUNK.port),), options_s=30)
    other = Trunk("quiet", (("10.0.0.9", 5060),))
    world.agent.directory = Directory(REALM, [asked, other])
    world.agent.watch_trunks()
    world.loop.advance(0)
    return world


def asked(world: SipWorld) -> Request:
    """The last OPTIONS that was sent."""
    requests = [message for message in world.take() if isinstance(message, Request)]
    assert {request.method for request in requests} == {"OPTIONS"}
    return requests[-1]


def test_one_lost_answer_is_no_news_and_two_are() -> None:
    health, news = TrunkHealth("up").handle(Missed())
    assert (health.health, news) == ("up", False)
    health, news = health.handle(Missed())
    assert (health.health, news) == ("down", True)
    assert health.handle(Missed())[1] is False


def test_any_answer_shows_that_somebody_is_there_save_503() -> None:
    assert TrunkHealth("down", 2).handle(Answered(404)) == (TrunkHealth("up"), True)
    assert TrunkHealth("up").handle(Answered(503)) == (TrunkHealth("down", 1), True)
    assert TrunkHealth().handle(Answered(200)) == (TrunkHealth("up"), False)


def test_a_trunk_is_asked_at_its_address_from_ours(world: SipWorld) -> None:
    ((request, hop),) = world.take_routed()
    assert isinstance(request, Request)
    assert hop == TRUNK
    assert (request.method, request.uri.text, request.max_forwards) == ("OPTIONS", "sip:10.0.0.2:5060", 70)


def test_it_is_asked_where_calls_go_out() -> None:
    other = Hop("tcp", "10.0.0.2", 5080)
    assert Trunk("carrier", (("10.0.0.2", 5060),), options_to=other).probe == other


def test_a_trunk_that_answers_is_up_and_asked_again_in_its_time(world: SipWorld) -> None:
    assert world.agent.trunk_healths() == {"carrier": ("unknown", None)}
    world.receive(respond(asked(world), 200))
    assert world.agent.trunk_healths() == {"carrier": ("up", EPOCH + timedelta(seconds=1000))}
    world.loop.advance(29)
    assert world.take() == []
    world.loop.advance(2)
    asked(world)


def test_a_trunk_that_does_not_answer_goes_down_and_comes_up_again(world: SipWorld) -> None:
    world.loop.advance(3)
    assert world.agent.trunk_answers("carrier")
    world.loop.advance(20)
    assert not world.agent.trunk_answers("carrier")
    assert world.agent.trunk_answers("quiet")
    world.loop.advance(6)
    world.receive(respond(asked(world), 200))
    assert world.agent.trunk_answers("carrier")
    assert [(kind, subject) for kind, subject, _ in world.events] == [
        ("sip.trunk.went_down", "carrier"),
        ("sip.trunk.came_up", "carrier"),
    ]


def test_nobody_is_asked_where_nobody_is_to_be() -> None:
    world = SipWorld()
    world.agent.watch_trunks()
    world.loop.advance(100)
    assert world.take() == []
    assert world.loop.next_at() is None
