"""Broken versions of the corpora and of a call's own messages, sent to the running server (security.md section A)."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.test_hostile_corpus import attack_by_tcp
from tests.support.hostile import ATTACKER, PROBE_S, PROBER, TRUNK, HostileServer, Probe, hostile_server
from tests.support.server import eventually
from tests.support.sip_material import ALL_SDP_SEEDS, ALL_SEEDS, broken
from tests.support.sip_party import Answer, Call, Party, Sound, offer

pytestmark = pytest.mark.e2e

MEDIA = (TRUNK[0], 24940)
EACH = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("mutations")) as running:
        yield running


@pytest.fixture
def probe(server: HostileServer) -> Iterator[Probe]:
    """Asked for after each message; most of them on time, whatever else the machine does."""
    with Party(server.sip, (PROBER, 0)) as party:
        probe = Probe(party, server)
        yield probe
    print(f"\n{probe.told()}")
    assert sum(took > PROBE_S for took in probe.times) <= len(probe.times) // 100


@pytest.fixture
def trunk(server: HostileServer) -> Iterator[Party]:
    with Party(server.sip, TRUNK) as party:
        yield party


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_broken_message_of_a_stranger_makes_nothing(server: HostileServer, probe: Probe, transport: str) -> None:
    before = (server.facts(), server.rows())
    with Party(server.sip, (ATTACKER, 5060)) as attacker:

        @settings(EACH, max_examples=1500)
        @given(data=broken(ALL_SEEDS))
        def attack(data: bytes) -> None:
            if transport == "tcp":
                attack_by_tcp(server, data)
            else:
                attacker.send(data[:60000])
            probe.once()

        attack()
        statuses = {answer.status for answer in attacker.drain()}
    assert statuses <= {100, 200, 400, 401, 405, 413, 414, 415, 416, 420, 481, 482, 483, 500, 501, 505, 513}
    assert (server.facts(), server.rows()) == before
    told = server.status()
    assert (told["calls"], told["sip"]["dialogs"], told["sip"]["transactions"]) == (0, 0, 0)
    server.assert_calm()


def test_broken_session_description_of_a_trunk_is_a_call_or_a_refusal(
    server: HostileServer, probe: Probe, trunk: Party
) -> None:
    statuses: dict[int, int] = {}

    @settings(EACH, max_examples=600)
    @given(body=broken(ALL_SDP_SEEDS))
    def attack(body: bytes) -> None:
        number = sum(statuses.values())
        call = Call(trunk, "100", f"sdp{number}@{TRUNK[0]}", f"sdp{number}")
        trunk.send(call.request("INVITE", body=body))
        answer = trunk.final(call.call_id)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        call.to_tag = answer.to_tag
        trunk.send(call.request("ACK"))
        if answer.status == 200:
            # Without a description it was a late offer that nobody answered: the server may have hung up first.
            assert call.hang_up().status in ({200} if body else {200, 481})
        probe.once()

    attack()
    print(f"\n{statuses}")
    assert statuses.keys() <= {200, 400, 488}
    assert statuses.keys() >= {200, 400}
    eventually("no call is left", lambda: not server.status()["calls"])
    server.assert_calm()


def in_dialog_seeds(by: Party) -> tuple[bytes, ...]:
    """The messages of a call as `by` would send them, with names for what only the call knows."""
    call = Call(by, "100", "CALLID", "FROMTAG", "TOTAG")
    requests = [
        call.request(
            method,
            cseq=9,
            branch="z9hG4bKBRANCH",
            body=offer((ATTACKER, 24942)) if method in {"INVITE", "ACK"} else b"",
        )
        for method in ("BYE", "INVITE", "UPDATE", "INFO", "REFER", "ACK", "CANCEL", "PRACK", "OPTIONS")
    ]
    request = Answer(call.request("INVITE", cseq=1, branch="z9hG4bKBRANCH"), by.server)
    statuses = ("100 Trying", "180 Ringing", "200 OK", "401 Unauthorized", "487 Request Terminated")
    return (*requests, *(request.as_reply(status, body=offer((ATTACKER, 24942))) for status in statuses))


def of_call(message: bytes, call: Call, number: int) -> bytes:
    """The message with the names that it has in `call`, short enough for a datagram."""
    for name, value in (
        *(("CALLID", call.call_id), ("FROMTAG", call.from_tag), ("TOTAG", call.to_tag)),
        *(("BRANCH", f"broken{number}"), ("CSeq: 9 ", f"CSeq: {call.cseq + 1} ")),
    ):
        message = message.replace(name.encode(), value.encode())
    return message[:60000]


def test_broken_requests_of_a_stranger_in_a_call_leave_it_up(
    server: HostileServer, probe: Probe, trunk: Party
) -> None:
    with Sound(MEDIA, b"\x12" * 160) as sound, Party(server.sip, (ATTACKER, 0)) as attacker:
        call = trunk.call("100", sound.local)
        sound.start(call.media)
        seeds = in_dialog_seeds(attacker)

        @settings(EACH, max_examples=800)
        @given(data=st.one_of(st.sampled_from(seeds), broken(seeds)))
        def attack(data: bytes) -> None:
            attacker.send(of_call(data, call, len(probe.times)))
            probe.once()

        attack()
        heard = len(sound.heard)
        eventually("the caller still hears himself", lambda: len(sound.heard) > heard + 10)
        assert call.is_up()
        assert call.hang_up().status == 200
    eventually("no call is left", lambda: not server.status()["calls"])
    server.assert_calm()


def test_broken_requests_of_the_peer_in_his_call_surprise_nobody(
    server: HostileServer, probe: Probe, trunk: Party
) -> None:
    """He may end or hold his own call; that is his right. Here the calls need not survive, only the server."""
    calls: list[Call] = [trunk.call("100", MEDIA)]
    seeds = in_dialog_seeds(trunk)

    @settings(EACH, max_examples=600)
    @given(data=broken(seeds))
    def attack(data: bytes) -> None:
        if not calls[-1].is_up():
            calls.append(trunk.call("100", MEDIA))
        call = calls[-1]
        message = of_call(data, call, len(probe.times))
        trunk.send(message)
        # Our own CSeq must stay ahead of what the message may have made the server believe.
        call.cseq += 1
        probe.once()

    attack()
    print(f"\n{len(calls)} calls")
    server.assert_calm()
