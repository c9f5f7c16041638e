"""What the user agent lets in and what it refuses, and that a refusal costs no disk and makes no call."""

from dataclasses import replace

import pytest

from callcenter.calls.events import InviteArrived
from callcenter.calls.ports import Target
from callcenter.sip.agent import SOURCE_BURST
from callcenter.sip.composing import ALLOW
from callcenter.sip.directory import Directory
from callcenter.sip.hop import Hop
from callcenter.sip.limits import SourceLimits
from callcenter.sip.message import Request, Response
from tests.support.sip import OUR_MEDIA, PHONE, STRANGER, TRUNK, Peer, SipWorld, authorized, respond, sdp

M1 = Target("sip:m1@10.0.0.3:5070", "10.0.0.3", 5070, "udp", "900")


@pytest.fixture
def world() -> SipWorld:
    return SipWorld()


def assert_refused(world: SipWorld, status: int, method: str) -> Response:
    """One answer, no call, no commit; the same again for the same message."""
    (answer,) = world.take()
    assert isinstance(answer, Response)
    assert (answer.status, answer.cseq_method) == (status, method)
    assert (world.inputs, world.commits) == ([], 0)
    return answer


@pytest.mark.parametrize("method", ["INFO", "MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY", "PUBLISH", "UPDATE", "PRACK"])
@pytest.mark.parametrize("source", [TRUNK, STRANGER])
def test_methods_that_we_do_not_take_get_405_with_allow(world: SipWorld, method: str, source: Hop) -> None:
    world.receive(Peer(source).request(method), source)
    assert assert_refused(world, 405, method).headers.get("allow") == ALLOW


def test_unknown_method_gets_501(world: SipWorld) -> None:
    world.receive(Peer().request("SING"))
    assert_refused(world, 501, "SING")


def test_options_tells_what_we_can(world: SipWorld) -> None:
    world.receive(Peer(STRANGER).request("OPTIONS"), STRANGER)
    answer = assert_refused(world, 200, "OPTIONS")
    assert (answer.headers.get("allow"), answer.headers.get("accept")) == (ALLOW, "application/sdp")


@pytest.mark.parametrize("method", ["BYE", "INVITE", "OPTIONS", "INFO"])
def test_request_in_a_dialog_that_is_not_there_gets_481(world: SipWorld, method: str) -> None:
    world.receive(Peer(to_tag="nobody").request(method))
    assert_refused(world, 481, method)


def test_bye_outside_a_dialog_gets_481(world: SipWorld) -> None:
    world.receive(Peer().request("BYE"))
    assert_refused(world, 481, "BYE")


def test_exhausted_max_forwards_gets_483(world: SipWorld) -> None:
    world.receive(Peer().request("INVITE", body=sdp()).replace(b"Max-Forwards: 70", b"Max-Forwards: 0"))
    assert_refused(world, 483, "INVITE")


def test_required_extension_gets_420(world: SipWorld) -> None:
    world.receive(Peer().request("INVITE", body=sdp(), headers=("Require: 100rel, magic",)))
    assert assert_refused(world, 420, "INVITE").headers.get("unsupported") == "100rel, magic"


def test_unknown_scheme_gets_416(world: SipWorld) -> None:
    world.receive(Peer().request("INVITE", body=sdp(), uri="mailto:a@b.c"))
    assert_refused(world, 416, "INVITE")


def test_other_version_gets_505(world: SipWorld) -> None:
    world.receive(Peer().request("INVITE").replace(b" SIP/2.0\r\nVia", b" SIP/3.0\r\nVia"))
    assert_refused(world, 505, "INVITE")


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0", b"hello", b"SIP/2.0 200 OK\r\n\r\n", b"\xff" * 1000])
def test_what_is_no_request_draws_nothing(world: SipWorld, data: bytes) -> None:
    world.receive(data, STRANGER)
    assert world.take() == []


def test_stray_ack_and_response_draw_nothing(world: SipWorld) -> None:
    world.receive(Peer(to_tag="nobody").request("ACK"))
    world.receive(Peer().request("BYE").replace(b"BYE sip:100@10.0.0.1 SIP/2.0", b"SIP/2.0 200 OK"))
    assert world.take() == []
    assert dict(world.agent.statistics.refusals) == {"stray_ack": 1, "stray_response": 1}


@pytest.mark.parametrize(
    ("source", "user"),
    [(STRANGER, "0123456789"), (STRANGER, "ann"), (PHONE, "m1"), (Hop("udp", "10.0.0.2", 5061), "1")],
)
def test_invite_without_proof_is_challenged(world: SipWorld, source: Hop, user: str) -> None:
    world.receive(Peer(source, user).request("INVITE", body=sdp()), source)
    answer = assert_refused(world, 401, "INVITE")
    assert [challenge.parameters["algorithm"] for challenge in answer.challenges] == ["SHA-256", "MD5"]
    world.receive(Peer(source, user).beside(Peer(source, user).request("INVITE"), "ACK"), source)
    assert world.take() == []


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_phone_that_proves_itself_may_call(world: SipWorld, algorithm: str) -> None:
    peer = Peer(PHONE, "ann")
    world.receive(peer.request("INVITE", body=sdp()), PHONE)
    (challenge,) = world.take()
    assert isinstance(challenge, Response)
    peer.cseq += 1
    world.receive(
        peer.request("INVITE", body=sdp(), headers=authorized(challenge, "INVITE", "ann", algorithm)), PHONE
    )
    assert [type(event) for event in world.inputs] == [InviteArrived]
    assert world.inputs[0].source == "ann"  # type: ignore[union-attr]  # an InviteArrived, as just asserted
    assert world.take_lines() == ["100 INVITE"]


def test_phone_is_its_user_whatever_its_from_says(world: SipWorld) -> None:
    peer = Peer(PHONE, "0800123456")
    world.receive(peer.request("INVITE", body=sdp()), PHONE)
    (challenge,) = world.take()
    assert isinstance(challenge, Response)
    peer.cseq += 1
    world.receive(peer.request("INVITE", body=sdp(), headers=authorized(challenge, "INVITE", "ann")), PHONE)
    (arrived,) = world.inputs
    assert isinstance(arrived, InviteArrived)
    assert (arrived.source_kind, arrived.source, arrived.caller) == ("phone", "ann", "ann")


def _who_calls(world: SipWorld, user: str, *headers: str) -> tuple[str, str]:
    world.receive(Peer(user=user).request("INVITE", body=sdp(), headers=headers))
    (arrived,) = world.inputs
    assert isinstance(arrived, InviteArrived)
    return arrived.caller, arrived.caller_name


@pytest.mark.parametrize("privacy", ["id", "user;critical", "header; ID", "session,id"])
def test_who_asks_for_privacy_is_nobody_by_number_and_name(world: SipWorld, privacy: str) -> None:
    _trust(world)
    asserted = "P-Asserted-Identity: <tel:+390612345678>"
    assert _who_calls(world, "0612345678", f"Privacy: {privacy}", asserted) == ("anonymous", "")


@pytest.mark.parametrize("privacy", ["none", "header", ""])
def test_other_privacy_leaves_the_caller_his_number(world: SipWorld, privacy: str) -> None:
    assert _who_calls(world, "0612345678", f"Privacy: {privacy}") == ("0612345678", "Peer")


def _trust(world: SipWorld) -> None:
    known = world.agent.directory
    trunks = [replace(trunk, trust_asserted=True) for trunk in known.trunks.values()]
    world.agent.directory = Directory(known.realm, trunks, [])


def test_a_trusted_trunk_tells_who_calls_where_from_does_not(world: SipWorld) -> None:
    _trust(world)
    asserted = 'P-Asserted-Identity: <sip:10.0.0.2>, "Rossi" <sip:+390612345678@10.0.0.2>'
    assert _who_calls(world, "anonymous", asserted) == ("+390612345678", "Rossi")


def test_a_trunk_that_is_not_trusted_tells_nobody_who_hides(world: SipWorld) -> None:
    assert _who_calls(world, "anonymous", "P-Asserted-Identity: <tel:+390612345678>") == ("anonymous", "Peer")


@pytest.mark.parametrize("user", ["ann", "nobody"])
def test_wrong_password_and_unknown_user_get_the_same_answer(world: SipWorld, user: str) -> None:
    peer = Peer(STRANGER, user)
    world.receive(peer.request("INVITE", body=sdp()), STRANGER)
    (challenge,) = world.take()
    assert isinstance(challenge, Response)
    peer.cseq += 1
    headers = authorized(challenge, "INVITE", user, password="wrong")
    world.receive(peer.request("INVITE", body=sdp(), headers=headers), STRANGER)
    answer = assert_refused(world, 401, "INVITE")
    assert sorted(answer.headers.names()) == sorted(challenge.headers.names())
    assert world.agent.statistics.refusals["credentials_wrong"] == 1


def test_guessing_locks_the_guesser_out_and_nobody_else(world: SipWorld) -> None:
    peer = Peer(STRANGER, "ann")

    def tries(source: Hop, password: str) -> None:
        peer.cseq += 1
        world.receive(peer.request("INVITE", body=sdp()), source)
        (challenge,) = world.take()
        assert isinstance(challenge, Response)
        peer.cseq += 1
        headers = authorized(challenge, "INVITE", "ann", password=password)
        world.receive(peer.request("INVITE", body=sdp(), headers=headers), source)

    for _ in range(5):
        tries(STRANGER, "wrong")
        world.take()
    tries(STRANGER, "correct horse")
    assert_refused(world, 401, "INVITE")
    assert world.agent.statistics.refusals["locked_out"] == 1
    tries(PHONE, "correct horse")
    assert len(world.inputs) == 1
    world.take()
    world.loop.advance(61)
    tries(STRANGER, "correct horse")
    assert len(world.inputs) == 2


def test_replayed_credentials_are_refused(world: SipWorld) -> None:
    peer = Peer(PHONE, "ann")
    world.receive(peer.request("INVITE", body=sdp()), PHONE)
    (challenge,) = world.take()
    assert isinstance(challenge, Response)
    headers = authorized(challenge, "INVITE", "ann")
    peer.cseq += 1
    world.receive(peer.request("INVITE", body=sdp(), headers=headers), PHONE)
    world.take()
    replay = Peer(STRANGER, "ann", call_id="other")
    world.receive(replay.request("INVITE", body=sdp(), headers=headers), STRANGER)
    assert world.take_lines() == ["401 INVITE"]
    assert len(world.inputs) == 1


def test_trunk_is_known_by_address_alone_over_tcp(world: SipWorld) -> None:
    source = Hop("tcp", TRUNK.address, 49152)
    world.receive(Peer(source).request("INVITE", body=sdp()), source)
    assert world.take_lines() == ["100 INVITE"]


def test_same_request_by_another_way_is_merged(world: SipWorld) -> None:
    peer = Peer()
    world.receive(peer.request("INVITE", body=sdp()))
    world.receive(peer.request("INVITE", body=sdp()))
    assert world.take_lines() == ["100 INVITE", "482 INVITE"]


def test_overload_refuses_new_calls_only() -> None:
    verdicts = iter([None, 3])
    world = SipWorld(admit=lambda: next(verdicts))
    peer = Peer()
    world.receive(peer.request("INVITE", body=sdp()))
    world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
    world.take()
    world.receive(Peer(call_id="call-2", tag="b").request("INVITE", body=sdp()))
    (refused,) = world.take()
    assert isinstance(refused, Response)
    assert (refused.status, refused.headers.get("retry-after")) == (503, "3")
    peer.to_tag, peer.cseq = "leg1", 1
    world.receive(peer.request("ACK"))
    peer.cseq = 2
    world.receive(peer.request("BYE"))
    assert world.take_lines() == ["200 BYE"]


def test_copy_of_a_refused_invite_is_refused_even_when_there_is_room_again() -> None:
    verdicts = iter([3, None])
    world = SipWorld(admit=lambda: next(verdicts))
    invite = Peer().request("INVITE", body=sdp())
    world.receive(invite)
    world.receive(invite)
    assert world.take_lines() == ["503 INVITE", "503 INVITE"]
    world.receive(Peer(call_id="call-2", tag="b").request("INVITE", body=sdp()))
    assert world.take_lines() == ["100 INVITE"]


def test_draining_refuses_new_calls(world: SipWorld) -> None:
    world.agent.draining = True
    world.receive(Peer().request("INVITE", body=sdp()))
    assert assert_refused(world, 503, "INVITE").headers.get("retry-after") == "60"


def test_given_limits_are_those_that_count() -> None:
    world = SipWorld(limits=SourceLimits(rate=1, burst=1))
    for _ in range(2):
        world.receive(Peer(STRANGER).request("OPTIONS"), STRANGER)
    assert world.take_lines() == ["200 OPTIONS", "503 OPTIONS"]


def test_flood_of_one_source_is_told_to_wait_and_then_ignored(world: SipWorld) -> None:
    flood = Peer(STRANGER).request("OPTIONS")
    for _ in range(int(SOURCE_BURST) + 1000):
        world.receive(flood, STRANGER)
    statuses = [message.status for message in world.take() if isinstance(message, Response)]
    assert statuses == [200] * 200 + [503] * 200
    assert world.agent.statistics.refusals["source_silenced"] == 800
    world.receive(Peer(PHONE).request("OPTIONS"), PHONE)
    world.receive(Peer(TRUNK).request("INVITE", body=sdp()), TRUNK)
    assert world.take_lines() == ["200 OPTIONS", "100 INVITE"]
    world.loop.advance(10)
    world.receive(flood, STRANGER)
    assert world.take_lines() == ["200 OPTIONS"]


def test_flood_leaves_the_calls_of_its_source_alone(world: SipWorld) -> None:
    world.do(lambda unit: world.agent.invite(unit, "out", M1, OUR_MEDIA))
    (invite,) = world.take()
    assert isinstance(invite, Request)
    for _ in range(int(SOURCE_BURST) + 1000):
        world.receive(Peer(PHONE).request("OPTIONS"), PHONE)
    world.take()
    world.receive(respond(invite, 200, body=sdp()), PHONE)
    assert world.take_lines() == ["ACK"]
    called = Peer(PHONE, "m1", "900", tag="calledtag", call_id="out", to_tag="out")
    world.receive(called.request("BYE"), PHONE)
    assert world.take_lines() == ["200 BYE"]


def test_names_of_a_caller_are_made_fit_to_store(world: SipWorld) -> None:
    invite = Peer().request("INVITE", body=sdp(), uri="sip:%00100%0a@10.0.0.1")
    world.receive(invite.replace(b'"Peer"', b'"P\xff\xe2\x80\xaeeer"'))
    (arrived,) = world.inputs
    assert isinstance(arrived, InviteArrived)
    assert (arrived.called, arrived.caller_name) == ("100", "P�eer")


class TestInDialog:
    """Requests with both tags, in the dialog of a call that is up."""

    @pytest.fixture
    def peer(self, world: SipWorld) -> Peer:
        peer = Peer()
        world.receive(peer.request("INVITE", body=sdp()))
        world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
        peer.to_tag = "leg1"
        world.receive(peer.request("ACK"))
        peer.cseq = 2
        world.take()
        return peer

    def test_options_is_answered(self, world: SipWorld, peer: Peer) -> None:
        commits = world.commits
        world.receive(peer.request("OPTIONS"))
        assert world.take_lines() == ["200 OPTIONS"]
        assert world.commits == commits

    @pytest.mark.parametrize("method", ["UPDATE", "INFO", "REFER", "MESSAGE"])
    def test_other_methods_get_405(self, world: SipWorld, peer: Peer, method: str) -> None:
        world.receive(peer.request(method))
        (answer,) = world.take()
        assert isinstance(answer, Response)
        assert (answer.status, answer.headers.get("allow")) == (405, ALLOW)

    def test_request_out_of_order_gets_500(self, world: SipWorld, peer: Peer) -> None:
        world.receive(peer.request("OPTIONS", cseq=5))
        world.receive(peer.request("OPTIONS", cseq=4))
        world.receive(peer.request("BYE", cseq=5))
        assert world.take_lines() == ["200 OPTIONS", "500 OPTIONS", "500 BYE"]

    @pytest.mark.parametrize("method", ["BYE", "INVITE"])
    @pytest.mark.parametrize("source", [STRANGER, Hop("udp", "10.0.0.2", 6666)])
    def test_spoofed_request_is_refused(self, world: SipWorld, peer: Peer, method: str, source: Hop) -> None:
        world.receive(peer.request(method, body=sdp() if method == "INVITE" else b""), source)
        assert world.take_lines() == [f"403 {method}"]
        assert world.agent.dialogs["leg1"].state == "confirmed"
        assert len(world.inputs) == 2

    @pytest.mark.parametrize("wrong", ["tag", "call_id", "to_tag"])
    def test_request_with_one_wrong_identifier_gets_481(self, world: SipWorld, peer: Peer, wrong: str) -> None:
        setattr(peer, wrong, "guessed")
        world.receive(peer.request("BYE"))
        assert world.take_lines() == ["481 BYE"]
        assert world.agent.dialogs["leg1"].state == "confirmed"

    def test_bye_may_come_from_the_port_of_the_contact(self, world: SipWorld) -> None:
        caller = Peer(call_id="call-2", tag="two")
        invite = caller.request("INVITE", body=sdp()).replace(b"@10.0.0.2:5060>", b"@10.0.0.2:5099>")
        world.receive(invite)
        world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
        caller.to_tag = "leg1"
        world.receive(caller.request("ACK"))
        world.take()
        caller.cseq = 2
        world.receive(caller.request("BYE"), Hop("udp", "10.0.0.2", 5099))
        assert world.take_lines() == ["200 BYE"]

    def test_our_requests_follow_the_contact_of_the_peer_only_at_its_address(
        self, world: SipWorld, peer: Peer
    ) -> None:
        moved = peer.request("INVITE", body=sdp()).replace(b"@10.0.0.2:5060>", b"@10.0.0.66:5060>")
        world.receive(moved)
        world.do(lambda unit: world.agent.answer(unit, "leg1", OUR_MEDIA))
        world.receive(peer.request("ACK"))
        world.take()
        world.do(lambda unit: world.agent.bye(unit, "leg1"))
        ((bye, hop),) = world.take_routed()
        assert isinstance(bye, Request)
        assert (bye.method, bye.uri.host, hop) == ("BYE", "10.0.0.66", TRUNK)
