"""REGISTER as the user agent takes it: proof, bindings as rows, presence, and where a phone rings."""

import pytest

from callcenter.calls.ports import Target
from callcenter.sip.hop import Hop
from callcenter.sip.message import Response
from tests.support.sip import PHONE, STRANGER, Peer, SipWorld, authorized


@pytest.fixture
def world() -> SipWorld:
    return SipWorld()


def ann(source: Hop = PHONE) -> Peer:
    return Peer(source, "ann", "ann", call_id="reg")


def register(world: SipWorld, peer: Peer, *headers: str, contact: str | None = None, user: str = "ann") -> Response:
    """The final answer to a REGISTER that answers its challenge."""
    answer: Response | None = None
    proof: tuple[str, ...] = ()
    for _ in range(2):
        data = peer.request("REGISTER", headers=(*headers, *proof), uri="sip:10.0.0.1")
        old = f"Contact: <sip:ann@{peer.hop.address}:{peer.hop.port}>\r\n"
        data = data if contact is None else data.replace(old.encode(), f"{contact}\r\n".encode() if contact else b"")
        world.receive(data, peer.hop)
        (message,) = world.take()
        assert isinstance(message, Response)
        answer = message
        peer.cseq += 1
        if message.status == 401:
            proof = authorized(message, "REGISTER", user)
    assert answer is not None
    return answer


def test_phone_registers(world: SipWorld) -> None:
    answer = register(world, ann(), "Expires: 120")
    assert answer.status == 200
    (contact,) = answer.contacts
    assert (contact.uri.text, contact.parameters["expires"]) == ("sip:ann@10.0.0.3:5070", "120")
    assert world.events == [("sip.binding.registered", "ann", {"contacts": 1})]
    assert world.presence == [("ann", True)]
    assert [key for key in world.rows if key[0] == "binding"] == [("binding", "ann")]
    assert world.agent.registration.reachable_users() == {"ann", "m1"}


def test_refusals_of_a_register_touch_no_disk(world: SipWorld) -> None:
    world.receive(ann().request("REGISTER"), PHONE)
    (answer,) = world.take()
    assert isinstance(answer, Response)
    assert answer.status == 401
    assert world.commits == 0


def test_phone_cannot_register_another(world: SipWorld) -> None:
    bob = Peer(STRANGER, "ann", "bob", call_id="reg")
    assert register(world, bob).status == 403
    assert world.presence == []


def test_repeated_register_is_answered_from_memory(world: SipWorld) -> None:
    peer = ann()
    world.receive(peer.request("REGISTER"), PHONE)
    (challenge,) = world.take()
    assert isinstance(challenge, Response)
    peer.cseq += 1
    data = peer.request("REGISTER", headers=authorized(challenge, "REGISTER", "ann"))
    world.receive(data, PHONE)
    commits = world.commits
    world.receive(data, PHONE)
    assert world.take_lines() == ["200 REGISTER", "200 REGISTER"]
    assert world.commits == commits


def test_too_short_time_gets_423_with_the_least(world: SipWorld) -> None:
    answer = register(world, ann(), "Expires: 10")
    assert (answer.status, answer.headers.get("min-expires")) == (423, "60")


def test_query_lists_the_contacts(world: SipWorld) -> None:
    peer = ann()
    register(world, peer)
    commits = world.commits
    answer = register(world, peer, contact="")
    assert len(answer.contacts) == 1
    assert world.commits == commits


def test_star_unregisters(world: SipWorld) -> None:
    peer = ann()
    register(world, peer)
    answer = register(world, peer, "Expires: 0", contact="Contact: *")
    assert (answer.status, answer.contacts) == (200, [])
    assert world.presence == [("ann", True), ("ann", False)]
    assert ("binding", "ann") not in world.rows


@pytest.mark.parametrize("contact", ["Contact: <mailto:ann@b.c>", "Contact: <sip:ann@b;transport=sctp>"])
def test_contact_that_cannot_be_rung_is_refused(world: SipWorld, contact: str) -> None:
    assert register(world, ann(), contact=contact).status == 400


def test_contact_runs_out_by_itself(world: SipWorld) -> None:
    register(world, ann(), "Expires: 60")
    world.loop.advance(61)
    assert world.events[-1] == ("sip.binding.expired", "ann", {"contacts": 0})
    assert world.presence == [("ann", True), ("ann", False)]
    assert world.rows == {}


def test_phone_rings_where_it_registered_from(world: SipWorld) -> None:
    register(world, ann(), contact="Contact: <sip:ann@192.168.1.7:5060>")
    assert world.agent.target_for("ann", from_user="1", from_name="N") == Target(
        "sip:ann@192.168.1.7:5060", "10.0.0.3", 5070, "udp", "1", "N"
    )


def test_phone_without_nat_rings_at_its_own_port(world: SipWorld) -> None:
    register(world, ann(Hop("udp", "10.0.0.3", 40000)), contact="Contact: <sip:ann@10.0.0.3:5061>")
    target = world.agent.target_for("ann", from_user="1")
    assert target is not None
    assert (target.address, target.port) == ("10.0.0.3", 5061)


def test_phone_on_tcp_rings_on_its_connection_while_it_is_there(world: SipWorld) -> None:
    source = Hop("tcp", "10.0.0.3", 40000)
    world.transports.connected.add(source)
    register(world, ann(source), contact="Contact: <sip:ann@10.0.0.3:5061;transport=tcp>")
    target = world.agent.target_for("ann", from_user="1")
    assert target is not None
    assert (target.transport, target.port) == ("tcp", 40000)
    world.transports.connected.clear()
    target = world.agent.target_for("ann", from_user="1")
    assert target is not None
    assert (target.transport, target.port) == ("tcp", 5061)


def test_static_contact_needs_no_registration(world: SipWorld) -> None:
    target = world.agent.target_for("m1", from_user="1")
    assert target == Target("sip:m1@10.0.0.3:5070", "10.0.0.3", 5070, "udp", "1")


@pytest.mark.parametrize("user", ["bob", "nobody"])
def test_phone_that_is_nowhere_has_no_target(world: SipWorld, user: str) -> None:
    assert world.agent.target_for(user, from_user="1") is None


def test_bindings_survive_a_restart_and_still_run_out(world: SipWorld) -> None:
    register(world, ann(), "Expires: 120")
    world.loop.advance(60)
    after = world.restarted()
    assert after.agent.registration.reachable_users() == {"ann", "m1"}
    assert after.presence == []
    after.loop.advance(61)
    assert after.presence == [("ann", False)]
    assert after.rows == {}
